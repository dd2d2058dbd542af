import Compute
import Curvature
import Networks
import Objectives

/// E_B[ λ_max(H_B) ], the largest eigenvalue of a batch's Hessian in expectation over fresh batches (`batch_lambda_max`), and the
/// largest one met (`batch_lambda_max_max`). Andreyev & Beneventano 2024; the defaults are those of their code.
///
/// Each batch is solved from a start of its own, for batches have top directions of their own: what the last batch knew would
/// not tell what this one hides. The largest one grows with the number of batches, and has no standard error.
public final class BatchLambdaMax: MemorylessProbe {
    public static let defaults = BatchSampling(relativeError: 0.05, minSamples: 10, maxSamples: 50)

    static let declarations = [
        ProbeDeclaration(
            "batch_lambda_max",
            "E_B[λ_max(H_B)], and the largest over the batches drawn as batch_lambda_max_max. [Andreyev & Beneventano 2024]",
            options: defaults.options + [.tolerance, .solver], series: { _ in names },
            make: { arguments, run in
                try BatchLambdaMax(
                    BatchSampling(arguments, run, defaults: defaults),
                    tolerance: arguments.number("tolerance") ?? 0.01,
                    solver: arguments.choice("solver") ?? .automatic)
            })
    ]

    private static let names = ["batch_lambda_max", "batch_lambda_max_max"]
    /// Batches drawn between two looks at the error.
    private static let chunk = 2

    public let sampling: BatchSampling
    public let tolerance: Double
    public let solver: EigenSolver
    public var seriesNames: [String] { Self.names }

    /// - Throws: `ExperimentError.invalid` for a tolerance that cannot be met.
    public init(
        _ sampling: BatchSampling = BatchLambdaMax.defaults, tolerance: Double = 0.01, solver: EigenSolver = .automatic
    ) throws {
        try EigenSettings(tolerance: tolerance).check("batch_lambda_max")
        self.sampling = sampling
        self.tolerance = tolerance
        self.solver = solver
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let source = try sampling.source(of: run, stream, chunk: Self.chunk)
        // The second half of the stream, so that the batches are the same whatever the solves take.
        var starts = stream
        starts.position = 1 << 49
        var (largest, products, residual) = (-Double.infinity, 0, 0.0)
        var (converged, miss) = (true, 0.0)
        var estimate = try naming("batch_lambda_max", run) {
            try source.mean { batches, size in
                try stride(from: 0, to: batches.count, by: size).map { first in
                    let matrix = CurvatureOperator(
                        of: source.oracle, at: run.parameters, over: .indices(Array(batches[first..<first + size])))
                    let pairs = try topEigenpairs(of: matrix, tolerance: tolerance, solver: solver, stream: &starts)
                    products += pairs.products
                    converged = converged && pairs.converged
                    miss = max(miss, pairs.missProbability)
                    if pairs.values[0] > largest { (largest, residual) = (pairs.values[0], pairs.residuals[0]) }
                    return pairs.values[0]
                }
            }
        }
        estimate.products = products
        var found = [
            Measurement(step: run.step, estimate),
            Measurement(step: run.step, value: largest, samples: estimate.samples, residual: residual),
        ]
        // Of all batches the worst.
        for i in found.indices { (found[i].converged, found[i].missProbability) = (converged, miss) }
        return found
    }
}

/// λ_max(H_B) on the batch of this step, at the parameters before it; or on a given batch, at the present ones.
public final class StepBatchLambdaMax: EigenvectorProbe {
    static let declarations = [
        ProbeDeclaration(
            "step_batch_lambda_max", "λ_max(H_B) on the batch of the step. [Andreyev & Beneventano 2024]",
            options: [.batch, .tolerance, .solver, .statistics]
        ) { arguments, run in
            let batch = try arguments.samples("batch")
            if let batch { try ProbeArguments.check(batch, of: run, "batch") }
            return try StepBatchLambdaMax(batch: batch, EigenSettings(arguments, run))
        }
    ]

    public let seriesNames = ["step_batch_lambda_max"]
    public let timing: ProbeTiming
    public let settings: EigenSettings
    public private(set) var vectors: [Vector] = []
    private let batch: [Int]?

    /// - Parameters:
    ///   - batch: sample numbers from 0; nil for the batch of each step.
    ///   - settings: of one eigenvalue; the samples are the batch's.
    /// - Throws: `ExperimentError.invalid` for settings that cannot be met.
    public init(batch: [Int]? = nil, _ settings: EigenSettings = EigenSettings()) throws {
        try settings.check("step_batch_lambda_max")
        self.batch = batch
        self.settings = settings
        timing = batch == nil ? .step : .point
    }

    private init(copying other: StepBatchLambdaMax) {
        (timing, settings, vectors, batch) = (other.timing, other.settings, other.vectors, other.batch)
    }

    public func copy() -> any Probe { StepBatchLambdaMax(copying: self) }

    /// Eigenvectors are for those who look at the step that they were found at.
    public func code(_ coder: StateCoder) {}

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let samples = (self.batch ?? batch.map(Array.init)).map { BatchSelection.indices($0) } ?? .all
        var stream = stream
        let pairs = try naming("step_batch_lambda_max", run) {
            try topEigenpairs(
                of: CurvatureOperator(of: settings.scope.oracle(of: run), at: run.parameters, over: samples),
                tolerance: settings.tolerance, solver: settings.solver, stream: &stream)
        }
        vectors = pairs.vectors
        return [
            Measurement(
                step: run.step, value: pairs.values[0], samples: 1, products: pairs.products,
                residual: pairs.residuals[0], converged: pairs.converged, missProbability: pairs.missProbability)
        ]
    }
}
