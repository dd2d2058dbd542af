/// The reference: evaluates a graph node by node through each operation's own `evaluate`. Slow and obviously right; the
/// oracle of the tests of `Graph` and `Compute`.
public enum Interpreter {
    /// The values of the graph's outputs, in order, for values of its inputs, in order.
    /// - Throws: `GraphError` where an input's type is not the graph's.
    public static func run(_ graph: Graph, _ inputs: [Tensor]) throws(GraphError) -> [Tensor] {
        if inputs.count != graph.inputs.count {
            throw GraphError("\(inputs.count) inputs for a graph with \(graph.inputs.count)")
        }
        for (tensor, input) in zip(inputs, graph.inputs) where tensor.type != input.type {
            throw GraphError("input '\(input.name)' is \(input.type), not \(tensor.type)")
        }
        var values = inputs
        for node in graph.nodes {
            values += node.operation.evaluate(
                node.operands.map { values[$0.id] }, as: node.results.map { graph.types[$0] })
        }
        return graph.outputs.map { values[$0.value.id] }
    }

    /// As above, by name.
    public static func run(_ graph: Graph, _ inputs: [String: Tensor]) throws(GraphError) -> [String: Tensor] {
        var ordered: [Tensor] = []
        for input in graph.inputs {
            guard let tensor = inputs[input.name] else { throw GraphError("no value for input '\(input.name)'") }
            ordered.append(tensor)
        }
        let results = try run(graph, ordered)
        return Dictionary(zip(graph.outputs.map(\.name), results), uniquingKeysWith: { first, _ in first })
    }
}
