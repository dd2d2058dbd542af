extension Graph {
    /// The passes that leave primitives only, to a fixed point. `ask` is called between passes: it may end all by throwing.
    package func simplified(asking ask: () throws -> Void) rethrows -> Graph {
        var graph = try eliminateDeadCode(self, asking: ask)
        for _ in 0..<Self.roundLimit {
            let folded = foldConstants(graph)
            try ask()
            let simpler = simplifyAlgebra(folded)
            try ask()
            let unique = try eliminateCommonSubexpressions(simpler, asking: ask)
            try ask()
            let next = try eliminateDeadCode(foldTransposes(unique), asking: ask)
            try ask()
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
