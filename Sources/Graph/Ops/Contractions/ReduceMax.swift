/// The largest element along some axes. Where several are largest the derivative is shared equally between them.
public struct ReduceMax: Reduction {
    public static let mnemonic = "reduce_max"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .ruled)
    public static let combiner = "maximum"
    public let dimensions: [Int]
    public init(dimensions: [Int]) { self.dimensions = dimensions }

    public func identity(_ element: ElementType) -> Double {
        element == .i32 ? Double(Int32.min) : -.infinity
    }
    public static func combine(_ x: Double, _ y: Double) -> Double { Maximum.value(x, y) }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let tangent = tangents[0] else { return [nil] }
        let type = b.type(of: site[0])
        let kept = kept(rank: type.rank)
        let largest = b.broadcast(site.result, to: type.shape, dimensions: kept)
        let holds = b.convert(b.compare(site[0], .eq, largest), to: type.element)
        let count = b.broadcast(b.sum(holds, dimensions: dimensions), to: type.shape, dimensions: kept)
        return [b.sum(b.multiply(b.divide(holds, count), tangent), dimensions: dimensions)]
    }
}
