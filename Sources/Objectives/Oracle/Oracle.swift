import Compute
import Graph
import Networks

/// What is asked of an objective on data: loss, gradient, derivatives and batch curvature at any parameters.
///
/// Data is walked in chunks (`Oracle+Chunks.swift`): sums over chunks are taken in order, so a result does not depend on the
/// number of threads. Where samples share batch statistics, the pieces are ghost batches of `ghostBatch` samples, the last one
/// smaller; a batch of at most this size is one. One oracle belongs to one thread.
public final class Oracle {
    public let objective: Objective
    public let samples: any SampleSource
    /// Whether normalisation layers see their batch, as in training, or running values, as in evaluation.
    public let use: StatisticsUse
    /// Samples that share batch statistics.
    public let ghostBatch: Int
    /// The most samples in a chunk.
    public let largestChunk: Int
    /// Bytes of intermediate values that a plan over more than one sample may need.
    public let budget: Int
    /// The running values: training steps change them, nothing else does.
    public let running: HeldTensors
    /// What is fixed in the model.
    public let fixed: HeldTensors

    let cache: PlanCache
    let elements: SampleElements
    private let mask: SampleMask?
    private var gathered: Gathered?
    private var weightsOfAll: Buffer?
    /// Programs of training steps that are ready to run on an engine, the last made first.
    var bound: [BoundStep] = []
    private var engineOfBound: Engine?
    /// Called with the work and the size of its chunks, once for each where data is walked in more than one.
    public var choseChunks: ((_ quantity: String, _ samples: Int) -> Void)?

    /// Samples stacked for one evaluation of batch curvature, at least one batch.
    public static let stackedSamples = 512
    /// Ghost batches of Cohen et al. 2021.
    public static let defaultGhostBatch = 1000
    /// The same on machines of every size that can afford it, so that sums are taken in the same order.
    public static var defaultBudget: Int { min(1 << 30, MemoryAccount.shared.limit / 4) }

    /// - Parameters:
    ///   - chunk: the most samples in a chunk; fewer are taken where these need more memory than `budget`.
    ///   - ghostBatch: samples that share batch statistics, in a model that has them.
    ///   - budget: bytes of intermediate values of one chunk; by default 1 GiB, or a quarter of the memory limit if that is less.
    /// - Throws: `GraphError` when the data's shapes are not the model's.
    public convenience init(
        objective: Objective, samples: any SampleSource, use: StatisticsUse = .batch, engine: Engine = .shared,
        chunk: Int = 1024, ghostBatch: Int = defaultGhostBatch, budget: Int? = nil
    ) throws {
        guard chunk >= 1 else { throw GraphError("a chunk of \(chunk) samples: it has at least 1") }
        guard ghostBatch >= 1 else { throw GraphError("ghost batches of \(ghostBatch) samples: they have at least 1") }
        try self.init(
            objective, samples, use, PlanCache(engine), HeldTensors(fixedOf: objective.model),
            HeldTensors(runningOf: objective.model), chunk: chunk,
            ghostBatch: ghostBatch, budget: budget ?? Oracle.defaultBudget)
    }

    private init(
        _ objective: Objective, _ samples: any SampleSource, _ use: StatisticsUse, _ cache: PlanCache,
        _ fixed: HeldTensors, _ running: HeldTensors, chunk: Int, ghostBatch: Int, budget: Int
    ) throws {
        let model = objective.model
        guard samples.inputShape.reduce(1, *) == model.inputShape.reduce(1, *) else {
            throw GraphError(
                "the data's samples have shape \(samples.inputShape), \(model.name) takes \(model.inputShape)")
        }
        guard samples.targetShape.reduce(1, *) == objective.targetShape.reduce(1, *) else {
            throw GraphError(
                "the data's targets have shape \(samples.targetShape), loss '\(objective.lossName)' of \(model.name), "
                    + "whose outputs have shape \(model.outputShape), takes \(objective.targetShape)")
        }
        guard samples.count > 0 else { throw GraphError("there are no samples to evaluate \(model.name) on") }
        mask = samples.mask
        // A loss of the caller's may take a sample with all its labels as one; ours would count those left out.
        let takesWhole = objective.positionCount == 1 && objective.loss == nil
        if let mask, mask.positions != 1, mask.positions != objective.positionCount, !takesWhole {
            throw GraphError(
                "the data have \(mask.positions) labels a sample, some left out; loss '\(objective.lossName)' takes "
                    + "\(objective.positionCount): its positions must be those of the labels")
        }
        self.objective = objective
        self.samples = samples
        self.use = use
        self.cache = cache
        self.fixed = fixed
        self.running = running
        self.ghostBatch = ghostBatch
        self.budget = budget
        largestChunk = chunk
        elements = SampleElements(inputs: model.inputElement, targets: model.element)
    }

