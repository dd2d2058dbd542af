import Foundation

/// eˣ.
public struct Exponential: UnaryElementwise {
    public static let mnemonic = "exponential"
    public static let facts: OperationFacts = .elementwise(.function)
    public init() {}

    public static func value(_ x: Double) -> Double { exp(x) }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { y }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { y }
}
