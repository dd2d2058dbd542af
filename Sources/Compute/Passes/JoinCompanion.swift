import Graph

extension Graph {
    /// This graph as it is executed, and beside it a companion: a graph of the same inputs, or some of them. What the companion has
    /// in common with this graph is taken from where that computes it; all else of the companion is optimized by itself and comes
    /// behind this graph's nodes, which stay as they are. So this graph's outputs have the bits of its execution alone.
    ///
    /// Outputs: this graph's, then the companion's.
    /// - Parameters:
    ///   - own: this graph, optimized.
    ///   - ask: called between passes: it may end all by throwing.
    static func joined(_ own: Graph, with companion: Graph, asking ask: () throws -> Void) rethrows -> Graph {
        let rest = CompanionRest(of: try companion.prepared(for: .cpu, asking: ask).simplified, beside: own)
        try ask()
        let b = GraphBuilder()
        var values = own.inputs.map { b.input($0.name, $0.type) }
        for node in own.nodes { values += b.emitAll(node.operation, node.operands.map { values[$0.id] }) }
        let results = b.inline(try rest.graph.optimized(asking: ask), inputs: rest.sources.map { values[$0.id] })
        return b.build(
            outputs: own.outputs.map { ($0.name, values[$0.value.id]) }
                + zip(companion.outputs, results).map { ($0.name, $1) })
    }
}

/// What is left of a companion once the values that are there anyway are inputs of it.
private struct CompanionRest {
    let graph: Graph
    /// For each input of the rest the value of the graph beside it.
    let sources: [Value]

    init(of companion: Graph, beside own: Graph) {
        var expressions = Expressions()
        let known = expressions.values(of: own)
        let numbers = expressions.numbers(of: companion)
        let producers = companion.producers()
        let b = GraphBuilder()
        var sources: [Value] = []
        var values = [Value?](repeating: nil, count: companion.types.count)
        // What the outputs need, walked back to what is known.
        var isNeeded = [Bool](repeating: false, count: companion.types.count)
        var isSource = isNeeded
        for output in companion.outputs { isNeeded[output.value.id] = true }
        for value in companion.types.indices.reversed() where isNeeded[value] {
            if known[numbers[value]] != nil {
                isSource[value] = true
            } else if let producer = producers[value] {
                for operand in companion.nodes[producer].operands { isNeeded[operand.id] = true }
            }
        }
        for value in companion.types.indices where isSource[value] {
            guard let source = known[numbers[value]] else { continue }
            values[value] = b.input("\(sources.count)", companion.types[value])
            sources.append(source)
        }
        for node in companion.nodes where node.results.contains(where: { isNeeded[$0] && !isSource[$0] }) {
            let results = b.emitAll(node.operation, node.operands.compactMap { values[$0.id] })
            for (result, value) in zip(node.results, results) where values[result] == nil { values[result] = value }
        }
        graph = b.build(
            outputs: companion.outputs.compactMap { output in values[output.value.id].map { (output.name, $0) } })
        self.sources = sources
    }
}

/// Numbers for expressions in primitives, equal for equal ones, of several graphs whose inputs are known by name.
private struct Expressions {
    private struct Key: Hashable {
        let operation: AnyHashable
        let operands: [Int]
        let result: Int
    }
    private var numbers: [Key: Int] = [:]
    private var inputs: [String: Int] = [:]
    private var count = 0

    private mutating func fresh() -> Int {
        count += 1
        return count - 1
    }

    private mutating func number(of input: Graph.Input) -> Int {
        if let known = inputs[input.name] { return known }
        let number = fresh()
        inputs[input.name] = number
        return number
    }

    private mutating func numbers(of node: Graph.Node, _ types: [TensorType], _ operands: [Int]) -> [Int] {
        if let body = node.operation.expansion(of: types) {
            return numbers(of: body, inputs: operands, outputs: body.outputs.map(\.value))
        }
        let ordered = node.operation.facts.isCommutative ? operands.sorted() : operands
        let operation = AnyHashable(node.operation)
        return node.results.indices.map { index in
            let key = Key(operation: operation, operands: ordered, result: index - node.results.lowerBound)
            if let known = numbers[key] { return known }
            let number = fresh()
            numbers[key] = number
            return number
        }
    }

    private mutating func numbers(of graph: Graph, inputs: [Int], outputs: [Value]) -> [Int] {
        let all = numbers(of: graph, inputs: inputs)
        return outputs.map { all[$0.id] }
    }

    private mutating func numbers(of graph: Graph, inputs: [Int]) -> [Int] {
        var result = inputs
        for node in graph.nodes {
            result += numbers(of: node, node.operands.map(graph.type), node.operands.map { result[$0.id] })
        }
        return result
    }

    /// One for each value.
    mutating func numbers(of graph: Graph) -> [Int] {
        let inputs = graph.inputs.map { number(of: $0) }
        return numbers(of: graph, inputs: inputs)
    }

    /// The values of a graph as it is executed that lie in memory, by number. Left out are those that only say how others are read:
    /// a second reader could make them be stored, and products choose their kernels by how their operands lie.
    mutating func values(of graph: Graph) -> [Int: Value] {
        let all = numbers(of: graph)
        var result: [Int: Value] = [:]
        for index in graph.inputs.indices { result[all[index]] = Value(index) }
        for node in graph.nodes where !Self.moves(node.operation) {
            for value in node.results where result[all[value]] == nil { result[all[value]] = Value(value) }
        }
        return result
    }

    private static func moves(_ operation: any Operation) -> Bool {
        operation.facts.isView || operation.facts.remaking == .nothing || operation is Concatenate || operation is Pad
    }
}
