import Compute

/// Eigenvalues, largest first, and orthonormal eigenvectors (the columns) of a small dense symmetric matrix.
struct DenseEigen {
    let values: [Double]
    let vectors: DenseMatrix

    /// Above this order LAPACK is faster; up to it the bits are the same on every machine.
    private static let largestForRotations = 32

    /// Reads the upper triangle; all entries must be finite.
    ///
    /// Matrices up to 32 × 32, all that a tracked eigenvalue needs, by cyclic Jacobi rotations: as accurate as any method,
    /// and without a library (Golub and Van Loan, Matrix Computations, section 8.5). Larger ones by LAPACK's divide and
    /// conquer where it is at hand: forty times faster at n = 300.
    init(symmetric matrix: DenseMatrix) {
        let n = matrix.rows
        if n > Self.largestForRotations, let eigen = matrix.symmetricEigen() {
            self.init(values: eigen.values.reversed(), vectors: eigen.vectors.columns((0..<n).reversed()))
            return
        }
        self.init(rotating: matrix)
    }

    private init(values: [Double], vectors: DenseMatrix) {
        self.values = values
        self.vectors = vectors
    }

    /// By Jacobi rotations whatever the size: 10n³ operations a sweep or two.
    init(rotating matrix: DenseMatrix) {
        let n = matrix.rows
        var a = matrix
        var v = DenseMatrix(zeros: n, n)
        for i in 0..<n {
            v[i, i] = 1
            for j in 0..<i { a[i, j] = a[j, i] }
        }
        // Convergence is quadratic; six to ten sweeps are usual. The bound only guards against a loop without end.
        for _ in 0..<60 where Self.rotateAll(&a, &v) == false { break }
        let order = (0..<n).sorted { a[$0, $0] > a[$1, $1] }
        values = order.map { a[$0, $0] }
        vectors = DenseMatrix(rows: n, columns: n, values: order.flatMap { v.column($0) })
    }

    /// One sweep over all pairs; whether any rotation was needed.
    private static func rotateAll(_ a: inout DenseMatrix, _ v: inout DenseMatrix) -> Bool {
        let n = a.rows
        var rotated = false
        for p in 0..<n {
            for q in (p + 1)..<max(n, p + 1) {
                let off = a[p, q]
                let scale = max(abs(a[p, p]), abs(a[q, q]))
                if abs(off) <= Roundoff.rotation * scale || abs(off) < .leastNormalMagnitude { continue }
                rotated = true
                let theta = (a[q, q] - a[p, p]) / (2 * off)
                let t = (theta >= 0 ? 1.0 : -1.0) / (abs(theta) + (theta * theta + 1).squareRoot())
                let c = 1 / (t * t + 1).squareRoot()
                let s = t * c
                rotate(&a, &v, p, q, c, s)
                a[p, q] = 0
                a[q, p] = 0
            }
        }
        return rotated
    }

    /// a ← JᵀaJ and v ← vJ for the rotation J in the plane (p, q).
    private static func rotate(
        _ a: inout DenseMatrix, _ v: inout DenseMatrix, _ p: Int, _ q: Int, _ c: Double, _ s: Double
    ) {
        let n = a.rows
        a.values.withUnsafeMutableBufferPointer { a in
            for i in 0..<n {
                let (x, y) = (a[i + n * p], a[i + n * q])
                a[i + n * p] = c * x - s * y
                a[i + n * q] = s * x + c * y
            }
            for i in 0..<n {
                let (x, y) = (a[p + n * i], a[q + n * i])
                a[p + n * i] = c * x - s * y
                a[q + n * i] = s * x + c * y
            }
        }
        v.values.withUnsafeMutableBufferPointer { v in
            for i in 0..<n {
                let (x, y) = (v[i + n * p], v[i + n * q])
                v[i + n * p] = c * x - s * y
                v[i + n * q] = s * x + c * y
            }
        }
    }
}
