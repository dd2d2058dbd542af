import Compute
import Graph

/// An operator given by a function: vectors of `dimension` elements in, vectors of the same size out.
public struct FunctionOperator: LinearOperator {
    public let dimension: Int
    public let element: ElementType
    public let productWork: Double?
    private let product: (Vector) throws -> Vector

    public init(
        dimension: Int, element: ElementType, productWork: Double? = nil, product: @escaping (Vector) throws -> Vector
    ) {
        self.dimension = dimension
        self.element = element
        self.productWork = productWork
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

    public var productWork: Double? { totalWork(terms.map(\.matrix)) }

    public func apply(_ v: Vector) throws -> Vector { try first(of: apply(block: [v]), expected: 1) }

    public func apply(block: [Vector]) throws -> [Vector] {
        var result: [Vector] = []
        for (number, (weight, matrix)) in terms.enumerated() {
            var products = try matrix.products(block)
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
            let values = try matrix.quadratics(block)
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
}

/// The mean of operators: the Hessian averaged over batches, say. A product costs one of each.
///
/// - Throws: as ``OperatorSum/init(_:shift:)``.
public func average(of operators: [any LinearOperator]) throws -> OperatorSum {
    try OperatorSum(operators.map { (1 / Double(operators.count), $0) })
}

func first(of block: [Vector], expected: Int) throws -> Vector {
    guard let vector = block.first else { throw CurvatureError.wrongBlock(expected: expected, got: 0) }
    return vector
}

/// The work of one product of each operator; nil where that of one is unknown.
func totalWork(_ operators: [any LinearOperator]) -> Double? {
    operators.reduce(0) { sum, matrix in
        guard let sum, let work = matrix.productWork else { return nil }
        return sum + work
    }
}

extension LinearOperator {
    /// ``apply(block:)``, with the number of products checked: an operator may come from a caller. Asks whether it is cancelled.
    func products(_ block: [Vector]) throws -> [Vector] {
        try Cancellation.check()
        let result = try apply(block: block)
        guard result.count == block.count else {
            throw CurvatureError.wrongBlock(expected: block.count, got: result.count)
        }
        for product in result where product.count != dimension {
            throw CurvatureError.wrongDimension(expected: dimension, got: product.count)
        }
        return result
    }

    /// ``quadratic(block:)``, with the number of values checked.
    func quadratics(_ block: [Vector]) throws -> [Double] {
        try Cancellation.check()
        let result = try quadratic(block: block)
        guard result.count == block.count else {
            throw CurvatureError.wrongBlock(expected: block.count, got: result.count)
        }
        return result
    }
}

/// Unit vectors multiplied at a time where a matrix or its diagonal is formed: enough for a block product to be at its
/// best, few enough to fit into memory beside a network.
let unitBlock = 16

/// Calls `body` with blocks of unit vectors e₀, e₁, … of an operator's space and the number of their first.
func forEachUnitBlock(of matrix: some LinearOperator, _ body: (_ first: Int, _ block: [Vector]) throws -> Void) throws {
    for start in stride(from: 0, to: matrix.dimension, by: unitBlock) {
        try Cancellation.check()
        let block = try (start..<min(start + unitBlock, matrix.dimension)).map { i in
            var unit = try Vector(zeros: matrix.dimension, element: matrix.element)
            unit[i] = 1
            return unit
        }
        try body(start, block)
    }
}

/// The matrix of an operator, by products with blocks of unit vectors: `dimension` products, for tests and small problems.
///
/// - Throws: what the products throw; `MemoryError` where a block does not fit.
public func dense(of matrix: some LinearOperator) throws -> DenseMatrix {
    var result = DenseMatrix(zeros: matrix.dimension, matrix.dimension)
    try forEachUnitBlock(of: matrix) { start, block in
        for (j, column) in try matrix.products(block).enumerated() {
            let values = column.values
            for i in 0..<matrix.dimension { result[i, start + j] = values[i] }
        }
    }
    return result
}
