import Graph

extension CostWeights {
    /// A core of an AVX2 machine does about 35 f32 multiply-adds a nanosecond and moves about 4 elements a nanosecond to and
    /// from the caches in which intermediates lie. The same on every CPU, so that the same graph is planned everywhere.
    public static let cpu = CostWeights(multiplyAddsPerElement: 8)
}

extension Graph {
    /// The graph as this engine executes it: prepared, depthwise convolutions written out, elementwise regions fused, products added to where they lie, long sums of
    /// f32 in f64, scans unrolled. Deterministic; the same outputs up to rounding.
    public func optimized() -> Graph { optimized(asking: {}) }

    /// As above. `ask` is called between passes, and at every step of a scan that is written out: it may end all by throwing.
    func optimized(asking ask: () throws -> Void) rethrows -> Graph {
        try ask()
        let prepared = try prepared(for: .cpu, asking: ask)
        let plain = try prepared.simplified.executable(ask)
        guard let other = try prepared.reassociated?.executable(ask) else { return plain }
        return other.cost().total(.cpu) < plain.cost().total(.cpu) ? other : plain
    }

    /// This graph as it is executed, with a companion beside it: `joined(_:with:)`.
    /// - Returns: also the cost of what the companion adds.
    func optimized(
        with companion: Graph, asking ask: () throws -> Void
    ) rethrows -> (graph: Graph, companionCost: Cost) {
        let own = try optimized(asking: ask)
        try ask()
        let graph = try Graph.joined(own, with: companion, asking: ask)
        let added = graph.nodes.dropFirst(own.nodes.count).reduce(Cost()) { sum, node in
            sum
                + node.operation.cost(
                    operands: node.operands.map(graph.type), results: node.results.map { graph.types[$0] })
        }
        return (graph, added)
    }

    private func executable(_ ask: () throws -> Void) rethrows -> Graph {
        let simpler = try widenSums(expandDepthwise(self)).simplified(asking: ask)
        let primitive = arrangeProducts(expandInnerProducts(fuseAccumulation(fuseUpdates(simpler))))
        try ask()
        let fused = try eliminateCommonSubexpressions(fuseElementwise(primitive), asking: ask)
        return try unrollScans(fused, asking: ask) { try $0.optimized(asking: ask) }
    }
}
