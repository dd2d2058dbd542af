/// What the passes share: a graph copied node by node, some nodes replaced.
extension Graph {
    /// A copy in which each node is made by `make` from its operation and the copies of its operands.
    package func rewritten(in b: GraphBuilder = GraphBuilder(), _ make: (Node, [Value]) -> [Value]) -> Graph {
        rewritten(in: b, asking: {}, make)
    }

    /// As above. `ask` is called every thousand nodes, which takes milliseconds: it may end all by throwing.
    func rewritten(
        in b: GraphBuilder, asking ask: () throws -> Void, _ make: (Node, [Value]) -> [Value]
    ) rethrows -> Graph {
        var values = inputs.map { b.input($0.name, $0.type) }
        values.reserveCapacity(types.count)
        for (index, node) in nodes.enumerated() {
            if index % 1024 == 1023 { try ask() }
            values += make(node, node.operands.map { values[$0.id] })
        }
        return b.build(outputs: outputs.map { ($0.name, values[$0.value.id]) })
    }

    /// How often each value is used, by nodes and as an output.
    package func useCounts() -> [Int] {
        var counts = [Int](repeating: 0, count: types.count)
        for node in nodes { for operand in node.operands { counts[operand.id] += 1 } }
        for output in outputs { counts[output.value.id] += 1 }
        return counts
    }

    /// For each value the place of its node; `nil` for inputs.
    package func producers() -> [Int?] {
        var producers = [Int?](repeating: nil, count: types.count)
        for (index, node) in nodes.enumerated() { for result in node.results { producers[result] = index } }
        return producers
    }
}
