import Foundation

/// log(1 + x), accurate near 0; −∞ at −1, NaN below.
public struct LogPlusOne: UnaryElementwise {
    public static let mnemonic = "log_plus_one"
    public static let facts: OperationFacts = .elementwise(.function)
    public init() {}

    public static func value(_ x: Double) -> Double { log1p(x) }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        let one = b.ones(like: x)
        return b.divide(one, b.add(one, x))
    }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        derivative(x, y, in: b).map { b.negate(b.square($0)) }
    }
}
