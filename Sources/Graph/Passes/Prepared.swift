/// What a graph is before the passes of a machine: the same outputs up to rounding, in primitives only.
public struct PreparedGraph: Sendable {
    /// Simplified, with what does not change from step to step taken out of scans.
    public let simplified: Graph
    /// With its contractions in another order that costs less; nil where none is found. What a machine makes of either decides:
    /// where an order gains little, it may cost more than that by taking an elementwise region apart.
    public let reassociated: Graph?
}

extension Graph {
    /// The passes that know no machine but by what its work costs: simplification, hoisting, transpositions, common
    /// subexpressions, contractions re-associated. Deterministic. `Detach` and `BatchMean` are gone: derivatives are taken and
    /// batches made before.
    public func prepared(for weights: CostWeights) -> PreparedGraph { prepared(for: weights, asking: {}) }

    /// As above. `ask` is called between passes: it may end all by throwing.
    package func prepared(for weights: CostWeights, asking ask: () throws -> Void) rethrows -> PreparedGraph {
        let hoisted = hoistFromScans(expanded().withoutIdentities())
        try ask()
        let plain = try hoisted.simplified(asking: ask)
        let tables = contractTables(plain, weights)
        try ask()
        let simplified = tables == plain ? plain : try tables.simplified(asking: ask)
        let reassociated = try reassociateContractions(simplified, weights, asking: ask)
        return PreparedGraph(
            simplified: simplified, reassociated: reassociated == simplified ? nil : reassociated)
    }

    /// Without the operations that mean something to transformations alone.
    private func withoutIdentities() -> Graph {
        let b = GraphBuilder()
        return rewritten(in: b) { node, operands in
            switch node.operation {
            case is Detach, is BatchMean: operands
            case let scan as Scan: b.emitAll(scan.with(body: scan.body.withoutIdentities()), operands)
            default: b.emitAll(node.operation, operands)
            }
        }
    }

    /// The passes that leave primitives only, to a fixed point.
    public func simplified() -> Graph { simplified(asking: {}) }
}
