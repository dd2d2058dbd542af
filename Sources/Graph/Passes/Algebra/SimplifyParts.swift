// The simplifier's rules for what takes tensors apart and puts them together. What is read, written or added less is cheaper
// wherever else the operands are used, so none of them looks at uses.

extension Simplifier {
    func parts(_ operation: any Operation, _ x: [Value]) -> Value? {
        switch operation {
        case let slice as Slice: sliced(slice, x[0])
        case let pad as Pad: padded(pad, x[0])
        case let concatenate as Concatenate: concatenated(x, concatenate.axis)
        case let reverse as Reverse: reversed(reverse, x[0])
        case let gather as Gather: gathered(gather, x[0], x[1])
        case let scatter as ScatterAdd: scattered(scatter, x[0], x[1])
        case let sum as ReduceSum: summedParts(sum, x[0])
        case is Add: sideBySide(x[0], x[1])
        default: nil
        }
    }

    // MARK: Slices

    private func sliced(_ slice: Slice, _ x: Value) -> Value? {
        let type = b.type(of: x)
        let counts = slice.extents
        if counts.contains(0) { return b.constant(0, TensorType(type.element, counts)) }
        if let value = b.splat(of: x) { return b.constant(value, TensorType(type.element, counts)) }
        let own = Slice(starts: slice.starts, counts: counts, strides: slice.strides)
        if own.starts.allSatisfy({ $0 == 0 }) && counts == type.shape { return x }
        if let inner = match(Slice.self, x) {
            let starts = own.starts.indices.map {
                inner.operation.starts[$0] + own.starts[$0] * inner.operation.strides[$0]
            }
            let strides = zip(own.strides, inner.operation.strides).map { $0 * $1 }
            return make(Slice(starts: starts, counts: counts, strides: strides), inner.operands)
        }
        if let inner = match(Pad.self, x), let part = slicedPad(own, counts, inner.operation, inner.operands[0]) {
            return part
        }
        if let inner = match(Concatenate.self, x) {
            let axis = inner.operation.axis
            var first = 0
            for part in inner.operands {
                let end = first + b.shape(of: part)[axis]
                if own.starts[axis] >= first && own.limits[axis] <= end {
                    return make(own.moved(along: axis, by: -first), [part])
                }
                first = end
            }
        }
        if let inner = match(BroadcastInDim.self, x) {
            let kept = inner.operation.dimensions
            let part = make(
                Slice(
                    starts: kept.map { own.starts[$0] }, counts: kept.map { counts[$0] },
                    strides: kept.map { own.strides[$0] }), inner.operands)
            return make(BroadcastInDim(shape: counts, dimensions: kept), [part])
        }
        if let inner = match(Reverse.self, x) {
            // The mirror image of the places read.
            var starts = own.starts
            for axis in inner.operation.dimensions { starts[axis] = type.shape[axis] - own.limits[axis] }
            let part = make(Slice(starts: starts, counts: counts, strides: own.strides), inner.operands)
            return make(inner.operation, [part])
        }
        return own == slice ? nil : make(own, [x])
    }

    /// A slice of a padded tensor: a constant where it lies outside the tensor, a slice where it lies inside, else a pad of
    /// other amounts where it has no strides.
    private func slicedPad(_ slice: Slice, _ counts: [Int], _ pad: Pad, _ x: Value) -> Value? {
        let type = b.type(of: x)
        var starts: [Int] = []
        var strides: [Int] = []
        var isInside = true
        for axis in type.shape.indices {
            let step = pad.interior[axis] + 1
            let (from, last) = (slice.starts[axis] - pad.low[axis], slice.limits[axis] - 1 - pad.low[axis])
            if last < 0 || from > (type.shape[axis] - 1) * step {
                return b.constant(pad.value, TensorType(type.element, counts))
            }
            // A single place has any stride.
            let stride = counts[axis] == 1 ? step : slice.strides[axis]
            if from < 0 || last > (type.shape[axis] - 1) * step || from % step != 0 || stride % step != 0 {
                isInside = false
            }
            starts.append(from / step)
            strides.append(stride / step)
        }
        if isInside { return make(Slice(starts: starts, counts: counts, strides: strides), [x]) }
        guard slice.strides.allSatisfy({ $0 == 1 }) else { return nil }
        let extents = pad.extents(of: type.shape)
        let high = extents.indices.map { pad.high[$0] - (extents[$0] - slice.limits[$0]) }
        let low = zip(pad.low, slice.starts).map { $0 - $1 }
        let joint = Pad(low: low, high: high, interior: pad.interior, value: pad.value)
        return (try? joint.resultTypes(of: [type])) == nil ? nil : make(joint, [x])
    }

    // MARK: Pads

