/// The memory that the tiles of a kernel call read and write, as far as it is known: for each operand and result a range of bytes for each
/// tile, which may be wider than what is touched, never narrower.
struct Footprint {
    /// One operand or result.
    struct Access {
        /// What it lies in: a slot of the plan, with donated outputs in that of their input.
        let slot: Int
        let isWrite: Bool
        /// Of each tile.
        let ranges: [Range<Int>]
        /// Of all tiles.
        let whole: Range<Int>

        /// Whether a tile of one touches what another tile of the other does.
        func meetsOtherTiles(of other: Access) -> Bool {
            guard slot == other.slot, whole.overlaps(other.whole) else { return false }
            for (tile, range) in ranges.enumerated() {
                for (otherTile, otherRange) in other.ranges.enumerated()
                where tile != otherTile && range.overlaps(otherRange) { return true }
            }
            return false
        }
    }

    private(set) var accesses: [Access] = []
    /// Multiply-adds, or operations on one element.
    private(set) var work = 0

    /// `nil` for kernels of which it is not known.
    ///
    /// - Parameter place: slot and offset in bytes.
    init?(_ step: Step, place: (Storage) -> (slot: Int, offset: Int)) {
        guard step.tiles > 0 else { return nil }
        switch step.kernel {
        case .product(let call): guard add(call, step, place) else { return nil }
        case .region(let call): guard add(call, step, place) else { return nil }
        case .copy(let call): guard add(call, step, place) else { return nil }
        case .reduce, .rows, .pad, .columnDots, .convolution, .convolutionPack, .convolutionSum: return nil
        }
    }

    /// - Parameter elements: of a tile, from the storage on.
    private mutating func add(
        _ storage: Storage, _ place: (Storage) -> (slot: Int, offset: Int), isWrite: Bool, size: Int, tiles: Int,
        elements: (Int) -> Range<Int>
    ) {
        let (slot, offset) = place(storage)
        let ranges = (0..<tiles).map { tile in
            let range = elements(tile)
            return offset + range.lowerBound * size..<offset + range.upperBound * size
        }
        let low = ranges.map(\.lowerBound).min() ?? 0
        let high = ranges.map(\.upperBound).max() ?? 0
        accesses.append(Access(slot: slot, isWrite: isWrite, ranges: ranges, whole: low..<max(low, high)))
    }

    /// One matrix whose tiles are whole rows.
    private mutating func add(
        _ call: ProductCall, _ step: Step, _ place: (Storage) -> (slot: Int, offset: Int)
    ) -> Bool {
        guard call.batches == 1, call.kChunk == 0, call.element == call.result, call.tileN >= call.n, call.m > 0,
            call.n > 0, call.k > 0,
            min(call.aRow, call.aColumn, call.bRow, call.bColumn, call.cRow) >= 0
        else { return false }
        func rows(_ tile: Int, stride: Int, length: Int) -> Range<Int> {
            let (first, last) = (tile * call.tileM, min(call.m, (tile + 1) * call.tileM) - 1)
            return first * stride..<last * stride + length
        }
        let (size, tiles) = (call.element.byteCount, step.tiles)
        add(step.reads[0], place, isWrite: false, size: size, tiles: tiles) {
            rows($0, stride: call.aRow, length: (call.k - 1) * call.aColumn + 1)
        }
        add(step.reads[1], place, isWrite: false, size: size, tiles: tiles) { _ in
            0..<(call.k - 1) * call.bRow + (call.n - 1) * call.bColumn + 1
        }
        for (index, storage) in (step.writes + step.reads.dropFirst(2)).enumerated() {
            // Result, addend, scale.
            add(storage, place, isWrite: index == 0, size: call.result.byteCount, tiles: tiles) {
                index == 2 ? 0..<1 : rows($0, stride: call.cRow, length: call.n)
            }
        }
        work = call.m.multipliedSaturated(by: call.n).multipliedSaturated(by: call.k)
        return true
    }

    /// Elements one by one.
    private mutating func add(
        _ call: RegionCall, _ step: Step, _ place: (Storage) -> (slot: Int, offset: Int)
    ) -> Bool {
        guard call.count > 0, call.reductions.isEmpty, call.product == nil, call.steps.count == 1,
            let outermost = call.extents.first
        else { return false }
        let walk = call.walk
        func elements(_ tile: Int) -> Range<Int> {
            func element(_ block: Int) -> Int {
                if block >= walk.blocks { return call.count }
                let (line, unit) = (block / walk.lineBlocks, block % walk.lineBlocks * walk.blockUnits)
                return (line * walk.lineUnits + unit) * walk.unit
            }
            return element(tile * walk.tileBlocks)..<element((tile + 1) * walk.tileBlocks)
        }
        let inner = call.count / outermost
        for (operand, storage) in zip(call.operands, step.reads) {
            add(storage, place, isWrite: false, size: operand.element.byteCount, tiles: step.tiles) { tile in
                let range = elements(tile)
                switch operand.access {
                case .scalar: return 0..<1
                case .contiguous: return range
                default:
                    let axes = Axes(extents: call.extents, strides: operand.strides)
                    return axes.hull(from: range.lowerBound / inner, to: (range.upperBound - 1) / inner)
                }
            }
        }
        for (result, storage) in step.writes.enumerated() {
            let rows = call.rows[result]
            add(storage, place, isWrite: true, size: call.resultElements[result].byteCount, tiles: step.tiles) { tile in
                let range = elements(tile)
                guard let rows else { return range }
                func place(_ element: Int) -> Int { element / rows.length * rows.stride + element % rows.length }
                return place(range.lowerBound)..<place(range.upperBound - 1) + 1
            }
        }
        work = call.count.multipliedSaturated(by: max(1, call.instructions.count))
        return true
    }

    private mutating func add(
        _ call: CopyCall, _ step: Step, _ place: (Storage) -> (slot: Int, offset: Int)
    ) -> Bool {
        let count = call.axes.count
        guard count > 0, call.squareAxis == nil else { return false }
        func elements(_ tile: Int) -> Range<Int> { tile * call.tile..<min(count, (tile + 1) * call.tile) }
        let inner = count / (call.axes.extents.first ?? 1)
        add(step.reads[0], place, isWrite: false, size: call.size, tiles: step.tiles) { tile in
            let range = elements(tile)
            return call.axes.hull(from: range.lowerBound / inner, to: (range.upperBound - 1) / inner)
        }
        add(step.writes[0], place, isWrite: true, size: call.size, tiles: step.tiles) { tile in
            let range = elements(tile)
            guard let strides = call.resultStrides else { return range }
            let axes = Axes(extents: call.axes.extents, strides: strides)
            return axes.hull(from: range.lowerBound / inner, to: (range.upperBound - 1) / inner)
        }
        work = count
        return true
    }
}

extension Axes {
    /// All places from the first to the last entry of the outermost axis, and what lies between them.
    fileprivate func hull(from first: Int, to last: Int) -> Range<Int> {
        guard let outermost = strides.first else { return 0..<1 }
        let ends = [first * outermost, last * outermost]
        var (low, high) = (min(ends[0], ends[1]), max(ends[0], ends[1]))
        for (extent, stride) in zip(extents, strides).dropFirst() {
            low += min(0, (extent - 1) * stride)
            high += max(0, (extent - 1) * stride)
        }
        return low..<high + 1
    }
}
