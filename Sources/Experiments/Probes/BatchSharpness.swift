import Compute
import Curvature
import Networks

/// E_B[ g_BᵀH_Bg_B / ‖g_B‖² ], the mean of ratios over fresh batches, with its standard error; or over given batches, exactly.
/// Andreyev & Beneventano, arXiv 2412.20553; the defaults are those of their code.
public final class BatchSharpness: Probe {
    public struct Options: Sendable {
        /// Samples in a batch; nil for the run's own.
        public var batchSize: Int?
        /// Stops when the standard error relative to the value is at most this; 0 takes exactly `maxSamples` batches.
        public var relativeError: Double
        /// Batches.
        public var minSamples: Int
        public var maxSamples: Int
        /// These batches, sample numbers from 0, in place of random ones.
        public var batches: [[Int]]?

        public init(
            batchSize: Int? = nil, relativeError: Double = 0.005, minSamples: Int = 10, maxSamples: Int = 1000,
            batches: [[Int]]? = nil
        ) {
            self.batchSize = batchSize
            self.relativeError = relativeError
            self.minSamples = minSamples
            self.maxSamples = maxSamples
            self.batches = batches
        }
    }

    public let options: Options
    public let seriesNames = ["batch_sharpness"]

    public init(_ options: Options = Options()) { self.options = options }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let estimate = try options.batches.map { try overBatches($0, of: run) } ?? sampled(run, stream)
        return [
            Measurement(
                step: run.step, value: estimate.value, standardError: estimate.standardError, samples: estimate.samples,
                seconds: estimate.seconds)
        ]
    }

    private func sampled(_ run: Run, _ stream: RandomStream) throws -> Estimate {
        let count = run.data.train.count
        let size = options.batchSize ?? run.batchCount
        guard (1...count).contains(size) else {
            throw ExperimentError.invalid("batch_sharpness: batch_size is \(size), the data has \(count) samples")
        }
        if size == count { return try overBatches([Array(0..<count)], of: run) }
        var stream = stream
        let monteCarlo = try MonteCarlo(
            relativeError: options.relativeError, minSamples: min(options.minSamples, options.maxSamples),
            maxSamples: options.maxSamples, chunk: max(1, Oracle.stackedSamples / size))
        return try monteCarlo.mean { draws in
            let batches = (0..<draws).flatMap { _ in stream.sample(size, from: count) }
            return try run.oracle.batchCurvature(at: run.parameters, batches: batches, size: size).map(\.ratio)
        }
    }

    /// The mean over given batches, whatever their sizes: nothing is sampled, so its error is zero.
    private func overBatches(_ batches: [[Int]], of run: Run) throws -> Estimate {
        guard !batches.isEmpty, batches.allSatisfy({ !$0.isEmpty }) else {
            throw ExperimentError.invalid("batch_sharpness: batches must not be empty")
        }
        let count = run.data.train.count
        if let outside = batches.joined().first(where: { !(0..<count).contains($0) }) {
            throw ExperimentError.invalid("batch_sharpness: sample \(outside + 1) of \(count)")
        }
        let start = ContinuousClock.now
        let ratios = try batches.flatMap { batch in
            try run.oracle.batchCurvature(at: run.parameters, batches: batch, size: batch.count).map(\.ratio)
        }
        return Estimate(
            value: ratios.reduce(0, +) / Double(ratios.count), standardError: 0, samples: ratios.count,
            seconds: (ContinuousClock.now - start) / .seconds(1))
    }
}

/// g_BᵀH_Bg_B / ‖g_B‖² on the batch of this step, at the parameters before it.
public final class StepSharpness: Probe {
    public let seriesNames = ["step_sharpness"]
    public let timing = ProbeTiming.step

    public init() {}

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let indices = batch.map(Array.init) ?? Array(0..<run.data.train.count)
        let curvature = try run.oracle.batchCurvature(at: run.parameters, batches: indices, size: indices.count)
        return [Measurement(step: run.step, value: curvature[0].ratio, samples: 1)]
    }
}
