import Graph

extension Lowering {
    mutating func lower(_ dot: DotGeneral, _ node: Graph.Node, accumulate: Bool) throws {
        let shape = productShape(dot, node)
        if !accumulate, let call = ColumnDotsCall(shape) {
            try lower(call, node)
            return
        }
        let (call, sources) = try product(dot, shape, node, accumulate: accumulate)
        let to = try target(node.results.lowerBound)
        try lower(call, sources, accumulate ? Array(node.operands[2...]) : [], to: to, label(node))
    }

    /// A contraction whose result lies in another order of its axes.
    mutating func lower(_ arranged: ArrangedDot, _ node: Graph.Node) throws {
        let shape = productShape(arranged.dot, node)
        var (call, sources) = try product(arranged.dot, shape, node, accumulate: false)
        let to = try target(node.results.lowerBound)
        let rows = rows[node.results.lowerBound]
        if ProductTiling.chunks(call) == nil, let strides = arranged.strides(shape.a, shape.b, in: rows) {
            (call.cRow, call.cBatch) = (strides.row, strides.batch)
            return try lower(call, sources, [], to: to, label(node))
        }
        // A sum that is cut is put together first.
        let type = graph.type(of: node.result)
        let ordered = Transpose(permutation: arranged.permutation).inverse.map { type.shape[$0] }
        let whole = try newBuffer(TensorType(type.element, ordered))
        try lower(call, sources, [], to: whole, label(node))
        let strides = Axes.rowMajorStrides(ordered)
        let copy = CopyTiling.call(
            type.shape, from: arranged.permutation.map { strides[$0] },
            to: rows.flatMap { $0.strides(type.shape) } ?? Axes.rowMajorStrides(type.shape),
            size: type.element.byteCount)
        steps.append(
            Step(
                kernel: .copy(copy), reads: [whole], writes: [to], inPlace: [], tiles: copy.tiles, label: label(node)))
    }

    /// A region that reads a contraction: in one step where the kernel of the product makes whole rows, else one after the other.
    mutating func lower(_ fusion: DotFusion, _ node: Graph.Node) throws {
        let shape = productShape(fusion.dot, node)
        let (call, sources) = try product(fusion.dot, shape, node, accumulate: false)
        if try lower(region: fusion.body, node, computing: (call, sources, rowAxes: shape.aRows.count)) { return }
        let product = try newBuffer(fusion.body.inputs[0].type)
        try lower(call, sources, [], to: product, label(node))
        try lower(region: fusion.body, node, first: product)
    }

    private func productShape(_ dot: DotGeneral, _ node: Graph.Node) -> ProductShape {
        ProductShape(
            dot, graph.type(of: node.operands[0]), graph.type(of: node.operands[1]),
            strides: node.operands.prefix(2).map { memory.views[$0.id]?.strides })
    }

    /// The product of a node's first two operands before it is cut, and where these lie, copied if no kernel reads their strides.
    private mutating func product(
        _ dot: DotGeneral, _ shape: ProductShape, _ node: Graph.Node, accumulate: Bool
    ) throws -> (call: ProductCall, sources: [Storage]) {
        let views = node.operands.prefix(2).map { memory.views[$0.id] }
        var sources = try zip(node.operands, views).map { operand, view in
            guard let view else { return try source(operand) }
            return try source(Value(view.base)).advanced(by: view.offset * graph.type(of: operand).element.byteCount)
        }
        let (given, copied) = ([true, false].map(shape.operand), [true, false].map(shape.copiedOperand))
        var operands = given.indices.map { given[$0] ?? copied[$0] }
        var isCopied = given.map { $0 == nil }
        var bOrder = shape.bOrder
        var call = product(shape, operands, accumulate: accumulate)
        // A right operand that has to be copied anyway is copied row by row where that is as good.
        let rows = isCopied[1] ? shape.operandOfRows.map { [operands[0], $0] } : nil
        let byRows = rows.map { product(shape, $0, accumulate: accumulate) }
        if let rows, var byRows, ProductTiling.kind(byRows) == .outer, let order = shape.bOrderOfRows {
            byRows.kind = .outer
            (operands, bOrder, call) = (rows, order, byRows)
        } else if let kind = ProductTiling.kind(call) {
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
            let order = side == 0 ? shape.aOrder : bOrder
            let strides = side == 0 ? shape.aStrides : shape.bStrides
            let buffer = try newBuffer(type)
            steps.append(
                try copy(
                    from: sources[side],
                    Axes(extents: order.map { type.shape[$0] }, strides: order.map { strides[$0] }), to: buffer,
                    type.element, StepLabel("copy \(type) for a product")))
            sources[side] = buffer
        }
        return (call, sources)
    }

    /// - Parameter addend: with a call that accumulates, the addend and the scale.
    private mutating func lower(
        _ call: ProductCall, _ sources: [Storage], _ addend: [Value], to: Storage, _ label: StepLabel
    ) throws {
        if let chunks = ProductTiling.chunks(call) {
            try lower(call, in: chunks, sources, to: to, label)
            return
        }
        var call = call
        ProductTiling.tile(&call)
        let reads = try sources + addend.map { try source($0) }
        if call.tiles == 0 && call.m * call.n * call.batches > 0 {
            preconditionFailure("a product without tiles has a result")
        }
        steps.append(
            Step(
                kernel: .product(call), reads: reads, writes: [to], inPlace: addend.isEmpty ? [] : [(0, 2)],
                tiles: call.tiles, label: label))
    }

    private func product(_ shape: ProductShape, _ operands: [ProductOperand], accumulate: Bool) -> ProductCall {
        let extents = shape.aBatch.map { shape.a.shape[$0] }
        var call = ProductCall(
            kind: .blas, element: shape.element, result: shape.result, accumulates: accumulate, m: shape.m, n: shape.n,
            k: shape.k,
            aRow: operands[0].free, aColumn: operands[0].contracted, bRow: operands[1].contracted,
            bColumn: operands[1].free,
            batchExtents: extents, aBatch: operands[0].batch, bBatch: operands[1].batch, cRow: shape.n,
            cBatch: Axes.rowMajorStrides(extents).map { $0 * shape.m * shape.n }, tileM: 1, tileN: 1, tileBatches: 1,
            kChunk: 0)
        // The stride of an axis of extent 1 is free; OpenBLAS wants it no smaller than a row.
        if call.m == 1 && call.aColumn == 1 { call.aRow = max(1, call.k) }
        if call.k == 1 && call.bColumn == 1 { call.bRow = max(1, call.n) }
        return call
    }

    /// Partial results of chunks of the contracted axis, then their sum.
    private mutating func lower(
        _ product: ProductCall, in chunks: ProductChunks, _ sources: [Storage], to: Storage, _ label: StepLabel
    ) throws {
        var call = product
        call.kind = chunks.kind
        call.kChunk = chunks.terms
        call.result = chunks.partial
        let count = ceilDivide(call.k, chunks.terms)
        call.batchExtents = [count]
        call.aBatch = [chunks.terms * call.aColumn]
        call.bBatch = [chunks.terms * call.bRow]
        call.cBatch = [call.m * call.n]
        ProductTiling.tile(&call)
        let results = call.m * call.n
        let partial = try newBuffer(TensorType(chunks.partial, [count, results]))
        steps.append(
            Step(
                kernel: .product(call), reads: sources, writes: [partial], inPlace: [], tiles: call.tiles,
                label: label + ", partial"))
        try reduce(
            partial, Axes(extents: [results], strides: [1]).collapsed(),
            Axes(extents: [count], strides: [results]).collapsed(), isSum: true, chunks.partial,
            to: to, product.result, label)
    }
}
