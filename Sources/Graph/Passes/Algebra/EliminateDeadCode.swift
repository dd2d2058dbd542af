/// Removes the nodes that no output needs. Inputs stay.
public func eliminateDeadCode(_ g: Graph) -> Graph { eliminateDeadCode(g, asking: {}) }

/// As above. `ask` is called now and then: it may end all by throwing.
package func eliminateDeadCode(_ g: Graph, asking ask: () throws -> Void) rethrows -> Graph {
    var isNeeded = [Bool](repeating: false, count: g.types.count)
    for output in g.outputs { isNeeded[output.value.id] = true }
    for node in g.nodes.reversed() where node.results.contains(where: { isNeeded[$0] }) {
        for operand in node.operands { isNeeded[operand.id] = true }
    }
    func isLive(_ node: Graph.Node) -> Bool { node.results.contains { isNeeded[$0] } }
    if g.nodes.allSatisfy(isLive) { return g }
    let b = GraphBuilder()
    var values: [Value?] = g.inputs.map { b.input($0.name, $0.type) }
    values += [Value?](repeating: nil, count: g.types.count - values.count)
    try b.append(g, values: &values, asking: ask, where: isLive)
    return b.build(outputs: g.outputs.compactMap { output in values[output.value.id].map { (output.name, $0) } })
}
