/// The reverse derivative of one output: linearize, then transpose. There are no other backward rules.
///
/// Inputs: the graph's; where `output` is no scalar, also `output.cotangent`. Outputs: the graph's, then `x.gradient` for each
/// x: the cotangent of x. Names that are taken get a number appended (`x.gradient.2`).
/// - Throws: `GraphError` when a name is unknown or a value has no derivative.
public func vjp(_ g: Graph, of output: String, withRespectTo names: [String]) throws(GraphError) -> Graph {
    let g = g.differentiable()
    let seed = try g.realOutput(output)
    let program = try TangentProgram(g, along: names)
    let b = GraphBuilder()
    var values = [Value?](repeating: nil, count: program.graph.types.count)
    for (index, input) in g.inputs.enumerated() { values[index] = b.input(input.name, input.type) }
    var table = NameTable(g.inputs.map(\.name))
    let type = g.type(of: seed)
    let cotangent = type.rank == 0 ? b.constant(1, type) : b.input(table.claim(output + ".cotangent"), type)
    b.append(program.graph, values: &values) { !program.isLinear[$0.results.lowerBound] }

    var cotangents = [Value?](repeating: nil, count: program.graph.types.count)
    if let tangent = program.tangent[seed.id] { cotangents[tangent.id] = cotangent }
    b.pullBack(program.graph, isLinear: program.isLinear, values: values, cotangents: &cotangents)

    var outputs = g.outputs.compactMap { output in
        values[program.primal[output.value.id].id].map { (name: output.name, value: $0) }
    }
    outputs += b.gradients(program, cotangents, avoiding: g.outputs.map(\.name))
    return eliminateDeadCode(b.build(outputs: outputs))
}

extension Graph {
    /// An output that has derivatives.
    func realOutput(_ name: String) throws(GraphError) -> Value {
        let value = try output(named: name).value
        if !type(of: value).element.isFloating {
            throw GraphError("output '\(name)' is \(type(of: value)): it has no derivative")
        }
        return value
    }
}

extension GraphBuilder {
    /// The cotangents of the inputs differentiated, named `x.gradient`; zeros where nothing depends on them.
    func gradients(
        _ program: TangentProgram, _ cotangents: [Value?], avoiding taken: [String]
    ) -> [(name: String, value: Value)] {
        var table = NameTable(taken)
        return program.along.map { index in
            let input = program.graph.inputs[index]
            let gradient = program.tangent[index].flatMap { cotangents[$0.id] }
            return (table.claim(input.name + ".gradient"), gradient ?? zeros(input.type))
        }
    }
}
