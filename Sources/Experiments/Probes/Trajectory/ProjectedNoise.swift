import Compute
import Curvature
import Dynamics
import Networks
import Objectives

/// σ_u² = Var_B(u·g_B), how strongly the batches' gradients scatter along the top eigenvector u of the Hessian; and the λ_max that
/// SGD settles at by it, 2/η − ω − ηβ_sσ_u²/(4α) (arXiv 2604.21016), ω the weight decay and α that of L + ½ω‖θ‖². The prediction is not
/// a number for other rules, and where the gradient does not sharpen (α ≤ 0).
///
/// Where no statistics are shared inside a batch and all samples count alike, σ_u² is (n − b)/((n − 1)b) times the variance of u·gᵢ over
/// the samples, exactly but for the error of u. Elsewhere batches are drawn in pairs, ½(u·g_B − u·g_B′)² having this expectation.
/// The eigenpair and the third derivative are those that probes share.
public final class ProjectedNoise: EigenvectorProbe {
    public static let defaults = BatchSampling(relativeError: 0.05, minSamples: 32, maxSamples: 1000)

    private static let series = ["projected_noise", "lambda_max_predicted"]

    static let declarations = [
        ProbeDeclaration(
            "projected_noise",
            "Var_B(u·g_B), the noise along the top eigenvector, and the lambda_max of SGD that follows. [arXiv 2604.21016]",
            options: [.batchSize]
                + ProbeOption.stopping(
                    relativeError: defaults.relativeError, minSamples: defaults.minSamples,
                    maxSamples: defaults.maxSamples) + EigenSettings.directionOptionsOfOne, series: { _ in series },
            make: { arguments, run in
                try ProjectedNoise(
                    BatchSampling(arguments, run, defaults: defaults), EigenSettings(directions: arguments, run))
            })
    ]

    public let sampling: BatchSampling
    public let settings: EigenSettings
    public let seriesNames = ProjectedNoise.series
    public private(set) var vectors: [Vector] = []

    /// - Throws: `ExperimentError.invalid` for settings that cannot be met.
    public init(
        _ sampling: BatchSampling = ProjectedNoise.defaults, _ settings: EigenSettings = EigenSettings.ofDirections
    ) throws {
        try settings.check(Self.series[0])
        self.sampling = sampling
        self.settings = settings
    }

    private init(copying other: ProjectedNoise) {
        (sampling, settings, vectors) = (other.sampling, other.settings, other.vectors)
    }

    public func copy() -> any Probe { ProjectedNoise(copying: self) }

    /// Eigenvectors are for those who look at the step that they were found at.
    public func code(_ coder: StateCoder) {}

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let watch = Stopwatch()
        let source = try sampling.source(of: run, stream)
        let found = try naming(Self.series[0], run) { try run.largestEigenpairs(.hessian, settings).finished() }
        var noise = try variance(along: found.vectors[0], run, source)
        noise.products = found.products
        var predicted = noise
        (predicted.value, predicted.standardError) = (.nan, .nan)
        if let rule = run.rule as? SGD {
            let stabilization = try run.sharedStabilization(settings).value
            let (rate, decay) = (rule.learningRate, rule.weightDecay)
            let sharpening = try stabilization.progressiveSharpening(decay: decay, at: run.parameters)
            if sharpening > 0 {
                predicted.value = stabilization.predictedSharpness(
                    rate: rate, decay: decay, sharpening: sharpening, noise: noise.value)
                predicted.standardError = rate * stabilization.strength / (4 * sharpening) * noise.standardError
                // It falls where the noise rises.
                predicted.skewness = noise.skewness.map { -$0 }
            }
        }
        vectors = found.vectors
        let seconds = watch.seconds
        return [noise, predicted].map { estimate in
            var measurement = Measurement(step: run.step, estimate)
            (measurement.residual, measurement.seconds) = (found.residuals[0], seconds)
            (measurement.converged, measurement.missProbability) = (found.converged, found.missProbability)
            // Nothing is sampled then, but the eigenvector is known to its residual only.
            if estimate.standardError == 0, estimate.value != 0 {
                (measurement.standardError, measurement.interval) = (nil, nil)
            }
            return measurement
        }
    }

    private func variance(along u: Vector, _ run: Run, _ source: BatchSource) throws -> Estimate {
        let theta = run.parameters
        if source.named != nil { return Estimate(value: 0, standardError: 0, samples: 1) }
        if try source.hasUnbiasedGradients() {
            let slopes = try source.oracle.sampleSlopes(at: theta, along: [u], over: source.selection).map { $0[0] }
            let mean = slopes.reduce(0, +) / Double(slopes.count)
            let squares = slopes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(slopes.count)
            return Estimate(value: source.varianceOfMeans * squares, standardError: 0, samples: slopes.count)
        }
        return try source.variance {
            try source.oracle.batchSlopes(at: theta, along: [u], batches: $0, size: $1).map { $0[0] }
        }
    }
}
