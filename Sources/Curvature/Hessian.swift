import Compute
import Graph
import Networks

/// The Hessian of an objective over samples, at the parameters of one moment.
///
/// Linearized at the first product: what depends on the point alone is computed once and kept until the operator is let go, as
/// far as it fits into memory; each product computes the rest anew, with the same bits.
public final class Hessian: LinearOperator {
    public let dimension: Int
    public let element: ElementType
    /// θ.
    public let point: Vector
    private let oracle: Oracle
    private let samples: BatchSelection
    private var linearized: LinearizedGradient?
    /// Products made so far.
    public private(set) var products = 0

    public init(_ oracle: Oracle, at point: Vector, over samples: BatchSelection = .all) {
        self.oracle = oracle
        self.point = point
        self.samples = samples
        dimension = point.count
        element = point.element
    }

    public func apply(_ v: Vector) throws -> Vector {
        products += 1
        let gradient = try linearized ?? oracle.linearize(at: point, over: samples)
        linearized = gradient
        return try gradient.apply(v)
    }

    /// By one backward and one forward sweep for each vector, three contractions a layer against six of a product.
    public func quadratic(block: [Vector]) throws -> [Double] {
        products += block.count
        return try block.map { try oracle.quadratic(at: point, along: $0, over: samples) }
    }
}
