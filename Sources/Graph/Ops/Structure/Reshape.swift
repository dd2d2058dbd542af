/// The same numbers in row-major order, in another shape.
public struct Reshape: Operation {
    public static let mnemonic = "reshape"
    public static let facts: OperationFacts = .init(remaking: .nothing, layouts: .ruled)
    public let shape: [Int]
    public init(shape: [Int]) { self.shape = shape }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        let result = TensorType(operands[0].element, shape)
        if try result.elementCount() != operands[0].elementCount() || shape.contains(where: { $0 < 0 }) {
            throw GraphError("cannot reshape \(operands[0]) to \(shape)")
        }
        return [result]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        [Tensor(types[0], operands[0].values)]
    }

    /// For an operand of this shape whose axes, but for those of extent 1, are the result's: for each of its axes the result's
    /// axis, `nil` for one of extent 1. `nil` where numbers move to other axes.
    func keptAxes(of operand: [Int]) -> [Int?]? {
        let wide = shape.indices.filter { shape[$0] != 1 }
        guard wide.map({ shape[$0] }) == operand.filter({ $0 != 1 }) else { return nil }
        var next = wide.makeIterator()
        return operand.map { $0 == 1 ? nil : next.next() }
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map { b.emit(self, $0) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [cotangents[0].map { b.reshape($0, to: site.operandTypes[0].shape) }]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        [b.emit(Reshape(shape: [size] + shape), operands[0])]
    }

    /// The plan gives the same memory another shape.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost { Cost() }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write("\(site.result) = stablehlo.reshape \(site.operands[0]) : \(writer.signature(site))")
    }
}
