/// |x|, with derivative 0 at 0.
public struct Abs: UnaryElementwise {
    public static let mnemonic = "abs"
    public static let facts: OperationFacts = .elementwise(.light)
    public static let acceptsIntegers = true
    public init() {}

    public static func value(_ x: Double) -> Double { Swift.abs(x) }
    public static func value(_ x: Int32) -> Int32 { x < 0 ? 0 &- x : x }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { b.sign(x) }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { nil }
}
