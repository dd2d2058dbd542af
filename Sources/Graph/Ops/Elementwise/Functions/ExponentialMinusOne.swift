import Foundation

/// eˣ − 1, accurate near 0.
public struct ExponentialMinusOne: UnaryElementwise {
    public static let mnemonic = "exponential_minus_one"
    public static let facts: OperationFacts = .elementwise(.function)
    public init() {}

    public static func value(_ x: Double) -> Double { expm1(x) }

    /// eˣ and not y + 1, of which nothing is left far below 0.
    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { b.exponential(x) }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { b.exponential(x) }
}
