import Compute
import Curvature
import Networks

/// E_B‖g_B‖².
///
/// Where no statistics are shared inside a batch and all samples count alike it follows from the gradients of single samples,
/// without drawing a batch: ‖g‖² + (n − b)/((n − 1)b)·((1/n)Σ‖gᵢ‖² − ‖g‖²), the standard error of which is 0. Elsewhere, and where
/// batches are named, it is a mean over batches.
final class GradientNormMC: Probe {
    static let defaults = BatchSampling(relativeError: 0.005, minSamples: 10, maxSamples: 1000)

    static let declarations = [
        ProbeDeclaration(
            "gradient_norm_mc",
            "E_B‖g_B‖²: exact from the samples' gradients, or over batches with batch norm. [code of Andreyev & Beneventano]",
            options: defaults.options
        ) { GradientNormMC(try BatchSampling($0, $1, defaults: defaults)) }
    ]

    let sampling: BatchSampling
    let seriesNames = ["gradient_norm_mc"]

    init(_ sampling: BatchSampling) { self.sampling = sampling }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let source = try sampling.source(of: run, stream)
        if source.named == nil, try source.hasUnbiasedGradients() {
            let start = ContinuousClock.now
            let whole = try sampling.scope.gradient(of: run).squaredNorm
            let mean = try source.meanSquaredSampleGradient(at: run.parameters)
            return [
                Measurement(
                    step: run.step, value: whole + source.varianceOfMeans * (mean - whole), standardError: 0,
                    samples: source.count, seconds: (ContinuousClock.now - start) / .seconds(1))
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

/// σ_u² = Var_B(u·g_B): how strongly the batches' gradients scatter along the top eigenvector u of the Hessian (arXiv 2604.21016).
///
/// Where no statistics are shared inside a batch and all samples count alike it is (n − b)/((n − 1)b) times the variance of u·gᵢ over
/// the samples, exactly. Elsewhere batches are drawn in pairs, ½(u·g_B − u·g_B′)² having this expectation.
final class ProjectedNoise: Probe {
    static let defaults = BatchSampling(relativeError: 0.05, minSamples: 32, maxSamples: 1000)

    static let declarations = [
        ProbeDeclaration(
            "projected_noise",
            "Var_B(u·g_B), u the top eigenvector of the Hessian: the noise along it. [arXiv 2604.21016]",
            options: defaults.options.filter { $0.name != "batches" } + [.tolerance]
        ) { arguments, run in
            ProjectedNoise(
                try BatchSampling(arguments, run, defaults: defaults),
                tolerance: try arguments.number("tolerance") ?? 0.01)
        }
    ]

    let sampling: BatchSampling
    let tolerance: Double
    let seriesNames = ["projected_noise"]
    private var warmStart: [Vector] = []

    init(_ sampling: BatchSampling, tolerance: Double) {
        self.sampling = sampling
        self.tolerance = tolerance
    }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let start = ContinuousClock.now
        let source = try sampling.source(of: run, stream)
        // The eigenvector draws from the second half of the stream, so that the batches are the same whatever it takes.
        var eigenStream = stream
        eigenStream.position = 1 << 49
        let hessian = CurvatureOperator(of: source.oracle, at: run.parameters, over: source.selection)
        let pairs = try topEigenpairs(
            of: hessian, k: 1, tolerance: tolerance, warmStart: warmStart, stream: &eigenStream)
        warmStart = pairs.warmStart
        var estimate = try variance(along: pairs.vectors[0], run, source)
        estimate.products = pairs.products
        estimate.seconds = (ContinuousClock.now - start) / .seconds(1)
        var measurement = Measurement(step: run.step, estimate)
        measurement.residual = pairs.residuals[0]
        return [measurement]
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

/// η/(b(1 − β)): the temperature of SGD, β = 0 without momentum. Smith, Elsen & De 2020.
final class Temperature: Probe {
    static let declarations = [
        ProbeDeclaration("temperature", "η/(b(1 − β)), the scale of the noise of SGD. [Smith, Elsen & De 2020]") {
            _, _ in
            Temperature()
        }
    ]

    let seriesNames = ["temperature"]

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let kept = 1 - (run.rule.momentum?.factor ?? 0)
        return [Measurement(step: run.step, value: run.learningRate / (Double(run.batchCount) * kept))]
    }
}
