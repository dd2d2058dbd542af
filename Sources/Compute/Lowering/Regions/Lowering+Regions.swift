import Graph

extension Lowering {
    mutating func lower(region body: Graph, _ node: Graph.Node) throws {
        var compiler = RegionCompiler(body)
        guard var call = try compiler.compile() else { throw PlanError.regionTooLarge(nodes: body.nodes.count) }
        var reads: [Storage] = []
        for (index, source) in compiler.sources.enumerated() {
            switch source {
            case .constant(let element, let bits):
                reads.append(.constant(constants.scalar(Double(bitPattern: bits), element)))
            case .bodyInput(let input):
                let operand = node.operands[input]
                if let splat = splats[root(operand)] {
                    // One element stands for all.
                    reads.append(.constant(constants.scalar(splat.splat, splat.type.element)))
                    call.operands[index].strides = call.extents.map { _ in 0 }
                    call.operands[index].offset = 0
                } else {
                    let offset = call.operands[index].offset * call.operands[index].element.byteCount
                    reads.append(try self.source(operand).advanced(by: offset))
                }
            }
        }
        RegionTiling.choose(&call)
        var (writes, partials): ([Storage], [(from: Storage, to: Storage, reduction: RegionCall.Reduction)]) = ([], [])
        let groups = call.count / max(1, call.reduced * call.inner)
        for case (let result, .result) in zip(node.results, call.outputs) { writes.append(try target(result)) }
        for case (let result, .reduction(let number)) in zip(node.results, call.outputs) {
            let to = try target(result)
            if call.walk.stretchTiles == 1 {
                writes.append(to)
            } else {
                let partial = try newBuffer(TensorType(.f64, [groups, call.walk.stretchTiles, call.inner]))
                writes.append(partial)
                partials.append((partial, to, call.reductions[number]))
            }
        }
        steps.append(
            Step(
                kernel: .region(call), reads: reads, writes: writes, inPlace: call.inPlacePairs(), tiles: call.tiles,
                label: label(node)))
        for (from, to, reduction) in partials {
            try reduce(
                from,
                Axes(extents: [groups, call.inner], strides: [call.walk.stretchTiles * call.inner, 1]).collapsed(),
                Axes(extents: [call.walk.stretchTiles], strides: [call.inner]).collapsed(), isSum: reduction.isSum,
                .f64,
                to: to, reduction.element, label(node) + ", total")
        }
    }
}
