/// Rows of a table by number: x of shape `[B…, V, rest…]` and indices, i32, of shape `[B…, k…]` give `[B…, k…, rest…]`, with
/// `batch` leading axes B in common. An index outside 0..<V is taken as the nearest inside.
///
/// The table is of any element; linear in it. Its transpose is `ScatterAdd`.
public struct Gather: Operation {
    public static let mnemonic = "gather"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    /// The number of leading axes along which each index has a table of its own.
    public let batch: Int
    public init(batch: Int = 0) { self.batch = batch }

    public var attributes: String { batch == 0 ? "" : "batch = \(batch)" }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(2, of: operands)
        let (x, indices) = (operands[0], operands[1])
        if indices.element != .i32 { throw GraphError("gather takes indices of i32, not \(indices)") }
        if batch < 0 || x.rank <= batch || indices.rank < batch || x.shape[..<batch] != indices.shape[..<batch] {
            throw GraphError("gather: \(x) and indices \(indices) have no \(batch) leading axes and rows in common")
        }
        if x.shape[batch] == 0 { throw GraphError("gather: \(x) has no rows along axis \(batch)") }
        return [TensorType(x.element, indices.shape + x.shape[(batch + 1)...])]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let rows = RowNumbers(table: operands[0].type.shape, batch: batch, indices: operands[1])
        var result: [Double] = []
        result.reserveCapacity(types[0].count)
        for row in rows.starts { result += operands[0].values[row..<row + rows.length] }
        return [Tensor(types[0], result)]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map { b.emit(self, $0, site[1]) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let rows = site.operandTypes[0].shape[batch]
        return [cotangents[0].map { b.scatterAdd(site[1], $0, rows: rows, batch: batch) }, nil]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        if marked[0] {
            let indices = marked[1] ? operands[1] : b.stacked(operands[1], size: size)
            return [b.emit(Gather(batch: batch + 1), operands[0], indices)]
        }
        // One table for all: more indices into it, not more tables. The new axis stands behind the common ones.
        let rank = b.shape(of: operands[1]).count
        let inner = b.transpose(operands[1], Array(1..<batch + 1) + [0] + Array(batch + 1..<rank))
        return [b.axisToFront(batch, of: b.emit(self, operands[0], inner))]
    }

    /// What is read of the table is what is written.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        Cost(elements: operands[1].count.addingSaturated(results[0].count.multipliedSaturated(by: 2)))
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        let (table, indices) = (site.operandTypes[0], site.operandTypes[1])
        let common = writer.spell(Array(0..<batch))
        let batching =
            batch == 0 ? "" : "operand_batching_dims = \(common), start_indices_batching_dims = \(common), "
        let sizes = table.shape.indices.map { $0 <= batch ? 1 : table.shape[$0] }
        writer.write(
            "\(site.result) = \"stablehlo.gather\"(\(site.operands[0]), \(site.operands[1])) "
                + "<{dimension_numbers = #stablehlo.gather<"
                + "offset_dims = \(writer.spell(Array(indices.rank..<site.resultType.rank))), "
                + "collapsed_slice_dims = [\(batch)], \(batching)start_index_map = [\(batch)], "
                + "index_vector_dim = \(indices.rank)>, indices_are_sorted = false, "
                + "slice_sizes = array<i64: \(sizes.map(String.init).joined(separator: ", "))>}> : "
                + writer.signature(site))
    }
}

/// Where the rows that indices name begin in a table `[B…, V, rest…]`, row-major: what `Gather` and `ScatterAdd` share.
struct RowNumbers {
    /// For each index, in order.
    let starts: [Int]
    /// The elements of a row.
    let length: Int

    init(table: [Int], batch: Int, indices: Tensor) {
        let (rows, length) = (table[batch], table[(batch + 1)...].reduce(1, *))
        let perBatch = indices.type.shape[batch...].reduce(1, *)
        starts = indices.values.enumerated().map { place, index in
            (place / perBatch * rows + min(max(Int(index), 0), rows - 1)) * length
        }
        self.length = length
    }
}
