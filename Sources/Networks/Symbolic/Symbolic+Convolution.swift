import Graph

/// What a convolution puts around its input.
public enum ConvolutionPadding: Sendable, Hashable, ExpressibleByIntegerLiteral {
    /// So many zeros at both ends of each axis.
    case zeros(Int)
    /// As many as keep the extents at stride 1; of an odd number the end gets one more (PyTorch's `padding="same"`).
    case same

    public init(integerLiteral value: Int) { self = .zeros(value) }

    var count: Int {
        if case .zeros(let count) = self { return count }
        return 0
    }

    func sides(kernel: Int, dilation: Int) -> (low: Int, high: Int) {
        switch self {
        case .zeros(let count): return (count, count)
        case .same:
            let total = dilation * (kernel - 1)
            return (total / 2, total - total / 2)
        }
    }
}

extension Symbolic {
    /// Cross-correlation of one sample `[C, W]` with a weight `[O, C/groups, k]`: `[O, W']`.
    public func conv1d(
        _ weight: Symbolic, stride: Int = 1, padding: ConvolutionPadding = 0, dilation: Int = 1, groups: Int = 1
    ) throws(GraphError) -> Symbolic {
        try convolved(weight, axes: 1, stride, padding, dilation, groups)
    }

    /// Cross-correlation of one sample `[C, H, W]` with a weight `[O, C/groups, kh, kw]`: `[O, H', W']`.
    public func conv2d(
        _ weight: Symbolic, stride: Int = 1, padding: ConvolutionPadding = 0, dilation: Int = 1, groups: Int = 1
    ) throws(GraphError) -> Symbolic {
        try convolved(weight, axes: 2, stride, padding, dilation, groups)
    }

    private func convolved(
        _ weight: Symbolic, axes: Int, _ stride: Int, _ padding: ConvolutionPadding, _ dilation: Int, _ groups: Int
    ) throws(GraphError) -> Symbolic {
        try checkSteps(stride, dilation, groups, padding: padding.count)
        try checkConvolution(
            weight, axes: axes, groups: groups, channels: weight.shape.count > 1 ? weight.shape[1] * groups : 0)
        let windows = try weight.shape.dropFirst(2).map { kernel throws(GraphError) in
            let (low, high) = padding.sides(kernel: kernel, dilation: dilation)
            return Convolution.Window(stride: stride, low: low, high: high, rhsDilation: dilation)
        }
        return try grouped(weight, groups: groups, outputs: weight.shape[0], inputAxis: 1, windows)
    }

    /// The transpose of `conv2d` (as a map of its data): one sample `[C, H, W]`, weight `[C, O/groups, kh, kw]`: `[O, H', W']`.
    public func convTranspose2d(
        _ weight: Symbolic, stride: Int = 1, padding: Int = 0, outputPadding: Int = 0, dilation: Int = 1,
        groups: Int = 1
    ) throws(GraphError) -> Symbolic {
        try checkSteps(stride, dilation, groups, padding: padding, outputPadding)
        try checkConvolution(weight, axes: 2, groups: groups, channels: weight.shape.first ?? 0)
        let windows = weight.shape.dropFirst(2).map { kernel in
            let reach = dilation * (kernel - 1) - padding
            return Convolution.Window(
                low: reach, high: reach + outputPadding, lhsDilation: stride, rhsDilation: dilation, reversed: true)
        }
        return try grouped(weight, groups: groups, outputs: weight.shape[1] * groups, inputAxis: 0, windows)
    }

    private func checkConvolution(
        _ weight: Symbolic, axes: Int, groups: Int, channels: Int
    ) throws(GraphError) {
        guard shape.count == axes + 1, weight.shape.count == axes + 2, shape[0] == channels else {
            throw GraphError(
                "a convolution with a weight of shape \(weight.shape)\(groups == 1 ? "" : " in \(groups) groups") takes "
                    + "\(channels) channels of \(axes) axes; its input has shape \(shape)")
        }
        guard groups >= 1, weight.shape[0] % groups == 0, channels % groups == 0 else {
            throw GraphError(
                "\(groups) groups of a convolution with a weight of shape \(weight.shape): they must divide the channels"
            )
        }
    }

    /// Numbers that products of with extents cannot overflow.
    private func checkSteps(_ steps: Int..., padding: Int...) throws(GraphError) {
        let limit = 1 << 20
        if let step = steps.first(where: { $0 < 1 || $0 > limit }) {
            throw GraphError(
                "a stride, dilation or number of groups of \(step) in a convolution: they are 1 to \(limit)")
        }
        if let count = padding.first(where: { $0 < 0 || $0 > limit }) {
            throw GraphError("a padding of \(count) in a convolution: it is 0 to \(limit)")
        }
    }

    /// A result of no elements is an error: the kernel is wider than what it slides over.
    private func checkExtents(_ result: Symbolic, _ weight: Symbolic) throws(GraphError) {
        if result.shape.contains(0) {
            throw GraphError(
                "a convolution with a weight of shape \(weight.shape) of an input of shape \(shape), which it does not fit in"
            )
        }
    }

    /// - Parameter inputAxis: the weight's axis of channels in; 1 or, of a transposed convolution, 0.
    private func grouped(
        _ weight: Symbolic, groups: Int, outputs: Int, inputAxis: Int, _ windows: [Convolution.Window]
    ) throws(GraphError) -> Symbolic {
        let axes = windows.count
        if groups == 1 {
            let spatial = Array(2..<2 + axes)
            let y = try with(
                Convolution(
                    lhs: .init(contracted: [0], spatial: Array(1...axes)),
                    rhs: .init(free: [1 - inputAxis], contracted: [inputAxis], spatial: spatial), windows: windows),
                weight)
            try checkExtents(y, weight)
            return try y.transposed([axes] + Array(0..<axes))
        }
        // [C, …] as [G, C/G, …] and the weight's first axis likewise: the group is a batch role.
        let x = try reshaped(to: [groups, shape[0] / groups] + shape.dropFirst())
        let w = try weight.reshaped(to: [groups, weight.shape[0] / groups] + weight.shape.dropFirst())
        let y = try x.with(
            Convolution(
                lhs: .init(batch: [0], contracted: [1], spatial: Array(2..<2 + axes)),
                rhs: .init(
                    batch: [0], free: [2 - inputAxis], contracted: [1 + inputAxis], spatial: Array(3..<3 + axes)),
                windows: windows), w)
        try checkExtents(y, weight)
        let placed = try y.transposed([0, axes + 1] + Array(1...axes))
        return try placed.reshaped(to: [outputs] + placed.shape.dropFirst(2))
    }
}
