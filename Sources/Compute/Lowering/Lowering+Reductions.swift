import Graph

extension Lowering {
    mutating func lower(_ reduction: some Reduction, _ node: Graph.Node, isSum: Bool) throws {
        let type = graph.type(of: node.operands[0])
        let read = try sourceOrScalar(node.operands[0])
        let strides = read.isScalar ? type.shape.map { _ in 0 } : Axes.rowMajorStrides(type.shape)
        func axes(_ chosen: [Int]) -> Axes {
            Axes(extents: chosen.map { type.shape[$0] }, strides: chosen.map { strides[$0] }).collapsed()
        }
        let kept = axes(type.shape.indices.filter { !reduction.dimensions.contains($0) })
        let reduced = axes(reduction.dimensions.sorted())
        let to = try target(node.results.lowerBound)
        try reduce(read.storage, kept, reduced, isSum: isSum, type.element, to: to, type.element, label(node))
    }

    /// One reduction, or two where there are few results: then chunks of the outermost reduced axis give partial results first.
    mutating func reduce(
        _ from: Storage, _ kept: Axes, _ reduced: Axes, isSum: Bool, _ element: ElementType, to: Storage,
        _ result: ElementType, _ label: StepLabel
    ) throws {
        let outermost = reduced.extents.first ?? 1
        var call = ReduceCall(
            isSum: isSum, element: element, result: result, kept: kept, reduced: reduced, chunks: 1,
            chunk: max(1, outermost),
            tile: 1)
        if let chunk = ReduceTiling.chunk(kept, reduced), element.isFloating {
            call.chunk = chunk
            call.chunks = ceilDivide(outermost, chunk)
            call.result = .f64
            ReduceTiling.tile(&call)
            let partial = try newBuffer(TensorType(.f64, [call.chunks, kept.count]))
            steps.append(
                Step(
                    kernel: .reduce(call), reads: [from], writes: [partial], inPlace: [], tiles: call.tiles,
                    label: label + ", partial"))
            var last = ReduceCall(
                isSum: isSum, element: .f64, result: result,
                kept: Axes(extents: [kept.count], strides: [1]).collapsed(),
                reduced: Axes(extents: [call.chunks], strides: [kept.count]), chunks: 1, chunk: call.chunks, tile: 1)
            ReduceTiling.tile(&last)
            steps.append(
                Step(
                    kernel: .reduce(last), reads: [partial], writes: [to], inPlace: [], tiles: last.tiles, label: label)
            )
            return
        }
        ReduceTiling.tile(&call)
        steps.append(
            Step(kernel: .reduce(call), reads: [from], writes: [to], inPlace: [], tiles: call.tiles, label: label))
    }
}
