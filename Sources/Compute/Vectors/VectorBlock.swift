import Graph

/// A small dense f64 matrix, column after column: inner products and coefficients of blocks of vectors.
public struct DenseMatrix: Sendable, Equatable {
    public let rows: Int
    public let columns: Int
    /// `values[i + rows·j]` is row i of column j.
    public var values: [Double]

    public init(rows: Int, columns: Int, values: [Double]) {
        precondition(values.count == rows * columns, "\(values.count) values for a \(rows)×\(columns) matrix")
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    public init(zeros rows: Int, _ columns: Int) {
        self.init(rows: rows, columns: columns, values: Array(repeating: 0, count: rows * columns))
    }

    public subscript(i: Int, j: Int) -> Double {
        get { values[i + rows * j] }
        set { values[i + rows * j] = newValue }
    }

    /// Column j.
    public func column(_ j: Int) -> [Double] { Array(values[rows * j..<rows * (j + 1)]) }

    /// The first `count` columns.
    public func prefix(columns count: Int) -> DenseMatrix {
        DenseMatrix(rows: rows, columns: count, values: Array(values.prefix(rows * count)))
    }
}

/// Operations on blocks: arrays of vectors of one count and one element. They read each vector once for all of a block,
/// where the operations one by one would be bound by memory.
public enum VectorBlock {
    /// XᵀY: entry (i, j) is ⟨xᵢ, yⱼ⟩, the same bits as ``Vector/dot(_:)`` gives.
    ///
    /// - Throws: ``VectorError`` if counts or elements differ.
    public static func dots(_ x: [Vector], _ y: [Vector]) throws -> DenseMatrix {
        try check(x + y)
        return DenseMatrix(rows: x.count, columns: y.count, values: VectorKernels.dots(x, y))
    }

    /// XC: vector j is Σᵢ cᵢⱼ xᵢ, each element summed in f64 and rounded once.
    ///
    /// - Throws: ``VectorError`` if counts, elements or the rows of `c` do not fit; ``MemoryError``.
    public static func combinations(_ x: [Vector], _ c: DenseMatrix) throws -> [Vector] {
        try check(x)
        guard c.rows == x.count, let first = x.first else {
            throw VectorError.differentBlocks(rows: c.rows, vectors: x.count)
        }
        let result = try (0..<c.columns).map { _ in try first.uninitializedLike() }
        VectorKernels.combine(x, c.values, keep: 0, into: result)
        return result
    }

    /// Y ← Y − XC, and then the new XᵀY: the step of a Gram–Schmidt process that shows whether another is needed.
    ///
    /// - Throws: ``VectorError`` if counts, elements or the shape of `c` do not fit; ``MemoryError`` if a copy of a
    ///   shared y is needed and does not fit.
    public static func subtract(_ x: [Vector], times c: DenseMatrix, from y: inout [Vector]) throws -> DenseMatrix {
        try check(x + y)
        guard c.rows == x.count, c.columns == y.count else {
            throw VectorError.differentBlocks(rows: c.rows, vectors: x.count)
        }
        for j in y.indices { try y[j].makeUnique() }
        return DenseMatrix(rows: x.count, columns: y.count, values: VectorKernels.project(x, c.values, outOf: y))
    }

    private static func check(_ block: [Vector]) throws {
        guard let first = block.first else { return }
        for vector in block.dropFirst() { try first.check(vector) }
    }
}
