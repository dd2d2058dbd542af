/// √x; NaN below 0. The derivative at 0 is infinite.
public struct Sqrt: UnaryElementwise {
    public static let mnemonic = "sqrt"
    public static let facts: OperationFacts = .elementwise(.division)
    public init() {}

    public static func value(_ x: Double) -> Double { x.squareRoot() }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        b.divide(b.constant(0.5, b.type(of: x)), y)
    }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        b.divide(b.constant(-0.25, b.type(of: x)), b.multiply(x, y))
    }
}
