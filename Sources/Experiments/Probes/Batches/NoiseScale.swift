import Compute
import Curvature
import Networks
import Objectives

/// tr Σ/‖g‖², Σ the covariance of the samples' gradients: the batch size at which noise and gradient are level (McCandlish, Kaplan,
/// Amodei et al. 2018). Exact, from the gradient of each sample; not a number where samples share batch statistics.
final class GradientNoiseScale: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "gradient_noise_scale",
            "tr Σ/‖g‖² with the covariance Σ of the samples' gradients, in samples. [McCandlish et al. 2018]",
            options: ProbeScope.options
        ) { arguments, run in GradientNoiseScale(try ProbeScope(arguments, run)) }
    ]

    let seriesNames = ["gradient_noise_scale"]
    private let scope: ProbeScope

    init(_ scope: ProbeScope = ProbeScope()) { self.scope = scope }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let sampling = BatchSampling(relativeError: 0, minSamples: 1, maxSamples: 1, batchSize: 1, scope: scope)
        let source = try sampling.source(of: run, stream)
        guard try source.hasUnbiasedGradients() else { return [Measurement(step: run.step, value: .nan)] }
        let square = try scope.gradient(of: run).squaredNorm
        let mean = try source.meanSquaredSampleGradient(at: run.parameters)
        return [Measurement(step: run.step, exact: max(0, mean - square) / square, samples: source.count)]
    }
}

/// E_B[g_BᵀHg_B]/E_B‖g_B‖², with the Hessian over all samples: the curvature that steps of SGD meet in the whole loss (Lee & Jang 2023).
///
/// The numerator is that of `gni`, with its estimator and its error.
final class InteractionSharpness: MemorylessProbe {
    static let declarations = [
        GradientNoiseInteraction.defaults.declaration(
            "interaction_sharpness", "E_B[g_BᵀHg_B]/E_B‖g_B‖², the Hessian over all samples. [Lee & Jang 2023]"
        ) { InteractionSharpness($0) }
    ]

    let seriesNames = ["interaction_sharpness"]
    private let numerator: GradientNoiseInteraction
    private let norm: GradientNormMC
    private let scope: ProbeScope

    init(_ sampling: BatchSampling) {
        (numerator, norm, scope) = (GradientNoiseInteraction(sampling), GradientNormMC(sampling), sampling.scope)
    }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        var measured = try numerator.measure(run, batch: batch, stream: stream)[0]
        let mean = try norm.measure(run, batch: batch, stream: stream)[0].value
        let factor = try scope.gradient(of: run).squaredNorm / mean
        measured.value *= factor
        measured.standardError = measured.standardError.map { $0 * factor }
        measured.interval =
            factor.isFinite ? measured.interval.map { $0.lowerBound * factor...$0.upperBound * factor } : nil
        return [measured]
    }
}

/// 2/η_c, η_c the least rate at which a step along the last update (or along the gradient) raises the loss: a sharpness that takes no
/// derivatives (arXiv 2601.16979). η_c is found by doubling, or halving, from the present rate and then by bisection to 1/16 of itself.
///
/// Of a quadratic along the gradient, λ = gᵀHg/‖g‖²: η_c = 2/λ, so the value is λ.
final class CriticalSharpness: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "critical_sharpness",
            "2/η_c, η_c the least rate at which a step along the last update raises the loss; and relative to 2/lr as critical_sharpness_relative. [arXiv 2601.16979]",
            options: [
                ProbeOption(
                    "direction", .choice(["update", "gradient"]), default: "\"update\"",
                    "Along the last update, or along the full gradient; before the first step the gradient.")
            ], series: { _ in ["critical_sharpness", "critical_sharpness_relative"] },
            make: { arguments, _ in CriticalSharpness(alongGradient: try arguments.text("direction") == "gradient") })
    ]

    let seriesNames = ["critical_sharpness", "critical_sharpness_relative"]
    var usesPreviousParameters: Bool { !alongGradient }
    private let alongGradient: Bool
    /// Doublings, and halvings, after which no rate is found: 2⁴⁰.
    private static let reach = 40

    init(alongGradient: Bool) { self.alongGradient = alongGradient }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let theta = run.parameters
        let rate = run.learningRate
        // Δ such that θ − ηΔ is where the rate η leads.
        let direction: Vector
        if !alongGradient, let before = run.previousParameters {
            direction = try (before - theta) / rate
        } else {
            direction = try run.gradient()
        }
        let loss = try run.evaluation().loss
        var evaluations = 0
        func rises(_ eta: Double) throws -> Bool {
            var there = theta
            try there.add(-eta, direction)
            evaluations += 1
            // What is no number any more has risen.
            return try !(run.oracle.evaluate(at: there, keepingOutputs: false).loss <= loss)
        }
        var (low, high) = (rate, rate)
        var found = true
        if try rises(rate) {
            for step in 0... {
                low = high / 2
                if try !rises(low) { break }
                high = low
                if step == Self.reach {
                    found = false
                    break
                }
            }
        } else {
            for step in 0... {
                high = 2 * low
                if try rises(high) { break }
                low = high
                if step == Self.reach {
                    found = false
                    break
                }
            }
        }
        while found, high - low > low / 16 {
            let middle = (low + high) / 2
            if try rises(middle) { high = middle } else { low = middle }
        }
        let critical = found ? (low + high) / 2 : .nan
        return [2 / critical, rate / critical].map { Measurement(step: run.step, value: $0, samples: evaluations) }
    }
}
