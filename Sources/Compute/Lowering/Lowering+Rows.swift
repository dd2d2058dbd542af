import Graph

/// Padding, concatenation, rows by number.
extension Lowering {
    /// Each operand into its part of the result, unless it was made there.
    mutating func lower(_ concatenate: Concatenate, _ node: Graph.Node) throws {
        let type = graph.type(of: node.result)
        let whole = try target(node.result.id)
        let outer = type.shape[..<concatenate.axis].reduce(1, *)
        let run = type.shape[concatenate.axis...].reduce(1, *)
        var start = 0
        for operand in node.operands {
            let own = graph.type(of: operand).shape[concatenate.axis...].reduce(1, *)
            let place = whole.advanced(by: start * type.element.byteCount)
            start += own
            let read = try sourceOrScalar(operand)
            if own == 0 || outer == 0 || read.storage == place { continue }
            let call = CopyTiling.call(
                [outer, own], from: read.isScalar ? [0, 0] : [own, 1], to: [run, 1], size: type.element.byteCount)
            steps.append(
                Step(
                    kernel: .copy(call), reads: [read.storage], writes: [place], inPlace: [], tiles: call.tiles,
                    label: label(node)))
        }
    }

    mutating func lower(_ pad: Pad, _ node: Graph.Node) throws {
        let type = graph.type(of: node.result)
        let call = PadCall(pad, graph.type(of: node.operands[0]), type)
        let value = Storage.constant(constants.scalar(type.element.rounded(pad.value), type.element))
        let to = try target(node.result.id)
        steps.append(
            Step(
                kernel: .pad(call), reads: [try source(node.operands[0]), value], writes: [to], inPlace: [],
                tiles: type.elements == 0 ? 0 : call.tiles, label: label(node)))
    }

    mutating func lower(_ gather: Gather, _ node: Graph.Node) throws {
        let (table, indices) = (graph.type(of: node.operands[0]), graph.type(of: node.operands[1]))
        try lowerRows(
            isGather: true, table: table.shape, batch: gather.batch, indices: indices.shape, table.element, node)
    }

    mutating func lower(_ scatter: ScatterAdd, _ node: Graph.Node) throws {
        let (indices, result) = (graph.type(of: node.operands[0]), graph.type(of: node.result))
        try lowerRows(
            isGather: false, table: result.shape, batch: scatter.batch, indices: indices.shape, result.element, node)
    }

    private mutating func lowerRows(
        isGather: Bool, table: [Int], batch: Int, indices: [Int], _ element: ElementType, _ node: Graph.Node
    ) throws {
        var call = RowsCall(
            isGather: isGather, element: element, batches: table[..<batch].reduce(1, *), rows: table[batch],
            length: table[(batch + 1)...].reduce(1, *), indices: indices[batch...].reduce(1, *), tile: 1, columns: 1,
            tiles: 0)
        RowsTiling.tile(&call)
        let reads = try node.operands.map { try source($0) }
        let to = try target(node.result.id)
        steps.append(
            Step(
                kernel: .rows(call), reads: reads, writes: [to], inPlace: [], tiles: call.tiles, label: label(node)))
    }
}

extension PadCall {
    /// Neighbouring axes that are walked as one are one: an axis without padding joins the one before it, unless that makes long rows
    /// of what threads could share.
    init(_ pad: Pad, _ operand: TensorType, _ result: TensorType) {
        var (extents, operandExtents, low, step): ([Int], [Int], [Int], [Int]) = ([1], [1], [0], [1])
        for axis in result.shape.indices {
            let isPlain = pad.low[axis] == 0 && pad.high[axis] == 0 && pad.interior[axis] == 0
            let length = (extents.last ?? 1).multipliedSaturated(by: result.shape[axis])
            if isPlain, step.last == 1, length <= RowsTiling.longestPadRow {
                let (place, extent) = (extents.count - 1, result.shape[axis])
                extents[place] *= extent
                operandExtents[place] *= extent
                low[place] *= extent
            } else {
                extents.append(result.shape[axis])
                operandExtents.append(operand.shape[axis])
                low.append(pad.low[axis])
                step.append(pad.interior[axis] + 1)
            }
        }
        size = result.element.byteCount
        rows = extents.dropLast().reduce(1, *)
        tile = RowsTiling.padTile(rows: rows, rowBytes: (extents.last ?? 1) * size)
        (self.extents, self.operandExtents, self.low, self.step) = (extents, operandExtents, low, step)
    }
}
