// Composition: graphs as functions, with inputs and outputs by name.

extension Graph {
    /// With only these outputs, in this order. What they do not need stays until `eliminateDeadCode`.
    public func selecting(outputs names: [String]) -> Graph {
        let kept = names.map { name -> Output in
            guard let index = outputIndex(name) else {
                preconditionFailure("no output '\(name)' among \(outputs.map(\.name))")
            }
            return outputs[index]
        }
        return Graph(inputs: inputs, nodes: nodes, outputs: kept, types: types)
    }

    /// With inputs and outputs renamed; names that are not given stay.
    public func renamed(inputs newInputs: [String: String] = [:], outputs newOutputs: [String: String] = [:]) -> Graph {
        Graph(
            inputs: inputs.map { Input(name: newInputs[$0.name] ?? $0.name, type: $0.type) }, nodes: nodes,
            outputs: outputs.map { Output(name: newOutputs[$0.name] ?? $0.name, value: $0.value) }, types: types)
    }

    /// With the operations that late passes introduce replaced by what they stand for.
    public func expanded() -> Graph {
        guard nodes.contains(where: { $0.operation.expansion(of: $0.operands.map(type)) != nil }) else { return self }
        let b = GraphBuilder()
        var map = inputs.map { b.input($0.name, $0.type) }
        for node in nodes {
            let operands = node.operands.map { map[$0.id] }
            if let expansion = node.operation.expansion(of: node.operands.map(type)) {
                map += b.inline(expansion, inputs: operands)
            } else {
                map += b.emitAll(node.operation, operands)
            }
        }
        return b.build(outputs: outputs.map { ($0.name, map[$0.value.id]) }).expanded()
    }
}
