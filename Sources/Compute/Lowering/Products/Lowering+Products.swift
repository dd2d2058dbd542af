import Graph

extension Lowering {
    mutating func lower(_ dot: DotGeneral, _ node: Graph.Node, accumulate: Bool) throws {
        let views = node.operands.prefix(2).map { memory.views[$0.id] }
        let shape = ProductShape(
            dot, graph.type(of: node.operands[0]), graph.type(of: node.operands[1]), strides: views.map { $0?.strides })
        if !accumulate, let call = ColumnDotsCall(shape) {
            try lower(call, node)
            return
        }
        var sources = try zip(node.operands, views).map { operand, view in
            guard let view else { return try source(operand) }
            return try source(Value(view.base)).advanced(by: view.offset * graph.type(of: operand).element.byteCount)
        }
        let (given, copied) = ([true, false].map(shape.operand), [true, false].map(shape.copiedOperand))
        var operands = given.indices.map { given[$0] ?? copied[$0] }
        var isCopied = given.map { $0 == nil }
        var call = product(shape, operands, accumulate: accumulate)
        if let kind = ProductTiling.kind(call) {
            call.kind = kind
        } else {
            // No kernel reads these strides: both operands with contiguous rows suit every kernel.
            operands = copied
            for side in 0...1 { isCopied[side] = isCopied[side] || !(given[side].map { $0.contracted == 1 } ?? false) }
            for side in 0...1 where !isCopied[side] { operands[side] = given[side] ?? copied[side] }
            call = product(shape, operands, accumulate: accumulate)
            guard let kind = ProductTiling.kind(call) else {
                throw PlanError.unsupported("\(dot.mnemonic) {\(dot.attributes)}")
            }
            call.kind = kind
        }
        for side in 0...1 where isCopied[side] {
            let type = side == 0 ? shape.a : shape.b
            let order = side == 0 ? shape.aOrder : shape.bOrder
            let strides = side == 0 ? shape.aStrides : shape.bStrides
            let buffer = try newBuffer(type)
            steps.append(
                try copy(
                    from: sources[side],
                    Axes(extents: order.map { type.shape[$0] }, strides: order.map { strides[$0] }), to: buffer,
                    type.element, "copy \(type) for a product"))
            sources[side] = buffer
        }
        let resultType = graph.types[node.results.lowerBound]
        if let chunks = ProductTiling.chunks(call) {
            try lower(call, in: chunks, sources, node)
            return
        }
        ProductTiling.tile(&call)
        var reads = sources
        var inPlace: [(write: Int, read: Int)] = []
        if accumulate {
            reads += [try source(node.operands[2]), try source(node.operands[3])]
            inPlace = [(0, 2)]
        }
        let to = try target(node.results.lowerBound)
        if call.tiles == 0 && resultType.elements > 0 { preconditionFailure("a product without tiles has a result") }
        steps.append(
            Step(
                kernel: .product(call), reads: reads, writes: [to], inPlace: inPlace, tiles: call.tiles,
                label: label(node)))
    }

    private func product(_ shape: ProductShape, _ operands: [ProductOperand], accumulate: Bool) -> ProductCall {
        var call = ProductCall(
            kind: .blas, element: shape.element, result: shape.result, accumulates: accumulate, m: shape.m, n: shape.n,
            k: shape.k,
            aRow: operands[0].free, aColumn: operands[0].contracted, bRow: operands[1].contracted,
            bColumn: operands[1].free,
            batchExtents: shape.aBatch.map { shape.a.shape[$0] }, aBatch: operands[0].batch, bBatch: operands[1].batch,
            tileM: 1,
            tileN: 1, tileBatches: 1, kChunk: 0)
        // The stride of an axis of extent 1 is free; OpenBLAS wants it no smaller than a row.
        if call.m == 1 && call.aColumn == 1 { call.aRow = max(1, call.k) }
        if call.k == 1 && call.bColumn == 1 { call.bRow = max(1, call.n) }
        return call
    }

    /// Partial results of chunks of the contracted axis, then their sum.
    private mutating func lower(
        _ product: ProductCall, in chunks: ProductChunks, _ sources: [Storage], _ node: Graph.Node
    ) throws {
        var call = product
        call.kind = chunks.kind
        call.kChunk = chunks.terms
        call.result = chunks.partial
        let count = ceilDivide(call.k, chunks.terms)
        call.batchExtents = [count]
        call.aBatch = [chunks.terms * call.aColumn]
        call.bBatch = [chunks.terms * call.bRow]
        ProductTiling.tile(&call)
        let results = call.m * call.n
        let partial = try newBuffer(TensorType(chunks.partial, [count, results]))
        steps.append(
            Step(
                kernel: .product(call), reads: sources, writes: [partial], inPlace: [], tiles: call.tiles,
                label: label(node) + ", partial"))
        let type = graph.types[node.results.lowerBound]
        try reduce(
            partial, Axes(extents: [results], strides: [1]).collapsed(),
            Axes(extents: [count], strides: [results]).collapsed(), isSum: true, chunks.partial,
            to: try target(node.results.lowerBound), type.element, label(node))
    }
}
