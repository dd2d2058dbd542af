import CKernels

extension DenseMatrix {
    /// Eigenvalues, smallest first, and orthonormal eigenvectors (the columns) of a symmetric matrix, by LAPACK's divide and
    /// conquer on the calling thread; reads the upper triangle.
    ///
    /// About 9n³ operations: 6 ms for n = 300. Nil where the library at hand has no LAPACK, or it does not converge; entries
    /// that are not finite give nil too.
    public func symmetricEigen() -> (values: [Double], vectors: DenseMatrix)? {
        guard rows == columns, rows > 0, values.allSatisfy(\.isFinite), let n = Int32(exactly: rows) else { return nil }
        var vectors = self
        var eigenvalues = [Double](repeating: 0, count: rows)
        guard ck_symmetric_eigen(n, &vectors.values, &eigenvalues) == 0 else { return nil }
        return (eigenvalues, vectors)
    }
}
