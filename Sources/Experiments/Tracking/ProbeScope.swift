import Compute
import Curvature
import Networks
import Objectives

/// What a curvature probe is measured over: the options `samples` and `statistics`, which all of them share, and `block`, of those
/// that can be of some parameters alone.
///
/// A subset is drawn once, from a stream that depends on the run's seed alone, so that probes with the same `samples` look at
/// the same ones.
public struct ProbeScope: Sendable {
    /// How many training samples; nil for all.
    public let samples: Int?
    public let statistics: StatisticsUse
    /// Of some parameters alone; nil for all of them.
    public let block: ParameterBlock?

    public static let options = [ProbeOption.samples, .statistics]

    public init(samples: Int? = nil, statistics: StatisticsUse = .batch, block: ParameterBlock? = nil) {
        self.samples = samples
        self.statistics = statistics
        // All parameters, whatever they were called: what is found of them serves all who ask.
        self.block = block.flatMap { $0.count == $0.coordinates.whole ? nil : $0 }
    }

    /// - Throws: `ExperimentError.invalid` for more samples than the data has, and a block that the model does not have.
    public init(_ arguments: ProbeArguments, _ run: Run) throws {
        let model = run.objective.model
        let block = try arguments.names("block").map { try ParameterBlock($0, of: model.layout, called: model.name) }
        let samples = try arguments.integer("samples")
        if let samples { try Self.check("samples", samples, of: run) }
        self.init(
            samples: samples, statistics: try arguments.text("statistics") == "running" ? .running : .batch,
            block: block)
    }

    /// The objective on the training data, with the statistics asked for.
    public func oracle(of run: Run) throws -> Oracle { try run.oracle(statistics) }

    /// The sample numbers of the subset, or nil for all samples.
    /// - Throws: `ExperimentError.invalid` for more samples than the data has.
    public func indices(of run: Run) throws -> [Int]? {
        guard let samples else { return nil }
        try Self.check("samples", samples, of: run)
        return Self.draw(samples, of: run)
    }

    /// So many training samples: with the run's seed those that all its probes look at. Data sets that are drawn (`.subset`,
    /// numbers 0 and 1) have streams of their own, also with the same seed.
    public static func draw(_ samples: Int, of run: Run, seed: UInt64? = nil) -> [Int] {
        var stream = RandomStream(seed: seed ?? run.seed, purpose: .subset, index: 2)
        return stream.sample(samples, from: run.data.train.count)
    }

    /// The subset, for operators.
    public func selection(of run: Run) throws -> BatchSelection {
        try indices(of: run).map { .indices($0) } ?? .all
    }

    /// The vector of all parameters that has these values in the block, and 0 elsewhere.
    func lifted(_ vectors: [Vector]) throws -> [Vector] {
        guard let block else { return vectors }
        return try vectors.map { try block.coordinates.embed($0) }
    }

    /// A matrix on all parameters, on those of the block.
    func restricted(_ matrix: some LinearOperator) throws -> any LinearOperator {
        guard let block else { return matrix }
        return try matrix.restricted(to: block.coordinates.ranges)
    }

    /// How many samples there are to draw from.
    public func count(of run: Run) -> Int { samples ?? run.data.train.count }

    /// - Throws: `ExperimentError.invalid` unless 1 ≤ `value` ≤ n.
    public static func check(_ option: String, _ value: Int, of run: Run) throws {
        let count = run.data.train.count
        guard (1...count).contains(value) else {
            throw ExperimentError.invalid("option '\(option)' is \(value): the data has \(count) samples")
        }
    }
}

extension ProbeOption {
    public static let samples = ProbeOption(
        "samples", .count, default: "all", unit: "samples",
        "Over so many training samples, drawn once; the same for all probes of a run.")
    public static let statistics = ProbeOption(
        "statistics", .choice(["batch", "running"]), default: "\"batch\"",
        "Of batch norm: the batch's own, or the running values of evaluation.")
    public static let block = ProbeOption(
        "block", .names, default: "all parameters",
        "Of the block of these parameters alone: names, beginnings of names such as 'layers.1', patterns such as 'layers.*.weight'; with '-' before them what is left out: '-*.bias'."
    )
    public static let batchSize = ProbeOption(
        "batch_size", .count, default: "the run's", unit: "samples", "Samples in a batch.")
    public static let batches = ProbeOption(
        "batches", .batches, default: "random ones", "Over these batches exactly; samples from 1.")
    /// Of probes of a step: their batch, in place of that of the step.
    public static let batch = ProbeOption(
        "batch", .samples, default: "the step's", "At the present parameters on this batch; samples from 1.")
    /// How many eigenvalues; `eigenvalueCount(_:_:)` reads it.
    public static let k = ProbeOption("k", .count, default: "1", "How many eigenvalues.")
    public static let tolerance = ProbeOption(
        "tolerance", .number(.positive), default: "0.01", "The relative accuracy of eigenvalues.")

    /// When a Monte-Carlo estimate stops: `rel_error`, `min_samples`, `max_samples`.
    public static func stopping(relativeError: Double, minSamples: Int, maxSamples: Int) -> [ProbeOption] {
        [
            ProbeOption(
                "rel_error", .number(.nonNegative), default: "\(relativeError)",
                "Stop at this standard error relative to the value; 0: take exactly max_samples."),
            ProbeOption(
                "min_samples", .count, default: "\(minSamples)", "Draws (batches or vectors) to take at least."),
            ProbeOption("max_samples", .count, default: "\(maxSamples)", "Draws to take at most."),
        ]
    }
}

extension ProbeArguments {
    /// The option `k`, at most the number of parameters, or of those of the block.
    /// - Throws: `ExperimentError.invalid`, with both figures.
    public func eigenvalueCount(of run: Run, over scope: ProbeScope = ProbeScope()) throws -> Int {
        let k = try integer("k") ?? 1
        let count = scope.block?.count ?? run.objective.model.layout.count
        guard k <= count else {
            let whose = scope.block == nil ? "model" : "block"
            throw ExperimentError.invalid(
                "option 'k' is \(k): the \(whose) has \(count) parameters, and so many eigenvalues")
        }
        return k
    }

    /// The option `batch_size`, at most the number of samples; nil for the run's present one.
    /// - Throws: `ExperimentError.invalid`, with both figures.
    public func batchSize(of run: Run) throws -> Int? {
        let size = try integer("batch_size")
        if let size { try ProbeScope.check("batch_size", size, of: run) }
        return size
    }

    /// Sample numbers that the data has.
    /// - Throws: `ExperimentError.invalid`, with both figures.
    public func batches(of run: Run) throws -> [[Int]]? {
        let lists = try batches("batches")
        for batch in lists ?? [] { try ProbeArguments.check(batch, of: run, "batches") }
        return lists
    }

    static func check(_ samples: [Int], of run: Run, _ option: String) throws {
        guard !samples.isEmpty else {
            throw ExperimentError.invalid("option '\(option)': a batch has a sample at least")
        }
        let count = run.data.train.count
        if let outside = samples.first(where: { !(0..<count).contains($0) }) {
            throw ExperimentError.invalid("option '\(option)': sample \(outside + 1) of \(count)")
        }
    }
}
