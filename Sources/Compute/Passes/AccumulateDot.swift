import Graph

/// addend + scale · dot(lhs, rhs), written in one pass over the addend. Introduced by `fuseAccumulation`: the weight
/// gradient fused with the update of the weights (scale = −η), or with its sum over chunks (scale = 1).
///
/// Operands: lhs, rhs, addend (of the dot's result type), scale (a scalar of the same element).
public struct AccumulateDot: Operation {
    public static let mnemonic = "accumulate_dot"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    public let dot: DotGeneral
    public init(dot: DotGeneral) { self.dot = dot }

    public var attributes: String { dot.attributes }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(4, of: operands)
        let product = try dot.resultTypes(of: [operands[0], operands[1]])[0]
        if operands[2] != product || operands[3] != TensorType(product.element) {
            throw GraphError("accumulate_dot adds \(product), scaled, not \(operands[2]) with scale \(operands[3])")
        }
        return [product]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let product = dot.evaluate([operands[0], operands[1]], as: types)[0]
        let scale = operands[3].scalar
        return [Tensor(types[0], zip(operands[2].values, product.values).map { $0 + scale * $1 })]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        preconditionFailure("transformations work on the expansion")
    }

    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        dot.cost(operands: Array(operands[..<2]), results: results)
            + Cost(elements: operands[2].count.addingSaturated(operands[3].count))
    }

    public func expansion(of operands: [TensorType]) -> Graph? {
        let b = GraphBuilder()
        let names = ["lhs", "rhs", "addend", "scale"]
        let values = zip(names, operands).map { b.input($0, $1) }
        let product = b.emit(dot, values[0], values[1])
        let scaled = b.multiply(b.broadcast(values[3], to: b.shape(of: product)), product)
        return b.build(outputs: [("result", b.add(values[2], scaled))])
    }
}
