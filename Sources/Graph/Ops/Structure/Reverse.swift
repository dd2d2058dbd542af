/// The elements in opposite order along some axes. Of any element; linear, and its own transpose.
public struct Reverse: Operation {
    public static let mnemonic = "reverse"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .ruled, isView: true)
    public let dimensions: [Int]
    public init(dimensions: [Int]) { self.dimensions = dimensions }

    public var attributes: String { "dims = \(dimensions)" }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        if Set(dimensions).count != dimensions.count || !dimensions.allSatisfy(operands[0].shape.indices.contains) {
            throw GraphError("reverse: \(operands[0]) has no distinct axes \(dimensions)")
        }
        return operands
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let shape = types[0].shape
        let strides = Places.strides(shape)
        let last = dimensions.reduce(0) { $0 + (shape[$1] - 1) * strides[$1] }
        let signed = shape.indices.map { dimensions.contains($0) ? -strides[$0] : strides[$0] }
        return [
            Tensor(types[0], Places.offsets(shape: shape, strides: signed).map { operands[0].values[last + $0] })
        ]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map { b.emit(self, $0) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [cotangents[0].map { b.emit(self, $0) }]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        [b.emit(Reverse(dimensions: dimensions.map { $0 + 1 }), operands[0])]
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.reverse \(site.operands[0]), dims = \(writer.spell(dimensions)) : "
                + writer.spell(site.resultType))
    }
}
