/// The largest element along some axes. Where several are largest the derivative is that of the first, in row-major order: a later
/// one has to be larger to take its place.
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
        let chosen = b.select(isFirst(site[0], site.result, in: b), tangent, b.zeros(like: tangent))
        return [b.sum(chosen, dimensions: dimensions)]
    }

    /// Where the first of the largest elements of x stands; nowhere where there is a NaN.
    private func isFirst(_ x: Value, _ largest: Value, in b: GraphBuilder) -> Value {
        let shape = b.shape(of: x)
        let (reduced, kept) = (dimensions.sorted(), kept(rank: shape.count))
        func spread(_ y: Value, _ axes: [Int]) -> Value { b.broadcast(y, to: shape, dimensions: axes) }
        // Places count down from 0, so that the first is the largest; real, so that the search joins an elementwise region.
        let count = reduced.reduce(1) { $0.multipliedSaturated(by: shape[$1]) }
        let element: ElementType = count <= 1 << Float.significandBitCount ? .f32 : .f64
        let numbers = b.negate(b.emit(Iota(type: TensorType(element, [count]), dimension: 0)))
        let places = spread(b.reshape(numbers, to: reduced.map { shape[$0] }), reduced)
        let holds = b.compare(x, .eq, spread(largest, kept))
        let candidates = b.select(holds, places, b.constant(-.infinity, b.type(of: places)))
        return b.compare(places, .eq, spread(b.max(candidates, dimensions: dimensions), kept))
    }
}
