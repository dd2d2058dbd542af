import Graph

extension Graph {
    /// With elementwise regions that the register machine cannot hold replaced by their single operations.
    func splittingLargeRegions() throws(GraphError) -> Graph {
        var isLarge = [Bool](repeating: false, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            guard let fusion = node.operation as? Fusion else { continue }
            var compiler = RegionCompiler(fusion.body)
            isLarge[index] = try compiler.compile() == nil
        }
        guard isLarge.contains(true) else { return self }
        let b = GraphBuilder()
        var values = inputs.map { b.input($0.name, $0.type) }
        for (index, node) in nodes.enumerated() {
            let operands = node.operands.map { values[$0.id] }
            if isLarge[index], let fusion = node.operation as? Fusion {
                values += b.inline(fusion.body, inputs: operands)
            } else {
                values += try b.applyAll(node.operation, operands)
            }
        }
        return b.build(outputs: outputs.map { ($0.name, values[$0.value.id]) })
    }
}
