import CKernels
import Graph

/// Sums of products down columns that are contiguous in both operands: `ck_column_dots`. What normalization over samples and
/// places asks of its channels, and pooling of its windows.
struct ColumnDotsCall {
    struct Pair {
        var extents: [Int]
        var a: [Int]
        var b: [Int]
        var count: Int { extents.reduce(1, *) }
    }
    var element: ElementType
    var result: ElementType
    var columns: Int
    /// The axes of the result before the columns.
    var kept: Pair
    var reduced: Pair
    var chunks = 1
    var chunk: Int
    var tile = 1
    var tiles: Int { ceilDivide(kept.count * chunks, tile) }

    /// Rows of a chunk: two operands of 64 columns stay in a second-level cache.
    private static let chunkRows = 1024
    /// Products of a tile: some ten microseconds.
    private static let tileWork = 65_536.0
    private static let leastColumns = 4
    private static let mostColumns = 1024

    /// `nil` where the contraction is something else.
    init?(_ shape: ProductShape) {
        guard shape.m == 1, shape.n == 1, shape.k > 0 else { return nil }
        let (a, b) = (Axes.rowMajorStrides(shape.a.shape), Axes.rowMajorStrides(shape.b.shape))
        func pair(_ left: [Int], _ right: [Int]) -> Pair {
            let collapsed = Axes.collapsed(
                left.map { shape.a.shape[$0] }, [left.map { a[$0] }, right.map { b[$0] }])
            return Pair(extents: collapsed.extents, a: collapsed.strides[0], b: collapsed.strides[1])
        }
        var kept = pair(shape.aBatch, shape.bBatch)
        guard kept.count > 0, let columns = kept.extents.last, columns >= Self.leastColumns, kept.a.last == 1,
            kept.b.last == 1
        else { return nil }
        // Very many columns are shared among tiles where they divide.
        if columns > Self.mostColumns,
            let part = (Self.leastColumns...Self.mostColumns).reversed().first(where: { columns % $0 == 0 })
        {
            kept.extents = kept.extents.dropLast() + [columns / part, part]
            kept.a = kept.a.dropLast() + [part, 1]
            kept.b = kept.b.dropLast() + [part, 1]
        }
        let innermost = kept.extents.last ?? columns
        kept = Pair(extents: kept.extents.dropLast(), a: kept.a.dropLast(), b: kept.b.dropLast())
        (element, result, self.kept) = (shape.element, shape.result, kept)
        self.columns = innermost
        reduced = pair(shape.aContracted, shape.bContracted)
        if reduced.extents.isEmpty { reduced = Pair(extents: [1], a: [0], b: [0]) }
        let rows = reduced.count
        chunk = rows
        if rows >= 2 * Self.chunkRows {
            chunk = evenTile(rows, tiles: rows / Self.chunkRows, multiple: 4)
            chunks = ceilDivide(rows, chunk)
        }
        let units = kept.count * chunks
        let wanted = max(1, min(256, Int(Double(units) * Double(chunk) * Double(innermost) / Self.tileWork)))
        tile = evenTile(units, tiles: min(units, wanted), multiple: 1)
    }
}

extension Lowering {
    mutating func lower(_ given: ColumnDotsCall, _ node: Graph.Node) throws {
        var call = given
        let sources = [try source(node.operands[0]), try source(node.operands[1])]
        var to = try target(node.results.lowerBound)
        let results = call.kept.count * call.columns
        if call.chunks > 1 {
            call.result = .f64
            to = try newBuffer(TensorType(.f64, [call.chunks, results]))
        }
        steps.append(
            Step(
                kernel: .columnDots(call), reads: sources, writes: [to], inPlace: [], tiles: call.tiles,
                label: label(node)))
        if call.chunks == 1 { return }
        try reduce(
            to, Axes(extents: [results], strides: [1]).collapsed(),
            Axes(extents: [call.chunks], strides: [results]).collapsed(), isSum: true, .f64,
            to: try target(node.results.lowerBound), graph.types[node.results.lowerBound].element, label(node))
    }
}

extension CallEncoder {
    func encode(_ call: ColumnDotsCall) -> (ck_kernel?, UnsafeRawPointer) {
        var p = ck_column_dots()
        p.result = Int64(call.result.kernelElement)
        (p.count, p.columns, p.rows) = (Int64(call.kept.count), Int64(call.columns), Int64(call.reduced.count))
        (p.kept_rank, p.reduced_rank) = (Int64(call.kept.extents.count), Int64(call.reduced.extents.count))
        (p.kept_extents, p.kept_a, p.kept_b) = (numbers(call.kept.extents), numbers(call.kept.a), numbers(call.kept.b))
        p.reduced_extents = numbers(call.reduced.extents)
        (p.reduced_a, p.reduced_b) = (numbers(call.reduced.a), numbers(call.reduced.b))
        (p.chunks, p.chunk, p.tile) = (Int64(call.chunks), Int64(call.chunk), Int64(call.tile))
        return (ck_column_dots_kernel(Int32(call.element.kernelElement), Int32(level)), parameters(p))
    }
}
