import Graph

/// An elementwise region that reads a contraction which nothing else does: rows of the contraction are made and used while they
/// are in the cache, and never stored. Introduced by `fuseUpdates`: a weight gradient and the update of the weights and of the
/// state beside them.
///
/// Operands: lhs, rhs, then those of the region behind its first, which is the contraction. Results: the region's, all of the
/// contraction's shape.
public struct DotFusion: Operation {
    public static let mnemonic = "dot_fusion"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    public let dot: DotGeneral
    /// As the body of a `Fusion`; its first input is the contraction.
    public let body: Graph

    public init(dot: DotGeneral, body: Graph) {
        self.dot = dot
        self.body = body
    }

    public var attributes: String { dot.attributes }
    public var bodies: [Graph] { [body] }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(body.inputs.count + 1, of: operands)
        let product = try dot.resultTypes(of: Array(operands[..<2]))
        if product + operands[2...] != body.inputs.map(\.type) {
            throw GraphError(
                "dot_fusion: \(product + operands[2...]) for the region's inputs \(body.inputs.map(\.type))")
        }
        return body.outputs.map { body.type(of: $0.value) }
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let product = dot.evaluate(Array(operands[..<2]), as: [body.inputs[0].type])
        do { return try Interpreter.run(body, product + operands[2...]) } catch {
            preconditionFailure("dot_fusion: \(error)")
        }
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        preconditionFailure("transformations work on the expansion")
    }

    /// The contraction's multiply-adds; of the elements, those in memory.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        let product = dot.cost(operands: Array(operands[..<2]), results: [body.inputs[0].type])
        return Cost(
            multiplyAdds: product.multiplyAdds,
            elements: (operands + results).reduce(0) { $0.addingSaturated($1.count) })
    }

    public func expansion(of operands: [TensorType]) -> Graph? {
        let b = GraphBuilder()
        let names = ["lhs", "rhs"] + operands.indices.dropFirst(2).map { "p\($0 - 1)" }
        let values = zip(names, operands).map { b.input($0, $1) }
        let product = b.emit(dot, values[0], values[1])
        let results = b.inline(body, inputs: [product] + values.dropFirst(2))
        return b.build(outputs: zip(body.outputs, results).map { ($0.name, $1) })
    }
}
