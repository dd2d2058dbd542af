import Foundation

/// 1/(1 + e⁻ˣ). With y the result: y' = y(1 − y), y'' = y(1 − y)(1 − 2y).
public struct Logistic: UnaryElementwise {
    public static let mnemonic = "logistic"
    public static let facts: OperationFacts = .elementwise(.function)
    public init() {}

    public static func value(_ x: Double) -> Double {
        // The exponential of a negative number alone, so that neither tail overflows.
        x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
    }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        b.multiply(y, b.subtract(b.ones(like: y), y))
    }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        derivative(x, y, in: b).map { b.multiply($0, b.subtract(b.ones(like: y), b.scale(y, by: 2))) }
    }
}
