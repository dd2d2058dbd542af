import Compute
import Graph
import Networks
import Objectives

/// A curvature matrix of an objective over samples (Hessian, Gauss–Newton, Fisher, tangent kernel), at the parameters of one
/// moment, as are running statistics where it takes them.
///
/// Linearized at the first product: what depends on the point alone is computed once and kept until the operator is let go, as
/// far as it fits into memory; each product computes the rest anew, with the same bits.
public final class CurvatureOperator: LinearOperator {
    public let matrix: CurvatureMatrix
    public let dimension: Int
    public let element: ElementType
    /// θ.
    public let point: Vector
    /// What the matrix is taken over.
    public let samples: BatchSelection
    /// With the running statistics of this moment.
    private let oracle: Result<Oracle, any Error>
    private var linearized: LinearizedProduct?
    /// Products made so far, a quadratic form counted as one.
    public private(set) var products = 0

    public init(
        _ matrix: CurvatureMatrix = .hessian, of oracle: Oracle, at point: Vector, over samples: BatchSelection = .all
    ) {
        self.matrix = matrix
        self.oracle = Result { try oracle.frozen() }
        self.point = point
        self.samples = samples
        dimension = point.count
        element = point.element
    }

    public func apply(_ v: Vector) throws -> Vector {
        products += 1
        return try product().apply(v)
    }

    public func apply(block: [Vector]) throws -> [Vector] {
        products += block.count
        return try product().apply(block: block)
    }

    /// By one forward sweep for each vector, with what depends on the point alone kept: for the Hessian 3 contractions a layer
    /// against 6 of a product.
    public func quadratic(block: [Vector]) throws -> [Double] {
        products += block.count
        return try product().quadratic(block: block)
    }

    /// The cost of one product in multiply-adds of the cost model; nil where it cannot be planned, as the product will say.
    public var productWork: Double? {
        try? linearized?.productWork ?? oracle.get().productWork(matrix, over: samples)
    }

    private func product() throws -> LinearizedProduct {
        let product = try linearized ?? oracle.get().linearize(matrix, at: point, over: samples)
        linearized = product
        return product
    }
}
