import CKernels
import Graph

/// Blocks and tiles of regions: functions of shapes alone.
enum RegionTiling {
    /// Blocks keep all registers and gathered operands within half of a first-level cache of 32 KiB.
    private static let blockBytes = 16 * 1024
    /// So many that what an instruction costs to begin is little beside them, and so few that a core works on the next instruction while
    /// quotients and roots of this one are still to come.
    private static let mostBlock = 512
    /// Work of a tile, in operations on one element: two or three microseconds.
    private static let tileWork = 48_000
    private static let mostTiles = 64
    /// What a function of the C library costs, in additions.
    private static let transcendentalCost = 12
    /// What it costs to sum up one row, beside its elements.
    private static let rowCost = 200
    /// Less than a tile's work is shared by two threads where it takes a microsecond: a recurrence has thousands of such calls.
    private static let halvedWork = 16_000

    /// - Parameter wanted: how many tiles there should be, about; by default as many as the work is worth.
    static func choose(_ call: inout RegionCall, tiles wanted: Int? = nil) {
        call.walk = RegionWalk()
        // Nothing to do: no blocks.
        if call.count == 0 { return }
        let tiles = wanted ?? wantedTiles(call)
        walk(&call, tiles: tiles)
        access(&call)
        cut(&call, tiles: tiles)
    }

    /// Lets a region compute an operand as it walks: rows of a product at a time, so many that they stay near. Tiles are those of
    /// the product by rows, which all products with these weights have, or smaller ones.
    /// - Returns: whether it can; nothing has changed otherwise.
    static func compute(_ operand: Int, by product: ProductCall, in call: inout RegionCall) -> Bool {
        guard [.inner, .outer].contains(product.kind), product.batches == 1, product.kChunk == 0, !product.accumulates,
            product.element == product.result, call.reductions.isEmpty, call.extents == [product.m, product.n],
            call.operands[operand].access == .contiguous
        else { return false }
        var walk = call.walk
        // Blocks are whole rows or lie within one; the kernels make up to 8 rows at once.
        var rows = 8
        if walk.axis == 0 {
            walk.blockUnits =
                walk.blockUnits >= 8
                ? walk.blockUnits / 8 * 8 : walk.blockUnits >= 4 ? 4 : max(1, walk.blockUnits / 2 * 2)
            rows = max(rows, walk.blockUnits)
        }
        let (made, overflow) = (rows + 1).multipliedReportingOverflow(by: product.n * product.element.byteCount)
        guard !overflow, made <= mostComputedBytes else { return false }
        var tiled = product
        ProductTiling.tile(&tiled, byRows: true)
        // An update with roots and quotients takes longer than the product does: its tiles are smaller, so that threads end together.
        let operations = max(1, product.k + call.instructions.reduce(0) { $0 + RegionPairs.operations($1.opcode) })
        let tile = min(
            roundUp(tiled.tileM, to: rows), roundUp(max(1, tileWork / max(1, product.n * operations)), to: rows))
        walk.blocks = walk.axis == 0 ? walk.lineBlocks : product.m * walk.lineBlocks
        walk.tileBlocks = walk.axis == 0 ? tile / walk.blockUnits : tile * walk.lineBlocks
        (walk.stretchBlocks, walk.stretchTiles) = (walk.tileBlocks, 1)
        call.walk = walk
        call.operands[operand].access = .computed
        // What it makes at a time is one tile.
        (tiled.tileM, tiled.tileN) = (rows, product.n)
        call.product = RegionProduct(call: tiled, operand: operand, rows: rows)
        return true
    }

    /// Of rows that are computed: half of a thread's working memory.
    private static let mostComputedBytes = Int(CK_SCRATCH_BYTES) / 2

    private static func wantedTiles(_ call: RegionCall) -> Int {
        let transcendental = [CK_EXP, CK_EXPM1, CK_LOG, CK_LOG1P, CK_TANH, CK_LOGISTIC, CK_ERF, CK_POWER].map {
            Int($0.rawValue)
        }
        let operations = call.instructions.reduce(call.reductions.count) {
            $0 + (transcendental.contains($1.opcode) ? transcendentalCost : RegionPairs.operations($1.opcode))
        }
        // Where little is done, moving what is read and written takes longer.
        let moved = call.resultElements.count + call.operands.count { !$0.strides.allSatisfy { $0 == 0 } }
        let perElement = max(1, operations, moved) * call.steps.count
        let (work, overflow) = call.count.multipliedReportingOverflow(by: perElement)
        let tiles = overflow ? mostTiles : min(mostTiles, max(1, work / tileWork))
        if call.reductions.isEmpty { return tiles == 1 && work >= halvedWork ? 2 : tiles }
        // More tiles of whole rows give the same bits, parts of rows others.
        let rows = call.count / max(1, call.reduced)
        guard call.inner == 1, rows >= mostTiles else { return tiles }
        return min(mostTiles, max(tiles, (work + rows * call.reductions.count * rowCost) / tileWork))
    }

