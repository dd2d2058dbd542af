/// What takes tensors apart and puts them together, spelled out; each traps on operands that do not fit.
extension GraphBuilder {
    /// Along axis i the places `starts[i]`, `starts[i] + strides[i]`, … below `limits[i]`; every stride is 1 where none is given.
    public func slice(_ x: Value, starts: [Int], limits: [Int], strides: [Int]? = nil) -> Value {
        let strides = strides ?? starts.map { _ in 1 }
        let isWhole = starts.allSatisfy { $0 == 0 } && limits == shape(of: x) && strides.allSatisfy { $0 == 1 }
        return isWhole ? x : emit(Slice(starts: starts, limits: limits, strides: strides), x)
    }

    /// The places `from`, `from + stride`, … below `to` of one axis.
    public func slice(_ x: Value, axis: Int, from: Int, to: Int, stride: Int = 1) -> Value {
        var (starts, limits) = (shape(of: x).map { _ in 0 }, shape(of: x))
        var strides = limits.map { _ in 1 }
        precondition(limits.indices.contains(axis), "slice: \(type(of: x)) has no axis \(axis)")
        (starts[axis], limits[axis], strides[axis]) = (from, to, stride)
        return slice(x, starts: starts, limits: limits, strides: strides)
    }

    /// x with `value` put before, after and between its elements along each axis; negative `low` and `high` take away.
    public func pad(_ x: Value, low: [Int], high: [Int], interior: [Int]? = nil, value: Double = 0) -> Value {
        let interior = interior ?? low.map { _ in 0 }
        return (low + high + interior).allSatisfy { $0 == 0 }
            ? x : emit(Pad(low: low, high: high, interior: interior, value: value), x)
    }

    /// As above along one axis.
    public func pad(_ x: Value, axis: Int, low: Int, high: Int, value: Double = 0) -> Value {
        let none = shape(of: x).map { _ in 0 }
        precondition(none.indices.contains(axis), "pad: \(type(of: x)) has no axis \(axis)")
        var (lows, highs) = (none, none)
        (lows[axis], highs[axis]) = (low, high)
        return pad(x, low: lows, high: highs, value: value)
    }

    /// The tensors one after the other along an axis.
    public func concatenate(_ values: [Value], axis: Int) -> Value {
        values.count == 1 ? values[0] : emitAll(Concatenate(axis: axis), values)[0]
    }

    /// The elements in opposite order along these axes.
    public func reverse(_ x: Value, dimensions: [Int]) -> Value {
        dimensions.isEmpty ? x : emit(Reverse(dimensions: dimensions), x)
    }

    /// The rows of x `[B…, V, rest…]` that indices `[B…, k…]` (i32) name, `batch` leading axes in common: `[B…, k…, rest…]`.
    /// An index outside 0..<V is taken as the nearest inside.
    public func gather(_ x: Value, _ indices: Value, batch: Int = 0) -> Value {
        emit(Gather(batch: batch), x, indices)
    }

    /// For each of `rows` rows the sum of the updates `[B…, k…, rest…]` whose index in `[B…, k…]` (i32) it is, in the order
    /// of the indices: `[B…, rows, rest…]`.
    public func scatterAdd(_ indices: Value, _ updates: Value, rows: Int, batch: Int = 0) -> Value {
        emit(ScatterAdd(rows: rows, batch: batch), indices, updates)
    }
}
