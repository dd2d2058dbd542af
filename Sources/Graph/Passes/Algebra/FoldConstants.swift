/// Evaluates operations on constants. Results with more than `limit` elements are computed at run time, unless they have one
/// value throughout.
public func foldConstants(_ g: Graph, limit: Int = 4096) -> Graph {
    let b = GraphBuilder()
    return g.rewritten(in: b) { node, operands in
        let constants = operands.compactMap(b.definition).filter {
            $0.operation is Constant || $0.operation is ConstantTensor
        }
        guard !operands.isEmpty, constants.count == operands.count, node.results.count == 1,
            !(node.operation is BroadcastInDim), g.type(of: node.result).count <= limit,
            constants.allSatisfy({ b.type(of: $0.result).count <= limit })
        else { return b.emitAll(node.operation, operands) }
        let values = constants.map { $0.operation.evaluate([], as: [b.type(of: $0.result)])[0] }
        return node.operation.evaluate(values, as: [g.type(of: node.result)]).map { b.smallestConstant($0) }
    }
}

extension GraphBuilder {
    /// The value that a constant has throughout.
    package func splat(of x: Value) -> Double? { (definition(of: x)?.operation as? Constant)?.splat }

    /// A constant, without a list of values where they are all the same.
    func smallestConstant(_ tensor: Tensor) -> Value {
        if let first = tensor.values.first, tensor.values.allSatisfy({ $0.bitPattern == first.bitPattern }) {
            return constant(first, tensor.type)
        }
        return constant(tensor)
    }
}