    private func padded(_ pad: Pad, _ x: Value) -> Value? {
        let type = b.type(of: x)
        let value = type.element.rounded(pad.value)
        let extents = pad.extents(of: type.shape)
        if type.count == 0 || b.splat(of: x)?.bitPattern == value.bitPattern {
            return b.constant(value, TensorType(type.element, extents))
        }
        let interior = type.shape.indices.map { type.shape[$0] == 1 ? 0 : pad.interior[$0] }
        let own = Pad(low: pad.low, high: pad.high, interior: interior, value: value)
        let ends = zip(own.low, own.high)
        if interior.allSatisfy({ $0 == 0 }) && ends.allSatisfy({ $0 <= 0 && $1 <= 0 }) {
            return make(Slice(starts: own.low.map(-), counts: extents, strides: interior.map { $0 + 1 }), [x])
        }
        if let inner = match(Pad.self, x), inner.operation.value.bitPattern == value.bitPattern,
            interior.allSatisfy({ $0 == 0 })
        {
            // What the inner one took away the outer one does not bring back.
            func isJoint(_ inner: Int, _ outer: Int) -> Bool { inner >= 0 || outer <= 0 }
            if zip(inner.operation.low, own.low).allSatisfy(isJoint)
                && zip(inner.operation.high, own.high).allSatisfy(isJoint)
            {
                let joint = Pad(
                    low: zip(inner.operation.low, own.low).map(+), high: zip(inner.operation.high, own.high).map(+),
                    interior: inner.operation.interior, value: value)
                if (try? joint.resultTypes(of: [b.type(of: inner.operands[0])])) != nil {
                    return make(joint, inner.operands)
                }
            }
        }
        if let inner = match(BroadcastInDim.self, x),
            inner.operation.repeated.allSatisfy({ own.low[$0] == 0 && own.high[$0] == 0 && interior[$0] == 0 })
        {
            let kept = inner.operation.dimensions
            let narrow = Pad(
                low: kept.map { own.low[$0] }, high: kept.map { own.high[$0] }, interior: kept.map { interior[$0] },
                value: value)
            return make(BroadcastInDim(shape: extents, dimensions: kept), [make(narrow, inner.operands)])
        }
        return own == pad ? nil : make(own, [x])
    }

    // MARK: Concatenations

    private func concatenated(_ x: [Value], _ axis: Int) -> Value? {
        var parts: [Value] = []
        for part in x {
            if let inner = match(Concatenate.self, part), inner.operation.axis == axis {
                for own in inner.operands { append(own, to: &parts, axis) }
            } else {
                append(part, to: &parts, axis)
            }
        }
        guard let first = parts.first, let last = parts.last else { return x[0] }
        if parts.count == 1 { return first }
        // Constants at the ends are a pad's, where they are one value.
        let (before, after) = (b.splat(of: first), b.splat(of: last))
        if let value = before ?? after, (after ?? value).bitPattern == value.bitPattern {
            let middle = Array(parts[(before == nil ? 0 : 1)..<(parts.count - (after == nil ? 0 : 1))])
            let rank = b.shape(of: first).count
            var (low, high) = ([Int](repeating: 0, count: rank), [Int](repeating: 0, count: rank))
            low[axis] = before == nil ? 0 : b.shape(of: first)[axis]
            high[axis] = after == nil ? 0 : b.shape(of: last)[axis]
            let pad = Pad(low: low, high: high, interior: low.map { _ in 0 }, value: value)
            return make(pad, [make(Concatenate(axis: axis), middle)])
        }
        return parts == x ? nil : make(Concatenate(axis: axis), parts)
    }

    /// Adds a part to those before it: not if it is empty, and together with the last where both are one value, or parts of one
    /// tensor that follow each other there.
    private func append(_ part: Value, to parts: inout [Value], _ axis: Int) {
        let type = b.type(of: part)
        if type.shape[axis] == 0 { return }
        guard let last = parts.last else { return parts.append(part) }
        if let value = b.splat(of: part), let other = b.splat(of: last), value.bitPattern == other.bitPattern {
            var shape = type.shape
            shape[axis] += b.shape(of: last)[axis]
            parts[parts.count - 1] = b.constant(value, TensorType(type.element, shape))
        } else if let first = match(Slice.self, last), let second = match(Slice.self, part),
            first.operands == second.operands, let joint = first.operation.joined(with: second.operation, along: axis)
        {
            parts[parts.count - 1] = make(joint, first.operands)
        } else {
            parts.append(part)
        }
    }

    // MARK: Sums of what stands in different places: the gradient of a tensor that was taken apart

    /// Where x and y are not zero along one axis.
    private struct Segments {
        let axis: Int
        /// Their first places and values, in order.
        var segments: [(start: Int, value: Value)]
    }

