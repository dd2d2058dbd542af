import Graph

extension Lowering {
    /// - Parameters:
    ///   - first: where the first input of the body lies, which is a contraction of the node's first two operands.
    ///   - product: the contraction, to be computed by the region itself.
    ///   - recurrence: what it is a step of.
    /// - Returns: false if it cannot compute that; then nothing has changed.
    @discardableResult
    mutating func lower(
        region body: Graph, _ node: Graph.Node, first: Storage? = nil,
        computing product: (call: ProductCall, sources: [Storage], rowAxes: Int)? = nil,
        recurrence: Scan? = nil
    ) throws -> Bool {
        var compiler = RegionCompiler(body, rowAxes: product?.rowAxes ?? 0)
        guard var call = try recurrence.map({ try compiler.compile(steps: $0) }) ?? compiler.compile() else {
            throw PlanError.regionTooLarge(nodes: body.nodes.count)
        }
        let contraction = compiler.sources.firstIndex(of: .bodyInput(0))
        if let product {
            guard let contraction, compiler.sources.count(where: { $0 == .bodyInput(0) }) == 1,
                RegionTiling.compute(contraction, by: product.call, in: &call)
            else { return false }
        }
        let first = first ?? product?.sources[0]
        var reads: [Storage] = []
        for (index, source) in compiler.sources.enumerated() {
            switch source {
            case .constant(let element, let bits):
                reads.append(.constant(constants.scalar(Double(bitPattern: bits), element)))
            case .bodyInput(let input):
                if input == 0, let first {
                    reads.append(first)
                    continue
                }
                let operand = node.operands[first == nil ? input : input + 1]
                if let splat = splats[root(operand)], call.operands[index].carry == nil {
                    // One element stands for all.
                    reads.append(.constant(constants.scalar(splat.splat, splat.type.element)))
                    call.operands[index].strides = call.extents.map { _ in 0 }
                    call.operands[index].offset = 0
                    call.operands[index].step = 0
                    call.operands[index].access = .scalar
                } else {
                    let offset = call.operands[index].offset * call.operands[index].element.byteCount
                    reads.append(try self.source(operand).advanced(by: offset))
                }
            }
        }
        for case (let result, .result(let number)) in zip(node.results, call.outputs) {
            call.rows[number] = rows[result]
        }
        if product == nil { RegionTiling.choose(&call) }
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
        reads += product?.sources ?? []
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
        return true
    }
}