    /// The axis that blocks are cut along, and where they are cut: as many of the innermost axes as fit are in a block whole.
    private static func walk(_ call: inout RegionCall, tiles: Int) {
        var bytes = call.registerSizes.reduce(0, +)
        for operand in call.operands where operand.strides != Axes.rowMajorStrides(call.extents) {
            bytes += operand.element.byteCount
        }
        bytes += call.rows.keys.reduce(0) { $0 + call.resultElements[$1].byteCount }
        var most = min(max(blockBytes / max(bytes, 1) / 64 * 64, 64), mostBlock)
        most = min(most, max(64, roundUp(ceilDivide(call.count, tiles), to: 64)))
        let extents = call.extents
        var (axis, unit) = (extents.count - 1, 1)
        while axis > 0, unit * extents[axis] <= most {
            unit *= extents[axis]
            axis -= 1
        }
        let line = extents[axis]
        var pieces = max(1, ceilDivide(line, max(1, most / unit)))
        // Few blocks are shared by two threads evenly.
        if tiles > 1 && pieces < 8 && axis == 0 && call.reductions.isEmpty {
            pieces = min(line, roundUp(pieces, to: 2))
        }
        call.walk.axis = axis
        call.walk.unit = unit
        call.walk.lineUnits = line
        call.walk.blockUnits = max(1, ceilDivide(line, pieces))
        // Whole vectors, where the innermost axis is cut.
        if unit == 1 && pieces > 1 { call.walk.blockUnits = min(most, roundUp(call.walk.blockUnits, to: 16)) }
        call.walk.blocks = extents[..<axis].reduce(1, *) * call.walk.lineBlocks
    }

    /// How each operand is read in such blocks.
    private static func access(_ call: inout RegionCall) {
        let axis = call.walk.axis
        let rowMajor = Axes.rowMajorStrides(call.extents)
        for index in call.operands.indices {
            let (strides, offset) = (call.operands[index].strides, call.operands[index].offset)
            let block = Axes(extents: [1] + call.extents[(axis + 1)...], strides: Array(strides[axis...]))
            call.operands[index].block = mergedFromFirst(block)
            if call.operands[index].carry != nil {
                call.operands[index].access = .carried
            } else if strides.allSatisfy({ $0 == 0 }) && call.operands[index].step == 0 {
                call.operands[index].access = .scalar
            } else if strides == rowMajor && offset == 0 {
                call.operands[index].access = .contiguous
            } else {
                call.operands[index].access = call.operands[index].block.strides == [1] ? .inPlace : .strided
            }
        }
    }

    /// Axes merged with their neighbours where they can be; the first one, of which a block has several steps, keeps its place
    /// even if it has one here.
    private static func mergedFromFirst(_ axes: Axes) -> Axes {
        var result = Axes(extents: [axes.extents[0]], strides: [axes.strides[0]])
        for (extent, stride) in zip(axes.extents, axes.strides).dropFirst() where extent != 1 {
            let last = result.extents.count - 1
            if result.strides[last] == stride * extent {
                result.extents[last] *= extent
                result.strides[last] = stride
            } else {
                result.extents.append(extent)
                result.strides.append(stride)
            }
        }
        return result
    }

    /// Tiles: some blocks, of whole groups where something is reduced; parts of a group where there are few.
    private static func cut(_ call: inout RegionCall, tiles: Int) {
        let blocks = call.walk.blocks
        let groups = call.reductions.isEmpty ? blocks : call.count / max(1, call.reduced * call.inner)
        call.walk.stretchTiles = 1
        if groups >= blocks {
            call.walk.tileBlocks = evenTile(blocks, tiles: tiles, multiple: 1)
            call.walk.stretchBlocks = call.walk.tileBlocks
            return
        }
        let perGroup = blocks / max(1, groups)
        if groups >= tiles {
            call.walk.tileBlocks = evenTile(groups, tiles: tiles, multiple: 1) * perGroup
            call.walk.stretchBlocks = call.walk.tileBlocks
        } else {
            call.walk.tileBlocks = evenTile(perGroup, tiles: ceilDivide(tiles, groups), multiple: 1)
            call.walk.stretchBlocks = perGroup
            call.walk.stretchTiles = ceilDivide(perGroup, call.walk.tileBlocks)
        }
    }
}
