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
        let body = hoistFromScans(scan.body.simplified()).groupingSums(apartFrom: 0..<scan.carries)
        let isCarried = body.dependents(on: 0..<scan.carries)
        let split = ResidualChoice(body, isLinear: isCarried, outputs: body.outputs[...], makesAgain: false)
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

extension Graph {
    /// Sums in an order in which what does not depend on these inputs is added first: (Uh + Wx) + bias as Uh + (Wx + bias).
    fileprivate func groupingSums(apartFrom inputs: Range<Int>) -> Graph {
        let isDependent = dependents(on: inputs)
        let uses = useCounts()
        let b = GraphBuilder()
        /// What is known of this builder's values, by number.
        var depends: [Int: Bool] = [:]
        var isUsedOnce: [Int: Bool] = [:]
        for index in self.inputs.indices { depends[index] = isDependent[index] }

        /// x as a sum of what depends on the inputs and what does not, where it is one that nothing else reads.
        func parts(_ x: Value) -> (dependent: Value, rest: Value)? {
            guard isUsedOnce[x.id] == true, let node = b.definition(of: x), node.operation is Add else { return nil }
            let (y, z) = (node.operands[0], node.operands[1])
            if depends[y.id] == depends[z.id] { return nil }
            return depends[y.id] == true ? (y, z) : (z, y)
        }
        func sum(_ x: Value, _ y: Value) -> Value {
            let value = b.add(x, y)
            depends[value.id] = depends[x.id] == true || depends[y.id] == true
            isUsedOnce[value.id] = true
            return value
        }
        func grouped(_ x: Value, _ y: Value) -> Value {
            switch (depends[x.id] == true, depends[y.id] == true) {
            case (true, true):
                if let own = parts(x) { return sum(grouped(own.dependent, y), own.rest) }
                if let own = parts(y) { return sum(grouped(x, own.dependent), own.rest) }
            case (true, false):
                if let own = parts(x) { return sum(own.dependent, sum(own.rest, y)) }
            case (false, true): return grouped(y, x)
            case (false, false): break
            }
            return sum(x, y)
        }

        return eliminateDeadCode(
            rewritten(in: b) { node, operands in
                let results =
                    node.operation is Add ? [grouped(operands[0], operands[1])] : b.emitAll(node.operation, operands)
                for (value, original) in zip(results, node.results) {
                    depends[value.id] = isDependent[original]
                    isUsedOnce[value.id] = uses[original] == 1
                }
                return results
            })
    }
}
