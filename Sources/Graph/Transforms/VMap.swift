/// The graph over a batch: the inputs named get a leading axis of this size, and so do all outputs.
///
/// What does not depend on those inputs is computed once. A contraction with such an operand gets the new axis as one more
/// free axis: the products of a batch with one matrix are one tall product.
/// `BatchMean` becomes the mean over this batch.
/// - Throws: `GraphError` when `over` names no input, or a batched shape is too large.
public func vmap(_ g: Graph, over names: [String], size: Int) throws(GraphError) -> Graph {
    let g = g.expanded()
    let batched = Set(try g.indices(ofInputs: names))
    if size < 0 { throw GraphError("a batch of \(size)") }
    for type in g.types { _ = try TensorType(type.element, [size] + type.shape).elementCount() }
    let isBatched = g.dependents(on: batched)
    let b = GraphBuilder()
    var values = g.inputs.enumerated().map { index, input in
        b.input(
            input.name, TensorType(input.type.element, (batched.contains(index) ? [size] : []) + input.type.shape))
    }
    for node in g.nodes {
        let operands = node.operands.map { values[$0.id] }
        if isBatched[node.results.lowerBound] {
            values += node.operation.batched(
                operands: operands, marked: node.operands.map { isBatched[$0.id] }, size: size, in: b)
        } else {
            // The mean of what all samples have in common.
            values += node.operation is BatchMean ? operands : b.emitAll(node.operation, operands)
        }
    }
    return b.build(
        outputs: g.outputs.map { output in
            let value = values[output.value.id]
            return (output.name, isBatched[output.value.id] ? value : b.stacked(value, size: size))
        })
}
