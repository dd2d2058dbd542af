import Graph

extension Lowering {
    mutating func lower(_ convolution: Convolution, _ node: Graph.Node) throws {
        let result = node.results.lowerBound
        let types = node.operands.map { graph.type(of: $0) }
        let type = graph.types[result]
        if convolution.windows.count > ConvolutionShape.mostSpatialAxes {
            throw PlanError.unsupported("\(convolution.mnemonic) with \(convolution.windows.count) spatial axes")
        }
        if type.elements == 0 {
            _ = try target(result)
        } else if types.contains(where: { $0.elements == 0 }) {
            let zero = Constant(type: type, splat: 0)
            steps.append(try fill(with: zero, to: try target(result), type, label(node)))
        } else {
            let shape = ConvolutionShape(convolution, types[0], types[1], type, y: nil)
            switch shape.kind {
            case .positions: try lowerPositions(shape, node)
            case .gradient: try lowerGradient(shape, node)
            }
        }
    }

    // MARK: Many places

    private mutating func lowerPositions(_ given: ConvolutionShape, _ node: Graph.Node) throws {
        var shape = given
        var x = try source(node.operands[0])
        if shape.channelsOfData.extents.count > 1 {
            x = try copy(x, shape.left, order: shape.positionsOrder)
            shape.x = ConvolutionShape.strides(shape.left, order: shape.positionsOrder)
        }
        var call = ConvolutionCall(
            kind: .positions, element: shape.left.element, axes: shape.axes, groups: shape.groups, frees: shape.frees,
            channels: shape.channelsOfData, columns: shape.columns.count)
        ConvolutionTiling.choose(&call)
        let pack = ConvolutionPackCall(
            element: call.element, axes: shape.axes.map(\.ofKernel), groups: shape.groups.ofKernel,
            channels: shape.channelsOfKernel, columns: shape.columns.ofKernel, channelBlock: call.channelBlock,
            packedGroup: call.packedGroup)
        let w = try packed(node.operands[1], pack, label(node))
        steps.append(
            Step(
                kernel: .convolution(call), reads: [x, w], writes: [try target(node.results.lowerBound)], inPlace: [],
                tiles: call.tiles, label: label(node)))
    }

    /// The packed kernel, made once for all convolutions that read it alike.
    private mutating func packed(_ value: Value, _ pack: ConvolutionPackCall, _ label: StepLabel) throws -> Storage {
        let source = try source(value)
        let key = PackKey(source: source, call: pack)
        if let known = packs[key] { return known }
        let buffer = try newBuffer(TensorType(pack.element, [pack.groups.count, pack.packedGroup]))
        let type = graph.type(of: value)
        steps.append(
            Step(
                kernel: .convolutionPack(pack), reads: [source], writes: [buffer], inPlace: [],
                tiles: pack.tiles, label: StepLabel("kernel \(type) for \(label)")))
        packs[key] = buffer
        return buffer
    }

    // MARK: Few places

    private mutating func lowerGradient(_ given: ConvolutionShape, _ node: Graph.Node) throws {
        var shape = given
        var sources = [try source(node.operands[0]), try source(node.operands[1])]
        // Rows and columns are contiguous; axes that do not merge with them are groups in which the other operand repeats.
        var (rows, otherRows) = shape.frees.split { $0.x }
        if !rows.extents.isEmpty && rows.x != [1] {
            let order = shape.gradientOrders.x
            sources[0] = try copy(sources[0], shape.left, order: order)
            shape.x = ConvolutionShape.strides(shape.left, order: order)
            (rows, otherRows) = shape.frees.split { $0.x }
        }
        var (columns, otherColumns) = shape.columns.split { $0.w }
        if !columns.extents.isEmpty && columns.w != [1] {
            let order = shape.gradientOrders.w
            sources[1] = try copy(sources[1], shape.right, order: order)
            shape.w = ConvolutionShape.strides(shape.right, order: order)
            (columns, otherColumns) = shape.columns.split { $0.w }
        }
        var call = ConvolutionCall(
            kind: .gradient, element: shape.left.element, axes: shape.axes,
            groups: shape.groups + otherRows + otherColumns, frees: rows, channels: shape.channels,
            columns: columns.count)
        call.joinPlacesToFewRows()
        ConvolutionTiling.choose(&call)
        let placeAxes = ConvolutionAxes(shape.axes.map(\.out), y: shape.axes.map(\.y))
        let places = call.groups + placeAxes + rows
        let sum = ConvolutionSumCall(
            element: call.element, parts: call.parts,
            rows: Axes(extents: places.extents, strides: places.y).collapsed(),
            columns: columns.count, columnStride: columns.y.first ?? 1,
            tile: ConvolutionTiling.rowsOfSum(places.count, columns.count, parts: call.parts))
        let to = try target(node.results.lowerBound)
        let isDirect = sum.parts == 1 && sum.isContiguous
        let parts =
            isDirect ? to : try newBuffer(TensorType(call.element, [call.parts, places.count, columns.count]))
        steps.append(
            Step(
                kernel: .convolution(call), reads: sources, writes: [parts], inPlace: [], tiles: call.tiles,
                label: label(node)))
        if isDirect { return }
        steps.append(
            Step(
                kernel: .convolutionSum(sum), reads: [parts], writes: [to], inPlace: [], tiles: sum.tiles,
                label: label(node) + ", parts"))
    }

    private mutating func copy(_ source: Storage, _ type: TensorType, order: [Int]) throws -> Storage {
        let strides = Axes.rowMajorStrides(type.shape)
        let buffer = try newBuffer(type)
        steps.append(
            try copy(
                from: source, Axes(extents: order.map { type.shape[$0] }, strides: order.map { strides[$0] }),
                to: buffer, type.element, StepLabel("copy \(type) for a convolution")))
        return buffer
    }
}

/// A packed kernel of a plan: from where, and how.
struct PackKey: Hashable {
    var source: Storage
    var call: ConvolutionPackCall
}

extension ConvolutionAxis {
    /// As the kernel alone has it.
    fileprivate var ofKernel: ConvolutionAxis { ConvolutionAxis(window: window, reversed: reversed, w: w) }
}

extension ConvolutionAxes {
    /// As the kernel alone has them.
    fileprivate var ofKernel: ConvolutionAxes { ConvolutionAxes(extents, w: w) }

    /// The innermost axis, and those before it.
    fileprivate func split(_ strides: (Self) -> [Int]) -> (inner: Self, outer: Self) {
        guard let last = extents.indices.last else { return (self, self) }
        func part(_ range: Range<Int>) -> Self {
            ConvolutionAxes(Array(extents[range]), x: Array(x[range]), w: Array(w[range]), y: Array(y[range]))
        }
        return (part(last..<last + 1), part(0..<last))
    }
}

extension ConvolutionSumCall {
    /// Whether the result lies as the parts do.
    fileprivate var isContiguous: Bool {
        let whole = Axes(
            extents: rows.extents + [columns], strides: rows.strides + [columnStride]
        ).collapsed()
        return whole.extents.isEmpty || (whole.extents.count == 1 && whole.strides[0] == 1)
    }
}
