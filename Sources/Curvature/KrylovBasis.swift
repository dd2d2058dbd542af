import Compute
import Graph

/// A growing orthonormal basis Q of a block Krylov space of A, with the projected matrix T = QᵀAQ, for
/// ``topEigenpairs(of:k:tolerance:warmStart:stream:maxProducts:)``.
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
    /// What remains of a vector after orthogonalisation is rounding, and not a direction, below this part of it.
    private let roundoff: Double

    /// The basis before the first product: F is an orthonormal basis of the span of `start`.
    init(start: [Vector], dimension: Int, element: ElementType) throws {
        self.dimension = dimension
        // Sums of squares of p rounding errors, each half a unit in the last place of an element of size 1/√p.
        roundoff = element == .f32 ? 0x1p-21 : 0x1p-48
        var block = start
        let (kept, triangle) = try orthonormalise(&block)
        next = kept
        var coefficients = triangle
        for (j, vector) in start.enumerated() {
            let length = vector.norm()
            for i in 0..<triangle.rows { coefficients[i, j] /= length }
        }
        startCoefficients = coefficients
    }

    /// Multiplies F and takes it into the basis.
    mutating func extend(by matrix: some LinearOperator) throws {
        let block = next
        var image = try matrix.apply(block: block)
        products += block.count
        guard image.count == block.count else {
            throw CurvatureError.wrongBlock(expected: block.count, got: image.count)
        }
        for w in image {
            guard w.count == dimension else {
                throw CurvatureError.wrongDimension(expected: dimension, got: w.count)
            }
            guard w.isFinite else { throw CurvatureError.notFinite(what: "a product of the operator") }
        }
        let old = vectors.count
        vectors += block
        let norms = image.map { $0.norm() }
        let first = try VectorBlock.dots(vectors, image)
        let second = try VectorBlock.subtract(vectors, times: first, from: &image)
        _ = try VectorBlock.subtract(vectors, times: second, from: &image)
        projected = Self.bordered(projected, by: first.plus(second), old: old)

        let (kept, triangle) = try orthonormalise(&image, norms: norms)
        next = kept
        var b = DenseMatrix(zeros: kept.count, vectors.count)
        for i in 0..<kept.count { for j in 0..<block.count { b[i, old + j] = triangle[i, j] } }
        coupling = b
    }

    /// Replaces Q by QS for the leading columns S of `ritz`: the thick restart.
    mutating func restart(keeping ritz: DenseEigen, count: Int) throws {
        startCoefficients = nil
        let s = ritz.vectors.prefix(columns: count)
        vectors = try VectorBlock.combinations(vectors, s)
        coupling = coupling.times(s)
        projected = DenseMatrix(zeros: count, count)
        for i in 0..<count { projected[i, i] = ritz.values[i] }
    }

    /// Where Q spans an invariant subspace: goes on in a random direction outside of it.
    mutating func refill(count: Int, element: ElementType, stream: inout RandomStream) throws {
        var block = try (0..<count).map { _ in
            try Vector.randomNormal(count: dimension, element: element, stream: &stream)
        }
        let norms = block.map { $0.norm() }
        for _ in 0..<2 {
            let c = try VectorBlock.dots(vectors, block)
            _ = try VectorBlock.subtract(vectors, times: c, from: &block)
        }
        next = try orthonormalise(&block, norms: norms).kept
        coupling = DenseMatrix(zeros: next.count, vectors.count)
    }

    /// ‖Bs‖ for the first `count` columns s of `ritz`.
    func residuals(of ritz: DenseEigen, count: Int) -> [Double] {
        let r = coupling.times(ritz.vectors.prefix(columns: count))
        return (0..<count).map { j in r.column(j).reduce(0) { $0 + $1 * $1 }.squareRoot() }
    }

    /// If μ, above all Ritz values, were an eigenvalue of A with unit eigenvector u: the most that |⟨x, u⟩| could then be
    /// for the start vectors x (of length 1). Nil after a restart.
    ///
    /// From AQ = QT + FB follows Qᵀu = Gf with G = (μ − T)⁻¹Bᵀ and f = Fᵀu, and ‖Gf‖² + ‖f‖² ≤ ‖u‖² = 1. So a start
    /// vector Qa has ⟨Qa, u⟩ = aᵀGf, and the maximum over f is (gᵀM⁻¹g)^½ with g = Gᵀa, M = I + GᵀG. It shrinks
    /// exponentially with the products: what is not seen by then is hardly there. (With one start vector and no restart
    /// this is the bound by Lanczos polynomials of van Dorsselaer, Hochstenbach and van der Vorst 2000.)
    func largestMissed(at mu: Double, _ ritz: DenseEigen) -> [Double]? {
        guard let start = startCoefficients else { return nil }
        guard !next.isEmpty else { return Array(repeating: 0, count: start.columns) }
        // In the basis of Ritz vectors: residualᵢ = Bsᵢ, and G is diagonal but for it.
        let scaled = coupling.times(ritz.vectors).mapColumns { i, x in x / (mu - ritz.values[i]) }
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

    /// An orthonormal basis of what the block adds to Q, and the triangle R with block = basis·R.
    ///
    /// The block is already orthogonal to Q (at the start Q is empty). A vector that the others leave nothing of but
    /// rounding is dropped: so the block shrinks when parts of the Krylov space are complete.
    private func orthonormalise(
        _ block: inout [Vector], norms: [Double]? = nil
    ) throws -> (kept: [Vector], triangle: DenseMatrix) {
        var kept: [Vector] = []
        var rows: [[Double]] = []
        for j in block.indices {
            let original = norms?[j] ?? block[j].norm()
            var column = [block[j]]
            var coefficients = [Double](repeating: 0, count: kept.count)
            var before = column[0].norm()
            // Twice is enough (Kahan and Parlett), unless cancellation has amplified what was left of Q: then once more.
            for _ in 0..<4 where !kept.isEmpty {
                let c = try VectorBlock.dots(kept, column)
                _ = try VectorBlock.subtract(kept, times: c, from: &column)
                for i in kept.indices { coefficients[i] += c[i, 0] }
                let after = column[0].norm()
                if after > 0.7 * before || after <= roundoff * original { break }
                before = after
                let again = try VectorBlock.dots(vectors, column)
                _ = try VectorBlock.subtract(vectors, times: again, from: &column)
            }
            let length = column[0].norm()
            if vectors.count + kept.count < dimension, length > roundoff * original, length > .leastNormalMagnitude {
                try column[0].scale(1 / length)
                kept.append(column[0])
                for i in rows.indices { rows[i].append(coefficients[i]) }
                rows.append(Array(repeating: 0, count: j) + [length])
            } else {
                for i in rows.indices { rows[i].append(coefficients[i]) }
            }
        }
        var triangle = DenseMatrix(zeros: kept.count, block.count)
        for i in rows.indices { for j in block.indices { triangle[i, j] = rows[i][j] } }
        return (kept, triangle)
    }
}
