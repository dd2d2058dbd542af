/// The forward derivative: values together with their directional derivatives.
///
/// Inputs: the graph's, then `x.tangent` for each x of `along`. Outputs: the graph's, then `y.tangent` for each real output y.
/// Names that are taken get a number appended (`x.tangent.2`).
/// - Throws: `GraphError` when `along` names no input, or one that is not real.
public func jvp(_ g: Graph, along: [String]) throws(GraphError) -> Graph {
    let g = g.differentiable()
    let program = try TangentProgram(g, along: along)
    let b = GraphBuilder()
    var values: [Value?] = program.graph.inputs.map { b.input($0.name, $0.type) }
    values += [Value?](repeating: nil, count: program.graph.types.count - values.count)
    b.append(program.graph, values: &values) { _ in true }
    var table = NameTable(g.outputs.map(\.name))
    var outputs = g.outputs.map { ($0.name, values[program.primal[$0.value.id].id]) }
    for output in g.outputs where g.type(of: output.value).element.isFloating {
        let tangent = program.tangent[output.value.id].flatMap { values[$0.id] }
        outputs.append((table.claim(output.name + ".tangent"), tangent ?? b.zeros(g.type(of: output.value))))
    }
    return eliminateDeadCode(b.build(outputs: outputs.compactMap { name, value in value.map { (name, $0) } }))
}
