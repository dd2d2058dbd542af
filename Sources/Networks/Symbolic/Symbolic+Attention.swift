import Graph

extension Symbolic {
    /// Whether each place i of a sequence may look at place j ≤ i: bool `[count, count]`.
    public static func causalMask(_ count: Int, in builder: GraphBuilder) throws(GraphError) -> Symbolic {
        let type = TensorType(.i32, [count, count])
        let row = try Symbolic(builder.apply(Iota(type: type, dimension: 0)), in: builder)
        let column = try Symbolic(builder.apply(Iota(type: type, dimension: 1)), in: builder)
        return try column.compared(.le, to: row)
    }

    /// What stands for −∞ before a softmax: exp of it is 0, and unlike −∞ it gives no nan in any derivative.
    static let masked = -1e30

    /// softmax(q·kᵀ/√d)·v. This tensor is q `[…, T, d]`; k is `[…, S, d]`, v `[…, S, e]`; the result `[…, T, e]`.
    /// - Parameter mask: bool, `[T, S]`: where it does not hold, a place is not looked at.
    public func attention(keys: Symbolic, values: Symbolic, mask: Symbolic? = nil) throws(GraphError) -> Symbolic {
        let batch = shape.count - 2
        guard batch >= 0, keys.shape.count == shape.count, values.shape.count == shape.count,
            shape.last == keys.shape.last, keys.shape[batch] == values.shape[batch],
            shape.prefix(batch) == keys.shape.prefix(batch), shape.prefix(batch) == values.shape.prefix(batch)
        else {
            throw GraphError(
                "attention of queries, keys and values of shapes \(shape), \(keys.shape) and \(values.shape), which do not fit"
            )
        }
        let scale = 1 / Double(Swift.max(1, shape[batch + 1])).squareRoot()
        var scores = try scale * contracted(with: keys, batch: batch, own: batch + 1, others: batch + 1)
        if let mask { scores = try scores.selected(where: mask, otherwise: scores.constant(Self.masked)) }
        return try scores.softmax().contracted(with: values, batch: batch, own: batch + 1, others: batch)
    }

    /// The last axis of `[T, heads·d]` as heads: `[heads, T, d]`.
    public func separatingHeads(_ heads: Int) throws(GraphError) -> Symbolic {
        guard shape.count == 2, heads >= 1, shape[1] % heads == 0 else {
            throw GraphError("\(heads) heads for a tensor of shape \(shape): they must divide the last of its two axes")
        }
        return try reshaped(to: [shape[0], heads, shape[1] / heads]).transposed([1, 0, 2])
    }

    /// `[heads, T, d]` as `[T, heads·d]`.
    public func joiningHeads() throws(GraphError) -> Symbolic {
        guard shape.count == 3 else { throw GraphError("heads of a tensor of shape \(shape): three axes are needed") }
        return try transposed([1, 0, 2]).reshaped(to: [shape[1], shape[0] * shape[2]])
    }
}
