/// A graph with the tangents of its values computed beside them: what all derivatives start from.
struct TangentProgram {
    /// Inputs: the original's, then a tangent for each input differentiated along. It has no outputs of its own.
    let graph: Graph
    /// For each value of the original, its value in `graph`, and its tangent, `nil` where that is zero.
    let primal: [Value]
    let tangent: [Value?]
    /// The values of `graph` that depend on a tangent. A node that computes such a value is linear in its operands that do.
    let isLinear: [Bool]
    /// The original's inputs, by number, that have a tangent.
    let along: [Int]

    init(_ original: Graph, along names: [String]) throws(GraphError) {
        along = try original.indices(ofRealInputs: names)
        let b = GraphBuilder()
        var primal = original.inputs.map { b.input($0.name, $0.type) }
        var tangent = [Value?](repeating: nil, count: primal.count)
        var table = NameTable(original.inputs.map(\.name))
        for index in along {
            let input = original.inputs[index]
            tangent[index] = b.input(table.claim(input.name + ".tangent"), input.type)
        }
        for node in original.nodes {
            let operands = node.operands.map { primal[$0.id] }
            let results = b.emitAll(node.operation, operands)
            primal += results
            let tangents = node.operands.map { tangent[$0.id] }
            if tangents.allSatisfy({ $0 == nil }) {
                tangent += results.map { _ in nil }
            } else {
                let site = Site(operands: operands, operandTypes: operands.map(b.type), results: results)
                tangent += node.operation.tangents(at: site, along: tangents, in: b)
            }
        }
        graph = b.build(outputs: [])
        // The inputs came first, so that the graph's numbers are the builder's.
        self.primal = primal
        self.tangent = tangent
        isLinear = graph.dependents(on: original.inputs.count..<graph.inputs.count)
    }

    /// The names of the tangents' inputs, in the order of `along`.
    var tangentNames: [String] { graph.inputs.suffix(along.count).map(\.name) }
}

extension Graph {
    /// Which values depend on any of these inputs.
    func dependents(on marked: some Collection<Int>) -> [Bool] {
        var depends = [Bool](repeating: false, count: types.count)
        for index in marked { depends[index] = true }
        for node in nodes where node.operands.contains(where: { depends[$0.id] }) {
            for result in node.results { depends[result] = true }
        }
        return depends
    }
}

extension GraphBuilder {
    /// Appends those of a graph's nodes that pass the test. `values` holds this builder's value for each of the graph's, as far
    /// as it has one, and receives the results.
    package func append(_ graph: Graph, values: inout [Value?], where isIncluded: (Graph.Node) -> Bool) {
        append(graph, values: &values, asking: {}, where: isIncluded)
    }

    /// As above. `ask` is called every thousand nodes: it may end all by throwing.
    func append(
        _ graph: Graph, values: inout [Value?], asking ask: () throws -> Void, where isIncluded: (Graph.Node) -> Bool
    ) rethrows {
        for (index, node) in graph.nodes.enumerated() where isIncluded(node) {
            if index % 1024 == 1023 { try ask() }
            let operands = node.operands.map { operand -> Value in
                guard let value = values[operand.id] else { preconditionFailure("a node before its operand") }
                return value
            }
            for (result, value) in zip(node.results, emitAll(node.operation, operands)) { values[result] = value }
        }
    }

    /// Appends the reverse sweep over the nodes of a graph that compute linear values.
    /// - Parameters:
    ///   - values: this builder's values for those of the graph that are not linear.
    ///   - cotangents: of the graph's values. Those of outputs are given; all others receive theirs, `nil` where it is zero.
    func pullBack(_ graph: Graph, isLinear: [Bool], values: [Value?], cotangents: inout [Value?]) {
        for node in graph.nodes.reversed() where isLinear[node.results.lowerBound] {
            let own = node.results.map { cotangents[$0] }
            if own.allSatisfy({ $0 == nil }) { continue }
            let linear = node.operands.map { isLinear[$0.id] }
            let site = Site(
                operands: zip(node.operands, linear).map { $1 ? nil : values[$0.id] },
                operandTypes: node.operands.map(graph.type), results: [])
            let contributions = node.operation.transpose(at: site, linear: linear, cotangents: own, in: self)
            for (operand, contribution) in zip(node.operands, contributions) where isLinear[operand.id] {
                cotangents[operand.id] = add(cotangents[operand.id], contribution)
            }
        }
    }
}
