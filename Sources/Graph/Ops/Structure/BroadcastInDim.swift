/// The operand's axis i becomes axis `dimensions[i]` of `shape`; along the other axes it is repeated.
///
/// Narrower than StableHLO's: `dimensions` increase, and extents agree, so an axis of extent 1 is repeated by leaving it out.
public struct BroadcastInDim: Operation {
    public static let mnemonic = "broadcast_in_dim"
    public static let facts: OperationFacts = .init(remaking: .nothing, layouts: .ruled, isView: true)
    public let shape: [Int]
    public let dimensions: [Int]
    public init(shape: [Int], dimensions: [Int]) {
        self.shape = shape
        self.dimensions = dimensions
    }

    public var attributes: String { "dims = \(dimensions)" }

    /// The axes along which the operand is repeated.
    public var repeated: [Int] { shape.indices.filter { !dimensions.contains($0) } }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        let increasing = zip(dimensions, dimensions.dropFirst()).allSatisfy { $0 < $1 }
        let inside = dimensions.allSatisfy(shape.indices.contains)
        if !increasing || !inside || dimensions.map({ shape[$0] }) != operands[0].shape {
            throw GraphError("cannot broadcast \(operands[0]) to shape \(shape) along axes \(dimensions)")
        }
        return [TensorType(operands[0].element, shape)]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        var strides = [Int](repeating: 0, count: shape.count)
        for (axis, stride) in zip(dimensions, Places.strides(operands[0].type.shape)) { strides[axis] = stride }
        return [Tensor(types[0], Places.offsets(shape: shape, strides: strides).map { operands[0].values[$0] })]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map { b.emit(self, $0) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [cotangents[0].map { b.sum($0, dimensions: repeated) }]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        [b.emit(BroadcastInDim(shape: [size] + shape, dimensions: [0] + dimensions.map { $0 + 1 }), operands[0])]
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.broadcast_in_dim \(site.operands[0]), dims = \(writer.spell(dimensions)) : "
                + writer.signature(site))
    }
}
