import Compute
import Graph

/// What is asked of an objective on data: loss, gradient, derivatives and batch curvature at any parameters.
///
/// Data is walked in chunks of `chunk` samples, a constant of the run: sums over chunks are taken in order, so a result does
/// not depend on the number of threads. One oracle belongs to one thread.
public final class Oracle {
    public let objective: Objective
    public let samples: any SampleSource
    let engine: Engine
    /// Samples in a chunk.
    public let chunk: Int
    /// Samples stacked for one evaluation of batch curvature, at least one batch.
    public static let stackedSamples = 512

    private var plans: [GraphKey: Plan] = [:]
    private var gathered: Gathered?

    enum GraphKey: Hashable {
        case samples(Int)
        case gradient(Int, total: Int)
        case descent(Int)
        case directional(order: Int, Int, total: Int)
        case quadratic(Int, total: Int)
        case batchCurvature(Int, stack: Int)
    }

    struct LinearizedKey: Hashable {
        let count: Int
        let total: Int
    }
    var linearizedPrograms: [LinearizedKey: LinearizedProgram] = [:]

    /// - Throws: `GraphError` when the data's shapes are not the model's.
    public init(objective: Objective, samples: any SampleSource, engine: Engine = .shared, chunk: Int = 1024) throws {
        let model = objective.model
        guard samples.inputShape.reduce(1, *) == model.inputShape.reduce(1, *) else {
            throw GraphError(
                "the data's samples have shape \(samples.inputShape), \(model.name) takes \(model.inputShape)")
        }
        guard samples.targetShape.reduce(1, *) == objective.targetShape.reduce(1, *) else {
            throw GraphError(
                "the data's targets have shape \(samples.targetShape), the loss takes \(objective.targetShape)")
        }
        self.objective = objective
        self.samples = samples
        self.engine = engine
        self.chunk = chunk
    }

    public var model: Model { objective.model }
    var layout: ParameterLayout { objective.model.layout }
    var element: ElementType { objective.model.element }

    // MARK: - Plans

    func plan(
        _ key: GraphKey, donating: @autoclosure () -> [String: String] = [:], _ graph: () throws -> Graph
    ) throws -> Plan {
        if let plan = plans[key] { return plan }
        let plan = try engine.plan(for: graph(), donating: donating())
        plans[key] = plan
        return plan
    }

    /// Donations of accumulators: `x.sum` becomes the output of this suffix.
    func accumulatorDonation(_ suffix: String) -> [String: String] {
        Dictionary(uniqueKeysWithValues: objective.parameterNames.map { ("\($0).\(suffix)", "\($0).sum") })
    }

    // MARK: - Samples in memory

    /// Rows of a selection: the source's own for all samples, else gathered.
    final class Gathered {
        let inputs: Buffer
        let targets: Buffer
        let capacity: Int
        init(capacity: Int, inputBytes: Int, targetBytes: Int) throws {
            inputs = try MemoryAccount.shared.allocate(count: capacity, stride: inputBytes, for: "a batch of samples")
            targets = try MemoryAccount.shared.allocate(count: capacity, stride: targetBytes, for: "a batch of targets")
            self.capacity = capacity
        }
    }

    struct Rows {
        let count: Int
        let inputs: UnsafeRawPointer
        let targets: UnsafeRawPointer
        /// Keeps gathered rows alive.
        let owner: Gathered?
    }

    var inputRowBytes: Int { objective.model.inputShape.reduce(1, *) * element.byteCount }
    var targetRowBytes: Int { objective.targetShape.reduce(1, *) * element.byteCount }

    func gather(_ indices: UnsafeBufferPointer<Int>, into target: Gathered) throws -> Rows {
        try samples.gather(indices, as: element, inputs: target.inputs.base, targets: target.targets.base)
        return Rows(
            count: indices.count, inputs: UnsafeRawPointer(target.inputs.base),
            targets: UnsafeRawPointer(target.targets.base), owner: target)
    }

    /// Rows that outlive the call: a gathered selection has memory of its own.
    func rows(of selection: BatchSelection) throws -> Rows {
        switch selection {
        case .all:
            let (inputs, targets) = try samples.rows(as: element)
            return Rows(count: samples.count, inputs: inputs, targets: targets, owner: nil)
        case .indices(let indices):
            guard !indices.isEmpty else { throw GraphError("an empty batch") }
            if let outside = indices.first(where: { !(0..<samples.count).contains($0) }) {
                throw GraphError("sample \(outside + 1) of \(samples.count)")
            }
            let memory = try Gathered(
                capacity: indices.count, inputBytes: inputRowBytes, targetBytes: targetRowBytes)
            return try indices.withUnsafeBufferPointer { try gather($0, into: memory) }
        }
    }

    /// Rows of a batch in memory that the next call uses again.
    func transientRows(_ indices: UnsafeBufferPointer<Int>) throws -> Rows {
        if (gathered?.capacity ?? 0) < indices.count {
            gathered = nil
            gathered = try Gathered(
                capacity: indices.count, inputBytes: inputRowBytes, targetBytes: targetRowBytes)
        }
        guard let gathered else { preconditionFailure("memory for a batch was just made") }
        return try gather(indices, into: gathered)
    }

    /// Calls `body` for each chunk of the rows, in order.
    func forEachChunk(
        of rows: Rows,
        _ body: (_ start: Int, _ count: Int, _ inputs: UnsafeRawPointer, _ targets: UnsafeRawPointer) throws -> Void
    ) rethrows {
        var start = 0
        while start < rows.count {
            let count = min(chunk, rows.count - start)
            try body(start, count, rows.inputs + start * inputRowBytes, rows.targets + start * targetRowBytes)
            start += count
        }
        withExtendedLifetime(rows.owner) {}
    }

    /// Calls `body` with the address of so much memory, which is gone afterwards.
    func withScratch<Result>(
        count: Int, stride: Int, for what: String, _ body: (UnsafeMutableRawPointer) throws -> Result
    ) throws -> Result {
        let buffer = try MemoryAccount.shared.allocate(count: count, stride: stride, for: what)
        return try withExtendedLifetime(buffer) { try body(buffer.base) }
    }

    /// A scalar result, as `Double`.
    func number(_ pointer: UnsafeRawPointer, at index: Int = 0) -> Double {
        element == .f64
            ? pointer.load(fromByteOffset: index * 8, as: Double.self)
            : Double(pointer.load(fromByteOffset: index * 4, as: Float.self))
    }
}
