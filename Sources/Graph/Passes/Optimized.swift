extension Graph {
    /// The graph as it is executed: simplified, contractions in their cheapest order, elementwise regions fused.
    /// Deterministic; the same outputs up to rounding. `Detach` is gone: derivatives are taken before.
    public func optimized() -> Graph {
        let simplified = expanded().withoutDetach().simplified()
        let plain = simplified.executable()
        let reassociated = reassociateContractions(simplified)
        if reassociated == simplified { return plain }
        // Where an order of contractions gains little, it may cost more than that by taking a region apart.
        let other = reassociated.executable()
        return other.cost().total < plain.cost().total ? other : plain
    }

    private func executable() -> Graph {
        eliminateCommonSubexpressions(fuseElementwise(fuseAccumulation(widenSums(self).simplified())))
    }

    private func withoutDetach() -> Graph {
        let b = GraphBuilder()
        return rewritten(in: b) { node, operands in
            node.operation is Detach ? operands : b.emitAll(node.operation, operands)
        }
    }

    /// The passes that leave primitives only, to a fixed point.
    public func simplified() -> Graph {
        var graph = eliminateDeadCode(self)
        for _ in 0..<Self.roundLimit {
            let next = eliminateDeadCode(
                foldTransposes(eliminateCommonSubexpressions(simplifyAlgebra(foldConstants(graph)))))
            if next == graph { break }
            graph = next
        }
        return graph
    }

    /// Each round ends with fewer or simpler nodes; two or three reach the fixed point of any network seen.
    private static let roundLimit = 8
}