    private func sideBySide(_ x: Value, _ y: Value) -> Value? {
        guard let first = segments(x), let second = segments(y), first.axis == second.axis else { return nil }
        let axis = first.axis
        let all = (first.segments + second.segments).sorted { $0.start < $1.start }
        guard let start = all.first?.start else { return nil }
        var type = b.type(of: x)
        let extent = type.shape[axis]
        var parts: [Value] = []
        var end = start
        for segment in all {
            if segment.start < end { return nil }
            if segment.start > end {
                type.shape[axis] = segment.start - end
                parts.append(b.constant(0, type))
            }
            parts.append(segment.value)
            end = segment.start + b.shape(of: segment.value)[axis]
        }
        var (low, high) = (type.shape.map { _ in 0 }, type.shape.map { _ in 0 })
        (low[axis], high[axis]) = (start, extent - end)
        return make(
            Pad(low: low, high: high, interior: low.map { _ in 0 }), [make(Concatenate(axis: axis), parts)])
    }

    /// A tensor that has zeros along one axis by its making: a pad, or a concatenation with zeros.
    private func segments(_ x: Value) -> Segments? {
        if let pad = match(Pad.self, x), pad.operation.value == 0 {
            let (low, high) = (pad.operation.low, pad.operation.high)
            let axes = low.indices.filter { low[$0] != 0 || high[$0] != 0 }
            guard axes.count == 1, low[axes[0]] >= 0, high[axes[0]] >= 0, pad.operation.interior.allSatisfy({ $0 == 0 })
            else { return nil }
            let (axis, inside) = (axes[0], pad.operands[0])
            var found = Segments(axis: axis, segments: [(0, inside)])
            if let own = match(Concatenate.self, inside), own.operation.axis == axis { found = segments(of: own) }
            return Segments(axis: axis, segments: found.segments.map { ($0.start + low[axis], $0.value) })
        }
        guard let own = match(Concatenate.self, x) else { return nil }
        let found = segments(of: own)
        return found.segments.count < own.operands.count ? found : nil
    }

    private func segments(of concatenation: (operation: Concatenate, operands: [Value])) -> Segments {
        let axis = concatenation.operation.axis
        var segments: [(Int, Value)] = []
        var start = 0
        for part in concatenation.operands {
            if b.splat(of: part) != 0 { segments.append((start, part)) }
            start += b.shape(of: part)[axis]
        }
        return Segments(axis: axis, segments: segments)
    }

    // MARK: Reversals

    private func reversed(_ reverse: Reverse, _ x: Value) -> Value? {
        let shape = b.shape(of: x)
        var axes = Set(reverse.dimensions.filter { shape[$0] > 1 })
        if axes.isEmpty || b.splat(of: x) != nil { return x }
        if let inner = match(Reverse.self, x) {
            axes.formSymmetricDifference(inner.operation.dimensions)
            return make(Reverse(dimensions: axes.sorted()), inner.operands)
        }
        if let inner = match(BroadcastInDim.self, x) {
            let kept = inner.operation.dimensions
            let narrow = Reverse(dimensions: kept.indices.filter { axes.contains(kept[$0]) })
            return make(inner.operation, [make(narrow, inner.operands)])
        }
        return axes.sorted() == reverse.dimensions ? nil : make(Reverse(dimensions: axes.sorted()), [x])
    }

    // MARK: Rows by numbers that are known

    private func gathered(_ gather: Gather, _ x: Value, _ indices: Value) -> Value? {
        let type = b.type(of: x)
        let shape = b.shape(of: indices) + type.shape[(gather.batch + 1)...]
        if let value = b.splat(of: x) { return b.constant(value, TensorType(type.element, shape)) }
        guard gather.batch == 0, let rows = progression(indices, below: type.shape[0]) else { return nil }
        let rest = Array(type.shape.dropFirst())
        var (starts, counts, strides) = (type.shape.map { _ in 0 }, type.shape, type.shape.map { _ in 1 })
        (starts[0], counts[0], strides[0]) = (rows.first, rows.step == 0 ? 1 : rows.count, max(rows.step, 1))
        let part = make(Slice(starts: starts, counts: counts, strides: strides), [x])
        if rows.step > 0 || rows.count == 1 { return make(Reshape(shape: shape), [part]) }
        let leading = shape.count - rest.count
        return make(
            BroadcastInDim(shape: shape, dimensions: Array(leading..<shape.count)),
            [make(Reshape(shape: rest), [part])])
    }

