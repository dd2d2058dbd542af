import Compute
import Graph

/// v ↦ Av for a curvature matrix at fixed parameters: for each piece of the data, what depends on the point alone (activations,
/// backward deltas, second derivatives of the loss) is kept, and a product walks the linear part only.
///
/// What does not fit beside the rest is computed anew for each product, by the same plans: slower, with the same bits. Holds its
/// parameters and the kept values until it is released.
public final class LinearizedProduct {
    private struct Part {
        let piece: Oracle.Piece
        let program: LinearizedProgram
        /// What is kept of the point; nil where each product computes it.
        let kept: [Buffer]?
    }

    public let matrix: CurvatureMatrix
    private let oracle: Oracle
    private let theta: Vector
    private let rows: Oracle.Rows
    private var parts: [Part] = []
    /// Memory for the point of one piece that is not kept, by the piece's size, of which there are two at most.
    private var transient: [Int: [Buffer]] = [:]
    /// Products made so far.
    public private(set) var products = 0
    /// Pieces whose point is computed for each product.
    public var recomputedPieces: Int { parts.count { $0.kept == nil } }
    public var pieces: Int { parts.count }

    /// - Parameters:
    ///   - oracle: one whose running values do not change.
    ///   - room: bytes that may be kept; by default half of the memory limit.
    init(
        _ matrix: CurvatureMatrix = .hessian, oracle: Oracle, theta: Vector, rows: Oracle.Rows, room: Int? = nil
    ) throws {
        self.matrix = matrix
        self.oracle = oracle
        self.theta = theta
        self.rows = rows
        var pieces: [(piece: Oracle.Piece, program: LinearizedProgram)] = []
        try oracle.forEachPiece(of: rows, for: .linearized(matrix)) { piece in
            pieces.append((piece, try oracle.linearizedProgram(matrix, count: piece.count)))
        }
        var room = room ?? MemoryAccount.shared.limit / 2
        // A quarter of all memory remains for vectors and plans; where a piece is computed anew, so does the room for that.
        var spare = MemoryAccount.shared.limit / 4 * 3 - MemoryAccount.shared.used
        let all = pieces.reduce(0) { $0 + $1.program.residualBytes }
        if all > min(room, spare) {
            for (piece, program) in pieces where transient[piece.count] == nil {
                transient[piece.count] = try memory(for: program, piece)
                spare -= program.residualBytes
            }
        }
        try theta.withUnsafeBytes { bytes in
            let parameters = oracle.layout.views(of: bytes.baseAddress!, element: oracle.element)
            for (piece, program) in pieces {
                var kept: [Buffer]?
                if program.residualBytes <= min(room, spare) {
                    let memory = try memory(for: program, piece)
                    room -= program.residualBytes
                    spare -= program.residualBytes
                    run(point: program, parameters, piece, into: memory)
                    kept = memory
                }
                parts.append(Part(piece: piece, program: program, kept: kept))
            }
        }
        let isAnew = Set(parts.filter { $0.kept == nil }.map(\.piece.count))
        transient = transient.filter { isAnew.contains($0.key) }
    }

    private func memory(for program: LinearizedProgram, _ piece: Oracle.Piece) throws -> [Buffer] {
        try oracle.explaining(.linearized(matrix), oracle.words(forPieceOf: piece.count)) {
            // As one request, so that a refusal names what is needed in all.
            let what = "the point of a linearized product"
            try MemoryAccount.shared.check(bytes: program.residualBytes, for: what)
            return try program.kept.map {
                try MemoryAccount.shared.allocate(count: $0.elementCount(), stride: $0.element.byteCount, for: what)
            }
        }
    }

    private func run(
        point program: LinearizedProgram, _ parameters: [UnsafeRawPointer], _ piece: Oracle.Piece, into memory: [Buffer]
    ) {
        let samples = [piece.inputs, piece.targets, piece.weights] + oracle.runningInputs
        guard let plan = program.point else { return }
        oracle.run(plan, inputs: parameters + samples, outputs: memory.map(\.base))
    }

