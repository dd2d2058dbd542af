/// −1, 0 or 1; zero keeps its sign and NaN stays NaN. Its derivative is taken as zero everywhere.
public struct Sign: UnaryElementwise {
    public static let mnemonic = "sign"
    public static let facts: OperationFacts = .elementwise(.light)
    public static let acceptsIntegers = true
    public init() {}

    public static func value(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : x }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { nil }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { nil }
}