    /// The same objective on other samples, or with the other statistics. Plans and running values are shared.
    public func with(samples: (any SampleSource)? = nil, use: StatisticsUse? = nil) throws -> Oracle {
        try Oracle(
            objective, samples ?? self.samples, use ?? self.use, cache, fixed, running, chunk: largestChunk,
            ghostBatch: ghostBatch, budget: budget)
    }

    /// This oracle with the running values of this moment; itself where results do not depend on them.
    public func frozen() throws -> Oracle {
        if use == .batch || objective.model.statistics.isEmpty { return self }
        return try Oracle(
            objective, samples, use, cache, fixed, running.copy(), chunk: largestChunk, ghostBatch: ghostBatch,
            budget: budget)
    }

    /// This oracle as a fork of its run goes on with it: the same samples and plans, running values and an account of work of its
    /// own.
    /// - Parameter atHome: on the engine that this one was made with, while another computes (``depart(to:)``).
    public func forked(atHome: Bool = false) throws -> Oracle {
        try Oracle(
            objective, samples, use, PlanCache(copying: cache, atHome: atHome), fixed.copy(), running.copy(),
            chunk: largestChunk, ghostBatch: ghostBatch, budget: budget)
    }

    /// As a fork whose loss is another of the same samples goes on: plans and what is fixed are its own.
    public func forked(to objective: Objective) throws -> Oracle {
        try Oracle(
            objective, samples, use, PlanCache(cache.engineAtHome), HeldTensors(fixedOf: objective.model),
            running.copy(), chunk: largestChunk, ghostBatch: ghostBatch, budget: budget)
    }

    /// Another objective on other samples, with the same running values.
    func sharing(_ objective: Objective, _ samples: any SampleSource) throws -> Oracle {
        let cache = PlanCache(engine)
        cache.custody = custody
        return try Oracle(
            objective, samples, use, cache, fixed, running, chunk: largestChunk, ghostBatch: ghostBatch, budget: budget)
    }

    // MARK: - Engines and threads

    /// What it computes with.
    public var engine: Engine { cache.engine }

    /// From now on another engine computes, here and in all oracles that share its plans; of the same kernels, it gives the same bits.
    public func depart(to engine: Engine) { cache.depart(to: engine) }

    /// Computes with the engine that it was made with again, and with the plans it had there.
    public func comeHome() { cache.comeHome() }

    /// Which thread may use it, and the oracles that share its plans; nil: whoever has it.
    public var custody: Custody? {
        get { cache.custody }
        set { cache.custody = newValue }
    }

    /// Bound programs belong to the engine that they were made with.
    func forgetBoundElsewhere() {
        if engineOfBound === engine { return }
        bound = []
        engineOfBound = engine
    }

    public var model: Model { objective.model }
    var layout: ParameterLayout { objective.model.layout }
    var element: ElementType { objective.model.element }

    // MARK: - Samples in memory

    /// Rows of a selection in memory of their own.
    final class Gathered {
        let inputs: Buffer
        let targets: Buffer
        let weights: Buffer
        let capacity: Int
        /// The samples and the size of the batches that equal weights were last written for.
        var weighted = (samples: 0, batch: 0)

        init(capacity: Int, inputBytes: Int, targetBytes: Int, weightBytes: Int) throws {
            let account = MemoryAccount.shared
            inputs = try account.allocate(count: capacity, stride: inputBytes, for: "a batch of samples")
            targets = try account.allocate(count: capacity, stride: targetBytes, for: "a batch of targets")
            weights = try account.allocate(count: capacity, stride: weightBytes, for: "the weights of a batch")
            self.capacity = capacity
        }
    }

    struct Rows {
        let count: Int
        let inputs: UnsafeRawPointer
        let targets: UnsafeRawPointer
        /// `sample weight`: 1/n for each label that counts, 0 for others.
        let weights: UnsafeRawPointer
        /// Keeps gathered rows alive.
        let owner: Gathered?
    }