    /// The cost of one product, in multiply-adds of the cost model.
    public var productWork: Double {
        parts.reduce(0) { sum, part in
            let again = part.kept == nil ? part.program.point?.cost.total ?? 0 : 0
            return sum + part.program.linear.cost.total + again
        }
    }

    /// The products with all vectors of a block.
    public func apply(block: [Vector]) throws -> [Vector] { try block.map { try apply($0) } }

    /// vᵀAv for all vectors of a block, each by a forward sweep (for the Hessian after a backward sweep).
    public func quadratic(block: [Vector]) throws -> [Double] {
        try block.map { try oracle.quadratic(matrix, at: theta, along: $0, rows: rows) }
    }

    /// Av, over the samples that this was linearized on.
    public func apply(_ direction: Vector) throws -> Vector {
        try oracle.check(direction)
        products += 1
        let (layout, element) = (oracle.layout, oracle.element)
        var result = try Vector(zeros: layout.count, element: element)
        try theta.withUnsafeBytes { bytes in
            let parameters = layout.views(of: bytes.baseAddress!, element: element)
            try direction.withUnsafeBytes { along in
                let tangents = layout.views(of: along.baseAddress!, element: element)
                try result.withUnsafeMutableBytes { sum in
                    let sums = layout.views(of: sum.baseAddress!, element: element)
                    for part in parts {
                        let point = part.kept ?? transient[part.piece.count] ?? []
                        if part.kept == nil { run(point: part.program, parameters, part.piece, into: point) }
                        let inputs =
                            parameters + [part.piece.inputs, part.piece.targets, part.piece.weights]
                            + oracle.runningInputs
                        let residuals = part.program.residuals.map { source -> UnsafeRawPointer in
                            switch source {
                            case .input(let index): inputs[index]
                            case .computed(let index): UnsafeRawPointer(point[index].base)
                            }
                        }
                        oracle.run(
                            part.program.linear,
                            inputs: residuals + tangents + sums.map { UnsafeRawPointer($0) }, outputs: sums)
                    }
                }
            }
        }
        return result
    }
}

/// The two plans of a linearized product for pieces of one size. Residuals that are inputs of the point's graph (weights,
/// samples) are bound where they are, not copied.
struct LinearizedProgram {
    enum Source {
        /// An input of the point's graph, by its number.
        case input(Int)
        /// An output of the point's graph, by its number.
        case computed(Int)
    }
    /// Nil when every residual is an input.
    let point: Plan?
    let linear: Plan
    /// In the order of the linear graph's first inputs.
    let residuals: [Source]
    /// The types of the point's outputs.
    let kept: [TensorType]
    /// Bytes of `kept`.
    let residualBytes: Int
}

extension Oracle {
    /// - Parameter limit: bytes of intermediate values and of kept ones.
    func linearizedProgram(
        _ matrix: CurvatureMatrix = .hessian, count: Int, limit: Int = .max
    ) throws -> LinearizedProgram {
        let key = PlanCache.Key(work: .linearized(matrix), use: use, count: count)
        if let program = cache.linearized[key] { return program }
        let graphs = try objective.linearized(matrix, count: count, use: use)
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
        let bytes = Int(size)
        if bytes > limit { throw ArenaLimitError(needed: bytes) }
        let room = limit == .max ? Int.max : limit - bytes
        func compiled(_ graph: Graph, _ donations: [String: String] = [:]) throws -> Plan {
            do {
                return try engine.plan(for: graph, donating: donations, arenaLimit: room)
            } catch let error as ArenaLimitError { throw ArenaLimitError(needed: error.needed + bytes) }
        }
        let program = LinearizedProgram(
            point: names.isEmpty ? nil : try compiled(graphs.point.selecting(outputs: names)),
            linear: try compiled(graphs.linear, accumulatorDonation("product")), residuals: sources, kept: types,
            residualBytes: bytes)
        cache.linearized[key] = program
        return program
    }
}
