import Graph

/// A convolution's axes by role, with their places in memory.
struct ConvolutionShape {
    /// The strides of each axis of data, kernel and result.
    var x: [Int]
    var w: [Int]
    var y: [Int]
    let convolution: Convolution
    let left: TensorType
    let right: TensorType
    let result: TensorType

    init(_ convolution: Convolution, _ left: TensorType, _ right: TensorType, _ result: TensorType, y: [Int]?) {
        self.convolution = convolution
        (self.left, self.right, self.result) = (left, right, result)
        x = Axes.rowMajorStrides(left.shape)
        w = Axes.rowMajorStrides(right.shape)
        self.y = y ?? Axes.rowMajorStrides(result.shape)
    }

    /// The kernels walk three spatial axes.
    static let mostSpatialAxes = 3

    /// The axes of an operand in this order lie as a copy of it has them.
    static func strides(_ type: TensorType, order: [Int]) -> [Int] {
        var strides = type.shape.map { _ in 0 }
        for (axis, stride) in zip(order, Axes.rowMajorStrides(order.map { type.shape[$0] })) { strides[axis] = stride }
        return strides
    }

    /// Orders in which either kernel reads its operands without further ado.
    var positionsOrder: [Int] {
        let roles = convolution.lhs
        return roles.batch + roles.free + roles.spatial + contracted.map(\.x)
    }
    var gradientOrders: (x: [Int], w: [Int]) {
        let (l, r) = (convolution.lhs, convolution.rhs)
        return (
            l.batch + contracted.map(\.x) + l.spatial + l.free, r.batch + contracted.map(\.w) + r.spatial + r.free
        )
    }

    /// The order of the sum is free: the data's, so that its axes merge where they can.
    private var contracted: [(x: Int, w: Int)] {
        zip(convolution.lhs.contracted, convolution.rhs.contracted).map { (x: $0.0, w: $0.1) }.sorted {
            x[$0.x] > x[$1.x]
        }
    }

    /// Always three: axes that the convolution lacks come first, with extents 1.
    var axes: [ConvolutionAxis] {
        let given = convolution.windows.indices.map { index -> ConvolutionAxis in
            let window = convolution.windows[index]
            let place = convolution.resultAxes.spatial.lowerBound + index
            return ConvolutionAxis(
                out: result.shape[place], input: left.shape[convolution.lhs.spatial[index]],
                window: right.shape[convolution.rhs.spatial[index]], stride: window.stride, low: window.low,
                lhsDilation: window.lhsDilation, rhsDilation: window.rhsDilation, reversed: window.reversed,
                x: x[convolution.lhs.spatial[index]], w: w[convolution.rhs.spatial[index]], y: y[place])
        }
        return [ConvolutionAxis](repeating: ConvolutionAxis(), count: max(0, Self.mostSpatialAxes - given.count))
            + given
    }

    private func axes(of roles: KeyPath<Convolution.Roles, [Int]>, left isLeft: Bool, at place: Range<Int>)
        -> ConvolutionAxes
    {
        let own = isLeft ? convolution.lhs[keyPath: roles] : convolution.rhs[keyPath: roles]
        let strides = own.map { isLeft ? x[$0] : w[$0] }
        let extents = own.map { isLeft ? left.shape[$0] : right.shape[$0] }
        return ConvolutionAxes(extents, x: isLeft ? strides : nil, w: isLeft ? nil : strides, y: place.map { y[$0] })
    }

    var groups: ConvolutionAxes {
        let (l, r) = (convolution.lhs.batch, convolution.rhs.batch)
        return ConvolutionAxes(
            l.map { left.shape[$0] }, x: l.map { x[$0] }, w: r.map { w[$0] },
            y: convolution.resultAxes.batch.map { y[$0] })
    }
    var frees: ConvolutionAxes { axes(of: \.free, left: true, at: convolution.resultAxes.lhsFree) }
    var columns: ConvolutionAxes { axes(of: \.free, left: false, at: convolution.resultAxes.rhsFree) }
    var channels: ConvolutionAxes {
        let pairs = contracted
        return ConvolutionAxes(
            pairs.map { left.shape[$0.x] }, x: pairs.map { x[$0.x] }, w: pairs.map { w[$0.w] })
    }
    /// The contracted axes as the data alone has them.
    var channelsOfData: ConvolutionAxes {
        let pairs = contracted
        return ConvolutionAxes(pairs.map { left.shape[$0.x] }, x: pairs.map { x[$0.x] })
    }
    /// The contracted axes as the kernel alone has them, in the data's order.
    var channelsOfKernel: ConvolutionAxes {
        let pairs = contracted
        return ConvolutionAxes(pairs.map { right.shape[$0.w] }, w: pairs.map { w[$0.w] })
    }

    /// Which kernel: by what lies innermost in the data, unless the extents speak clearly for the other.
    var kind: ConvolutionCall.Kind {
        let axes = axes
        let out = axes.reduce(1) { $0 * $1.out }
        let window = axes.reduce(1) { $0 * $1.window }
        func isInnermost(_ places: [Int]) -> Bool { places.contains { x[$0] == 1 && left.shape[$0] > 1 } }
        if isInnermost(convolution.lhs.free) { return out > 4 * window ? .positions : .gradient }
        if isInnermost(convolution.lhs.contracted) { return window > 4 * out ? .gradient : .positions }
        return window > out ? .gradient : .positions
    }
}
