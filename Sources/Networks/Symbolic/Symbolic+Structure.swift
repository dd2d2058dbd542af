import Graph

// Taking tensors apart and putting them together. Axes count from 0; a negative axis counts from the last, which is −1.

extension Symbolic {
    /// An axis of this tensor.
    func axis(_ axis: Int, _ what: String) throws(GraphError) -> Int {
        let place = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(place) else {
            throw GraphError(
                "\(what): a tensor of shape \(shape) has no axis \(axis < 0 ? "\(axis)" : "\(axis + 1) (counted from 1)")"
            )
        }
        return place
    }

    /// The places `from`, `from + stride`, … below `to` of one axis.
    public func slice(axis: Int, from: Int, to: Int, stride: Int = 1) throws(GraphError) -> Symbolic {
        let axis = try self.axis(axis, "slice")
        guard 0 <= from, from < to, to <= shape[axis], stride >= 1 else {
            throw GraphError("slice \(from)..<\(to) by \(stride) of axis \(axis) of a tensor of shape \(shape)")
        }
        var (starts, limits) = (shape.map { _ in 0 }, shape)
        var strides = shape.map { _ in 1 }
        (starts[axis], limits[axis], strides[axis]) = (from, to, stride)
        return limits == shape && from == 0 && stride == 1
            ? self : try with(Slice(starts: starts, limits: limits, strides: strides))
    }

    /// One place of an axis, which disappears.
    public func at(_ index: Int, axis: Int = 0) throws(GraphError) -> Symbolic {
        let axis = try self.axis(axis, "an element")
        var rest = shape
        rest.remove(at: axis)
        return try slice(axis: axis, from: index, to: index + 1).reshaped(to: rest)
    }

    /// The tensor cut along an axis into pieces of these sizes.
    public func split(_ sizes: [Int], axis: Int) throws(GraphError) -> [Symbolic] {
        let axis = try self.axis(axis, "split")
        guard sizes.reduce(0, +) == shape[axis] else {
            throw GraphError(
                "split of axis \(axis) of a tensor of shape \(shape) into \(sizes): the sum must be \(shape[axis])")
        }
        var pieces: [Symbolic] = []
        var start = 0
        for size in sizes {
            pieces.append(try slice(axis: axis, from: start, to: start + size))
            start += size
        }
        return pieces
    }

    /// `value` put before and after the elements of each axis; negative counts take away.
    public func padded(low: [Int], high: [Int], value: Double = 0) throws(GraphError) -> Symbolic {
        guard low.count == shape.count, high.count == shape.count else {
            throw GraphError("padding \(low) and \(high) of a tensor of shape \(shape): one number for each axis")
        }
        return (low + high).allSatisfy { $0 == 0 }
            ? self : try with(Pad(low: low, high: high, interior: low.map { _ in 0 }, value: value))
    }

    /// The tensors one after the other along an axis.
    public static func concatenated(_ parts: [Symbolic], axis: Int) throws(GraphError) -> Symbolic {
        guard let first = parts.first else { throw GraphError("concatenation of no tensors") }
        let axis = try first.axis(axis, "concatenation")
        for part in parts {
            var (a, b) = (first.shape, part.shape)
            if b.count == a.count { (a[axis], b[axis]) = (0, 0) }
            guard a == b else {
                throw GraphError(
                    "concatenation of tensors of shapes \(shapes(parts)): all axes but axis \(axis + 1) (counted from 1) must agree"
                )
            }
        }
        if parts.count == 1 { return first }
        return try Symbolic(
            first.builder.applyAll(Concatenate(axis: axis), parts.map(\.value))[0], in: first.builder)
    }

    /// Tensors of one shape as one tensor with a new axis.
    public static func stacked(_ parts: [Symbolic], axis: Int = 0) throws(GraphError) -> Symbolic {
        if let first = parts.first, parts.contains(where: { $0.shape != first.shape }) {
            throw GraphError("stack of tensors of shapes \(shapes(parts)), which must agree")
        }
        var expanded: [Symbolic] = []
        for part in parts { expanded.append(try part.expanded(axis: axis)) }
        return try concatenated(expanded, axis: axis)
    }

    /// A new axis of extent 1 before `axis`; −1 is a new last axis.
    public func expanded(axis: Int) throws(GraphError) -> Symbolic {
        let place = axis < 0 ? axis + shape.count + 1 : axis
        guard (0...shape.count).contains(place) else {
            throw GraphError("a new axis \(axis + 1) (counted from 1) for a tensor of shape \(shape)")
        }
        var target = shape
        target.insert(1, at: place)
        return try reshaped(to: target)
    }

