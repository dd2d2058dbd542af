import Graph

extension Graph {
    /// With elementwise regions that the register machine cannot hold replaced by their single operations. `ask` is called at every
    /// region: it may end all by throwing.
    func splittingLargeRegions(asking ask: () throws -> Void = {}) throws -> Graph {
        var isLarge = [Bool](repeating: false, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            guard let body = (node.operation as? Fusion)?.body ?? (node.operation as? DotFusion)?.body else { continue }
            try ask()
            var compiler = RegionCompiler(body)
            isLarge[index] = try compiler.compile() == nil
        }
        guard isLarge.contains(true) else { return self }
        let b = GraphBuilder()
        var values = inputs.map { b.input($0.name, $0.type) }
        for (index, node) in nodes.enumerated() {
            let operands = node.operands.map { values[$0.id] }
            if isLarge[index], let expanded = node.operation.expansion(of: operands.map(b.type)) {
                values += b.inline(expanded, inputs: operands)
            } else {
                values += try b.applyAll(node.operation, operands)
            }
        }
        return b.build(outputs: outputs.map { ($0.name, values[$0.value.id]) })
    }
}
