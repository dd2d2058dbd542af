import Compute
import Foundation
import Objectives

/// One line of ``Run/check()``.
public struct CheckedQuantity: Sendable, Hashable {
    public let name: String
    /// How far off it is, relatively.
    public let error: Double
    /// What rounding and differences account for.
    public let bound: Double
    public var holds: Bool { error <= bound }
}

extension Run {
    /// Derivatives of the present model on its data, at the present parameters, against what needs no derivative: the gradient and the
    /// Hessian's product along random directions against central differences, the Hessian's symmetry, and whether the same question has
    /// the same bits. For a network or a loss of one's own, before its curvature is believed.
    public func check() throws -> [CheckedQuantity] {
        let theta = parameters
        var stream = RandomStream(seed: seed, purpose: .vector, index: 1 << 40)
        func direction() throws -> Vector {
            let v = try Vector.randomNormal(count: theta.count, element: theta.element, stream: &stream)
            return try v / v.norm()
        }
        let (u, v) = (try direction(), try direction())
        func shifted(_ by: Double, _ v: Vector) throws -> Vector {
            var point = theta
            try point.add(by, v)
            return point
        }
        // Central differences: the step at which truncation, of the second order, and rounding are level.
        let precision = theta.element == .f64 ? 1.1e-16 : 6e-8
        let scale = max(theta.norm() / Double(theta.count).squareRoot(), 1e-3)
        let step = scale * Double(theta.count).squareRoot() * cbrt(precision)
        let gradient = try oracle.gradient(at: theta).gradient
        let (ahead, behind) = (try shifted(step, v), try shifted(-step, v))
        let slope = (try oracle.loss(at: ahead) - oracle.loss(at: behind)) / (2 * step)
        let product = try oracle.directional(at: theta, along: [v])
        let change = try (oracle.gradient(at: ahead).gradient - oracle.gradient(at: behind).gradient) / (2 * step)
        let other = try oracle.directional(at: theta, along: [u])
        let again = try oracle.gradient(at: theta).gradient
        func relative(_ a: Double, _ b: Double, _ size: Double) -> Double { size > 0 ? abs(a - b) / size : abs(a - b) }
        // What differences can see of rounding: relative to the loss, and to the gradient, over the step.
        let loss = try abs(oracle.loss(at: theta))
        let noise = precision * 100
        let ofSlope = noise * loss / step
        let ofProduct = noise * gradient.norm() / step
        let square = cbrt(precision) * cbrt(precision) * 1e3
        return [
            CheckedQuantity(
                name: "gradient against differences of the loss",
                error: relative(try gradient.dot(v), slope, max(gradient.norm(), 1e-30)),
                bound: square + ofSlope / max(gradient.norm(), 1e-30)),
            CheckedQuantity(
                name: "Hessian product against differences of the gradient",
                error: try (product - change).norm() / max(product.norm(), 1e-30),
                bound: square + ofProduct / max(product.norm(), 1e-30)),
            CheckedQuantity(
                name: "symmetry of the Hessian",
                error: relative(try u.dot(product), try v.dot(other), max(product.norm(), other.norm(), 1e-30)),
                bound: noise),
            CheckedQuantity(
                name: "the same gradient twice", error: gradient.hasSameBits(as: again) ? 0 : .infinity, bound: 0),
        ]
    }
}
