/// The sum along some axes.
public struct ReduceSum: Reduction {
    public static let mnemonic = "reduce_sum"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .ruled)
    public static let combiner = "add"
    public let dimensions: [Int]
    public init(dimensions: [Int]) { self.dimensions = dimensions }

    public func identity(_ element: ElementType) -> Double { 0 }
    public static func combine(_ x: Double, _ y: Double) -> Double { x + y }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map { b.emit(self, $0) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let shape = site.operandTypes[0].shape
        return [cotangents[0].map { b.broadcast($0, to: shape, dimensions: kept(rank: shape.count)) }]
    }
}
