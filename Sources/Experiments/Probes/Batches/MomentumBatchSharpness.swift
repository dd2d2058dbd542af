import Compute
import Curvature
import Networks
import Objectives

/// E_B[ sᵀH_Bs / s·g_B ], the curvature of a batch along the step s = βv + g_B that momentum makes of it; the velocity v is that
/// after the last step.
///
/// As s·g_B can vanish, the quotient may have no variance: where a batch that was drawn has s·g_B of the other sign, or less than a
/// tenth of ‖s‖‖g_B‖, the mean has no error and no interval. The ratio of means, and the median with an interval that holds for any
/// distribution, are series of their own.
///
/// A rule that has no momentum has no value: an error where the probe is made, not a number where the rule is changed later.
public final class MomentumBatchSharpness: MemorylessProbe {
    public static let defaults = BatchSharpness.defaults

    static let declarations = [
        ProbeDeclaration(
            "momentum_batch_sharpness",
            "E_B[sᵀH_Bs/s·g_B], s = βv + g_B, the ratio of means, and the median. [code of Andreyev & Beneventano]",
            options: defaults.options, series: { _ in series },
            make: { arguments, run in
                guard run.rule.momentum != nil else {
                    throw ExperimentError.invalid(
                        "momentum_batch_sharpness needs a rule with momentum, run '\(run.name)' has \(run.rule.name): take "
                            + "eoss.optim.momentum or eoss.optim.nesterov, or measure batch_sharpness")
                }
                return MomentumBatchSharpness(try BatchSampling(arguments, run, defaults: defaults))
            })
    ]

    private static let series = [
        "momentum_batch_sharpness", "momentum_batch_sharpness_ratio", "momentum_batch_sharpness_median",
    ]

    public let sampling: BatchSampling
    public let seriesNames = MomentumBatchSharpness.series

    public init(_ sampling: BatchSampling = MomentumBatchSharpness.defaults) { self.sampling = sampling }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        guard let momentum = run.rule.momentum else {
            return seriesNames.map { _ in Measurement(step: run.step, value: .nan) }
        }
        let velocity =
            try momentum.velocity ?? Vector(zeros: run.parameters.count, element: run.parameters.element)
        let source = try sampling.source(of: run, stream)
        func draws(_ batches: [Int], _ size: Int) throws -> [QuotientDraw] {
            try source.oracle.momentumCurvature(
                at: run.parameters, velocity: velocity, factor: momentum.factor, batches: batches, size: size
            ).map {
                QuotientDraw(
                    numerator: $0.quadratic, denominator: $0.slope,
                    scale: ($0.squaredStepNorm * $0.squaredGradientNorm).squareRoot())
            }
        }
        var found: QuotientEstimates
        if let named = source.named {
            let watch = Stopwatch()
            let values = try named.flatMap { try draws($0, $0.count) }
            found = .exactly(values, seconds: watch.seconds)
        } else {
            found = try source.monteCarlo.quotients { try draws(source.next($0), source.size) }
        }
        var measured = [found.mean, found.ratioOfMeans, found.median].map { estimate in
            var measurement = Measurement(step: run.step, estimate)
            measurement.products = estimate.samples
            return measurement
        }
        if found.mean.standardError.isNaN { (measured[0].standardError, measured[0].interval) = (nil, nil) }
        if source.named == nil { measured[2].interval = found.medianInterval }
        return measured
    }
}
