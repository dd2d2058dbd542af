import Compute
import Curvature
import Networks
import Objectives

/// E_B[ sᵀH_Bs / s·g_B ], the curvature of a batch along the step s = βv + g_B that momentum makes of it; the velocity v is that
/// after the last step. As s·g_B can vanish, the ratio of means is a series of its own.
///
/// A rule that has no momentum has no value: an error where the probe is made, not a number where the rule is changed later.
public final class MomentumBatchSharpness: Probe {
    public static let defaults = BatchSharpness.defaults

    static let declarations = [
        ProbeDeclaration(
            "momentum_batch_sharpness",
            "E_B[sᵀH_Bs/s·g_B], s = βv + g_B, and the ratio of means. [code of Andreyev & Beneventano]",
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

    private static let series = ["momentum_batch_sharpness", "momentum_batch_sharpness_ratio"]

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
        var drawn: [MomentumCurvature] = []
        var mean = try source.mean { batches, size in
            let values = try source.oracle.momentumCurvature(
                at: run.parameters, velocity: velocity, factor: momentum.factor, batches: batches, size: size)
            drawn += values
            return values.map(\.ratio)
        }
        mean.products = mean.samples
        // The same batches, as many.
        let quotients = drawn.map { (numerator: $0.quadratic, denominator: $0.slope) }
        var ratio = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: drawn.count, chunk: drawn.count)
            .ratioOfMeans { _ in quotients }
        if source.named != nil { ratio.standardError = 0 }
        (ratio.products, ratio.seconds, ratio.isFinished) = (mean.products, mean.seconds, mean.isFinished)
        return [mean, ratio].map { Measurement(step: run.step, $0) }
    }
}
