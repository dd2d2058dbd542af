/// x − y.
public struct Subtract: BinaryElementwise {
    public static let mnemonic = "subtract"
    public static let facts: OperationFacts = .elementwise(.light)
    public init() {}

    public static func value(_ x: Double, _ y: Double) -> Double { x - y }
    public static func value(_ x: Int32, _ y: Int32) -> Int32 { x &- y }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let dy = tangents[1] else { return [tangents[0]] }
        return [tangents[0].map { b.subtract($0, dy) } ?? b.negate(dy)]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [linear[0] ? cotangents[0] : nil, linear[1] ? cotangents[0].map(b.negate) : nil]
    }
}
