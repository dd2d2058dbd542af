import Compute
import Curvature
import Networks

/// E_B[ g_BᵀH_Bg_B / ‖g_B‖² ], the mean of ratios over fresh batches, with its standard error; or over given batches, exactly.
/// Andreyev & Beneventano, arXiv 2412.20553; the defaults are those of their code.
public final class BatchSharpness: Probe {
    public static let defaults = BatchSampling(relativeError: 0.005, minSamples: 10, maxSamples: 1000)

    static let declarations = [
        ProbeDeclaration(
            "batch_sharpness",
            "E_B[g_BᵀH_Bg_B/‖g_B‖²], the curvature of a batch along its own gradient. [Andreyev & Beneventano 2024]",
            options: defaults.options
        ) { try BatchSharpness(BatchSampling($0, $1, defaults: defaults)) }
    ]

    public let sampling: BatchSampling
    public let seriesNames = ["batch_sharpness"]

    public init(_ sampling: BatchSampling = BatchSharpness.defaults) { self.sampling = sampling }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let estimate = try sampling.mean(run, stream) { oracle, batches, size in
            try oracle.batchCurvature(at: run.parameters, batches: batches, size: size).map(\.ratio)
        }
        return [Measurement(step: run.step, estimate)]
    }
}

/// g_BᵀH_Bg_B / ‖g_B‖² on the batch of this step, at the parameters before it; or on a given batch, at the present ones.
public final class StepSharpness: Probe {
    static let declarations = [
        ProbeDeclaration(
            "step_sharpness", "g_BᵀH_Bg_B/‖g_B‖² on the batch of the step. [Andreyev & Beneventano 2024]",
            options: [.batch, .statistics]
        ) { arguments, run in
            let batch = try arguments.samples("batch")
            if let batch { try ProbeArguments.check(batch, of: run, "batch") }
            return StepSharpness(batch: batch, scope: try ProbeScope(arguments, run))
        }
    ]

    public let seriesNames = ["step_sharpness"]
    public let timing: ProbeTiming
    private let batch: [Int]?
    private let scope: ProbeScope

    /// - Parameter batch: sample numbers from 0; nil for the batch of each step.
    public init(batch: [Int]? = nil, scope: ProbeScope = ProbeScope()) {
        self.batch = batch
        self.scope = scope
        timing = batch == nil ? .step : .point
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let indices = self.batch ?? batch.map(Array.init) ?? Array(0..<run.data.train.count)
        let curvature = try scope.oracle(of: run).batchCurvature(
            at: run.parameters, batches: indices, size: indices.count)
        return [Measurement(step: run.step, value: curvature[0].ratio, samples: 1)]
    }
}
