import Compute
import Curvature
import Networks
import Objectives

/// Where gradient descent at the edge of stability would go without its oscillation, and how far from there it is predicted to be (Damian,
/// Nichani & Lee 2022).
///
/// The constrained trajectory descends and is put back to where the sharpness S is at most 2/η and the gradient has no part along its
/// eigenvector u: θ† ← θ† − η∇L, then three times θ† ← θ† − max(0, S − 2/η)∇S⊥/β_s − u(u·∇L)/S. The predicted deviation from it is
/// v ← v − η[½(x² − δ²)∇S⊥ + H(θ†)v + xyu], x = u·v, y = ∇S⊥·v, with δ² = 2α/β_s; all of it at θ† before the step.
public struct ConstrainedTrajectory {
    /// η.
    public let rate: Double
    /// θ†.
    public private(set) var point: Vector
    /// v.
    public private(set) var deviation: Vector
    /// What is known at θ†.
    private var here: Place

    private let oracle: Oracle
    private var stream: RandomStream

    private struct Place {
        var loss: Double
        var gradient: Vector
        var stabilization: SelfStabilization
        /// The largest two eigenvalues with their vectors.
        var pairs: Eigenpairs
    }

    /// How often θ† is put back after a step.
    private static let corrections = 3
    /// Of eigenvalues: ∇S and u·∇L are known to the eigenvector's error.
    private static let tolerance = 1e-7

    /// - Parameters:
    ///   - start: where θ† begins, once it is put back.
    ///   - theta: where gradient descent is: v = θ − θ†.
    ///   - stream: for eigensolves.
    public init(of oracle: Oracle, from start: Vector, theta: Vector, rate: Double, stream: RandomStream) throws {
        (self.oracle, self.rate, self.stream, point) = (oracle, rate, stream, start)
        here = try Self.look(at: start, oracle, [], &self.stream)
        deviation = theta
        try constrain()
        deviation = try theta - point
    }

    /// L(θ†).
    public var loss: Double { here.loss }
    /// ∇L(θ†).
    public var gradient: Vector { here.gradient }
    /// S, u, ∇S, α and β_s at θ†.
    public var stabilization: SelfStabilization { here.stabilization }
    /// λ₂(θ†); −∞ where there is no second.
    public var secondEigenvalue: Double { here.pairs.values.count > 1 ? here.pairs.values[1] : -.infinity }

    /// Takes a step of both.
    public mutating func advance() throws {
        let own = stabilization
        let (x, y) = try coordinates(of: deviation)
        let square = 2 * own.progressiveSharpening / own.strength
        var slope = try oracle.directional(at: point, along: [deviation])
        try slope.add((x * x - square) / 2, own.perpendicular)
        try slope.add(x * y, own.direction)
        try deviation.add(-rate, slope)
        try point.add(-rate, gradient)
        here = try Self.look(at: point, oracle, here.pairs.vectors, &stream)
        try constrain()
    }

    /// x = u·v and y = ∇S⊥·v.
    public func coordinates(of v: Vector) throws -> (x: Double, y: Double) {
        (try stabilization.direction.dot(v), try stabilization.perpendicular.dot(v))
    }

    /// L(θ†) + x²/η, the curvature along u being 2/η.
    public func predictedLoss() throws -> Double {
        let x = try coordinates(of: deviation).x
        return loss + x * x / rate
    }

    /// S(θ†) + ∇S·v.
    public func predictedSharpness() throws -> Double {
        stabilization.sharpness + (try stabilization.gradient.dot(deviation))
    }

    private mutating func constrain() throws {
        for _ in 0..<Self.corrections {
            let own = stabilization
            try point.add(-max(0, own.sharpness - 2 / rate) / own.strength, own.perpendicular)
            try point.add(-own.direction.dot(gradient) / own.sharpness, own.direction)
            // Vectors go on with their signs, so that x does.
            here = try Self.look(at: point, oracle, here.pairs.vectors, &stream)
        }
    }

    private static func look(
        at point: Vector, _ oracle: Oracle, _ warmStart: [Vector], _ stream: inout RandomStream
    ) throws -> Place {
        let pairs = try topEigenpairs(
            of: CurvatureOperator(of: oracle, at: point), k: min(2, point.count), tolerance: tolerance,
            warmStart: warmStart, stream: &stream)
        if !pairs.isFinished { throw Cancelled() }
        let (loss, gradient) = try oracle.gradient(at: point)
        return Place(
            loss: loss, gradient: gradient,
            stabilization: try SelfStabilization(
                of: oracle, at: point, direction: pairs.vectors[0], sharpness: pairs.values[0], lossGradient: gradient),
            pairs: pairs)
    }
}
