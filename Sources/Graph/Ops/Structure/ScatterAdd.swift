/// Sums of rows by number: indices, i32, of shape `[B…, k…]` and updates `[B…, k…, rest…]` give `[B…, V, rest…]` with
/// V = `rows`: in each row the sum of the updates whose index it is, 0 where there is none. An index outside 0..<V is taken as
/// the nearest inside, as `Gather` does.
///
/// Updates of one row are added in the order of the indices, whatever computes it; those of f32 perhaps in f64. Of f32, f64 and i32;
/// linear in the updates.
/// Its transpose is `Gather`.
public struct ScatterAdd: Operation {
    public static let mnemonic = "scatter_add"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    public let rows: Int
    /// The number of leading axes along which each index has a result of its own.
    public let batch: Int

    public init(rows: Int, batch: Int = 0) {
        self.rows = rows
        self.batch = batch
    }

    public var attributes: String { "rows = \(rows)" + (batch == 0 ? "" : ", batch = \(batch)") }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(2, of: operands)
        let (indices, updates) = (operands[0], operands[1])
        if indices.element != .i32 { throw GraphError("scatter_add takes indices of i32, not \(indices)") }
        if updates.element == .bool { throw GraphError("scatter_add is not defined for bool") }
        if batch < 0 || batch > indices.rank {
            throw GraphError("scatter_add: indices \(indices) have no \(batch) leading axes")
        }
        if updates.rank < indices.rank || updates.shape[..<indices.rank] != indices.shape[...] {
            throw GraphError(
                "scatter_add: the axes of updates \(updates) do not begin with those of indices \(indices)")
        }
        if rows < 1 { throw GraphError("scatter_add into \(rows) rows") }
        return [TensorType(updates.element, indices.shape[..<batch] + [rows] + updates.shape[indices.rank...])]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let rows = RowNumbers(table: types[0].shape, batch: batch, indices: operands[0])
        var result = [Double](repeating: 0, count: types[0].count)
        for (update, row) in rows.starts.enumerated() {
            for place in 0..<rows.length { result[row + place] += operands[1].values[update * rows.length + place] }
        }
        return [Tensor(wrapping: types[0], result)]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[1].map { b.emit(self, site[0], $0) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [nil, cotangents[0].map { b.gather($0, site[0], batch: batch) }]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(ScatterAdd(rows: rows, batch: batch + 1), b.aligned(operands, marked: marked, size: size))
    }

    /// The updates are read and added to what is read and written; the result is first filled with zeros.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        Cost(
            elements: operands[0].count.addingSaturated(operands[1].count.multipliedSaturated(by: 3))
                .addingSaturated(results[0].count))
    }

    /// StableHLO leaves out what lies outside, so the indices are clamped first.
    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        let (indices, updates, result) = (site.operandTypes[0], site.operandTypes[1], site.resultType)
        let (index, scalar) = (writer.spell(TensorType(.i32)), writer.spell(TensorType(result.element)))
        let (least, greatest) = (writer.scalarConstant("0", .i32), writer.scalarConstant("\(rows - 1)", .i32))
        let inside = writer.auxiliaryName()
        writer.write(
            "\(inside) = stablehlo.clamp \(least), \(site.operands[0]), \(greatest) : "
                + "(\(index), \(writer.spell(indices)), \(index)) -> \(writer.spell(indices))")
        let zero = writer.scalarConstant(writer.spell(0, result.element), result.element)
        let zeros = writer.auxiliaryName()
        writer.write(
            "\(zeros) = stablehlo.broadcast_in_dim \(zero), dims = [] : (\(scalar)) -> \(writer.spell(result))")
        let common = writer.spell(Array(0..<batch))
        let batching =
            batch == 0 ? "" : "input_batching_dims = \(common), scatter_indices_batching_dims = \(common), "
        writer.write(
            "\(site.result) = \"stablehlo.scatter\"(\(zeros), \(inside), \(site.operands[1])) "
                + "<{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<"
                + "update_window_dims = \(writer.spell(Array(indices.rank..<updates.rank))), "
                + "inserted_window_dims = [\(batch)], \(batching)scatter_dims_to_operand_dims = [\(batch)], "
                + "index_vector_dim = \(indices.rank)>, unique_indices = false}> ({")
        writer.write("^bb0(%sum: \(scalar), %update: \(scalar)):")
        writer.write("  %next = stablehlo.add %sum, %update : \(scalar)")
        writer.write("  stablehlo.return %next : \(scalar)")
        writer.write(
            "}) : (\(writer.spell(result)), \(writer.spell(indices)), \(writer.spell(updates))) -> \(writer.spell(result))"
        )
    }
}
