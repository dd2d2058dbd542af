/// x / y. With z the result: ż = (ẋ − zẏ)/y, and the second-order term is −2żẏ/y.
public struct Divide: BinaryElementwise {
    public static let mnemonic = "divide"
    public static let facts: OperationFacts = .elementwise(.division)
    public init() {}

    /// Integers are divided towards zero; division by zero, which StableHLO leaves open, saturates.
    public static func value(_ x: Double, _ y: Double) -> Double { x / y }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let numerator = tangents[0].map { b.divide($0, site[1]) }
        let denominator = tangents[1].map { b.negate(b.multiply(b.divide(site.result, site[1]), $0)) }
        return [b.add(numerator, denominator)]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        precondition(linear == [true, false], "divide is linear in its first operand alone")
        return [cotangents[0].map { b.divide($0, site[1]) }, nil]
    }

    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let dy = tangents[1], let dz = self.tangents(at: site, along: tangents, in: b)[0] else { return [nil] }
        return [b.scale(b.divide(b.multiply(dz, dy), site[1]), by: -2)]
    }
}
