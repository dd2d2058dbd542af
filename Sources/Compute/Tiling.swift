import Graph

/// Tiles of copies: functions of shapes alone.
enum CopyTiling {
    private static let tileBytes = 256 * 1024
    private static let mostTiles = 64

    static func call(_ axes: Axes, size: Int) -> CopyCall {
        let count = axes.count
        let tiles = min(mostTiles, max(1, count * size / tileBytes))
        if let squareAxis = squareAxis(axes) {
            let square = 32
            let inner = axes.extents.last ?? 1
            let units =
                count == 0
                ? 0 : ceilDivide(axes.extents[squareAxis], square) * (count / axes.extents[squareAxis] / inner)
            let tile = max(1, ceilDivide(units, tiles))
            return CopyCall(size: size, axes: axes, squareAxis: squareAxis, tile: tile, tiles: ceilDivide(units, tile))
        }
        let tile = max(1, ceilDivide(count, tiles))
        return CopyCall(size: size, axes: axes, squareAxis: nil, tile: tile, tiles: ceilDivide(count, tile))
    }

    /// The axis along which the operand is contiguous, where it is not the innermost one and is worth squares.
    private static func squareAxis(_ axes: Axes) -> Int? {
        guard let inner = axes.strides.last, inner > 1, let axis = axes.strides.firstIndex(of: 1) else { return nil }
        return axis < axes.extents.count - 1 && axes.extents[axis] >= 4 ? axis : nil
    }
}

/// Tiles and chunks of reductions: functions of shapes alone.
enum ReduceTiling {
    /// Elements read by a tile.
    private static let tileElements = 64 * 1024
    private static let mostTiles = 64

    static func tile(_ call: inout ReduceCall) {
        let results = call.kept.count * call.chunks
        let reads = call.kept.count * call.reduced.count
        let tiles = min(mostTiles, max(1, reads / tileElements))
        call.tile = max(1, ceilDivide(results, tiles))
    }

    /// The length of chunks of the outermost reduced axis where the results are too few to share out; `nil` otherwise.
    static func chunk(_ kept: Axes, _ reduced: Axes) -> Int? {
        guard let outermost = reduced.extents.first, kept.count < 256, kept.count > 0 else { return nil }
        let reads = kept.count * reduced.count
        let chunks = min(mostTiles, reads / tileElements, outermost)
        return chunks < 2 ? nil : ceilDivide(outermost, chunks)
    }
}

extension ProductTiling {
    /// Terms of a chunk of a very long sum.
    private static let chunkTerms = 32 * 1024
    private static let fewResults = 64

    /// The length of chunks of the contracted axis where the results are few and the sums long; `nil` otherwise.
    static func chunk(_ call: ProductCall) -> Int? {
        let isInner = call.aColumn == 1 && call.bRow == 1
        let (results, overflow) = call.m.multipliedReportingOverflow(by: call.n)
        guard !overflow, results <= fewResults, isInner, call.batches == 1, call.k >= 2 * chunkTerms, !call.accumulates
        else { return nil }
        return chunkTerms
    }
}
