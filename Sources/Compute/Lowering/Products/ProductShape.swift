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
    /// Elements per step of each axis of the operands.
    var aStrides: [Int]
    var bStrides: [Int]
    var aRows: [Int]
    var bColumns: [Int]
    var aContracted: [Int]
    var bContracted: [Int]
    var aBatch: [Int]
    var bBatch: [Int]

    /// - Parameter strides: of the operands where they are not contiguous.
    init(_ dot: DotGeneral, _ a: TensorType, _ b: TensorType, strides: [[Int]?] = [nil, nil]) {
        aStrides = strides[0] ?? Axes.rowMajorStrides(a.shape)
        bStrides = strides[1] ?? Axes.rowMajorStrides(b.shape)
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
    static func mergedStride(_ axes: [Int], _ type: TensorType, _ strides: [Int]) -> Int? {
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
        let strides = left ? aStrides : bStrides
        guard let freeStride = Self.mergedStride(freeAxes, type, strides),
            let contractedStride = Self.mergedStride(contracted, type, strides)
        else { return nil }
        return ProductOperand(
            free: freeStride, contracted: contractedStride, batch: (left ? aBatch : bBatch).map { strides[$0] })
    }

    /// The right operand's axes with those that are innermost in memory last: a copy into this order moves rows, none is transposed.
    /// Nil where these are contracted, or where it does not differ from `bOrder`.
    var bOrderOfRows: [Int]? {
        guard k > 1, n > 1, let innermost = b.shape.indices.last(where: { b.shape[$0] > 1 && bStrides[$0] == 1 }),
            bColumns.last(where: { b.shape[$0] > 1 }) == innermost
        else { return nil }
        return bBatch + bContracted + bColumns
    }

    /// How the right operand is read after a copy into that order.
    var operandOfRows: ProductOperand? {
        bOrderOfRows.map { order in
            let strides = Axes.rowMajorStrides(order.map { b.shape[$0] })
            return ProductOperand(free: 1, contracted: n, batch: Array(strides.prefix(bBatch.count)))
        }
    }

    /// How it is read after a copy into the order batch, free, contracted.
    func copiedOperand(left: Bool) -> ProductOperand {
        let type = left ? a : b
        let order = left ? aOrder : bOrder
        let strides = Axes.rowMajorStrides(order.map { type.shape[$0] })
        return ProductOperand(free: k, contracted: 1, batch: Array(strides.prefix(aBatch.count)))
    }
}
