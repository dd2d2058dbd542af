import Compute
import Curvature
import Networks

/// Which batches an expectation E_B[…] is taken over, and when there are enough of them: the options that all probes of this
/// kind share.
///
/// Batches are drawn from the probe's own stream, without replacement inside a batch. Batches that were named, and the one
/// batch of all samples, leave nothing to chance: their standard error is 0.
public struct BatchSampling: Sendable {
    public var scope: ProbeScope
    /// Samples in a batch; nil for the run's own at each measurement.
    public var batchSize: Int?
    /// Stops when the standard error relative to the value is at most this; 0 takes exactly `maxSamples` batches.
    public var relativeError: Double
    /// Batches.
    public var minSamples: Int
    public var maxSamples: Int
    /// These batches, sample numbers from 0, in place of random ones.
    public var batches: [[Int]]?

    public init(
        relativeError: Double, minSamples: Int, maxSamples: Int, batchSize: Int? = nil, batches: [[Int]]? = nil,
        scope: ProbeScope = ProbeScope()
    ) {
        self.relativeError = relativeError
        self.minSamples = minSamples
        self.maxSamples = maxSamples
        self.batchSize = batchSize
        self.batches = batches
        self.scope = scope
    }

    /// As options say, with these for what they do not.
    public init(_ arguments: ProbeArguments, _ run: Run, defaults: BatchSampling) throws {
        self = defaults
        scope = try ProbeScope(arguments, run)
        batchSize = try arguments.batchSize(of: run)
        batches = try arguments.batches(of: run)
        relativeError = try arguments.number("rel_error") ?? relativeError
        minSamples = try arguments.integer("min_samples") ?? minSamples
        maxSamples = try arguments.integer("max_samples") ?? maxSamples
        if let batchSize, batchSize > scope.count(of: run) {
            throw ExperimentError.invalid(
                "option 'batch_size' is \(batchSize): batches are drawn from \(scope.count(of: run)) samples (option 'samples')"
            )
        }
        if batches != nil, batchSize != nil || arguments.has("samples") {
            throw ExperimentError.invalid(
                "option 'batches' names the samples itself: give no batch_size or samples with it")
        }
    }

    /// What a probe with these defaults declares.
    var options: [ProbeOption] {
        [.batchSize, .batches]
            + ProbeOption.stopping(relativeError: relativeError, minSamples: minSamples, maxSamples: maxSamples)
            + ProbeScope.options
    }

    /// E_B of a value that batches have.
    /// - Parameter draw: the values of batches of equal size, laid end to end.
    func mean(
        _ run: Run, _ stream: RandomStream,
        _ draw: @escaping (_ oracle: Oracle, _ batches: [Int], _ size: Int) throws -> [Double]
    ) throws -> Estimate {
        try estimate(run, stream, draw, sampled: { try $0.mean($1) }, exact: Self.mean)
    }

    /// E_B of one value over E_B of another.
    func ratioOfMeans(
        _ run: Run, _ stream: RandomStream,
        _ draw:
            @escaping (_ oracle: Oracle, _ batches: [Int], _ size: Int) throws -> [(
                numerator: Double, denominator: Double
            )]
    ) throws -> Estimate {
        try estimate(
            run, stream, draw, sampled: { try $0.ratioOfMeans($1) },
            exact: { Self.mean($0.map(\.numerator)) / Self.mean($0.map(\.denominator)) })
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    private func estimate<Draw>(
        _ run: Run, _ stream: RandomStream, _ draw: @escaping (Oracle, [Int], Int) throws -> [Draw],
        sampled: (MonteCarlo, (Int) throws -> [Draw]) throws -> Estimate, exact: ([Draw]) -> Double
    ) throws -> Estimate {
        let oracle = try scope.oracle(of: run)
        if let batches = try wholeBatches(of: run) {
            let start = ContinuousClock.now
            let draws = try batches.flatMap { try draw(oracle, $0, $0.count) }
            return Estimate(
                value: exact(draws), standardError: 0, samples: draws.count,
                seconds: (ContinuousClock.now - start) / .seconds(1))
        }
        let size = batchSize ?? run.batchCount
        let subset = try scope.indices(of: run)
        let count = scope.count(of: run)
        var stream = stream
        let monteCarlo = try MonteCarlo(
            relativeError: relativeError, minSamples: min(minSamples, maxSamples), maxSamples: maxSamples,
            chunk: max(1, Oracle.stackedSamples / size))
        return try sampled(monteCarlo) { draws in
            let numbers = (0..<draws).flatMap { _ in stream.sample(size, from: count) }
            return try draw(oracle, subset.map { subset in numbers.map { subset[$0] } } ?? numbers, size)
        }
    }

    /// The batches where nothing is left to chance: those named, or the one of all samples.
    /// - Throws: `ExperimentError.invalid` for samples that the data does not have, and for more than there are.
    private func wholeBatches(of run: Run) throws -> [[Int]]? {
        if let batches {
            guard !batches.isEmpty else { throw ExperimentError.invalid("option 'batches' names no batch") }
            for batch in batches { try ProbeArguments.check(batch, of: run, "batches") }
            return batches
        }
        let (size, count) = (batchSize ?? run.batchCount, scope.count(of: run))
        guard (1...count).contains(size) else {
            throw ExperimentError.invalid(
                "batch_size is \(size): there are \(count) samples to draw from; give the probe a batch_size of its own"
            )
        }
        guard size == count else { return nil }
        return [try scope.indices(of: run) ?? Array(0..<count)]
    }
}

extension Measurement {
    /// An estimate, as a measurement of this step.
    init(step: Int, _ estimate: Estimate) {
        self.init(
            step: step, value: estimate.value, standardError: estimate.standardError, samples: estimate.samples,
            products: estimate.products == 0 ? nil : estimate.products, seconds: estimate.seconds)
    }
}
