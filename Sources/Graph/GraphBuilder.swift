/// Builds a graph one operation at a time, from Swift, from a trace of a Lua function, or from a transformation's rules.
///
/// `apply` checks types and throws words for the author of a network; the spelled-out methods (`add`, `dot`, …) are for
/// code that knows its shapes, and trap on a mismatch as on any other bug of ours.
public final class GraphBuilder {
    private enum Definition {
        case input(name: String)
        case node(operation: any Operation, operands: [Value], result: Int, resultCount: Int)
    }

    private var definitions: [Definition] = []
    private var types: [TensorType] = []
    private var inputs: [Value] = []

    public init() {}

    public func type(of value: Value) -> TensorType { types[value.id] }
    public func shape(of value: Value) -> [Int] { types[value.id].shape }

    /// A new input. Names must differ; the order of the calls is the order of the graph's inputs.
    public func input(_ name: String, _ type: TensorType) -> Value {
        let value = Value(types.count)
        types.append(type)
        definitions.append(.input(name: name))
        inputs.append(value)
        return value
    }

    /// Appends an operation and returns its results.
    /// - Throws: `GraphError` when the operands do not fit.
    public func applyAll(_ operation: any Operation, _ operands: [Value]) throws(GraphError) -> [Value] {
        let resultTypes = try operation.resultTypes(of: operands.map { types[$0.id] })
        let first = types.count
        for (index, type) in resultTypes.enumerated() {
            types.append(type)
            definitions.append(
                .node(operation: operation, operands: operands, result: index, resultCount: resultTypes.count))
        }
        return (first..<types.count).map(Value.init)
    }

    /// Appends an operation with one result.
    public func apply(_ operation: any Operation, _ operands: Value...) throws(GraphError) -> Value {
        try applyAll(operation, operands)[0]
    }

    /// As `apply`, where the operands are known to fit.
    public func emit(_ operation: any Operation, _ operands: Value...) -> Value {
        do { return try applyAll(operation, operands)[0] } catch { preconditionFailure("\(operation): \(error)") }
    }

    /// Appends all of a graph's nodes, its inputs replaced by values of this builder, and returns the values of its outputs.
    public func inline(_ graph: Graph, inputs: [Value]) -> [Value] {
        precondition(inputs.count == graph.inputs.count, "inline: \(inputs.count) values for \(graph.inputs.count) inputs")
        var map = inputs
        map.reserveCapacity(graph.types.count)
        for (value, input) in zip(inputs, graph.inputs) {
            precondition(type(of: value) == input.type, "inline: \(type(of: value)) for '\(input.name)': \(input.type)")
        }
        for node in graph.nodes {
            let operands = node.operands.map { map[$0.id] }
            do { map += try applyAll(node.operation, operands) } catch { preconditionFailure("inline: \(error)") }
        }
        return graph.outputs.map { map[$0.value.id] }
    }

    /// The finished graph: inputs in the order they were declared, then the nodes in the order of the calls.
    /// Nodes that no output needs are kept; `eliminateDeadCode` removes them.
    public func build(outputs: [(name: String, value: Value)]) -> Graph {
        var number = [Int](repeating: 0, count: types.count)
        var newTypes: [TensorType] = []
        for value in inputs {
            number[value.id] = newTypes.count
            newTypes.append(types[value.id])
        }
        var nodes: [Graph.Node] = []
        for (id, definition) in definitions.enumerated() {
            guard case .node(let operation, let operands, let result, let count) = definition else { continue }
            number[id] = newTypes.count
            newTypes.append(types[id])
            if result == 0 {
                nodes.append(
                    Graph.Node(
                        operation: operation, operands: operands.map { Value(number[$0.id]) },
                        results: number[id]..<number[id] + count))
            }
        }
        let named = inputs.map { value -> Graph.Input in
            guard case .input(let name) = definitions[value.id] else { preconditionFailure("an input is no input") }
            return Graph.Input(name: name, type: types[value.id])
        }
        return Graph(
            inputs: named, nodes: nodes,
            outputs: outputs.map { Graph.Output(name: $0.name, value: Value(number[$0.value.id])) }, types: newTypes)
    }
}
