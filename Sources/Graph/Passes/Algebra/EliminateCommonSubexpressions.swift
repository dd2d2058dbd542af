/// Computes equal expressions once: nodes with equal operations and the same operands become one. Operands of commutative
/// operations are put in one order.
public func eliminateCommonSubexpressions(_ g: Graph) -> Graph { eliminateCommonSubexpressions(g, asking: {}) }

/// As above. `ask` is called now and then: it may end all by throwing.
package func eliminateCommonSubexpressions(_ g: Graph, asking ask: () throws -> Void) rethrows -> Graph {
    struct Expression: Hashable {
        let operation: AnyHashable
        let operands: [Value]
    }
    var known: [Expression: [Value]] = [:]
    let b = GraphBuilder()
    return try g.rewritten(in: b, asking: ask) { node, operands in
        let ordered = node.operation.facts.isCommutative ? operands.sorted() : operands
        let expression = Expression(operation: AnyHashable(node.operation), operands: ordered)
        if let results = known[expression] { return results }
        let results = b.emitAll(node.operation, ordered)
        known[expression] = results
        return results
    }
}
