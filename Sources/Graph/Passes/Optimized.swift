extension Graph {
    /// The graph as it is executed: simplified, contractions in their cheapest order, elementwise regions fused, scans
    /// unrolled. Deterministic; the same outputs up to rounding. `Detach` and `BatchMean` are gone: derivatives are taken and
    /// batches made before.
    public func optimized() -> Graph {
        let simplified = hoistFromScans(expanded().withoutIdentities()).simplified()
        let plain = simplified.executable()
        let reassociated = reassociateContractions(simplified)
        if reassociated == simplified { return plain }
        // Where an order of contractions gains little, it may cost more than that by taking a region apart.
        let other = reassociated.executable()
        return other.cost().total < plain.cost().total ? other : plain
    }

    private func executable() -> Graph {
        let primitive = expandInnerProducts(fuseAccumulation(widenSums(self).simplified()))
        let fused = eliminateCommonSubexpressions(fuseElementwise(primitive))
        return unrollScans(fused) { $0.optimized() }
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
    public func simplified() -> Graph {
        var graph = eliminateDeadCode(self)
        for _ in 0..<Self.roundLimit {
            let next = eliminateDeadCode(
                foldTransposes(eliminateCommonSubexpressions(simplifyAlgebra(foldConstants(graph)))))
            if next == graph {
                let sunk = sinkTransposes(graph)
                if sunk == graph { break }
                graph = sunk
            } else {
                graph = next
            }
        }
        return graph
    }

    /// Each round ends with fewer or simpler nodes; two or three reach the fixed point of any network seen.
    private static let roundLimit = 8
}
