/// Takes out of the loops of scans what does not depend on the carries: it is computed for all steps at once, where the
/// products of every step with one matrix are one tall product, and what does not depend on the step either is computed once.
/// What is cheap to make again (constants, broadcasts) stays.
public func hoistFromScans(_ g: Graph) -> Graph {
    guard g.nodes.contains(where: { $0.operation is Scan }) else { return g }
    let b = GraphBuilder()
    return eliminateDeadCode(
        g.rewritten(in: b) { node, operands in
            guard let scan = node.operation as? Scan else { return b.emitAll(node.operation, operands) }
            return b.hoisted(scan, operands)
        })
}

extension GraphBuilder {
    fileprivate func hoisted(_ scan: Scan, _ operands: [Value]) -> [Value] {
        let body = hoistFromScans(scan.body.simplified())
        let isCarried = body.dependents(on: 0..<scan.carries)
        let split = ResidualFinder(body, isLinear: isCarried, outputs: body.outputs[...])
        let outside = split.residuals.filter { $0.id >= body.inputs.count }
        if outside.isEmpty { return emitAll(scan.with(body: body), operands) }

        let graph = Graph(
            inputs: body.inputs, nodes: body.nodes,
            outputs: split.residuals.enumerated().map { Graph.Output(name: "r\($0)", value: $1) }, types: body.types)
        let values = atEveryStep(
            graph, operands.enumerated().map { StepValue(value: $1, isStacked: scan.isStacked($0)) },
            length: scan.length)
        let stacked = split.residuals.indices.filter { values[$0].isStacked }
        let constant = split.residuals.indices.filter { !values[$0].isStacked }

        let inner = GraphBuilder()
        var inside = [Value?](repeating: nil, count: body.types.count)
        for index in 0..<scan.carries { inside[index] = inner.input("h\(index)", body.inputs[index].type) }
        for index in stacked + constant {
            let residual = split.residuals[index]
            inside[residual.id] = inner.input("r\(index)", body.type(of: residual))
        }
        inner.append(body, values: &inside) { split.inLinear[$0.results.lowerBound] }
        let smaller = inner.build(
            outputs: body.outputs.compactMap { output in inside[output.value.id].map { (output.name, $0) } })
        return emitAll(
            scan.with(body: smaller, stacked: stacked.count),
            operands.prefix(scan.carries) + (stacked + constant).map { values[$0].value })
    }
}
