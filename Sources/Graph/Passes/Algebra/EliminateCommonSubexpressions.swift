/// Computes equal expressions once: nodes with equal operations and the same operands become one. Operands of commutative
/// operations are put in one order.
public func eliminateCommonSubexpressions(_ g: Graph) -> Graph {
    struct Expression: Hashable {
        let operation: AnyHashable
        let operands: [Value]
    }
    var known: [Expression: [Value]] = [:]
    let b = GraphBuilder()
    return g.rewritten(in: b) { node, operands in
        let ordered = node.operation.facts.isCommutative ? operands.sorted() : operands
        let expression = Expression(operation: AnyHashable(node.operation), operands: ordered)
        if let results = known[expression] { return results }
        let results = b.emitAll(node.operation, ordered)
        known[expression] = results
        return results
    }
}