    /// The axes from `axis` on as one: all of them by default.
    public func flattened(from axis: Int = 0) throws(GraphError) -> Symbolic {
        if shape.isEmpty { return try reshaped(to: [1]) }
        let axis = try self.axis(axis, "flatten")
        return try reshaped(to: Array(shape[..<axis]) + [shape[axis...].reduce(1, *)])
    }

    /// Two axes exchanged.
    public func swapped(_ first: Int, _ second: Int) throws(GraphError) -> Symbolic {
        var permutation = Array(shape.indices)
        permutation.swapAt(try axis(first, "exchange of axes"), try axis(second, "exchange of axes"))
        return try transposed(permutation)
    }

    /// Rows of this tensor `[V, …]` by integer indices `[k…]`: `[k…, …]`. An index outside is clamped.
    public func gathered(_ indices: Symbolic) throws(GraphError) -> Symbolic {
        guard !shape.isEmpty else { throw GraphError("rows of a scalar") }
        return try with(Gather(batch: 0), indices.integers())
    }

    /// The numbers as i32: what indices are made of. Fractions are cut off.
    public func integers() throws(GraphError) -> Symbolic {
        type.element == .i32 ? self : try with(Convert(to: .i32))
    }

    /// x as another element type.
    public func converted(to element: ElementType) throws(GraphError) -> Symbolic {
        type.element == element ? self : try with(Convert(to: element))
    }

    /// A constant tensor of this tensor's element type.
    public func constants(_ values: [Double], shape: [Int]) throws(GraphError) -> Symbolic {
        let type = TensorType(type.element, shape)
        guard try type.elementCount() == values.count else {
            throw GraphError("\(values.count) values for a tensor of shape \(shape)")
        }
        return try Symbolic(builder.apply(ConstantTensor(type: type, values: values)), in: builder)
    }

    /// The matrix products of two stacks of matrices: `[…, i, k]·[…, k, j]` is `[…, i, j]`; leading axes must agree, and may be
    /// missing in one of the two.
    public func matmul(_ other: Symbolic) throws(GraphError) -> Symbolic {
        let (a, b) = (shape, other.shape)
        guard a.count >= 2, b.count >= 2, a[a.count - 1] == b[b.count - 2] else {
            throw GraphError(
                "matrix product of shapes \(a) and \(b): the last axis of one goes with the last but one of the other")
        }
        if b.count == 2 { return try contracted(with: other, batch: 0, own: a.count - 1, others: 0) }
        let stack = b.count - 2
        guard a.count == 2 || Array(a.dropLast(2)) == Array(b.dropLast(2)) else {
            throw GraphError("matrix product of shapes \(a) and \(b): the leading axes must agree")
        }
        let left = a.count == 2 ? try broadcast(to: b.dropLast(2) + a) : self
        return try left.contracted(with: other, batch: stack, own: stack + 1, others: stack)
    }

    /// The contraction over one axis of each, with so many leading axes in common: batch axes, own free axes, the other's.
    func contracted(with other: Symbolic, batch: Int, own: Int, others: Int) throws(GraphError) -> Symbolic {
        try with(
            DotGeneral(
                lhsBatch: Array(0..<batch), rhsBatch: Array(0..<batch), lhsContracting: [own],
                rhsContracting: [others], result: type.element), other)
    }

    /// W·x for each vector x of the last axis, W `[out, in]`, as a linear layer does: `[…, in]` to `[…, out]`.
    public func projected(by weight: Symbolic) throws(GraphError) -> Symbolic {
        guard weight.shape.count == 2, let last = shape.last, last == weight.shape[1] else {
            throw GraphError(
                "a matrix of shape \(weight.shape) takes \(weight.shape.last ?? 0) numbers, its input has shape \(shape)"
            )
        }
        return shape.count == 1
            ? try weight.dot(self) : try contracted(with: weight, batch: 0, own: shape.count - 1, others: 1)
    }

    public func erf() throws(GraphError) -> Symbolic { try with(Erf()) }
    /// The mean over the batch that the network is applied to; itself for one sample alone.
    public func batchMean() throws(GraphError) -> Symbolic { try with(BatchMean()) }
}

/// Shapes in words: [2, 3], [2] and [4].
private func shapes(_ tensors: [Symbolic]) -> String {
    let words = tensors.map { "\($0.shape)" }
    return words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " and " + (words.last ?? "")
}