    private func scattered(_ scatter: ScatterAdd, _ indices: Value, _ updates: Value) -> Value? {
        let type = b.type(of: updates)
        let rank = b.shape(of: indices).count
        let rest = Array(type.shape[rank...])
        if b.splat(of: updates) == 0 || type.count == 0 {
            let shape = type.shape[..<scatter.batch] + [scatter.rows] + rest
            return b.constant(0, TensorType(type.element, Array(shape)))
        }
        guard scatter.batch == 0, let rows = progression(indices, below: scatter.rows), rows.step > 0 || rows.count == 1
        else { return nil }
        var (low, high) = ([0] + rest.map { _ in 0 }, [0] + rest.map { _ in 0 })
        var interior = low
        (low[0], interior[0]) = (rows.first, max(rows.step, 1) - 1)
        high[0] = scatter.rows - 1 - (rows.first + (rows.count - 1) * rows.step)
        return make(
            Pad(low: low, high: high, interior: interior), [make(Reshape(shape: [rows.count] + rest), [updates])])
    }

    /// Constant row numbers that grow by one step, which is 0 for a single row; `nil` for others.
    private func progression(_ indices: Value, below rows: Int) -> (first: Int, step: Int, count: Int)? {
        func inside(_ number: Double) -> Int { min(max(Int(number), 0), rows - 1) }
        let count = b.type(of: indices).count
        if count == 0 { return nil }
        if let number = b.splat(of: indices) { return (inside(number), 0, count) }
        guard let constant = match(ConstantTensor.self, indices)?.operation else { return nil }
        let numbers = constant.values.map(inside)
        if count == 1 { return (numbers[0], 0, 1) }
        let step = numbers[1] - numbers[0]
        return step >= 0 && zip(numbers, numbers.dropFirst()).allSatisfy({ $1 - $0 == step })
            ? (numbers[0], step, count) : nil
    }

    // MARK: Sums of padded tensors, and over the results of scattering

    private func summedParts(_ sum: ReduceSum, _ x: Value) -> Value? {
        if let inner = match(Pad.self, x), inner.operation.value == 0,
            sum.dimensions.allSatisfy({ inner.operation.low[$0] >= 0 && inner.operation.high[$0] >= 0 })
        {
            let pad = inner.operation
            let kept = sum.kept(rank: pad.low.count)
            let narrow = Pad(
                low: kept.map { pad.low[$0] }, high: kept.map { pad.high[$0] }, interior: kept.map { pad.interior[$0] })
            return make(narrow, [make(sum, inner.operands)])
        }
        // Σ over the last common axes: all updates go into the same rows.
        if let inner = match(ScatterAdd.self, x) {
            let batch = inner.operation.batch - sum.dimensions.count
            if batch >= 0, sum.dimensions == Array(batch..<inner.operation.batch) {
                return make(ScatterAdd(rows: inner.operation.rows, batch: batch), inner.operands)
            }
        }
        return nil
    }
}

extension Slice {
    /// The shape of the result.
    fileprivate var extents: [Int] {
        starts.indices.map { limits[$0] > starts[$0] ? (limits[$0] - starts[$0] - 1) / strides[$0] + 1 : 0 }
    }

    /// So many places along each axis, one at least, in one form: the limit behind the last, stride 1 for a single place.
    fileprivate init(starts: [Int], counts: [Int], strides: [Int]) {
        let limits = starts.indices.map { starts[$0] + (counts[$0] - 1) * strides[$0] + 1 }
        self.init(
            starts: starts, limits: limits, strides: starts.indices.map { counts[$0] == 1 ? 1 : strides[$0] })
    }

    fileprivate func moved(along axis: Int, by distance: Int) -> Slice {
        var (starts, limits) = (starts, limits)
        starts[axis] += distance
        limits[axis] += distance
        return Slice(starts: starts, limits: limits, strides: strides)
    }

    /// Both as one, where `next` goes on along the axis where this one ends and they agree otherwise.
    fileprivate func joined(with next: Slice, along axis: Int) -> Slice? {
        let others = starts.indices.filter { $0 != axis }
        let agree = others.allSatisfy {
            starts[$0] == next.starts[$0] && limits[$0] == next.limits[$0] && strides[$0] == next.strides[$0]
        }
        guard agree else { return nil }
        let (count, nextCount) = (extents[axis], next.extents[axis])
        // A single place has any stride: that from one to the other, if both are.
        let gap = next.starts[axis] - (limits[axis] - 1)
        let stride = count > 1 ? strides[axis] : nextCount > 1 ? next.strides[axis] : gap
        guard gap == stride, nextCount == 1 || next.strides[axis] == stride, stride > 0 else { return nil }
        var (counts, steps) = (extents, strides)
        (counts[axis], steps[axis]) = (count + nextCount, stride)
        return Slice(starts: starts, counts: counts, strides: steps)
    }
}

extension Pad {
    /// The shape of the result, which fits: it was checked when the operation was made.
    fileprivate func extents(of shape: [Int]) -> [Int] {
        shape.indices.map { low[$0] + shape[$0] + max(shape[$0] - 1, 0) * interior[$0] + high[$0] }
    }
}
