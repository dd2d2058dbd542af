import Compute
import Graph
import Networks

/// The plans of a function of tangents that is split at a point, for pieces of one size: what depends on the point alone, and
/// the rest. Residuals that are inputs of the point's graph (weights, samples) are bound where they are, not copied.
final class LinearizedProgram {
    enum Source {
        /// An input of the point's graph, by its number.
        case input(Int)
        /// An output of the point's graph, by its number.
        case computed(Int)
    }
    /// Nil when every residual is an input.
    let point: Plan?
    /// In the order of the linear graph's first inputs.
    let residuals: [Source]
    /// The types of the point's outputs.
    let kept: [TensorType]
    /// Bytes of `kept`.
    let residualBytes: Int

    /// Inputs: the residuals, then the tangents.
    private let graph: Graph
    private var plans: [Bool: Plan] = [:]
    private let compile: (_ graph: Graph, _ adding: Bool, _ limit: Int) throws -> Plan

    fileprivate init(
        point: Plan?, residuals: [Source], kept: [TensorType], residualBytes: Int, graph: Graph,
        compile: @escaping (_ graph: Graph, _ adding: Bool, _ limit: Int) throws -> Plan
    ) {
        self.point = point
        self.residuals = residuals
        self.kept = kept
        self.residualBytes = residualBytes
        self.graph = graph
        self.compile = compile
    }

    /// The plan of what depends on tangents.
    /// - Parameters:
    ///   - adding: to accumulators, further inputs, over which it writes: the data are in several pieces. Otherwise it writes its
    ///     outputs alone.
    ///   - limit: bytes of intermediate values.
    func linear(adding: Bool, limit: Int = .max) throws -> Plan {
        if let plan = plans[adding] { return plan }
        let plan = try compile(graph, adding, limit)
        plans[adding] = plan
        return plan
    }
}

extension Oracle {
    /// - Parameters:
    ///   - work: one that is split at a point.
    ///   - adding: whether its products are added to those of other pieces.
    ///   - limit: bytes of intermediate values and of kept ones.
    func linearizedProgram(
        _ work: OracleWork = .linearized(.hessian), count: Int, adding: Bool = false, limit: Int = .max
    ) throws -> LinearizedProgram {
        let key = PlanCache.Key(work: work, use: use, count: count)
        let program = try cache.linearized[key] ?? makeProgram(work, count, limit)
        if program.residualBytes > limit { throw ArenaLimitError(needed: program.residualBytes) }
        _ = try program.withResiduals(limit) { try program.linear(adding: adding, limit: $0) }
        cache.linearized[key] = program
        return program
    }

    private func makeProgram(_ work: OracleWork, _ count: Int, _ limit: Int) throws -> LinearizedProgram {
        let graphs: Linearized =
            switch work {
            case .linearized(let matrix): try objective.linearized(matrix, count: count, use: use, adding: false)
            case .linearizedQuadratic(let matrix): try objective.linearizedQuadratic(matrix, count: count, use: use)
            case .linearizedDirectional(let order):
                try objective.linearizedDirectional(order: order, count: count, use: use)
            default: preconditionFailure("\(work.quantity) is not split at a point")
            }
        var (sources, names, types) = ([LinearizedProgram.Source](), [String](), [TensorType]())
        for name in graphs.residuals {
            guard let output = graphs.point.outputs.first(where: { $0.name == name }) else { continue }
            if output.value.id < graphs.point.inputs.count {
                sources.append(.input(output.value.id))
            } else {
                sources.append(.computed(names.count))
                names.append(name)
                types.append(graphs.point.type(of: output.value))
            }
        }
        let size = types.reduce(0.0) { $0 + $1.shape.reduce(Double($1.element.byteCount)) { $0 * Double($1) } }
        guard size < 0x1p62 else { throw MemoryError.impossibleSize(what: "the point of a linearized product") }
        let (bytes, engine, objective) = (Int(size), engine, objective)
        let donations = objective.donations(ProgramSignature([.tangents(), .sums], to: [.results("product")]))
        if bytes > limit { throw ArenaLimitError(needed: bytes) }
        func make(_ point: Plan?) -> LinearizedProgram {
            LinearizedProgram(
                point: point, residuals: sources, kept: types, residualBytes: bytes, graph: graphs.linear
            ) { graph, adding, limit in
                if !adding { return try engine.plan(for: graph, arenaLimit: limit) }
                let sum = try objective.accumulating(graph) { "\($0).product" }
                return try engine.plan(for: sum, donating: donations, arenaLimit: limit)
            }
        }
        if names.isEmpty { return make(nil) }
        let point = graphs.point.selecting(outputs: names)
        return try make(make(nil).withResiduals(limit) { try engine.plan(for: point, arenaLimit: $0) })
    }
}

extension LinearizedProgram {
    /// Compiles within what a limit leaves beside the kept values.
    fileprivate func withResiduals(_ limit: Int, _ compile: (_ room: Int) throws -> Plan) throws -> Plan {
        do { return try compile(limit == .max ? .max : limit - residualBytes) } catch let error as ArenaLimitError {
            throw ArenaLimitError(needed: error.needed + residualBytes)
        }
    }
}
