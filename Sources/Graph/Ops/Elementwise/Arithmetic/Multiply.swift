/// x · y, element by element.
public struct Multiply: BinaryElementwise {
    public static let mnemonic = "multiply"
    public static let facts: OperationFacts = .elementwise(.light, isCommutative: true)
    public init() {}

    public static func value(_ x: Double, _ y: Double) -> Double { x * y }
    public static func value(_ x: Int32, _ y: Int32) -> Int32 { x &* y }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [b.add(tangents[0].map { b.multiply($0, site[1]) }, tangents[1].map { b.multiply(site[0], $0) })]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        precondition(linear[0] != linear[1], "multiply is linear in one operand at a time")
        return linear[0]
            ? [cotangents[0].map { b.multiply($0, site[1]) }, nil]
            : [nil, cotangents[0].map { b.multiply(site[0], $0) }]
    }

    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let dx = tangents[0], let dy = tangents[1] else { return [nil] }
        return [b.scale(b.multiply(dx, dy), by: 2)]
    }
}
