import CKernels
import Graph

/// Blocks and tiles of convolutions: functions of shapes and strides alone.
///
/// The figures were measured on 2 cores with AVX-512: see `docs/decisions/compute-convolutions.md`.
enum ConvolutionTiling {
    /// Work of a tile, in multiply-adds: some ten microseconds; and of the least one that is worth a thread.
    private static let tileWork = 3_000_000.0
    private static let leastWork = 200_000.0
    private static let usualTiles = 16.0
    private static let mostTiles = 256.0
    /// Bytes that stay in a second-level cache beside others: of packed columns, of copied lines, of operands, of sums.
    private static let cachedBytes = 256 * 1024
    /// Rows of the register tile below which its sums wait for each other.
    private static let fullRows = 6
    /// Terms of a line that are worth a run of their own.
    private static let shortLine = 6
    private static let mostParts = 16
    /// Terms of a part of a gradient; fewer would not pay for adding the parts up.
    private static let leastTerms = 256

    private static func tilesWanted(_ call: ConvolutionCall) -> Int {
        let work = call.work
        return Int(max(1, min(mostTiles, max(work / tileWork, min(usualTiles, work / leastWork)))))
    }

    static func choose(_ call: inout ConvolutionCall) {
        if call.kind == .positions { choosePositions(&call) } else { chooseGradient(&call) }
    }

    // MARK: Positions

    private static func choosePositions(_ call: inout ConvolutionCall) {
        let size = call.element.byteCount
        let across = call.axes[2]
        let channels = max(1, call.channels.count)
        let channelStride = call.channels.x.first ?? 1
        call.alongFree = prefersFree(call, channelStride)
        let slab = call.windowPlaces * ConvolutionCall.columnMultiple * size
        call.channelBlock = nearlyEqual(channels, most: max(1, cachedBytes * 3 / 2 / slab))
        let reach = across.reach
        call.isCopied =
            !call.alongFree && (reach.lowerBound < 0 || reach.upperBound >= across.input || channelStride != 1)
        call.tileLines = max(1, call.axes[1].out)
        if call.isCopied {
            let line = reach.count * size
            while call.axes[1].reached(by: call.tileLines) * line * call.channelBlock > cachedBytes {
                if call.tileLines > 1 {
                    call.tileLines = ceilDivide(call.tileLines, 2)
                } else if call.channelBlock > 1 {
                    call.channelBlock = ceilDivide(call.channelBlock, 2)
                } else {
                    break
                }
            }
            if call.axes[1].reached(by: call.tileLines) * line * call.channelBlock > Int(CK_SCRATCH_BYTES) {
                (call.alongFree, call.isCopied) = (true, false)
            }
        }
        call.tileFree = max(1, call.rows)
        call.tileColumns = max(1, roundUp(call.columns, to: ConvolutionCall.columnMultiple))
        let columnBytes = call.windowPlaces * channels * size
        while call.tileColumns > ConvolutionCall.columnMultiple && call.tileColumns * columnBytes > 2 * cachedBytes {
            call.tileColumns = roundUp(ceilDivide(call.tileColumns, 2), to: ConvolutionCall.columnMultiple)
        }
        cutPositions(&call, tilesWanted(call))
    }

    private static func cutPositions(_ call: inout ConvolutionCall, _ wanted: Int) {
        // Lines of a copied tile overlap those of its neighbour.
        let leastLines = call.isCopied ? 4 : 1
        if call.tiles < wanted, call.tileLines > leastLines {
            let tiles = min(ceilDivide(call.axes[1].out, leastLines), ceilDivide(wanted, max(1, call.tiles)))
            call.tileLines = min(call.tileLines, evenTile(call.axes[1].out, tiles: tiles, multiple: 1))
        }
        while call.tiles < wanted && call.tileColumns > ConvolutionCall.columnMultiple {
            call.tileColumns = roundUp(ceilDivide(call.tileColumns, 2), to: ConvolutionCall.columnMultiple)
        }
        while call.tiles < wanted && call.alongFree && call.tileFree >= 4 * fullRows {
            call.tileFree = ceilDivide(call.tileFree, 2)
        }
        if call.tiles > 2 * wanted {
            let entries = call.groups.count * (call.frees.count / call.rows)
            call.tileEntries = evenTile(
                entries, tiles: max(1, wanted * ceilDivide(entries, call.tileEntries) / call.tiles), multiple: 1)
        }
    }

