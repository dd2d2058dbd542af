/// x + y.
public struct Add: BinaryElementwise {
    public static let mnemonic = "add"
    public static let facts: OperationFacts = .elementwise(.light, isCommutative: true)
    public init() {}

    public static func value(_ x: Double, _ y: Double) -> Double { x + y }
    public static func value(_ x: Int32, _ y: Int32) -> Int32 { x &+ y }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [b.add(tangents[0], tangents[1])]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        linear.map { $0 ? cotangents[0] : nil }
    }
}
