import CKernels
import Graph

/// Which kernel computes a product and in which tiles: functions of shapes and strides alone.
///
/// The figures were measured on 2 cores with AVX-512, products with [512, 784] weights: see `docs/decisions/compute-products.md`.
enum ProductTiling {
    /// Up to so many rows or columns our own kernels are faster than OpenBLAS, which packs its operands first.
    static let skinny = 96
    /// Products of matrices up to this many multiply-adds each are left to our own kernels, whatever their form.
    static let smallProduct = 32 * 32 * 512
    /// Tiles of our own kernels: so many, unless that makes them smaller than a microsecond's work or larger than some.
    static let usualTiles = 8
    static let smallestWork = 100_000.0
    static let tileWork = 400_000.0
    static let mostTiles = 256
    /// Tiles do not become shorter than this: the operand that is not cut is read once for each.
    static let leastRows = 16
    static let leastInnerColumns = 48
    static let leastOuterColumns = 96
    /// A right operand of this size is in every core's second-level cache soon.
    static let smallRightBytes = 64 * 1024
    /// Extents of a tile given to OpenBLAS: large enough that packing is cheap.
    static let blasRows = 512
    static let blasColumns = 640
    /// Tiles that a product is cut into where they stay larger than this, so that a few threads can share it.
    static let fewestTiles = 4
    static let smallestTile = 192

    /// The kernel for a product with these strides; `nil` where there is none and operands have to be copied.
    static func kind(_ call: ProductCall) -> ProductCall.Kind? {
        let rowsContiguous = (call.aColumn == 1 || call.k <= 1) && (call.bRow == 1 || call.k <= 1)
        let columnsContiguous = call.bColumn == 1 || call.n <= 1
        if call.element != call.result { return rowsContiguous ? .inner : nil }
        if call.k == 0 { return .outer }
        let blas = suitsBLAS(call.aRow, call.aColumn) && suitsBLAS(call.bRow, call.bColumn) && fitsBLAS(call)
        let isSmall = min(call.m, call.n) <= skinny || isSmallProduct(call)
        let suitsPacking = isPackable(call, rowsContiguous: rowsContiguous)
        if rowsContiguous && isSmall { return !suitsPacking ? .inner : columnsContiguous ? .outer : .packed }
        if columnsContiguous && (call.k <= skinny || isSmall) { return .outer }
        if suitsPacking && (call.k <= skinny || isSmall) { return .packed }
        if blas { return .blas }
        return rowsContiguous ? .inner : columnsContiguous ? .outer : nil
    }

    /// Whether the strides of one operand suit OpenBLAS: one of them is 1.
    private static func suitsBLAS(_ free: Int, _ contracted: Int) -> Bool { free == 1 || contracted == 1 }

    private static func isSmallProduct(_ call: ProductCall) -> Bool {
        let (square, overflow) = call.m.multipliedReportingOverflow(by: call.n)
        let (work, overflow2) = square.multipliedReportingOverflow(by: call.k)
        return !overflow && !overflow2 && work <= smallProduct
    }

    /// Whether it costs little to bring columns of the right operand together: less than adding up the lanes of dot products, or
    /// than a call of OpenBLAS.
    private static func isPackable(_ call: ProductCall, rowsContiguous: Bool) -> Bool {
        guard call.element == call.result, call.k <= Int(CK_PACKED_TERMS), call.n >= leastPackedColumns else {
            return false
        }
        return call.k <= termsOfPackedRow.multipliedSaturated(by: call.m) || !rowsContiguous && isSmallProduct(call)
    }

    /// Measured with AVX2: terms that a row of the left operand makes up for.
    private static let termsOfPackedRow = 3
    /// Rows beside which bringing the columns together takes a tenth of the time.
    private static let rowsOfPacking = 96
    private static let leastPackedColumns = 8

    /// cblas takes 32-bit sizes.
    private static func fitsBLAS(_ call: ProductCall) -> Bool {
        [call.k, call.n, call.aRow, call.aColumn, call.bRow, call.bColumn].allSatisfy { $0 <= Int(Int32.max) }
    }

    /// - Parameter byRows: whether tiles have to be whole rows of the result, by our own kernels.
    static func tile(_ call: inout ProductCall, byRows: Bool = false) {
        (call.tileM, call.tileN, call.tileBatches) = (max(1, call.m), max(1, call.n), 1)
        guard call.tiles > 0 else { return }
        if call.kind == .blas { tileForBLAS(&call) } else { tileForOwnKernels(&call, byRows: byRows) }
    }

    /// Nearly square tiles, halved until there are enough to share; halving keeps their number even and their sizes equal.
    private static func tileForBLAS(_ call: inout ProductCall) {
        var rows = ceilDivide(call.m, blasRows)
        var columns = ceilDivide(call.n, blasColumns)
        while rows * columns * call.batches < fewestTiles && max(call.m / rows, call.n / columns) >= 2 * smallestTile {
            if call.m / rows > call.n / columns { rows *= 2 } else { columns *= 2 }
        }
        call.tileM = roundUp(ceilDivide(call.m, rows), to: 16)
        call.tileN = roundUp(ceilDivide(call.n, columns), to: 16)
        call.tileBatches = evenTile(call.batches, tiles: min(call.batches, mostTiles), multiple: 1)
    }

    private static func tileForOwnKernels(_ call: inout ProductCall, byRows: Bool) {
        let perMatrix = Double(call.m) * Double(call.n) * Double(max(1, call.kChunk > 0 ? call.kChunk : call.k))
        let work = perMatrix * Double(call.batches)
        let wanted = max(min(Double(usualTiles), work / smallestWork), work / tileWork)
        let tiles = max(1, Int(min(wanted, Double(mostTiles))))
        if call.batches >= tiles {
            call.tileBatches = evenTile(call.batches, tiles: tiles, multiple: 1)
            return
        }
        let perBatch = ceilDivide(tiles, call.batches)
        let (leastColumns, multiple) = call.kind == .outer ? (leastOuterColumns, 16) : (leastInnerColumns, 8)
        // Beside small matrices of weights rows are cut: in a recurrence a thread then finds the carries of its samples in its own cache.
        let isSmallRight = call.k * call.n * call.element.byteCount <= smallRightBytes && call.m >= 2 * leastRows
        if byRows || (call.kind == .outer ? call.m >= skinny : call.m > call.n) || isSmallRight {
            // Whole rows of the result, which it may share with an addend in memory.
            // Each tile brings the columns together anew.
            let least =
                call.kind == .packed
                ? max(leastRows, ceilDivide(call.k, termsOfPackedRow), min(rowsOfPacking, call.m / usualTiles))
                : leastRows
            call.tileM = evenTile(call.m, tiles: min(perBatch, ceilDivide(call.m, least)), multiple: 8)
        } else {
            call.tileN = evenTile(call.n, tiles: min(perBatch, ceilDivide(call.n, leastColumns)), multiple: multiple)
        }
    }
}
