import Compute
import Curvature
import Networks
import Objectives

/// `gni`: E_B[ g_BᵀHg_B ] / ‖g‖², with H and g over all samples. Andreyev & Beneventano, arXiv 2412.20553.
///
/// With g_B = g + e the value is gᵀHg + 2eᵀHg + eᵀHe. Where E_B[e] = 0 the middle term is taken off as a control variate, its mean
/// being known, and so is what a sketch of H says of the last one (`CurvatureSketch`): where few eigenvalues dominate, most of the
/// scatter. Quadratic forms are taken at one point with the deltas kept.
final class GradientNoiseInteraction: MemorylessProbe {
    /// 500 batches, as in the EoSS code.
    static let defaults = BatchSampling(relativeError: 0, minSamples: 10, maxSamples: 500)
    /// Batch gradients, as long as θ, that are held at once.
    private static let block = 8

    static let declarations = [
        defaults.declaration(
            "gni", "E_B[g_BᵀHg_B]/‖g‖², the gradient–noise interaction. [Andreyev & Beneventano 2024]"
        ) { GradientNoiseInteraction($0) }
    ]

    let sampling: BatchSampling
    let seriesNames = ["gni"]

    init(_ sampling: BatchSampling) { self.sampling = sampling }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let source = try sampling.source(of: run, stream, chunk: Self.block)
        let theta = run.parameters
        let gradient = try sampling.scope.gradient(of: run)
        let square = gradient.squaredNorm
        let hessian = CurvatureOperator(of: source.oracle, at: theta, over: source.selection)
        // The product also linearizes: what the forms share is kept.
        let product = try hessian.apply(gradient)
        let slope = try gradient.dot(product)
        let isCentred = try source.named == nil && source.hasUnbiasedGradients()
        // A vector of the sketch costs as much as two or three batches.
        let sketch =
            isCentred
            ? try CurvatureSketch(
                of: hessian, gradient: gradient, product: product, source: source,
                rank: max(1, sampling.maxSamples / 12)) : nil
        let coefficients: [Double] = isCentred ? [2] + (sketch == nil ? [] : [1]) : []
        var estimate = try source.mean(controls: .given(coefficients)) { batches, size in
            let gradients = try stride(from: 0, to: batches.count, by: size).map {
                try source.oracle.gradient(at: theta, over: .indices(Array(batches[$0..<$0 + size]))).gradient
            }
            let forms = try hessian.quadratic(block: gradients)
            let sketched = try sketch?.controls(for: gradients)
            return try gradients.indices.map { i in
                var controls = isCentred ? [(try product.dot(gradients[i]) - slope) / square] : []
                if let sketched { controls.append(sketched[i] / square) }
                return ControlledDraw(value: forms[i] / square, controls: controls)
            }
        }
        estimate.products = hessian.products
        return [Measurement(step: run.step, estimate)]
    }
}
