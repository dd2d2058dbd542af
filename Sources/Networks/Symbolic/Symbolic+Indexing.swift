import Graph

extension Symbolic {
    /// 1 at the place that an integer from 0 names, else 0: `[k…]` to `[k…, count]`. An integer outside names no place.
    public func oneHot(_ count: Int) throws(GraphError) -> Symbolic {
        let target = shape + [count]
        let places = try Symbolic(
            builder.apply(Iota(type: TensorType(.i32, target), dimension: shape.count)), in: builder)
        let named = try integers().reshaped(to: shape + [1])
        let hit = try named.compared(.eq, to: places)
        let element = type.element == .f64 ? ElementType.f64 : .f32
        return try hit.with(Convert(to: element))
    }

    /// The rows of this tensor `[k, …]` added into zeros `[rows, …]` at the places that integers `[k]` from 0 name, in their
    /// order. A row whose place lies outside is dropped.
    public func scattered(to indices: Symbolic, rows: Int) throws(GraphError) -> Symbolic {
        guard let count = shape.first, indices.shape == [count] else {
            throw GraphError(
                "rows of a tensor of shape \(shape) added at places of shape \(indices.shape): one place a row")
        }
        return try indices.integers().with(ScatterAdd(rows: rows), self)
    }
}
