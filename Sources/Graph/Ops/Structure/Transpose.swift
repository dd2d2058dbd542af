/// Axis i of the result is axis `permutation[i]` of the operand.
public struct Transpose: Operation {
    public static let mnemonic = "transpose"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .ruled, isView: true)
    public let permutation: [Int]
    public init(permutation: [Int]) { self.permutation = permutation }

    public var attributes: String { "permutation = \(permutation)" }

    /// The permutation that undoes this one.
    public var inverse: [Int] {
        var inverse = permutation
        for (place, axis) in permutation.enumerated() { inverse[axis] = place }
        return inverse
    }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        if permutation.sorted() != Array(operands[0].shape.indices) {
            throw GraphError("\(permutation) does not permute the axes of \(operands[0])")
        }
        return [TensorType(operands[0].element, permutation.map { operands[0].shape[$0] })]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let strides = Places.strides(operands[0].type.shape)
        let offsets = Places.offsets(shape: types[0].shape, strides: permutation.map { strides[$0] })
        return [Tensor(types[0], offsets.map { operands[0].values[$0] })]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map { b.emit(self, $0) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [cotangents[0].map { b.transpose($0, inverse) }]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        [b.emit(Transpose(permutation: [0] + permutation.map { $0 + 1 }), operands[0])]
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.transpose \(site.operands[0]), dims = \(writer.spell(permutation)) : "
                + writer.signature(site))
    }
}
