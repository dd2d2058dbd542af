import Graph

/// Tiles of copies: functions of shapes alone.
enum CopyTiling {
    private static let tileBytes = 64 * 1024
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
            let tile = evenTile(units, tiles: tiles, multiple: 1)
            return CopyCall(
                size: size, axes: axes, resultStrides: nil, squareAxis: squareAxis, tile: tile,
                tiles: ceilDivide(units, tile))
        }
        return rows(axes, resultStrides: nil, size: size)
    }

    /// Into a result that is written through strides.
    static func call(_ extents: [Int], from: [Int], to: [Int], size: Int) -> CopyCall {
        let collapsed = Axes.collapsed(extents, [from, to])
        if collapsed.strides[1] == Axes.rowMajorStrides(collapsed.extents) {
            return call(collapsed.axes(0), size: size)
        }
        return rows(collapsed.axes(0), resultStrides: collapsed.strides[1], size: size)
    }

    private static func rows(_ axes: Axes, resultStrides: [Int]?, size: Int) -> CopyCall {
        let tile = evenTile(axes.count, tiles: min(mostTiles, max(1, axes.count * size / tileBytes)), multiple: 1)
        return CopyCall(
            size: size, axes: axes, resultStrides: resultStrides, squareAxis: nil, tile: tile,
            tiles: ceilDivide(axes.count, tile))
    }

    /// The axis along which the operand is contiguous, where it is not the innermost one and is worth squares.
    private static func squareAxis(_ axes: Axes) -> Int? {
        guard let inner = axes.strides.last, inner > 1, let axis = axes.strides.firstIndex(of: 1) else { return nil }
        return axis < axes.extents.count - 1 && axes.extents[axis] >= 4 ? axis : nil
    }
}

/// Tiles of rows by number, and of padding: functions of shapes alone.
enum RowsTiling {
    private static let tileBytes = 64 * 1024
    private static let mostTiles = 64
    /// A tile that adds rows reads all indices, so that it should have enough columns, or rows, to make that cheap.
    private static let leastColumns = 64
    private static let fewestTiles = 4

    static func tile(_ call: inout RowsCall) {
        let count = call.batches * call.indices
        let bytes = count.multipliedReportingOverflow(by: call.length * call.element.byteCount).partialValue
        let wanted = min(mostTiles, max(1, bytes / tileBytes))
        (call.tile, call.columns) = (max(1, call.rows), max(1, call.length))
        if call.isGather {
            call.tile = evenTile(count, tiles: wanted, multiple: 1)
            call.tiles = ceilDivide(count, call.tile)
            return
        }
        if call.batches < wanted {
            let parts = min(ceilDivide(wanted, max(1, call.batches)), max(1, call.length / leastColumns))
            call.columns = evenTile(call.length, tiles: parts, multiple: 16)
            if parts == 1 { call.tile = evenTile(call.rows, tiles: min(fewestTiles, wanted, call.rows), multiple: 1) }
        }
        call.tiles =
            call.length == 0
            ? 0 : call.batches * ceilDivide(call.rows, call.tile) * ceilDivide(call.length, call.columns)
    }

    /// Elements of a row that is made of several axes.
    static let longestPadRow = 4096

    static func padTile(rows: Int, rowBytes: Int) -> Int {
        evenTile(rows, tiles: min(mostTiles, max(1, rows * rowBytes / tileBytes)), multiple: 1)
    }
}

/// Tiles and chunks of reductions: functions of shapes alone.
enum ReduceTiling {
    /// Elements read by a tile.
    private static let tileElements = 16 * 1024
    private static let mostTiles = 64

    static func tile(_ call: inout ReduceCall) {
        let results = call.kept.count * call.chunks
        let reads = call.kept.count * call.reduced.count
        let tiles = min(mostTiles, max(1, reads / tileElements))
        call.tile = evenTile(results, tiles: tiles, multiple: results >= 64 * tiles ? 16 : 1)
    }

    /// The length of chunks of the outermost reduced axis where the results are too few to share out; `nil` otherwise.
    static func chunk(_ kept: Axes, _ reduced: Axes) -> Int? {
        guard let outermost = reduced.extents.first, kept.count < 256, kept.count > 0 else { return nil }
        let reads = kept.count * reduced.count
        let chunks = min(mostTiles, reads / tileElements, outermost)
        return chunks < 2 ? nil : ceilDivide(outermost, chunks)
    }
}

