import Compute
import Graph
import Networks

/// How data is cut into pieces that one plan works on.
///
/// Without batch statistics the size is found for each kind of work: all samples where these are few and fit into the budget,
/// else the largest power of two that does. It depends on the graph, the number of samples and the budget alone, never on what
/// else is in memory, so that sums are taken in the same order again. With batch statistics the pieces are ghost batches, which
/// cannot be cut.
extension Oracle {
    /// Some consecutive samples.
    struct Piece {
        let start: Int
        let count: Int
        let inputs: UnsafeRawPointer
        let targets: UnsafeRawPointer
        let weights: UnsafeRawPointer
    }

    /// Whether samples see each other, so that data are walked in ghost batches.
    public var hasGhostBatches: Bool { model.dependsOnBatch[use] ?? false }

    /// Calls `body` for each piece of the rows, in order.
    func forEachPiece(of rows: Rows, for work: OracleWork, _ body: (Piece) throws -> Void) throws {
        let size = try pieceSize(of: rows.count, for: work)
        var start = 0
        while start < rows.count {
            let count = min(size, rows.count - start)
            try body(
                Piece(
                    start: start, count: count, inputs: rows.inputs + start * inputRowBytes,
                    targets: rows.targets + start * targetRowBytes, weights: rows.weights + start * weightRowBytes))
            start += count
        }
        withExtendedLifetime(rows.owner) {}
    }

    /// The size of the pieces that `count` samples are cut into; the last one may be smaller.
    /// - Throws: `MemoryError` where not even one sample, or one ghost batch, fits into memory.
    func pieceSize(of count: Int, for work: OracleWork) throws -> Int {
        if hasGhostBatches {
            let size = min(ghostBatch, count)
            try explaining(work, words(forPieceOf: size)) {
                try prepare(work, count: size, adding: size < count, limit: .max)
            }
            return size
        }
        return try largestFitting(work, count: count, most: largestChunk)
    }

    /// `count` where that is at most `most` and fits, else the largest power of two (or `most`) that fits; 1 without a limit.
    private func largestFitting(_ work: OracleWork, count: Int, most: Int) throws -> Int {
        let key = PlanCache.Key(work: work, use: use, count: count)
        if let known = cache.sizes[key] { return known }
        var size = min(count, most, max(1, roughSize))
        while true {
            do {
                if size > 1 {
                    try prepare(work, count: size, adding: size < count, limit: budget)
                } else {
                    try explaining(work, "one sample") {
                        try prepare(work, count: 1, adding: count > 1, limit: .max)
                    }
                }
                break
            } catch let error as ArenaLimitError {
                size = smaller(than: size, needing: error.needed)
            } catch MemoryError.overLimit(_, let needed, _, _) where needed > budget && size > 1 {
                // One value alone is larger than all memory.
                size = smaller(than: size, needing: needed)
            }
        }
        cache.sizes[key] = size
        if size < count { choseChunks?(work.quantity, size) }
        return size
    }

    /// The largest power of two below `size` that the need for `size` lets expect to fit. Need grows by a constant for each
    /// sample: none between it and `size` fits.
    private func smaller(than size: Int, needing bytes: Int) -> Int {
        let share = Int(Double(size) * Double(budget) / Double(max(bytes, budget + 1)))
        return floorPowerOfTwo(max(1, min(share, size - 1)))
    }

    /// A size that may well fit, so that seldom a graph is compiled in vain: twice the budget over the bytes of all values of
    /// one sample, which a backward pass keeps about half of.
    private var roughSize: Int {
        let values = objective.perSample.types.dropFirst(objective.perSample.inputs.count)
        let bytes = values.reduce(1.0) { $0 + $1.shape.reduce(Double($1.element.byteCount)) { $0 * Double($1) } }
        return floorPowerOfTwo(Int(min(max(1, 2 * Double(budget) / bytes), 0x1p30)))
    }

    /// Whether so many samples can be worked on as one piece.
    func fitsWhole(_ work: OracleWork, count: Int) throws -> Bool {
        if hasGhostBatches { return try count <= ghostBatch && pieceSize(of: count, for: work) == count }
        if count > largestChunk { return false }
        let key = PlanCache.Key(work: work, use: use, count: count)
        if let known = cache.sizes[key] { return known == count }
        do { try prepare(work, count: count, limit: count == 1 ? .max : budget) } catch is ArenaLimitError {
            cache.sizes[key] = 0
            return false
        }
        cache.sizes[key] = count
        return true
    }

    /// How many batches are stacked: `most`, or the largest power of two that fits; nil where one alone
    /// does not fit into the budget.
    func stackSize(of batches: Int, _ quantity: BatchQuantity, size: Int) throws -> Int? {
        let work = OracleWork.batches(quantity, size: size)
        let most = max(1, Oracle.stackedSamples / size)
        let key = PlanCache.Key(work: work, use: use, count: min(batches, most))
        if let known = cache.sizes[key] { return known > 0 ? known : nil }
        var stack = min(batches, most)
        do {
            while true {
                do {
                    try prepare(work, count: stack, limit: budget)
                    break
                } catch let error as ArenaLimitError {
                    guard stack > 1 else { throw error }
                    stack = smaller(than: stack, needing: error.needed)
                }
            }
        } catch is ArenaLimitError {
            guard hasGhostBatches else {
                cache.sizes[key] = 0
                return nil
            }
            try explaining(work, "one batch") { try prepare(work, count: 1, limit: .max) }
        }
        cache.sizes[key] = stack
        return stack
    }

