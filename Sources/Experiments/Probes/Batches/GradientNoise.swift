import Compute
import Curvature
import Networks
import Objectives

/// E_B‖g_B‖².
///
/// Where no statistics are shared inside a batch and all samples count alike it follows from the gradients of single samples,
/// without drawing a batch: ‖g‖² + (n − b)/((n − 1)b)·((1/n)Σ‖gᵢ‖² − ‖g‖²), the standard error of which is 0. Elsewhere, and where
/// batches are named, it is a mean over batches.
final class GradientNormMC: MemorylessProbe {
    static let defaults = BatchSampling(relativeError: 0.005, minSamples: 10, maxSamples: 1000)

    static let declarations = [
        defaults.declaration(
            "gradient_norm_mc",
            "E_B‖g_B‖²: exact from the samples' gradients, or over batches with batch norm. [code of Andreyev & Beneventano]"
        ) { GradientNormMC($0) }
    ]

    let sampling: BatchSampling
    let seriesNames = ["gradient_norm_mc"]

    init(_ sampling: BatchSampling) { self.sampling = sampling }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let source = try sampling.source(of: run, stream)
        if source.named == nil, try source.hasUnbiasedGradients() {
            let watch = Stopwatch()
            let whole = try sampling.scope.gradient(of: run).squaredNorm
            let mean = try source.meanSquaredSampleGradient(at: run.parameters)
            return [
                Measurement(
                    step: run.step, exact: whole + source.varianceOfMeans * (mean - whole), samples: source.count,
                    seconds: watch.seconds)
            ]
        }
        let estimate = try source.mean {
            try source.oracle.batchGradientNorms(at: run.parameters, batches: $0, size: $1)
        }
        return [Measurement(step: run.step, estimate)]
    }
}

extension BatchSource {
    /// (1/n) Σ‖gᵢ‖² over what batches are drawn from.
    func meanSquaredSampleGradient(at theta: Vector) throws -> Double {
        let samples: [Int]
        switch selection {
        case .all: samples = Array(0..<count)
        case .indices(let indices): samples = indices
        }
        let norms = try oracle.batchGradientNorms(at: theta, batches: samples, size: 1)
        return norms.reduce(0, +) / Double(norms.count)
    }
}

/// η/(b(1 − β)): the temperature of SGD with momentum β, η/b without; b is `noise_batch` where the rule draws its noise.
/// Smith, Elsen & De 2020.
///
/// A rule that divides its step by a P has a rate for each direction and no one temperature: an error where the probe is made, not
/// a number where the rule is changed later.
final class Temperature: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration("temperature", "η/(b(1 − β)), the scale of the noise of SGD. [Smith, Elsen & De 2020]") {
            _, run in
            guard !run.rule.hasPreconditioner else {
                throw ExperimentError.invalid(
                    "temperature is the scale of the noise of sgd, momentum and nesterov: \(run.rule.name), which run "
                        + "'\(run.name)' has, divides its step by a preconditioner, and its noise has no one scale")
            }
            guard scale(of: run) != nil else {
                throw ExperimentError.invalid(
                    "temperature is the scale of the noise of sgd, momentum and nesterov; of \(run.rule.name), which run "
                        + "'\(run.name)' has, none is defined")
            }
            return Temperature()
        }
    ]

    let seriesNames = ["temperature"]

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        [Measurement(step: run.step, value: Self.scale(of: run) ?? .nan)]
    }

    /// Of sgd, momentum and nesterov with their batches' noise, or with noise that imitates that of `noise_batch` samples; nil of others.
    private static func scale(of run: Run) -> Double? {
        let drawn = run.rule.settings.first { $0.name == "noise_batch" }?.value
        let isClipped = run.rule.settings.contains { $0.name == "clip" && $0.value != 0 }
        // A program may call its rule anything, or nothing.
        let name = run.rule.name.split(separator: "+", omittingEmptySubsequences: false)
        guard !isClipped, ["sgd", "momentum", "nesterov"].contains(name[0]), name.count == 1 || drawn != nil else {
            return nil
        }
        return run.learningRate / ((drawn ?? Double(run.batchCount)) * (1 - (run.rule.momentum?.factor ?? 0)))
    }
}
