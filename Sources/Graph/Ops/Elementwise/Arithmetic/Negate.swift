/// −x.
public struct Negate: UnaryElementwise {
    public static let mnemonic = "negate"
    public static let facts: OperationFacts = .elementwise(.light)
    public static let acceptsIntegers = true
    public init() {}

    public static func value(_ x: Double) -> Double { -x }
    public static func value(_ x: Int32) -> Int32 { 0 &- x }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        b.constant(-1, b.type(of: x))
    }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? { nil }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map(b.negate)]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [cotangents[0].map(b.negate)]
    }
}