    var inputRowBytes: Int { model.inputShape.reduce(1, *) * elements.inputs.byteCount }
    var targetRowBytes: Int { objective.targetShape.reduce(1, *) * element.byteCount }
    var weightRowBytes: Int { objective.positionCount * element.byteCount }

    private func makeMemory(for count: Int) throws -> Gathered {
        try Gathered(
            capacity: count, inputBytes: inputRowBytes, targetBytes: targetRowBytes, weightBytes: weightRowBytes)
    }

    /// Copies samples, and weighs them in batches of `size`.
    private func gather(_ indices: UnsafeBufferPointer<Int>, batches size: Int, into target: Gathered) throws -> Rows {
        try samples.gather(indices, as: elements, inputs: target.inputs.base, targets: target.targets.base)
        if mask != nil || target.weighted != (indices.count, size) {
            target.weighted = (indices.count, size)
            for first in stride(from: 0, to: indices.count, by: size) {
                try weigh(min(size, indices.count - first), at: target.weights.base + first * weightRowBytes) {
                    indices[first + $0]
                }
            }
        }
        return Rows(
            count: indices.count, inputs: UnsafeRawPointer(target.inputs.base),
            targets: UnsafeRawPointer(target.targets.base), weights: UnsafeRawPointer(target.weights.base),
            owner: target)
    }

    /// Writes the weights of a batch: 1/n for each of the n labels that count, 0 for others.
    /// - Throws: `GraphError` where none counts.
    private func weigh(_ count: Int, at base: UnsafeMutableRawPointer, _ sample: (Int) -> Int) throws {
        let positions = objective.positionCount
        func keeps(_ i: Int) -> Bool {
            mask?.keeps(sample: sample(i / positions), position: i % positions, of: positions) ?? true
        }
        let kept = mask == nil ? count * positions : (0..<count * positions).count(where: keeps)
        guard kept > 0 else {
            throw GraphError(
                "no label counts in \(count == 1 ? "a batch of one sample" : "a batch of \(count) samples"): all are -1 and "
                    + "left out, so there is no mean; take larger batches, or leave these samples out of the data")
        }
        let weight = 1 / Double(kept)
        for i in 0..<count * positions {
            let value = keeps(i) ? weight : 0
            if element == .f64 {
                base.storeBytes(of: value, toByteOffset: i * 8, as: Double.self)
            } else {
                base.storeBytes(of: Float(value), toByteOffset: i * 4, as: Float.self)
            }
        }
    }

    /// Whether the label of a sample at one of the loss's positions counts.
    func keeps(sample: Int, position: Int) -> Bool {
        mask?.keeps(sample: sample, position: position, of: objective.positionCount) ?? true
    }

    /// Rows that outlive the call: a gathered selection has memory of its own.
    func rows(of selection: BatchSelection) throws -> Rows {
        try cache.custody?.check()
        switch selection {
        case .all:
            let (inputs, targets) = try samples.rows(as: elements)
            if weightsOfAll == nil {
                let made = try MemoryAccount.shared.allocate(
                    count: samples.count, stride: weightRowBytes, for: "the weights of the samples")
                try weigh(samples.count, at: made.base) { $0 }
                weightsOfAll = made
            }
            guard let weights = weightsOfAll else { preconditionFailure("the weights were just made") }
            return Rows(
                count: samples.count, inputs: inputs, targets: targets, weights: UnsafeRawPointer(weights.base),
                owner: nil)
        case .indices(let indices):
            guard !indices.isEmpty else { throw GraphError("an empty batch") }
            if let outside = indices.first(where: { !(0..<samples.count).contains($0) }) {
                throw GraphError("sample \(outside + 1) of \(samples.count)")
            }
            let memory = try makeMemory(for: indices.count)
            return try indices.withUnsafeBufferPointer { try gather($0, batches: indices.count, into: memory) }
        }
    }

    /// Rows of batches of `size` samples, one after the other, in memory that the next call uses again.
    func transientRows(_ indices: UnsafeBufferPointer<Int>, batches size: Int) throws -> Rows {
        try cache.custody?.check()
        if (gathered?.capacity ?? 0) < indices.count {
            gathered = nil
            gathered = try makeMemory(for: indices.count)
        }
        guard let gathered else { preconditionFailure("memory for a batch was just made") }
        return try gather(indices, batches: size, into: gathered)
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
