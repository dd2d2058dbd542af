import Foundation

/// The hyperbolic tangent. With y = tanh x: y' = 1 − y², y'' = −2y(1 − y²).
public struct Tanh: UnaryElementwise {
    public static let mnemonic = "tanh"
    public static let facts: OperationFacts = .elementwise(.function)
    public init() {}

    public static func value(_ x: Double) -> Double { Foundation.tanh(x) }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        b.subtract(b.ones(like: y), b.square(y))
    }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        derivative(x, y, in: b).map { b.multiply(b.scale(y, by: -2), $0) }
    }
}
