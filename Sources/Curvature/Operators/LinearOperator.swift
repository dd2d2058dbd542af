import Compute
import Graph

/// A symmetric matrix known by its products: Hessian, Gauss–Newton, Fisher, and what is composed of them.
///
/// The one interface of this module: solvers and estimators know nothing else. A product is what costs; everything here
/// counts products, and a block of k counts as k.
public protocol LinearOperator {
    /// The number of rows and columns.
    var dimension: Int { get }
    /// The element of the vectors it takes and gives.
    var element: ElementType { get }
    /// Av.
    func apply(_ v: Vector) throws -> Vector
    /// The products with all vectors of a block. Worth implementing where one pass over the data serves all of them;
    /// by default they are taken one by one.
    func apply(block: [Vector]) throws -> [Vector]
    /// vᵀAv for all vectors of a block. Worth implementing where it is cheaper than the product; by default ⟨v, Av⟩.
    func quadratic(block: [Vector]) throws -> [Double]
    /// Multiply-adds of one product by the engine's cost model, the same on every machine; nil where unknown. Composed
    /// operators sum their parts. By default nil.
    var productWork: Double? { get }
}

extension LinearOperator {
    public var productWork: Double? { nil }

    public func apply(block: [Vector]) throws -> [Vector] {
        try block.map { try apply($0) }
    }

    public func quadratic(block: [Vector]) throws -> [Double] {
        try zip(block, apply(block: block)).map { try $0.dot($1) }
    }

    /// vᵀAv.
    public func quadratic(_ v: Vector) throws -> Double {
        guard let value = try quadratic(block: [v]).first else {
            throw CurvatureError.wrongBlock(expected: 1, got: 0)
        }
        return value
    }
}

/// What is wrong with an operator or a request for its curvature.
public enum CurvatureError: Error, Equatable, CustomStringConvertible {
    /// A vector of another dimension than the operator's.
    case wrongDimension(expected: Int, got: Int)
    /// An operator that returned another number of vectors than it was given.
    case wrongBlock(expected: Int, got: Int)
    /// More eigenpairs than the operator has, or fewer than one.
    case impossibleCount(k: Int, dimension: Int)
    /// A product, or a drawn value, that is infinite or nan.
    case notFinite(what: String)
    /// A linear solve met a direction d with dᵀ(A + δI)d = curvature·‖d‖² that is not positive.
    case negativeCurvature(Double, damping: Double)
    /// Settings that cannot be met.
    case badSetting(String)

    public var description: String {
        switch self {
        case .wrongDimension(let expected, let got):
            return "the operator works on vectors of \(expected) elements, this one has \(got)"
        case .wrongBlock(let expected, let got):
            return "an operator returned \(got) products for \(expected) vectors"
        case .impossibleCount(let k, let dimension):
            return "\(k) eigenpairs asked of an operator of dimension \(dimension): ask for 1 to \(dimension)"
        case .notFinite(let what):
            return "\(what) is infinite or nan: has the run diverged?"
        case .negativeCurvature(let curvature, let damping):
            return "the matrix with damping \(damping) is not positive definite: along one direction its curvature is "
                + "\(curvature). Conjugate gradients cannot solve with it; take a damping above the smallest eigenvalue's "
                + "size, more than \(damping - min(curvature, 0)), or a matrix without negative eigenvalues (Gauss–Newton)"
        case .badSetting(let message):
            return message
        }
    }
}