    /// Makes the plans of some work, so that they exist or the reason why they cannot is thrown.
    /// - Parameter adding: whether results are added to those of other pieces.
    private func prepare(_ work: OracleWork, count: Int, adding: Bool = false, limit: Int) throws {
        switch work {
        case .linearized, .linearizedQuadratic, .linearizedDirectional:
            let adds = if case .linearizedQuadratic = work { false } else { adding }
            _ = try linearizedProgram(work, count: count, adding: adds, limit: limit)
        default: _ = try plan(work, count: count, limit: limit)
        }
    }

    /// A refusal of memory in words for what cannot be made smaller.
    func explaining<Result>(_ work: OracleWork, _ piece: String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch MemoryError.overLimit(_, let needed, let used, let limit) {
            throw MemoryError.overLimit(
                what: "the \(work.quantity) of \(model.name) over \(piece)", needed: needed, used: used, limit: limit)
        }
    }

    /// What a piece of so many samples is called in such a refusal.
    func words(forPieceOf count: Int) -> String {
        if hasGhostBatches { return "a ghost batch of \(count) samples, the option ghost_batch" }
        return count == 1 ? "one sample" : "\(count) samples"
    }

    // MARK: - Plans

    func plan(_ work: OracleWork, count: Int, limit: Int = .max) throws -> Plan {
        let key = PlanCache.Key(work: work, use: use, count: count)
        if let plan = cache.plans[key] { return plan }
        let plan = try engine.plan(
            for: graph(work, count), donating: objective.donations(objective.signature(of: work, use)),
            arenaLimit: limit)
        cache.plans[key] = plan
        return plan
    }

    private func graph(_ work: OracleWork, _ count: Int) throws -> Graph {
        switch work {
        case .samples: try objective.samples(count: count, use: use)
        case .gradient(let updating, let keepingOutputs):
            try objective.accumulatedGradient(
                count: count, use: use, updating: updating, keepingOutputs: keepingOutputs)
        case .update(let update): try objective.step(update, count: count, use: use)
        case .directional(let order): try objective.directional(order: order, count: count, use: use)
        case .quadratic(let matrix): try objective.quadratic(matrix, count: count, use: use)
        case .batches(let quantity, let size):
            switch quantity {
            case .curvature(let matrix): try objective.batchCurvature(matrix, count: size, stack: count, use: use)
            case .momentumCurvature: try objective.momentumCurvature(count: size, stack: count, use: use)
            case .gradientNorms: try objective.batchGradientNorms(count: size, stack: count, use: use)
            case .slopes(let k): try objective.batchSlopes(along: k, count: size, stack: count, use: use)
            }
        case .gram(let rows, let pair): try objective.gram(rows, count: count, pair: pair, use: use)
        case .linearized, .linearizedQuadratic, .linearizedDirectional:
            preconditionFailure("two graphs: linearizedProgram")
        }
    }

    /// Runs a plan and counts its cost. Every plan of an oracle is run here, but that of a whole step.
    func run(_ plan: Plan, inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer]) throws(Cancelled) {
        cache.work += plan.work
        try plan.run(inputs: inputs, outputs: outputs, unless: cancellation)
    }

    func run(_ plan: Plan, each bindings: [PlanBinding]) throws(Cancelled) {
        cache.work += plan.work * Double(bindings.count)
        try plan.run(each: bindings, unless: cancellation)
    }

    private var cancellation: Cancellation? { cache.isWhole ? nil : .current }

    /// The wish that ends a training step on its way; nil where a step is not to be cut in two.
    var cancellationOfSteps: Cancellation? { cache.answers ? .current : nil }

    /// Does something that is not to be cut in two, a training step say: only the planner still asks whether it is cancelled. Within
    /// ``answering(_:)`` all of it may be.
    public func uncancelled<Result>(_ body: () throws -> Result) rethrows -> Result {
        if cache.answers { return try body() }
        let outer = cache.isWhole
        cache.isWhole = true
        defer { cache.isWhole = outer }
        return try body()
    }

    /// Takes a training step that may end on its way, by throwing `Cancelled`: then the parameters and states that it was given, and the
    /// running statistics of the model, hold neither what was nor what would have been. Who calls this has all of them twice.
    public func answering<Result>(_ body: () throws -> Result) rethrows -> Result {
        let outer = cache.answers
        cache.answers = true
        defer { cache.answers = outer }
        return try body()
    }

    /// The cost of all that this oracle and its copies (`with`, `frozen`) have run so far, in multiply-adds of the cost model
    /// (`Plan.work`). It depends on what was asked and on the sizes of chunks, not on the machine's speed.
    public var work: Double {
        get { cache.work }
        set { cache.work = newValue }
    }

    /// Takes off what was run since it was so much: it was cancelled, and has not happened.
    public func forgetWork(since work: Double) { cache.work = min(cache.work, work) }
}

/// The largest power of two that is at most n ≥ 1.
private func floorPowerOfTwo(_ n: Int) -> Int { 1 << (Int.bitWidth - 1 - n.leadingZeroBitCount) }
