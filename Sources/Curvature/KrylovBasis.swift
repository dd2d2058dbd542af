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

    private let dimension: Int
    /// What remains of a vector after orthogonalisation is rounding, and not a direction, below this part of it.
    private let roundoff: Double

    /// The basis before the first product: F is an orthonormal basis of the span of `start`.
    init(start: [Vector], dimension: Int, element: ElementType) throws {
        self.dimension = dimension
        // Sums of squares of p rounding errors, each half a unit in the last place of an element of size 1/√p.
        roundoff = element == .f32 ? 0x1p-21 : 0x1p-48
        var block = start
        next = try orthonormalise(&block).kept
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
        projected = Self.bordered(projected, by: DenseMatrix.sum(first, second), old: old)

        let (kept, triangle) = try orthonormalise(&image, norms: norms)
        next = kept
        var b = DenseMatrix(zeros: kept.count, vectors.count)
        for i in 0..<kept.count { for j in 0..<block.count { b[i, old + j] = triangle[i, j] } }
        coupling = b
    }

    /// Replaces Q by QS for the leading columns S of `ritz`: the thick restart.
    mutating func restart(keeping ritz: DenseEigen, count: Int) throws {
        let s = ritz.vectors.prefix(columns: count)
        vectors = try VectorBlock.combinations(vectors, s)
        var b = DenseMatrix(zeros: next.count, count)
        for i in 0..<next.count {
            for j in 0..<count {
                for l in 0..<s.rows { b[i, j] += coupling[i, l] * s[l, j] }
            }
        }
        coupling = b
        projected = DenseMatrix(zeros: count, count)
        for i in 0..<count { projected[i, i] = ritz.values[i] }
    }

    /// ‖Bs‖ for the first `count` columns s of `ritz`.
    func residuals(of ritz: DenseEigen, count: Int) -> [Double] {
        (0..<count).map { j in
            var square = 0.0
            for i in 0..<coupling.rows {
                var sum = 0.0
                for l in 0..<coupling.columns { sum += coupling[i, l] * ritz.vectors[l, j] }
                square += sum * sum
            }
            return square.squareRoot()
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

extension DenseMatrix {
    static func sum(_ a: DenseMatrix, _ b: DenseMatrix) -> DenseMatrix {
        DenseMatrix(rows: a.rows, columns: a.columns, values: zip(a.values, b.values).map { $0 + $1 })
    }
}
