/// The larger of x and y; NaN where either is NaN. Where they are equal the derivative is y's, so that `maximum(x, 0)`
/// and `minimum(x, 0)` have derivative 0 at 0.
public struct Maximum: BinaryElementwise {
    public static let mnemonic = "maximum"
    public static let facts: OperationFacts = .elementwise(.light)
    public init() {}

    public static func value(_ x: Double, _ y: Double) -> Double {
        x.isNaN || y.isNaN ? .nan : x > y ? x : y
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard tangents[0] != nil || tangents[1] != nil else { return [nil] }
        let zero = b.zeros(like: site[0])
        return [b.select(b.compare(site[0], .gt, site[1]), tangents[0] ?? zero, tangents[1] ?? zero)]
    }
}