/// A product whose contracted axis is cut: each chunk gives a partial result, and these are summed in order.
struct ProductChunks {
    var kind: ProductCall.Kind
    /// Terms of a chunk; the last may have fewer.
    var terms: Int
    /// The element of the partial results.
    var partial: ElementType
}

extension ProductTiling {
    /// A few very long sums: chunks share them out, and f64 keeps their rounding small.
    private static let longTerms = 32 * 1024
    private static let fewResults = 64

    /// A data gradient of a small batch: cut along the weights' rows as all other products with these weights are, so that
    /// a thread finds its part of the weights in its own cache. Between two cores modified memory moves slowly.
    private static let smallBatch = 24
    private static let rowChunks = 8
    private static let leastRowsOfChunk = 32

    /// Sums shared out among threads: so many terms are worth a partial result, and so many partial results are enough.
    private static let leastTermsOfChunk = 2048
    private static let mostTermsOfChunk = 20_480
    private static let mostChunks = 32

    /// The chunks for this product; `nil` where it is not cut.
    static func chunks(_ call: ProductCall) -> ProductChunks? {
        guard call.batches == 1, !call.accumulates else { return nil }
        let (results, overflow) = call.m.multipliedReportingOverflow(by: call.n)
        guard !overflow else { return nil }
        if results <= fewResults, call.aColumn == 1, call.bRow == 1, call.k >= 2 * longTerms {
            return ProductChunks(kind: .inner, terms: longTerms, partial: .f64)
        }
        if call.kind == .outer, call.m <= smallBatch, call.n >= 4 * leastOuterColumns / 3,
            call.k >= rowChunks * leastRowsOfChunk
        {
            return ProductChunks(
                kind: .outer, terms: roundUp(ceilDivide(call.k, rowChunks), to: 8), partial: call.result)
        }
        return sharedTerms(call)
    }

    /// Very many terms and too few results to share out: chunks of the terms are. Partial results are few beside the operands.
    private static func sharedTerms(_ call: ProductCall) -> ProductChunks? {
        guard call.k >= 2 * leastTermsOfChunk else { return nil }
        var whole = call
        tile(&whole)
        guard whole.tiles > 0 else { return nil }
        var count = 1
        if whole.tiles < (call.kind == .blas ? fewestTiles : usualTiles) {
            let work = Double(call.m) * Double(call.n) * Double(call.k)
            let wanted = min(mostChunks, Int(min(work / tileWork, Double(Int32.max))) / whole.tiles)
            // Doubling keeps the number even.
            while 2 * count <= wanted && call.k / (2 * count) >= leastTermsOfChunk { count *= 2 }
        }
        // Blocks of a chunk are added one after the other in f32, chunks in f64.
        if call.kind != .blas && call.result == .f32 { while call.k / count > mostTermsOfChunk { count *= 2 } }
        let terms = roundUp(ceilDivide(call.k, count), to: leastTermsOfChunk / 16)
        let results = Double(call.m) * Double(call.n)
        guard count > 1, 8 * results <= Double(terms) * Double(call.m + call.n) else { return nil }
        return ProductChunks(kind: call.kind, terms: terms, partial: call.result)
    }
}

/// The length of about so many tiles of an extent, a multiple of `multiple`, chosen among near numbers of tiles such that 2 and
/// 4 threads have equally much to do.
func evenTile(_ extent: Int, tiles wanted: Int, multiple: Int) -> Int {
    let whole = roundUp(max(1, extent), to: multiple)
    guard wanted > 1, extent > multiple else { return whole }
    var best = (loss: Double.infinity, tile: whole)
    for tiles in max(2, wanted * 3 / 4)...max(2, wanted * 3 / 2) {
        let tile = roundUp(ceilDivide(extent, tiles), to: multiple)
        let count = ceilDivide(extent, tile)
        // The longest that one of some threads works, over its fair share.
        func excess(_ threads: Int) -> Double {
            Double(ceilDivide(count, threads) * tile * threads) / Double(extent) - 1
        }
        let distance = Double(abs(count - wanted)) / Double(wanted)
        let loss = excess(2) + 0.5 * excess(4) + 0.02 * distance
        if loss < best.loss { best = (loss, tile) }
    }
    return best.tile
}
