import Compute
import Graph

/// v ↦ Hv at fixed parameters: per chunk of the data, what depends on the point alone (activations, backward deltas, second
/// derivatives of the loss) is kept, and a product walks the linear part only.
///
/// Holds its parameters and the kept values until it is released.
public final class LinearizedGradient {
    /// Where an input of the linear graph is found.
    private enum Residual {
        case parameter(Int)
        case inputs
        case targets
        case kept(Buffer)
    }

    private struct Chunk {
        let plan: Plan
        let inputs: UnsafeRawPointer
        let targets: UnsafeRawPointer
        let residuals: [Residual]
    }

    private let oracle: Oracle
    private let theta: Vector
    private let rows: Oracle.Rows
    private var chunks: [Chunk] = []
    /// Products made so far.
    public private(set) var products = 0

    init(oracle: Oracle, theta: Vector, rows: Oracle.Rows) throws {
        self.oracle = oracle
        self.theta = theta
        self.rows = rows
        let layout = oracle.layout
        try theta.withUnsafeBytes { bytes in
            let parameters = layout.views(of: bytes.baseAddress!, element: oracle.element)
            try oracle.forEachChunk(of: rows) { _, count, inputs, targets in
                let program = try oracle.linearizedProgram(count: count, total: rows.count)
                var residuals: [Residual] = []
                var outputs: [UnsafeMutableRawPointer] = []
                for source in program.residuals {
                    switch source {
                    case .input(let index) where index < parameters.count: residuals.append(.parameter(index))
                    case .input(let index): residuals.append(index == parameters.count ? .inputs : .targets)
                    case .computed(let type):
                        let buffer = try MemoryAccount.shared.allocate(
                            count: type.elementCount(), stride: type.element.byteCount,
                            for: "the point of a linearized gradient")
                        residuals.append(.kept(buffer))
                        outputs.append(buffer.base)
                    }
                }
                if let point = program.point { point.run(inputs: parameters + [inputs, targets], outputs: outputs) }
                chunks.append(Chunk(plan: program.linear, inputs: inputs, targets: targets, residuals: residuals))
            }
        }
    }

    /// Hv, over the samples that this was linearized on.
    public func apply(_ direction: Vector) throws -> Vector {
        try oracle.check(direction)
        products += 1
        let layout = oracle.layout
        let element = oracle.element
        var result = try Vector(zeros: layout.count, element: element)
        try theta.withUnsafeBytes { bytes in
            let parameters = layout.views(of: bytes.baseAddress!, element: element)
            try direction.withUnsafeBytes { along in
                let tangents = layout.views(of: along.baseAddress!, element: element)
                try result.withUnsafeMutableBytes { sum in
                    let sums = layout.views(of: sum.baseAddress!, element: element)
                    for chunk in chunks {
                        let residuals = chunk.residuals.map { residual -> UnsafeRawPointer in
                            switch residual {
                            case .parameter(let index): parameters[index]
                            case .inputs: chunk.inputs
                            case .targets: chunk.targets
                            case .kept(let buffer): UnsafeRawPointer(buffer.base)
                            }
                        }
                        chunk.plan.run(
                            inputs: residuals + tangents + sums.map { UnsafeRawPointer($0) }, outputs: sums)
                    }
                }
            }
        }
        return result
    }
}

/// The two plans of a linearized gradient for chunks of one size. Residuals that are inputs of the point's graph (weights,
/// samples) are bound where they are, not copied.
struct LinearizedProgram {
    enum Source {
        case input(Int)
        case computed(TensorType)
    }
    /// Nil when every residual is an input.
    let point: Plan?
    let linear: Plan
    /// In the order of the linear graph's first inputs.
    let residuals: [Source]
}

extension Oracle {
    func linearizedProgram(count: Int, total: Int) throws -> LinearizedProgram {
        let key = LinearizedKey(count: count, total: total)
        if let program = linearizedPrograms[key] { return program }
        let graphs = try objective.linearizedGradient(count: count, total: total)
        let residuals = graphs.residuals.compactMap { name in
            graphs.point.outputs.first { $0.name == name }
        }
        let sources = residuals.map { output in
            output.value.id < graphs.point.inputs.count
                ? LinearizedProgram.Source.input(output.value.id) : .computed(graphs.point.type(of: output.value))
        }
        let kept = residuals.filter { $0.value.id >= graphs.point.inputs.count }.map(\.name)
        let program = LinearizedProgram(
            point: kept.isEmpty ? nil : try engine.plan(for: graphs.point.selecting(outputs: kept)),
            linear: try engine.plan(for: graphs.linear, donating: accumulatorDonation("product")), residuals: sources)
        linearizedPrograms[key] = program
        return program
    }
}
