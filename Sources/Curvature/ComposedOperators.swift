import Compute
import Graph

/// An operator given by a function: vectors of `dimension` elements in, vectors of the same size out.
public struct FunctionOperator: LinearOperator {
    public let dimension: Int
    public let element: ElementType
    private let product: (Vector) throws -> Vector

    public init(dimension: Int, element: ElementType, product: @escaping (Vector) throws -> Vector) {
        self.dimension = dimension
        self.element = element
        self.product = product
    }

    public func apply(_ v: Vector) throws -> Vector { try product(v) }
}

/// Σᵢ wᵢAᵢ + σI: scaled, shifted, summed and averaged operators are all of this form.
///
/// `H.scaled(by: η)`, `H.shifted(by: ω)` and `a.plus(b)` make it. A product costs one of each term.
public struct OperatorSum: LinearOperator {
    public let dimension: Int
    public let element: ElementType
    private let terms: [(weight: Double, matrix: any LinearOperator)]
    private let shift: Double

    /// - Throws: ``CurvatureError`` if there is no term, or the terms differ in dimension; `VectorError` if they differ
    ///   in element.
    public init(_ terms: [(weight: Double, matrix: any LinearOperator)], shift: Double = 0) throws {
        guard let first = terms.first?.matrix else {
            throw CurvatureError.badSetting("a sum of operators needs at least one of them")
        }
        for (_, matrix) in terms {
            guard matrix.dimension == first.dimension else {
                throw CurvatureError.wrongDimension(expected: first.dimension, got: matrix.dimension)
            }
            guard matrix.element == first.element else {
                throw VectorError.differentElements(first.element, matrix.element)
            }
        }
        self.dimension = first.dimension
        self.element = first.element
        self.terms = terms
        self.shift = shift
    }

    public func apply(_ v: Vector) throws -> Vector { try first(of: apply(block: [v]), expected: 1) }

    public func apply(block: [Vector]) throws -> [Vector] {
        var result: [Vector] = []
        for (number, (weight, matrix)) in terms.enumerated() {
            var products = try matrix.apply(block: block)
            guard products.count == block.count else {
                throw CurvatureError.wrongBlock(expected: block.count, got: products.count)
            }
            if number == 0 {
                if weight != 1 { for i in products.indices { try products[i].scale(weight) } }
                result = products
            } else {
                for i in products.indices { try result[i].add(weight, products[i]) }
            }
        }
        if shift != 0 { for i in result.indices { try result[i].add(shift, block[i]) } }
        return result
    }

    public func quadratic(block: [Vector]) throws -> [Double] {
        var result = shift == 0 ? block.map { _ in 0.0 } : block.map { shift * $0.squaredNorm }
        for (weight, matrix) in terms {
            let values = try matrix.quadratic(block: block)
            guard values.count == block.count else {
                throw CurvatureError.wrongBlock(expected: block.count, got: values.count)
            }
            for i in values.indices { result[i] += weight * values[i] }
        }
        return result
    }
}

extension LinearOperator {
    /// aA.
    public func scaled(by a: Double) throws -> OperatorSum { try OperatorSum([(a, self)]) }

    /// A + σI, whose eigenvalues are all larger by σ.
    public func shifted(by shift: Double) throws -> OperatorSum { try OperatorSum([(1, self)], shift: shift) }

    /// A + B.
    public func plus(_ other: any LinearOperator) throws -> OperatorSum { try OperatorSum([(1, self), (1, other)]) }

    /// (I − UUᵀ)A(I − UUᵀ) for orthonormal columns U: A on the complement of a subspace, 0 on the subspace.
    public func projected(outOf subspace: [Vector]) throws -> ComplementOperator {
        try ComplementOperator(matrix: self, subspace: subspace)
    }
}

/// (I − UUᵀ)A(I − UUᵀ); made by ``LinearOperator/projected(outOf:)``. A product costs one of A.
public struct ComplementOperator: LinearOperator {
    private let matrix: any LinearOperator
    private let subspace: [Vector]

    public var dimension: Int { matrix.dimension }
    public var element: ElementType { matrix.element }

    fileprivate init(matrix: any LinearOperator, subspace: [Vector]) throws {
        for u in subspace where u.count != matrix.dimension {
            throw CurvatureError.wrongDimension(expected: matrix.dimension, got: u.count)
        }
        self.matrix = matrix
        self.subspace = subspace
    }

    public func apply(_ v: Vector) throws -> Vector { try first(of: apply(block: [v]), expected: 1) }

    public func apply(block: [Vector]) throws -> [Vector] {
        var inside = block
        try project(&inside)
        var products = try matrix.apply(block: inside)
        try project(&products)
        return products
    }

    private func project(_ block: inout [Vector]) throws {
        let c = try VectorBlock.dots(subspace, block)
        _ = try VectorBlock.subtract(subspace, times: c, from: &block)
    }
}

private func first(of block: [Vector], expected: Int) throws -> Vector {
    guard let vector = block.first else { throw CurvatureError.wrongBlock(expected: expected, got: 0) }
    return vector
}

/// The matrix of an operator, by products with the unit vectors: `dimension` products, for tests and small problems.
///
/// - Throws: what the products throw; `MemoryError` where a column does not fit.
public func dense(of matrix: some LinearOperator) throws -> DenseMatrix {
    var result = DenseMatrix(zeros: matrix.dimension, matrix.dimension)
    for j in 0..<matrix.dimension {
        var unit = try Vector(zeros: matrix.dimension, element: matrix.element)
        unit[j] = 1
        let column = try matrix.apply(unit).values
        for i in 0..<matrix.dimension { result[i, j] = column[i] }
    }
    return result
}
