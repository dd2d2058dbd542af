import Compute
import Curvature

/// tr H over the training data by Hutchinson's estimator with Rademacher vectors; the defaults are those of the EoSS code.
public final class HessianTrace: Probe {
    public let seriesNames = ["hessian_trace"]
    public let samples: MonteCarlo

    public init(relativeError: Double = 0.01, minSamples: Int = 20, maxSamples: Int = 256) throws {
        samples = try MonteCarlo(
            relativeError: relativeError, minSamples: min(minSamples, maxSamples), maxSamples: maxSamples, chunk: 4)
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        var stream = stream
        let estimate = try trace(
            of: Hessian(run.oracle, at: run.parameters), samples: samples, stream: &stream)
        return [
            Measurement(
                step: run.step, value: estimate.value, standardError: estimate.standardError, samples: estimate.samples,
                products: estimate.products, seconds: estimate.seconds)
        ]
    }
}
