/// vᵀHv for the Hessian H of a scalar output, from one backward and one forward sweep:
///
///     vᵀHv = Σ over operations of ⟨cotangent of the results, second-order term f''[ẋ, ẋ]⟩
///
/// with ẋ the tangents along v. (The second derivative of a composition along a curve is the sum of each step's own second
/// derivative, carried to the end by the first derivative of what follows: by its cotangent.) No Hessian-vector product is
/// formed; the backward sweep is the gradient's.
///
/// Inputs: the graph's, then `x.tangent` for each x of `along`: together they are v. Outputs: the graph's, then `x.gradient`
/// for each x if `gradients`, then `y.quadratic`, of y's type.
/// - Throws: `GraphError` when a name is unknown, or `output` is no real scalar.
public func quadraticForm(
    _ g: Graph, of output: String, along names: [String], gradients: Bool = false
) throws(GraphError) -> Graph {
    let g = g.differentiable()
    let seed = try g.realOutput(output)
    let type = g.type(of: seed)
    if type.rank != 0 { throw GraphError("output '\(output)' is \(type): a quadratic form takes a scalar") }
    let program = try TangentProgram(g, along: names)
    let b = GraphBuilder()
    var values: [Value?] = program.graph.inputs.map { b.input($0.name, $0.type) }
    values += [Value?](repeating: nil, count: program.graph.types.count - values.count)
    b.append(program.graph, values: &values) { _ in true }

    // The cotangent of a value is that of its tangent in the linear program. Where an operation hands its operand's tangent
    // on as its own (x + c), the two share one cotangent, which is the operand's; the operation has no second-order term.
    var cotangents = [Value?](repeating: nil, count: program.graph.types.count)
    if let tangent = program.tangent[seed.id] { cotangents[tangent.id] = b.constant(1, type) }
    b.pullBack(program.graph, isLinear: program.isLinear, values: values, cotangents: &cotangents)

    func value(_ original: Value) -> Value? { values[program.primal[original.id].id] }
    func tangent(_ original: Value) -> Value? { program.tangent[original.id].flatMap { values[$0.id] } }
    var quadratic: Value?
    for node in g.nodes {
        let results = node.results.map(Value.init)
        let adjoints = results.map { program.tangent[$0.id].flatMap { cotangents[$0.id] } }
        if adjoints.allSatisfy({ $0 == nil }) { continue }
        let site = Site(
            operands: node.operands.map(value), operandTypes: node.operands.map(g.type),
            results: results.compactMap(value))
        let term = node.operation.quadraticTerm(
            at: site, along: node.operands.map(tangent), cotangents: adjoints, in: b)
        quadratic = b.add(quadratic, term.map { b.convert($0, to: type.element) })
    }

    var outputs = g.outputs.compactMap { output in value(output.value).map { (name: output.name, value: $0) } }
    if gradients { outputs += b.gradients(program, cotangents, avoiding: g.outputs.map(\.name)) }
    var table = NameTable(outputs.map(\.name))
    outputs.append((table.claim(output + ".quadratic"), quadratic ?? b.zeros(type)))
    return eliminateDeadCode(b.build(outputs: outputs))
}
