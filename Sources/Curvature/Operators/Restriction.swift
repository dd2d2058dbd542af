import Compute
import Graph

/// The rows and columns of A that belong to some coordinates: the block of one layer, of several.
///
/// Its vectors have as many elements as the ranges together, in their order. Eigenvalues of a block interlace those of A
/// (Cauchy), so its largest is at most that of A. A product costs one of A.
public struct BlockOperator: LinearOperator {
    public let coordinates: CoordinateBlock
    private let matrix: any LinearOperator

    /// The coordinates, as ranges of 0 ..< dimension of A.
    public var ranges: [Range<Int>] { coordinates.ranges }
    public var dimension: Int { coordinates.count }
    public var element: ElementType { matrix.element }
    public var productWork: Double? { matrix.productWork }

    /// - Throws: ``CurvatureError`` where the ranges are empty, overlap, or leave the dimension of A.
    public init(_ matrix: any LinearOperator, ranges: [Range<Int>]) throws {
        coordinates = try CoordinateBlock(ranges, of: matrix.dimension)
        self.matrix = matrix
    }

    public func apply(_ v: Vector) throws -> Vector { try first(of: apply(block: [v]), expected: 1) }

    public func apply(block: [Vector]) throws -> [Vector] {
        try matrix.products(block.map(embed)).map(restrict)
    }

    public func quadratic(block: [Vector]) throws -> [Double] { try matrix.quadratics(block.map(embed)) }

    /// The vector of A's space that has these values in the block, and 0 elsewhere.
    ///
    /// - Throws: ``CurvatureError`` or `VectorError` for a vector of another space; `MemoryError`.
    public func embed(_ v: Vector) throws -> Vector {
        try check(v, fits: self)
        return try coordinates.embed(v)
    }

    /// The elements of a vector of A's space that belong to the block.
    ///
    /// - Throws: as ``embed(_:)``.
    public func restrict(_ v: Vector) throws -> Vector {
        try check(v, fits: matrix)
        return try coordinates.restrict(v)
    }
}

/// UᵀAU on the span of k vectors, a k×k matrix: U is an orthonormal basis of the span, the first vectors first (Gram and
/// Schmidt), so orthonormal vectors stay what they are. A product costs one of A.
public struct SubspaceOperator: LinearOperator {
    /// The columns of U.
    public let basis: [Vector]
    private let matrix: any LinearOperator

    public var dimension: Int { basis.count }
    public var element: ElementType { matrix.element }
    public var productWork: Double? { matrix.productWork }

    /// - Throws: ``CurvatureError`` where there is no vector, one has another dimension, or they are linearly dependent.
    public init(_ matrix: any LinearOperator, span vectors: [Vector]) throws {
        guard !vectors.isEmpty else { throw CurvatureError.badSetting("a subspace needs at least one vector") }
        let basis = try orthonormalBasis(of: vectors, in: matrix)
        guard basis.count == vectors.count else {
            throw CurvatureError.badSetting(
                "the \(vectors.count) vectors of a subspace span only \(basis.count) dimension(s): "
                    + "leave out those that depend on others")
        }
        self.matrix = matrix
        self.basis = basis
    }

    public func apply(_ v: Vector) throws -> Vector { try first(of: apply(block: [v]), expected: 1) }

    public func apply(block: [Vector]) throws -> [Vector] {
        let images = try matrix.products(embed(block))
        let coordinates = try VectorBlock.dots(basis, images)
        return try block.indices.map { try Vector(coordinates.column($0), element: element) }
    }

    public func quadratic(block: [Vector]) throws -> [Double] { try matrix.quadratics(embed(block)) }

    /// Uc: the vectors of A's space with these coordinates.
    ///
    /// - Throws: ``CurvatureError`` or `VectorError` for coordinates of another space; `MemoryError`.
    public func embed(_ coordinates: [Vector]) throws -> [Vector] {
        for c in coordinates { try check(c, fits: self) }
        return try VectorBlock.combinations(
            basis,
            DenseMatrix(rows: dimension, columns: coordinates.count, values: coordinates.flatMap(\.values)))
    }
}

/// (I − UUᵀ)A(I − UUᵀ); made by ``LinearOperator/projected(outOf:)``. A product costs one of A.
public struct ComplementOperator: LinearOperator {
    private let matrix: any LinearOperator
    private let subspace: [Vector]

    public var dimension: Int { matrix.dimension }
    public var element: ElementType { matrix.element }
    public var productWork: Double? { matrix.productWork }

    fileprivate init(matrix: any LinearOperator, subspace: [Vector]) throws {
        self.matrix = matrix
        self.subspace = try orthonormalBasis(of: subspace, in: matrix)
    }

    public func apply(_ v: Vector) throws -> Vector { try first(of: apply(block: [v]), expected: 1) }

    public func apply(block: [Vector]) throws -> [Vector] {
        var products = try matrix.products(projected(block))
        try project(&products)
        return products
    }

    public func quadratic(block: [Vector]) throws -> [Double] { try matrix.quadratics(projected(block)) }

    private func projected(_ block: [Vector]) throws -> [Vector] {
        var inside = block
        try project(&inside)
        return inside
    }

    private func project(_ block: inout [Vector]) throws {
        let c = try VectorBlock.dots(subspace, block)
        _ = try VectorBlock.subtract(subspace, times: c, from: &block)
    }
}

extension LinearOperator {
    /// The block of A that belongs to these coordinates.
    public func restricted(to ranges: [Range<Int>]) throws -> BlockOperator { try BlockOperator(self, ranges: ranges) }

    /// UᵀAU for an orthonormal basis U of the span of these vectors.
    public func restricted(toSpanOf vectors: [Vector]) throws -> SubspaceOperator {
        try SubspaceOperator(self, span: vectors)
    }

    /// (I − UUᵀ)A(I − UUᵀ) for an orthonormal basis U of the span of these vectors: A on the complement of a subspace, 0
    /// on the subspace.
    public func projected(outOf subspace: [Vector]) throws -> ComplementOperator {
        try ComplementOperator(matrix: self, subspace: subspace)
    }
}

/// Throws unless a vector is one that the operator takes.
func check(_ v: Vector, fits matrix: some LinearOperator) throws {
    guard v.count == matrix.dimension else {
        throw CurvatureError.wrongDimension(expected: matrix.dimension, got: v.count)
    }
    guard v.element == matrix.element else { throw VectorError.differentElements(matrix.element, v.element) }
}

/// An orthonormal basis of the span, in the operator's element; what depends on the vectors before it is left out.
private func orthonormalBasis(of vectors: [Vector], in matrix: some LinearOperator) throws -> [Vector] {
    let orthonormaliser = Orthonormaliser(dimension: matrix.dimension, element: matrix.element)
    var basis: [Vector] = []
    for vector in vectors {
        guard vector.count == matrix.dimension else {
            throw CurvatureError.wrongDimension(expected: matrix.dimension, got: vector.count)
        }
        guard vector.isFinite else { throw CurvatureError.notFinite(what: "a vector of a subspace") }
        if let next = try orthonormaliser.next(after: basis, from: vector.converted(to: matrix.element)) {
            basis.append(next.vector)
        }
    }
    return basis
}
