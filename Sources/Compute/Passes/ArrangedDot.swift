import Graph

/// A contraction whose result is written with its axes in another order than that of its operands: a transposition behind it that
/// takes no pass over memory. Introduced by `arrangeProducts`.
///
/// Operands: lhs, rhs. The axis i of the result is axis `permutation[i]` of the contraction's.
public struct ArrangedDot: Operation {
    public static let mnemonic = "arranged_dot"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    public let dot: DotGeneral
    public let permutation: [Int]

    public init(dot: DotGeneral, permutation: [Int]) { (self.dot, self.permutation) = (dot, permutation) }

    public var attributes: String { "\(dot.attributes), permutation = \(permutation)" }

    private var transpose: Transpose { Transpose(permutation: permutation) }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try transpose.resultTypes(of: dot.resultTypes(of: operands))
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let shape = transpose.inverse.map { types[0].shape[$0] }
        return transpose.evaluate(dot.evaluate(operands, as: [TensorType(types[0].element, shape)]), as: types)
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        preconditionFailure("transformations work on the expansion")
    }

    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        dot.cost(operands: operands, results: results)
    }

    public func expansion(of operands: [TensorType]) -> Graph? {
        let b = GraphBuilder()
        let values = zip(["lhs", "rhs"], operands).map { b.input($0, $1) }
        return b.build(outputs: [("result", b.transpose(b.emit(dot, values[0], values[1]), permutation))])
    }
}

extension ArrangedDot {
    /// How kernels write the result, whose columns, the right operand's free axes, have to be contiguous in it.
    /// - Parameter part: how it lies where it does not lie together.
    /// - Returns: elements from row to row, and along the batch axes; `nil` where no kernel writes it so.
    func strides(_ a: TensorType, _ b: TensorType, in part: RowsOfPart? = nil) -> (row: Int, batch: [Int])? {
        guard dot.result == a.element else { return nil }
        let rows = dot.lhsFree(rank: a.rank).map { a.shape[$0] }
        let columns = dot.rhsFree(rank: b.rank).map { b.shape[$0] }
        let extents = dot.lhsBatch.map { a.shape[$0] } + rows + columns
        var strides = extents
        for (axis, stride) in zip(permutation, Axes.rowMajorStrides(permutation.map { extents[$0] })) {
            guard let placed = part.map({ $0.stride(of: stride, extent: extents[axis]) }) ?? stride else { return nil }
            strides[axis] = placed
        }
        let first = dot.lhsBatch.count
        let behind = first + rows.count
        let ofRows = Axes(extents: rows, strides: Array(strides[first..<behind])).collapsed()
        let ofColumns = Axes(extents: columns, strides: Array(strides[behind...])).collapsed()
        guard ofRows.extents.count <= 1, ofColumns.strides.allSatisfy({ $0 == 1 }) else { return nil }
        let row = ofRows.strides.first ?? columns.reduce(1, *)
        // cblas takes 32-bit sizes.
        return row <= Int(Int32.max) ? (max(1, row), Array(strides[..<first])) : nil
    }

    /// The same result with the operands in the other order: what were rows are columns.
    func swapped(_ a: TensorType, _ b: TensorType) -> ArrangedDot {
        let other = DotGeneral(
            lhsBatch: dot.rhsBatch, rhsBatch: dot.lhsBatch, lhsContracting: dot.rhsContracting,
            rhsContracting: dot.lhsContracting, result: dot.result)
        let first = dot.lhsBatch.count
        let (rows, columns) = (dot.lhsFree(rank: a.rank).count, dot.rhsFree(rank: b.rank).count)
        let places = permutation.map { axis in
            axis < first ? axis : axis < first + rows ? axis + columns : axis - rows
        }
        return ArrangedDot(dot: other, permutation: places)
    }
}
