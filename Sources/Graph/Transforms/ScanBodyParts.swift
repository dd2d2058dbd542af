// Parts of a graph, as the derivatives of `Scan` need them of its body.

extension Graph {
    /// For a graph that is linear in the inputs `all`, jointly: the same with those not `kept` at zero, and without them.
    /// Inputs: those that are not in `all`, then those kept, in the order of `kept`. Outputs: those that are not zero then.
    func restricted(linearIn all: [String], to kept: [String]) -> Graph {
        let g = expanded()
        let program = known { () throws(GraphError) in try TangentProgram(g, along: kept) }
        let isDropped = program.graph.dependents(on: known { () throws(GraphError) in try g.indices(ofInputs: all) })
        let b = GraphBuilder()
        var values = [Value?](repeating: nil, count: program.graph.types.count)
        for (index, input) in g.inputs.enumerated() where !isDropped[index] {
            values[index] = b.input(input.name, input.type)
        }
        for (name, index) in zip(kept, program.along) {
            if let tangent = program.tangent[index] { values[tangent.id] = b.input(name, g.inputs[index].type) }
        }
        b.append(program.graph, values: &values) { !isDropped[$0.results.lowerBound] }
        let outputs = g.outputs.compactMap { output in
            program.tangent[output.value.id].flatMap { values[$0.id] }.map { (output.name, $0) }
        }
        return b.build(outputs: outputs).simplified()
    }

    /// The outputs after the first `count`, where the values of the first `count` are known: they are further inputs, and
    /// what they alone are computed from is not computed.
    func assuming(outputs count: Int) -> Graph {
        let b = GraphBuilder()
        var table = NameTable(inputs.map(\.name))
        var values: [Value?] = inputs.map { b.input($0.name, $0.type) }
        values += [Value?](repeating: nil, count: types.count - values.count)
        for output in outputs.prefix(count) {
            let known = b.input(table.claim(output.name + ".known"), type(of: output.value))
            if values[output.value.id] == nil { values[output.value.id] = known }
        }
        for node in nodes where node.results.contains(where: { values[$0] == nil }) {
            let results = b.emitAll(node.operation, node.operands.compactMap { values[$0.id] })
            for (number, result) in zip(node.results, results) where values[number] == nil { values[number] = result }
        }
        return eliminateDeadCode(
            b.build(
                outputs: outputs.dropFirst(count).compactMap { output in
                    values[output.value.id].map { (output.name, $0) }
                }))
    }

    /// The names of the inputs that something depends on.
    func usedInputs() -> Set<String> {
        let counts = useCounts()
        return Set(inputs.indices.filter { counts[$0] > 0 }.map { inputs[$0].name })
    }

    /// The second-order terms of the outputs: d²/dε² of the output along x + εẋ.
    /// Inputs: the graph's, then `x.tangent` for each x of `along`. Outputs: the graph's, then `y.second` for each output whose
    /// term is not zero.
    func secondOrder(along names: [String]) throws(GraphError) -> Graph {
        let g = expanded()
        let b = GraphBuilder()
        var values = g.inputs.map { b.input($0.name, $0.type) }
        var tangents = [Value?](repeating: nil, count: g.inputs.count)
        var table = NameTable(g.inputs.map(\.name))
        for index in try g.indices(ofRealInputs: names) {
            tangents[index] = b.input(table.claim(g.inputs[index].name + ".tangent"), g.inputs[index].type)
        }
        var seconds = [Value?](repeating: nil, count: g.inputs.count)
        for node in g.nodes {
            let operands = node.operands.map { values[$0.id] }
            let results = b.emitAll(node.operation, operands)
            let site = Site(operands: operands, operandTypes: operands.map(b.type), results: results)
            let (first, second) = (node.operands.map { tangents[$0.id] }, node.operands.map { seconds[$0.id] })
            func isZero(_ x: [Value?]) -> Bool { x.allSatisfy { $0 == nil } }
            let none = results.map { _ in Value?.none }
            let carried = isZero(second) ? none : node.operation.tangents(at: site, along: second, in: b)
            let own = isZero(first) ? none : node.operation.secondOrder(at: site, along: first, in: b)
            values += results
            tangents += isZero(first) ? none : node.operation.tangents(at: site, along: first, in: b)
            seconds += zip(carried, own).map(b.add)
        }
        let terms = g.outputs.compactMap { output in
            seconds[output.value.id].map { (name: output.name + ".second", value: $0) }
        }
        return b.build(outputs: g.outputs.map { ($0.name, values[$0.value.id]) } + terms)
    }
}
