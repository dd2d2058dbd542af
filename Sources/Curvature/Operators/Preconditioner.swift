import Compute
import Foundation
import Graph

/// P, the positive diagonal matrix that an adaptive rule divides its step by, without the learning rate: θ ← θ − ηP⁻¹g.
///
/// The curvature that such a rule sees is P^{−½}HP^{−½}, which has the eigenvalues of P⁻¹H (Cohen et al. 2022).
public enum Preconditioner: Sendable {
    /// The same number for all parameters.
    case scalar(Double)
    /// A number for each parameter, positive.
    case diagonal(Vector)

    /// Pˢv for a real power s, rounded to v's element.
    ///
    /// - Throws: ``CurvatureError`` where an entry of P is not positive and finite or the sizes differ; `MemoryError`.
    public func power(_ s: Double, times v: Vector) throws -> Vector {
        try factors(power: s, dimension: v.count, element: v.element).times(v)
    }

    /// - Throws: ``CurvatureError`` naming the first entry that is not positive and finite.
    func factors(power: Double, dimension: Int, element: ElementType) throws -> DiagonalFactors {
        switch self {
        case .scalar(let p):
            guard p > 0, p.isFinite else {
                throw CurvatureError.badSetting("a preconditioner is positive and finite, this one is \(p)")
            }
            return .scalar(DiagonalFactors.raise(p, to: power))
        case .diagonal(let diagonal):
            guard diagonal.count == dimension else {
                throw CurvatureError.wrongDimension(expected: dimension, got: diagonal.count)
            }
            var values = diagonal.values
            for i in values.indices {
                guard values[i] > 0, values[i].isFinite else {
                    throw CurvatureError.badSetting(
                        "a preconditioner is positive and finite, entry \(i + 1) of \(dimension) is \(values[i]): "
                            + "add an epsilon to it")
                }
                values[i] = DiagonalFactors.raise(values[i], to: power)
            }
            return .diagonal(try Vector(values, element: element))
        }
    }
}

/// A diagonal matrix ready to multiply with.
enum DiagonalFactors {
    case scalar(Double)
    case diagonal(Vector)

    static func raise(_ x: Double, to power: Double) -> Double {
        // Square roots are rounded correctly, powers need not be.
        switch power {
        case -1: 1 / x
        case -0.5: 1 / x.squareRoot()
        case 0.5: x.squareRoot()
        case 1: x
        default: pow(x, power)
        }
    }

    func times(_ v: Vector) throws -> Vector {
        switch self {
        case .scalar(let a): try a * v
        case .diagonal(let d): try elementwiseProduct(d, v)
        }
    }
}

/// a∘b, each element rounded once.
func elementwiseProduct(_ a: Vector, _ b: Vector) throws -> Vector {
    guard a.count == b.count else { throw VectorError.differentCounts(a.count, b.count) }
    guard a.element == b.element else { throw VectorError.differentElements(a.element, b.element) }
    var result = try Vector(uninitialized: a.count, element: a.element)
    func multiply<Real: FloatingPoint>(_: Real.Type) throws {
        try result.withUnsafeMutableBytes { to in
            a.withUnsafeBytes { a in
                b.withUnsafeBytes { b in
                    let (to, a, b) = (
                        to.bindMemory(to: Real.self), a.bindMemory(to: Real.self), b.bindMemory(to: Real.self)
                    )
                    for i in to.indices { to[i] = a[i] * b[i] }
                }
            }
        }
    }
    if a.element == .f32 { try multiply(Float.self) } else { try multiply(Double.self) }
    return result
}

/// P^{−½}AP^{−½}: the curvature that a preconditioned rule sees, with the eigenvalues of P⁻¹A.
///
/// If v is an eigenvector, u = P^{−½}v is the direction in parameter space: Au = λPu, uᵀPu = ‖v‖². A product costs one of
/// A.
public struct PreconditionedOperator: LinearOperator {
    private let matrix: any LinearOperator
    private let factors: DiagonalFactors

    public var dimension: Int { matrix.dimension }
    public var element: ElementType { matrix.element }
    public var productWork: Double? { matrix.productWork }

    /// - Throws: ``CurvatureError`` where P is not positive and finite (naming the entry) or has another dimension.
    public init(_ matrix: any LinearOperator, by preconditioner: Preconditioner) throws {
        self.matrix = matrix
        factors = try preconditioner.factors(power: -0.5, dimension: matrix.dimension, element: matrix.element)
    }

    public func apply(_ v: Vector) throws -> Vector { try first(of: apply(block: [v]), expected: 1) }

    public func apply(block: [Vector]) throws -> [Vector] {
        try matrix.products(block.map(factors.times)).map(factors.times)
    }

    public func quadratic(block: [Vector]) throws -> [Double] { try matrix.quadratics(block.map(factors.times)) }

    /// P^{−½}v: the direction in parameter space of a vector of this operator's space.
    public func direction(of v: Vector) throws -> Vector { try factors.times(v) }
}

extension LinearOperator {
    /// P^{−½}AP^{−½}.
    public func preconditioned(by preconditioner: Preconditioner) throws -> PreconditionedOperator {
        try PreconditionedOperator(self, by: preconditioner)
    }
}
