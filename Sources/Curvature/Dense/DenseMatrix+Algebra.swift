import Compute

/// The algebra of small matrices that the solvers need.
extension DenseMatrix {
    /// The matrix product.
    func times(_ other: DenseMatrix) -> DenseMatrix {
        var result = DenseMatrix(zeros: rows, other.columns)
        values.withUnsafeBufferPointer { a in
            result.values.withUnsafeMutableBufferPointer { c in
                for j in 0..<other.columns {
                    for l in 0..<columns {
                        let factor = other[l, j]
                        if factor == 0 { continue }
                        for i in 0..<rows { c[i + rows * j] += a[i + rows * l] * factor }
                    }
                }
            }
        }
        return result
    }

    /// The rows of one matrix above those of another with as many columns.
    init(stacking upper: DenseMatrix, _ lower: DenseMatrix) {
        self.init(
            rows: upper.rows + lower.rows, columns: upper.columns,
            values: (0..<upper.columns).flatMap { upper.column($0) + lower.column($0) })
    }

    func plus(_ other: DenseMatrix) -> DenseMatrix {
        DenseMatrix(rows: rows, columns: columns, values: zip(values, other.values).map { $0 + $1 })
    }

    var transposed: DenseMatrix {
        var result = DenseMatrix(zeros: columns, rows)
        for j in 0..<columns { for i in 0..<rows { result[j, i] = self[i, j] } }
        return result
    }

    /// The first `count` rows.
    func prefix(rows count: Int) -> DenseMatrix {
        DenseMatrix(rows: count, columns: columns, values: (0..<columns).flatMap { column($0).prefix(count) })
    }

    /// Every entry replaced by a function of its column's number and itself.
    func mapColumns(_ transform: (Int, Double) -> Double) -> DenseMatrix {
        DenseMatrix(
            rows: rows, columns: columns, values: (0..<columns).flatMap { j in column(j).map { transform(j, $0) } })
    }
}
