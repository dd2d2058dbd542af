import Graph

extension Symbolic {
    enum Pooling { case max, sum }

    /// Over windows of the last axes of `[C, …]`: how many they are is the number of extents given. Padding takes no part in a
    /// maximum. Windows that would reach over the end are left out.
    func pooled(_ pooling: Pooling, kernel: [Int], stride: [Int], padding: [Int]) throws(GraphError) -> Symbolic {
        let first = shape.count - kernel.count
        guard first >= 0, stride.count == kernel.count, padding.count == kernel.count,
            (kernel + stride).allSatisfy({ $0 >= 1 }), zip(padding, kernel).allSatisfy({ $0 >= 0 && $0 <= $1 / 2 })
        else {
            throw GraphError(
                "pooling over windows \(kernel) with strides \(stride) and padding \(padding) of a tensor of shape \(shape)"
            )
        }
        let unpadded = [Int](repeating: 0, count: first)
        let x = try padded(
            low: unpadded + padding, high: unpadded + padding, value: pooling == .max ? Self.belowAll : 0)
        var counts: [Int] = []
        for (extent, (window, step)) in zip(x.shape[first...], zip(kernel, stride)) {
            guard extent >= window else {
                throw GraphError(
                    "pooling over windows \(kernel) of a tensor of shape \(shape): it is smaller than a window")
            }
            counts.append((extent - window) / step + 1)
        }
        return kernel == stride
            ? try x.blocks(pooling, from: first, kernel, counts)
            : try x.windows(pooling, from: first, kernel, stride, counts)
    }

    /// Below any number that a network computes, in f32 too.
    private static let belowAll = -3e38

    /// Windows side by side: an axis of its own for the places within a window, then one reduction.
    private func blocks(
        _ pooling: Pooling, from first: Int, _ kernel: [Int], _ counts: [Int]
    ) throws(GraphError) -> Symbolic {
        var x = self
        var target = Array(shape[..<first])
        var within: [Int] = []
        for (offset, (window, count)) in zip(kernel, counts).enumerated() {
            x = try x.slice(axis: first + offset, from: 0, to: window * count)
            within.append(target.count + 1)
            target += [count, window]
        }
        x = try x.reshaped(to: target)
        return pooling == .max ? try x.max(within) : try x.sum(within)
    }

    /// Windows that overlap or leave gaps: an axis after the other, the places of a window as strided slices. Of equal elements
    /// the first in row-major order has the derivative, as where windows lie side by side: rows are folded first, and a later
    /// place has to be larger.
    private func windows(
        _ pooling: Pooling, from first: Int, _ kernel: [Int], _ stride: [Int], _ counts: [Int]
    ) throws(GraphError) -> Symbolic {
        var x = self
        let order = Array(counts.enumerated())
        for (offset, count) in pooling == .max ? order.reversed() : order {
            let (window, step) = (kernel[offset], stride[offset])
            func place(_ k: Int) throws(GraphError) -> Symbolic {
                try x.slice(axis: first + offset, from: k, to: k + (count - 1) * step + 1, stride: step)
            }
            var folded = try place(0)
            for k in 1..<Swift.max(1, window) {
                folded = pooling == .max ? try place(k).maximum(folded) : try folded + place(k)
            }
            x = folded
        }
        return x
    }

    /// The largest of each window of `[C, H, W]`; the stride is the window's extent where none is given. Of equal elements the
    /// first has the derivative, in row-major order, as PyTorch's.
    public func maxPool2d(_ kernel: Int, stride: Int? = nil, padding: Int = 0) throws(GraphError) -> Symbolic {
        let stride = stride ?? kernel
        return try pooled(.max, kernel: [kernel, kernel], stride: [stride, stride], padding: [padding, padding])
    }

    /// The mean of each window of `[C, H, W]`, padding counted as zeros.
    public func averagePool2d(_ kernel: Int, stride: Int? = nil, padding: Int = 0) throws(GraphError) -> Symbolic {
        let stride = stride ?? kernel
        let sum = try pooled(.sum, kernel: [kernel, kernel], stride: [stride, stride], padding: [padding, padding])
        return kernel == 1 ? sum : try (1 / Double(kernel * kernel)) * sum
    }

    /// The mean over all places of each channel: `[C, …]` to `[C]`.
    public func globalAverage() throws(GraphError) -> Symbolic {
        guard !shape.isEmpty else { throw GraphError("the mean over the places of a scalar") }
        return try mean(Array(1..<shape.count))
    }
}
