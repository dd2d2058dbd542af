/// The transposed linear map.
///
/// The graph is linear in the inputs named, jointly. Inputs of the result: the graph's other inputs, then `y.cotangent` for
/// each output that depends on those named. Outputs: `x.cotangent` for each x named.
/// - Throws: `GraphError` when `linearIn` names no input, or one that is not real.
public func transpose(_ g: Graph, linearIn names: [String]) throws(GraphError) -> Graph {
    let g = g.expanded()
    let marked = try g.indices(ofRealInputs: names)
    let isLinear = g.dependents(on: marked)
    let b = GraphBuilder()
    var values = [Value?](repeating: nil, count: g.types.count)
    for (index, input) in g.inputs.enumerated() where !isLinear[index] {
        values[index] = b.input(input.name, input.type)
    }
    var table = NameTable(g.inputs.map(\.name))
    var cotangents = [Value?](repeating: nil, count: g.types.count)
    for output in g.outputs where isLinear[output.value.id] {
        let cotangent = b.input(table.claim(output.name + ".cotangent"), g.type(of: output.value))
        cotangents[output.value.id] = b.add(cotangents[output.value.id], cotangent)
    }
    b.append(g, values: &values) { !isLinear[$0.results.lowerBound] }
    b.pullBack(g, isLinear: isLinear, values: values, cotangents: &cotangents)
    return eliminateDeadCode(
        b.build(
            outputs: zip(names, marked).map { name, index in
                (name + ".cotangent", cotangents[index] ?? b.zeros(g.inputs[index].type))
            }))
}
