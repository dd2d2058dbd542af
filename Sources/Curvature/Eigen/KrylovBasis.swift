import Compute
import Graph

/// A growing orthonormal basis Q of a block Krylov space of A, with the projected matrix T = QᵀAQ.
///
/// Always AQ = QT + FB, where the orthonormal block F ⟂ Q is the next to be multiplied and B couples it to Q. So the
/// residual of the Ritz pair (θ, Qs) is ‖Bs‖, without a product. All inner products are taken against the whole basis,
/// twice ("full reorthogonalisation"): at these sizes products dominate, and no copies of converged eigenvectors
/// appear.
struct KrylovBasis {
    private(set) var vectors: [Vector] = []
    /// QᵀAQ.
    private(set) var projected = DenseMatrix(zeros: 0, 0)
    /// F: at most as many vectors as the block before; empty when Q spans an invariant subspace.
    private(set) var next: [Vector] = []
    /// B, one row a vector of F, one column a vector of Q.
    private(set) var coupling = DenseMatrix(zeros: 0, 0)
    private(set) var products = 0
    /// The start vectors, scaled to length 1, in terms of the first vectors of Q: one column each; nil after a restart,
    /// which drops parts of them.
    private var startCoefficients: DenseMatrix?

    private let dimension: Int
    private let element: ElementType
    private let orthonormaliser: Orthonormaliser

    /// The basis before the first product: F is an orthonormal basis of the span of `start`.
    init(start: [Vector], dimension: Int, element: ElementType) throws {
        self.dimension = dimension
        self.element = element
        orthonormaliser = Orthonormaliser(dimension: dimension, element: element)
        let (kept, triangle) = try orthonormaliser.basis(of: start, against: [])
        next = kept
        var coefficients = triangle
        for (j, vector) in start.enumerated() {
            let length = vector.norm()
            for i in 0..<triangle.rows { coefficients[i, j] /= length }
        }
        startCoefficients = coefficients
    }

    /// Multiplies F and takes it into the basis.
    mutating func extend(by problem: EigenProblem) throws {
        let block = next
        var image = try problem.products(of: block)
        products += block.count
        let old = vectors.count
        vectors += block
        let norms = image.map { $0.norm() }
        let inside = try Orthonormaliser.project(&image, outOf: vectors)
        projected = Self.bordered(projected, by: inside, old: old)

        let (kept, triangle) = try orthonormaliser.basis(of: image, against: vectors, norms: norms)
        next = kept
        var b = DenseMatrix(zeros: kept.count, vectors.count)
        for i in 0..<kept.count { for j in 0..<block.count { b[i, old + j] = triangle[i, j] } }
        coupling = b
    }

    /// Replaces Q by QS for the leading columns S of the Ritz vectors: the thick restart.
    mutating func restart(keeping ritz: RitzPairs, count: Int) throws {
        startCoefficients = nil
        let s = ritz.vectors.prefix(columns: count)
        vectors = try VectorBlock.combinations(vectors, s)
        coupling = coupling.times(s)
        projected = DenseMatrix(zeros: count, count)
        for i in 0..<count { projected[i, i] = ritz.values[i] }
    }

    /// Adds fresh random directions to F, orthogonal to all there is, where the Krylov space is complete or may lack
    /// copies of multiple eigenvalues. They are the start vectors from now on.
    mutating func refill(count: Int, stream: inout RandomStream) throws {
        var block = try (0..<count).map { _ in
            try Vector.randomNormal(count: dimension, element: element, stream: &stream)
        }
        let norms = block.map { $0.norm() }
        let known = vectors + next
        let inside = try Orthonormaliser.project(&block, outOf: known)
        let (kept, triangle) = try orthonormaliser.basis(of: block, against: known, norms: norms)
        next += kept
        coupling = DenseMatrix(stacking: coupling, DenseMatrix(zeros: kept.count, vectors.count))
        startCoefficients = DenseMatrix(stacking: inside, triangle).mapColumns { j, x in x / norms[j] }
    }

    /// ‖Bs‖ for all columns s.
    func residuals(of coefficients: DenseMatrix) -> [Double] {
        let r = coupling.times(coefficients)
        return (0..<r.columns).map { j in r.column(j).reduce(0) { $0 + $1 * $1 }.squareRoot() }
    }

    /// Start vectors whose part in the basis is known; 0 after a restart.
    var startCount: Int { startCoefficients?.columns ?? 0 }

    /// If μ were an eigenvalue of A with a unit eigenvector u that is orthogonal to the Ritz vectors beyond it: the most
    /// that |⟨x, u⟩| could then be for the start vectors x (of length 1). Nil after a restart.
    ///
    /// From AQ = QT + FB follows Qᵀu = Gf with G = (μ − T)⁻¹Bᵀ and f = Fᵀu, and ‖Gf‖² + ‖f‖² ≤ ‖u‖² = 1. So a start
    /// vector Qa has ⟨Qa, u⟩ = aᵀGf, and the maximum over f is (gᵀM⁻¹g)^½ with g = Gᵀa, M = I + GᵀG. It shrinks
    /// exponentially with the products: what is not seen by then is hardly there. (With one start vector and no restart
    /// this is the bound by Lanczos polynomials of van Dorsselaer, Hochstenbach and van der Vorst 2000.)
    ///
    /// - Parameter side: 1 where "beyond μ" means above it, −1 where it means below.
    func largestMissed(at mu: Double, _ ritz: RitzPairs, side: Double = 1) -> [Double]? {
        guard let start = startCoefficients else { return nil }
        guard !next.isEmpty else { return Array(repeating: 0, count: start.columns) }
        // In the basis of Ritz vectors: residualᵢ = Bsᵢ, and G is diagonal but for it.
        let scaled = coupling.times(ritz.vectors).mapColumns { i, x in
            let distance = side * (mu - ritz.values[i])
            return distance > 0 ? x / distance : 0
        }
        var m = scaled.times(scaled.transposed)
        for i in 0..<m.rows { m[i, i] += 1 }
        let g = scaled.times(ritz.vectors.prefix(rows: start.rows).transposed.times(start))
        let eigen = DenseEigen(symmetric: m)
        let components = eigen.vectors.transposed.times(g)
        return (0..<start.columns).map { j in
            (0..<m.rows).reduce(0) { $0 + components[$1, j] * components[$1, j] / eigen.values[$1] }.squareRoot()
        }
    }

    /// T with the new columns: symmetric, the old-new part as measured.
    private static func bordered(_ t: DenseMatrix, by columns: DenseMatrix, old: Int) -> DenseMatrix {
        let n = columns.rows
        var result = DenseMatrix(zeros: n, n)
        for j in 0..<old { for i in 0..<old { result[i, j] = t[i, j] } }
        for j in 0..<columns.columns {
            for i in 0..<n {
                // Inside the new block both triangles are measured: their mean.
                let value = i < old ? columns[i, j] : (columns[i, j] + columns[old + j, i - old]) / 2
                result[i, old + j] = value
                result[old + j, i] = value
            }
        }
        return result
    }
}
