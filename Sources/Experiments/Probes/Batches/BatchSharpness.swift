import Compute
import Curvature
import Networks
import Objectives

/// The curvature of batches along their own gradients, in expectation over fresh batches, or over given ones exactly.
/// Andreyev & Beneventano, arXiv 2412.20553; the defaults are those of their code.
public final class BatchSharpness: MemorylessProbe {
    public enum Kind: String, Sendable {
        /// E_B[ g_BᵀH_Bg_B / ‖g_B‖² ], the mean of ratios.
        case mean = "batch_sharpness"
        /// E_B[ g_BᵀH_Bg_B ] / E_B‖g_B‖², the ratio of means, with the error of the jackknife.
        case ratio = "batch_sharpness_ratio"
        /// The mean of ratios with the Gauss–Newton matrix of the batch in place of its Hessian.
        case gaussNewton = "batch_sharpness_gn"
    }

    public static let defaults = BatchSampling(relativeError: 0.005, minSamples: 10, maxSamples: 1000)

    static let declarations = [
        declaration(
            .mean,
            "E_B[g_BᵀH_Bg_B/‖g_B‖²], the curvature of a batch along its own gradient. [Andreyev & Beneventano 2024]"),
        declaration(.ratio, "E_B[g_BᵀH_Bg_B]/E_B‖g_B‖², the ratio of means. [Andreyev & Beneventano 2024]"),
        declaration(
            .gaussNewton, "batch_sharpness with the Gauss–Newton matrix of the batch. [code of Andreyev & Beneventano]"),
    ]

    private static func declaration(_ kind: Kind, _ summary: String) -> ProbeDeclaration {
        defaults.declaration(kind.rawValue, summary, further: [.block]) { BatchSharpness(kind, $0) }
    }

    public let kind: Kind
    public let sampling: BatchSampling
    public var seriesNames: [String] { [kind.rawValue] }

    public init(_ kind: Kind = .mean, _ sampling: BatchSampling = BatchSharpness.defaults) {
        self.kind = kind
        self.sampling = sampling
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let source = try sampling.source(of: run, stream)
        let matrix: CurvatureMatrix = kind == .gaussNewton ? .ggn : .hessian
        var estimate = try source.curvature(of: run, sampling.scope, isRatioOfMeans: kind == .ratio) {
            guard let block = sampling.scope.block else {
                return try source.oracle.batchCurvature(matrix, at: run.parameters, batches: $0, size: $1)
            }
            return try Self.curvature(matrix, of: source.oracle, at: run.parameters, block, batches: $0, size: $1)
        }
        // A quadratic form of each batch.
        estimate.products = estimate.samples
        return [Measurement(step: run.step, estimate)]
    }

    /// That of the blocks of g_B and A_B, batch after batch: their gradients are formed.
    private static func curvature(
        _ matrix: CurvatureMatrix, of oracle: Oracle, at theta: Vector, _ block: ParameterBlock, batches: [Int],
        size: Int
    ) throws -> [BatchCurvature] {
        try stride(from: 0, to: batches.count, by: size).map { start in
            let batch = BatchSelection.indices(Array(batches[start..<start + size]))
            let (loss, gradient) = try oracle.gradient(at: theta, over: batch)
            let part = try block.coordinates.embed(block.coordinates.restrict(gradient))
            return BatchCurvature(
                loss: loss, quadratic: try oracle.quadratic(matrix, at: theta, along: part, over: batch),
                squaredGradientNorm: part.squaredNorm)
        }
    }
}
