/// Builds a graph one operation at a time, from Swift, from a trace of a Lua function, or from a transformation's rules.
///
/// `apply` checks types and throws words for the author of a network; the spelled-out methods (`add`, `dot`, …) are for
/// code that knows its shapes, and trap on a mismatch as on any other bug of ours.
public final class GraphBuilder {
    private var types: [TensorType] = []
    private var inputs: [(name: String, value: Value)] = []
    private var inputNames: Set<String> = []
    /// In the builder's numbering, where inputs and results follow each other in the order of the calls.
    private var nodes: [Graph.Node] = []
    /// For each value the place of its node, −1 for an input.
    private var producers: [Int] = []

    public init() {}

    /// The operation that computes a value and its operands; `nil` for an input.
    package func definition(of value: Value) -> Graph.Node? {
        producers[value.id] < 0 ? nil : nodes[producers[value.id]]
    }

    public func type(of value: Value) -> TensorType { types[value.id] }
    public func shape(of value: Value) -> [Int] { types[value.id].shape }

    /// A new input. Names must differ; the order of the calls is the order of the graph's inputs.
    public func input(_ name: String, _ type: TensorType) -> Value {
        precondition(inputNames.insert(name).inserted, "two inputs named '\(name)'")
        let value = Value(types.count)
        types.append(type)
        producers.append(-1)
        inputs.append((name, value))
        return value
    }

    /// Appends an operation and returns its results.
    /// - Throws: `GraphError` when the operands do not fit.
    public func applyAll(_ operation: any Operation, _ operands: [Value]) throws(GraphError) -> [Value] {
        let resultTypes = try operation.resultTypes(of: operands.map { types[$0.id] })
        for type in resultTypes { _ = try type.elementCount() }
        let first = types.count
        types += resultTypes
        producers += resultTypes.map { _ in nodes.count }
        nodes.append(Graph.Node(operation: operation, operands: operands, results: first..<types.count))
        return (first..<types.count).map(Value.init)
    }

    /// Appends an operation with one result.
    public func apply(_ operation: any Operation, _ operands: Value...) throws(GraphError) -> Value {
        try applyAll(operation, operands)[0]
    }

    /// As `applyAll`, where the operands are known to fit.
    public func emitAll(_ operation: any Operation, _ operands: [Value]) -> [Value] {
        do { return try applyAll(operation, operands) } catch {
            preconditionFailure("\(operation.mnemonic) of \(operands.map(type)): \(error)")
        }
    }

    /// As `apply`, where the operands are known to fit.
    public func emit(_ operation: any Operation, _ operands: Value...) -> Value { emitAll(operation, operands)[0] }

    /// Appends all of a graph's nodes, its inputs replaced by values of this builder, and returns the values of its outputs.
    public func inline(_ graph: Graph, inputs: [Value]) -> [Value] {
        precondition(
            inputs.count == graph.inputs.count, "inline: \(inputs.count) values for \(graph.inputs.count) inputs")
        for (value, input) in zip(inputs, graph.inputs) {
            precondition(type(of: value) == input.type, "inline: \(type(of: value)) for '\(input.name)': \(input.type)")
        }
        var map = inputs
        map.reserveCapacity(graph.types.count)
        for node in graph.nodes { map += emitAll(node.operation, node.operands.map { map[$0.id] }) }
        return graph.outputs.map { map[$0.value.id] }
    }

    /// As `inline`, with inputs and outputs by name: the graph as a function of its inputs. Every input must be given.
    public func call(_ graph: Graph, _ inputs: [String: Value]) -> [String: Value] {
        let values = graph.inputs.map { input -> Value in
            guard let value = inputs[input.name] else {
                preconditionFailure("call: no value for input '\(input.name)'")
            }
            return value
        }
        let results = inline(graph, inputs: values)
        return Dictionary(zip(graph.outputs.map(\.name), results), uniquingKeysWith: { first, _ in first })
    }

    /// The finished graph: inputs in the order they were declared, then the nodes in the order of the calls.
    /// Nodes that no output needs are kept; `eliminateDeadCode` removes them.
    public func build(outputs: [(name: String, value: Value)]) -> Graph {
        var number = [Int](repeating: 0, count: types.count)
        for (index, input) in inputs.enumerated() { number[input.value.id] = index }
        var newTypes = inputs.map { types[$0.value.id] }
        newTypes.reserveCapacity(types.count)
        let renumbered = nodes.map { node -> Graph.Node in
            let first = newTypes.count
            for result in node.results {
                number[result] = newTypes.count
                newTypes.append(types[result])
            }
            return Graph.Node(
                operation: node.operation, operands: node.operands.map { Value(number[$0.id]) },
                results: first..<newTypes.count)
        }
        return Graph(
            inputs: inputs.map { Graph.Input(name: $0.name, type: types[$0.value.id]) }, nodes: renumbered,
            outputs: outputs.map { Graph.Output(name: $0.name, value: Value(number[$0.value.id])) }, types: newTypes)
    }
}