    /// Whether the innermost free axis fills the register tile better than axis 2: with few places a line, most of them at its
    /// ends, where window places meet nothing.
    private static func prefersFree(_ call: ConvolutionCall, _ channelStride: Int) -> Bool {
        guard let free = call.frees.extents.last, free > 1 else { return false }
        let across = call.axes[2]
        func filled(_ rows: Int) -> Double {
            let pieces = ceilDivide(rows, 14)
            return min(1, Double(rows) / Double(pieces * fullRows))
        }
        let met = (0..<across.window).reduce(0) { count, tap in
            count
                + (0..<across.out).filter { place in
                    let at = place * across.stride + tap * across.rhsDilation - across.low
                    return at >= 0 && at / across.lhsDilation < across.input
                }.count
        }
        let alongAcross =
            filled(ceilDivide(across.out, across.phases)) * Double(met) / Double(max(1, across.out * across.window))
        let strided = channelStride == 1 || call.channels.count <= 1 ? 0.95 : 0.5
        return filled(free) * strided > alongAcross
    }

    // MARK: Gradients

    private static func chooseGradient(_ call: inout ConvolutionCall) {
        let size = call.element.byteCount
        let innerChannels = call.channels.extents.last ?? 1
        // Along the channels (samples) each term lies in another page, so only where lines are very short.
        call.alongChannels = call.axes[2].window < shortLine && innerChannels > call.axes[2].window
        // The sums of each part are written and read once more.
        let wanted = min(mostParts, tilesWanted(call))
        // Sums of a tile stay in the cache over its blocks.
        call.tileFree = max(1, call.frees.count)
        call.tileColumns = max(1, roundUp(call.columns, to: ConvolutionCall.columnMultiple))
        while call.outPlaces * call.tileFree * call.tileColumns * size > cachedBytes {
            if call.tileColumns > 2 * ConvolutionCall.columnMultiple {
                call.tileColumns = roundUp(ceilDivide(call.tileColumns, 2), to: ConvolutionCall.columnMultiple)
            } else if call.tileFree > 32 {
                call.tileFree = ceilDivide(call.tileFree, 2)
            } else {
                break
            }
        }
        let otherTerms =
            call.alongChannels
            ? call.windowPlaces * (call.channels.count / max(1, innerChannels)) : call.axes[2].window
        let terms = Double(call.lines) * Double(otherTerms)
        let parts = min(call.lines, ceilDivide(wanted, max(1, call.tiles)), max(1, Int(terms) / leastTerms))
        call.part = evenTile(call.lines, tiles: max(1, parts), multiple: 1)
        call.parts = max(1, ceilDivide(call.lines, call.part))
        while call.tiles < wanted && call.tileColumns > ConvolutionCall.columnMultiple {
            call.tileColumns = roundUp(ceilDivide(call.tileColumns, 2), to: ConvolutionCall.columnMultiple)
        }
        if call.tiles > 2 * wanted {
            call.tileGroups = evenTile(
                call.groups.count, tiles: max(1, wanted * call.groups.count / call.tiles), multiple: 1)
        }
        let perLine = otherTerms * (call.tileFree + call.tileColumns) * size
        call.block = min(max(1, call.part), max(4, cachedBytes / 2 / max(1, perLine)))
    }

    /// The length of the fewest nearly equal tiles that are no longer than `most`.
    private static func nearlyEqual(_ extent: Int, most: Int) -> Int { ceilDivide(extent, ceilDivide(extent, most)) }

    /// Tiles of a packing's or a sum's rows.
    static func rowsOfSum(_ rows: Int, _ columns: Int, parts: Int) -> Int {
        let work = Double(rows) * Double(columns) * Double(parts)
        return max(1, ceilDivide(rows, Int(max(1, min(16, work / 16_384)))))
    }
}
