import Compute
import Graph

/// Gram–Schmidt: orthonormal bases, vector by vector or block by block. What others leave nothing of but rounding is dropped.
package struct Orthonormaliser {
    let dimension: Int
    /// What remains of a vector after orthogonalisation is no direction of its own below this part of it.
    let smallest: Double

    /// - Parameter smallest: what must remain of a vector, as a part of it; by default more than rounding leaves.
    package init(dimension: Int, element: ElementType, smallest: Double? = nil) {
        self.dimension = dimension
        self.smallest = smallest ?? Roundoff.direction(element)
    }

    /// Makes a block orthogonal to an orthonormal basis. Two passes are enough where more than rounding remains (Giraud, Langou &
    /// Rozložník 2005).
    ///
    /// - Returns: what the block had of the basis: one row a vector of the basis, one column a vector of the block.
    /// - Throws: `VectorError` for vectors of different spaces; `MemoryError`.
    package static func project(_ block: inout [Vector], outOf basis: [Vector]) throws -> DenseMatrix {
        guard !basis.isEmpty else { return DenseMatrix(zeros: 0, block.count) }
        let first = try VectorBlock.dots(basis, block)
        let second = try VectorBlock.subtract(basis, times: first, from: &block)
        _ = try VectorBlock.subtract(basis, times: second, from: &block)
        return first.plus(second)
    }

    /// What a vector adds to an orthonormal basis, scaled to length 1, and the vector's coordinates in the basis with that; nil
    /// where it adds nothing.
    ///
    /// - Parameter scale: the length of which something must remain; nil: that of the vector.
    package func next(
        after basis: [Vector], from vector: Vector, scale: Double? = nil
    ) throws -> (vector: Vector, coordinates: [Double])? {
        var rest = [vector]
        let inside = try Self.project(&rest, outOf: basis)
        let (kept, triangle) = try self.basis(of: rest, against: basis, norms: [scale ?? vector.norm()])
        return kept.first.map { ($0, inside.values + triangle.values) }
    }

    /// An orthonormal basis of what the block adds to `known`, and the triangle R with block = basis·R.
    ///
    /// - Parameters:
    ///   - block: orthogonal to `known` already.
    ///   - known: orthonormal vectors.
    ///   - norms: lengths of the block's vectors before they were made orthogonal; nil: those they have.
    func basis(
        of block: [Vector], against known: [Vector], norms: [Double]? = nil
    ) throws -> (kept: [Vector], triangle: DenseMatrix) {
        var kept: [Vector] = []
        var rows: [[Double]] = []
        for j in block.indices {
            let original = norms?[j] ?? block[j].norm()
            var column = [block[j]]
            var coefficients = [Double](repeating: 0, count: kept.count)
            var before = column[0].norm()
            // Two passes are enough, unless cancellation has amplified what was left of the known ones: then once more.
            for _ in 0..<4 where !kept.isEmpty {
                let c = try VectorBlock.dots(kept, column)
                _ = try VectorBlock.subtract(kept, times: c, from: &column)
                for i in kept.indices { coefficients[i] += c[i, 0] }
                let after = column[0].norm()
                if after > 0.7 * before || after <= smallest * original { break }
                before = after
                let again = try VectorBlock.dots(known, column)
                _ = try VectorBlock.subtract(known, times: again, from: &column)
            }
            let length = column[0].norm()
            if known.count + kept.count < dimension, length > smallest * original, length > .leastNormalMagnitude {
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
    /// For a triangle R as ``Orthonormaliser`` gives it, with block = basis·R: the matrix C with basis = block·C. Columns
    /// of the block that were dropped have no part in it.
    func inverseOfTriangle() -> DenseMatrix {
        var result = DenseMatrix(zeros: columns, rows)
        // Row i begins at the column that basis vector i came from.
        let pivots = (0..<rows).map { i in (0..<columns).first { self[i, $0] != 0 } ?? 0 }
        for i in 0..<rows {
            // basisᵢ = (blockⱼ − Σ_{l<i} basis_l R_lj)/R_ij with j = pivotᵢ.
            let j = pivots[i]
            result[j, i] = 1 / self[i, j]
            for l in 0..<i {
                let factor = self[l, j] / self[i, j]
                for row in 0..<columns { result[row, i] -= factor * result[row, l] }
            }
        }
        return result
    }
}
