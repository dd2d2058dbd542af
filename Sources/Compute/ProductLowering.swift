import CKernels
import Graph

/// A contraction as products of matrices: which axes of each operand are rows, columns, batch.
struct ProductShape {
    /// Strides of the operands over merged axes; `nil` where the axes do not merge into one.
    struct Group {
        var extent: Int
        var stride: Int?
    }
    var element: ElementType
    var result: ElementType
    var a: TensorType
    var b: TensorType
    var aRows: [Int]
    var bColumns: [Int]
    var aContracted: [Int]
    var bContracted: [Int]
    var aBatch: [Int]
    var bBatch: [Int]

    init(_ dot: DotGeneral, _ a: TensorType, _ b: TensorType) {
        element = a.element
        result = dot.result
        self.a = a
        self.b = b
        aRows = dot.lhsFree(rank: a.rank)
        bColumns = dot.rhsFree(rank: b.rank)
        aBatch = dot.lhsBatch
        bBatch = dot.rhsBatch
        // The order of the sum is free: the left operand's, so that its axes merge where they can.
        let pairs = zip(dot.lhsContracting, dot.rhsContracting).sorted { $0.0 < $1.0 }
        aContracted = pairs.map(\.0)
        bContracted = pairs.map(\.1)
    }

    var m: Int { aRows.reduce(1) { $0 * a.shape[$1] } }
    var n: Int { bColumns.reduce(1) { $0 * b.shape[$1] } }
    var k: Int { aContracted.reduce(1) { $0 * a.shape[$1] } }

    /// The one stride with which axes in this order are walked, if there is one; `nil` otherwise.
    static func mergedStride(_ axes: [Int], _ type: TensorType) -> Int? {
        let strides = Axes.rowMajorStrides(type.shape)
        let collapsed = Axes(extents: axes.map { type.shape[$0] }, strides: axes.map { strides[$0] }).collapsed()
        switch collapsed.extents.count {
        case 0: return 1
        case 1: return collapsed.strides[0]
        default: return nil
        }
    }

    /// The operand's axes in the order batch, rows or columns, contracted: what a copy brings it into.
    var aOrder: [Int] { aBatch + aRows + aContracted }
    var bOrder: [Int] { bBatch + bColumns + bContracted }
}

/// An operand as the kernels read it.
struct ProductOperand {
    var free: Int
    var contracted: Int
    var batch: [Int]
}

extension ProductShape {
    /// How the left (or right) operand is read where it lies, if its axes allow it.
    func operand(left: Bool) -> ProductOperand? {
        let type = left ? a : b
        let freeAxes = left ? aRows : bColumns
        let contracted = left ? aContracted : bContracted
        guard let freeStride = Self.mergedStride(freeAxes, type),
            let contractedStride = Self.mergedStride(contracted, type)
        else { return nil }
        let strides = Axes.rowMajorStrides(type.shape)
        return ProductOperand(
            free: freeStride, contracted: contractedStride, batch: (left ? aBatch : bBatch).map { strides[$0] })
    }

    /// How it is read after a copy into the order batch, free, contracted.
    func copiedOperand(left: Bool) -> ProductOperand {
        let type = left ? a : b
        let order = left ? aOrder : bOrder
        let strides = Axes.rowMajorStrides(order.map { type.shape[$0] })
        return ProductOperand(free: k, contracted: 1, batch: Array(strides.prefix(aBatch.count)))
    }
}

/// Which kernel computes a product and in which tiles: functions of shapes and strides alone.
enum ProductTiling {
    /// Most rows (of the smaller side) for which our own kernels beat OpenBLAS, whose packing does not pay there.
    static let skinnyRows = 48
    /// Products of matrices up to this many multiply-adds each are left to our own kernels, whatever their form.
    static let smallProduct = 32 * 32 * 512
    /// Multiply-adds of a tile of our own kernels: a few microseconds.
    static let tileWork = 400_000
    static let mostTiles = 512
    /// Extents of a tile given to OpenBLAS: large enough that packing is cheap, small enough that 8 threads share a product of 1024.
    static let blasTile = 384

    /// Whether the strides of one operand suit OpenBLAS: one of them is 1.
    static func suitsBLAS(_ free: Int, _ contracted: Int) -> Bool { free == 1 || contracted == 1 }

    static func kind(_ call: ProductCall) -> ProductCall.Kind? {
        let rowsContiguous = (call.aColumn == 1 || call.k <= 1) && (call.bRow == 1 || call.k <= 1)
        let columnsContiguous = call.bColumn == 1 || call.n <= 1
        if call.element != call.result { return rowsContiguous ? .inner : nil }
        if call.k == 0 { return .outer }
        let blas = suitsBLAS(call.aRow, call.aColumn) && suitsBLAS(call.bRow, call.bColumn) && fitsBLAS(call)
        let isSmall = min(call.m, call.n) <= skinnyRows || isSmallProduct(call)
        if rowsContiguous && isSmall { return .inner }
        if columnsContiguous && (min(call.m, call.k) <= skinnyRows || isSmall) { return .outer }
        if blas { return .blas }
        return rowsContiguous ? .inner : columnsContiguous ? .outer : nil
    }

    private static func isSmallProduct(_ call: ProductCall) -> Bool {
        let (square, overflow) = call.m.multipliedReportingOverflow(by: call.n)
        let (work, overflow2) = square.multipliedReportingOverflow(by: call.k)
        return !overflow && !overflow2 && work <= smallProduct
    }

    /// cblas takes 32-bit sizes.
    private static func fitsBLAS(_ call: ProductCall) -> Bool {
        [call.k, call.n, call.aRow, call.aColumn, call.bRow, call.bColumn].allSatisfy { $0 <= Int(Int32.max) }
    }

    static func tile(_ call: inout ProductCall) {
        (call.tileM, call.tileN, call.tileBatches) = (max(1, call.m), max(1, call.n), 1)
        guard call.tiles > 0 else { return }
        if call.kind == .blas {
            call.tileM = evenTile(call.m, atMost: blasTile, multiple: 16)
            call.tileN = evenTile(call.n, atMost: blasTile, multiple: 16)
            return
        }
        let perMatrix = Double(call.m) * Double(call.n) * Double(max(1, call.k))
        let wanted = perMatrix * Double(call.batches) / Double(tileWork)
        let tiles = min(mostTiles, max(1, Int(min(wanted, 1e6))))
        if call.batches >= tiles {
            call.tileBatches = ceilDivide(call.batches, tiles)
            return
        }
        let perBatch = ceilDivide(tiles, call.batches)
        // The longer side is cut; 24 is a multiple of every kernel's register block.
        if call.n >= call.m {
            call.tileN = evenTile(call.n, atMost: max(48, ceilDivide(call.n, perBatch)), multiple: 48)
        } else {
            call.tileM = evenTile(call.m, atMost: max(24, ceilDivide(call.m, perBatch)), multiple: 24)
        }
    }

    /// Tiles as equal as they can be, none larger than `atMost` but for the rounding to a multiple.
    static func evenTile(_ extent: Int, atMost: Int, multiple: Int) -> Int {
        let tiles = max(1, ceilDivide(extent, atMost))
        return roundUp(max(1, ceilDivide(extent, tiles)), to: multiple)
    }
}
