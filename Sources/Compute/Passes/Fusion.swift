import Graph

/// An elementwise region executed in one walk. Introduced by `fuseElementwise`.
///
/// The body is made of elementwise operations and of operations that move (`Constant`, `BroadcastInDim`, `Slice`, `Reverse`,
/// `Transpose`); its inputs are the operands, its outputs the results: values of the region's one shape, and sums and maxima of
/// such values, all over the same axes.
public struct Fusion: Operation {
    public static let mnemonic = "fusion"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    public let body: Graph
    public init(body: Graph) { self.body = body }

    public var bodies: [Graph] { [body] }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        if operands != body.inputs.map(\.type) {
            throw GraphError("fusion: operands \(operands) for inputs \(body.inputs.map(\.type))")
        }
        return body.outputs.map { body.type(of: $0.value) }
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        do { return try Interpreter.run(body, operands) } catch { preconditionFailure("fusion: \(error)") }
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        preconditionFailure("transformations work on the expansion")
    }

    public func expansion(of operands: [TensorType]) -> Graph? { body }
}
