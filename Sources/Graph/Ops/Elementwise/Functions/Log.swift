import Foundation

/// The natural logarithm; −∞ at 0, NaN below.
public struct Log: UnaryElementwise {
    public static let mnemonic = "log"
    public static let facts: OperationFacts = .elementwise(.function)
    public init() {}

    public static func value(_ x: Double) -> Double { log(x) }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { b.divide(b.ones(like: x), x) }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        b.negate(b.divide(b.ones(like: x), b.square(x)))
    }
}
