import Compute
import Graph

/// (AB + BA)/2, the symmetrised product of two symmetric operators.
///
/// AB itself is symmetric only where A and B commute; then this is AB. Where B is positive definite and the eigenvalues
/// of AB itself are wanted, they are those of B^{½}AB^{½}: see ``PreconditionedOperator``. A product costs two of A and two of
/// B; a quadratic form, ⟨Av, Bv⟩, one of each.
public struct ProductOperator: LinearOperator {
    private let a: any LinearOperator
    private let b: any LinearOperator

    public var dimension: Int { a.dimension }
    public var element: ElementType { a.element }
    public var productWork: Double? { totalWork([a, b]).map { 2 * $0 } }

    /// - Throws: ``CurvatureError`` if the dimensions differ; `VectorError` if the elements do.
    public init(_ a: any LinearOperator, _ b: any LinearOperator) throws {
        guard a.dimension == b.dimension else {
            throw CurvatureError.wrongDimension(expected: a.dimension, got: b.dimension)
        }
        guard a.element == b.element else { throw VectorError.differentElements(a.element, b.element) }
        self.a = a
        self.b = b
    }

    public func apply(_ v: Vector) throws -> Vector { try first(of: apply(block: [v]), expected: 1) }

    public func apply(block: [Vector]) throws -> [Vector] {
        // One block product of twice the size each would need Av and Bv first: two block products of A, two of B.
        var result = try a.products(b.products(block))
        let other = try b.products(a.products(block))
        for i in result.indices {
            try result[i].add(1, other[i])
            try result[i].scale(0.5)
        }
        return result
    }

    public func quadratic(block: [Vector]) throws -> [Double] {
        try zip(a.products(block), b.products(block)).map { try $0.dot($1) }
    }
}

/// A². A product costs two of A, a quadratic form, ‖Av‖², one.
public struct SquaredOperator: LinearOperator {
    private let matrix: any LinearOperator

    public var dimension: Int { matrix.dimension }
    public var element: ElementType { matrix.element }
    public var productWork: Double? { matrix.productWork.map { 2 * $0 } }

    public init(_ matrix: any LinearOperator) { self.matrix = matrix }

    public func apply(_ v: Vector) throws -> Vector { try matrix.apply(matrix.apply(v)) }

    public func apply(block: [Vector]) throws -> [Vector] { try matrix.products(matrix.products(block)) }

    public func quadratic(block: [Vector]) throws -> [Double] { try matrix.products(block).map(\.squaredNorm) }
}

extension LinearOperator {
    /// A², exactly symmetric and without negative eigenvalues but for rounding.
    public func squared() -> SquaredOperator { SquaredOperator(self) }

    /// (AB + BA)/2, which is AB where the two commute.
    public func times(_ other: any LinearOperator) throws -> ProductOperator { try ProductOperator(self, other) }
}
