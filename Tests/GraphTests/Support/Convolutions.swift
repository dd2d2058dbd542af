import Graph

/// A convolution written from its other end: every element of the data under every tap of the kernel is added to the place of
/// the result at which they meet.
func scattered(_ operation: Convolution, _ x: Tensor, _ w: Tensor, into type: TensorType) -> Tensor {
    func indices(_ shape: [Int]) -> [[Int]] {
        shape.reduce([[]]) { sofar, extent in sofar.flatMap { index in (0..<extent).map { index + [$0] } } }
    }
    var result = [Double](repeating: 0, count: type.shape.reduce(1, *))
    let (lhs, rhs) = (operation.lhs, operation.rhs)
    let kernels = indices(w.type.shape)
    for (xIndex, xValue) in zip(indices(x.type.shape), x.values) {
        for (wIndex, wValue) in zip(kernels, w.values) {
            guard lhs.batch.map({ xIndex[$0] }) == rhs.batch.map({ wIndex[$0] }),
                lhs.contracted.map({ xIndex[$0] }) == rhs.contracted.map({ wIndex[$0] })
            else { continue }
            var places: [Int] = []
            for (axis, window) in operation.windows.enumerated() {
                let extent = type.shape[lhs.batch.count + lhs.free.count + axis]
                let position = xIndex[lhs.spatial[axis]] * window.lhsDilation + window.low
                let tap = wIndex[rhs.spatial[axis]]
                let last = w.type.shape[rhs.spatial[axis]] - 1
                let start = position - (window.reversed ? last - tap : tap) * window.rhsDilation
                let width = (x.type.shape[lhs.spatial[axis]] - 1) * window.lhsDilation + 1 + window.low + window.high
                if position < width, start >= 0, start % window.stride == 0, start / window.stride < extent {
                    places.append(start / window.stride)
                }
            }
            if places.count < operation.windows.count { continue }
            let index =
                lhs.batch.map { xIndex[$0] } + lhs.free.map { xIndex[$0] } + places + rhs.free.map { wIndex[$0] }
            let offset = zip(index, type.shape).reduce(0) { $0 * $1.1 + $1.0 }
            result[offset] += xValue * wValue
        }
    }
    return Tensor(type, result)
}

/// A convolution and the shapes of its operands.
struct ConvolutionCase: Sendable, CustomStringConvertible {
    let name: String
    let operation: Convolution
    let x: [Int]
    let w: [Int]
    var description: String { name }

    /// `y` = the convolution of `x` and `w`, f64.
    var graph: Graph {
        let b = GraphBuilder()
        let (x, w) = (b.input("x", TensorType(.f64, x)), b.input("w", TensorType(.f64, w)))
        return b.build(outputs: [("y", b.emit(operation, x, w))])
    }
    var resultType: TensorType { graph.type(of: graph.outputs[0].value) }
}

extension ConvolutionCase {
    typealias Roles = Convolution.Roles
    typealias Window = Convolution.Window

    /// Images `[n, c, …]` under a kernel `[o, c, …]`.
    init(_ name: String, _ windows: [Window], data: [Int], kernel: [Int], n: Int = 2, c: Int = 2, o: Int = 3) {
        let spatial = Array(2..<2 + windows.count)
        self.init(
            name: name,
            operation: Convolution(
                lhs: Roles(free: [0], contracted: [1], spatial: spatial),
                rhs: Roles(free: [0], contracted: [1], spatial: spatial), windows: windows),
            x: [n, c] + data, w: [o, c] + kernel)
    }

    /// Any window, any order of the axes, roles with none to two axes.
    static func random(_ random: inout SplitMix, rank: Int? = nil) -> ConvolutionCase {
        let rank = rank ?? Int.random(in: 0...2, using: &random)
        func extents(_ range: ClosedRange<Int>) -> [Int] {
            (0..<Int.random(in: range, using: &random)).map { _ in Int.random(in: 1...2, using: &random) }
        }
        let (batch, contracted, samples, channels) = (extents(0...1), extents(0...2), extents(0...1), extents(0...1))
        var windows: [Window] = []
        var (data, kernel) = ([Int](), [Int]())
        for _ in 0..<rank {
            windows.append(
                Window(
                    stride: Int.random(in: 1...3, using: &random), low: Int.random(in: -2...3, using: &random),
                    high: Int.random(in: -2...3, using: &random), lhsDilation: Int.random(in: 1...3, using: &random),
                    rhsDilation: Int.random(in: 1...2, using: &random), reversed: Bool.random(using: &random)))
            data.append(Int.random(in: 1...(rank == 1 ? 7 : 4), using: &random))
            kernel.append(Int.random(in: 1...3, using: &random))
        }
        /// Axes in a random order: the roles of each, and the shape.
        func shuffled(_ parts: [[Int]]) -> (Roles, [Int]) {
            let shape = parts.flatMap { $0 }
            let order = Array(shape.indices).shuffled(using: &random)
            var places = [[Int]]()
            var next = 0
            for part in parts {
                places.append(part.indices.map { order[next + $0] })
                next += part.count
            }
            var placed = shape
            for (axis, place) in order.enumerated() { placed[place] = shape[axis] }
            return (Roles(batch: places[0], free: places[1], contracted: places[2], spatial: places[3]), placed)
        }
        let (lhs, x) = shuffled([batch, samples, contracted, data])
        let (rhs, w) = shuffled([batch, channels, contracted, kernel])
        let operation = Convolution(lhs: lhs, rhs: rhs, windows: windows)
        return ConvolutionCase(name: "\(x) \(w) {\(operation.attributes)}", operation: operation, x: x, w: w)
    }

    /// Windows that networks and their derivatives have.
    static let all: [ConvolutionCase] = [
        ConvolutionCase("valid", [Window()], data: [5], kernel: [3]),
        ConvolutionCase("same", [Window(low: 1, high: 1)], data: [5], kernel: [3]),
        ConvolutionCase("stride 2", [Window(stride: 2)], data: [7], kernel: [3]),
        ConvolutionCase("stride 2 that does not divide", [Window(stride: 2)], data: [6], kernel: [3]),
        ConvolutionCase("stride 3, same", [Window(stride: 3, low: 1, high: 1)], data: [7], kernel: [3]),
        ConvolutionCase("stride above the kernel", [Window(stride: 3)], data: [8], kernel: [2]),
        ConvolutionCase("asymmetric", [Window(low: 2, high: 0)], data: [5], kernel: [3]),
        ConvolutionCase("elements cut off", [Window(low: -1, high: -2)], data: [7], kernel: [2]),
        ConvolutionCase("cut off and padded", [Window(stride: 2, low: -1, high: 2)], data: [6], kernel: [3]),
        ConvolutionCase("dilated", [Window(low: 2, high: 2, rhsDilation: 2)], data: [6], kernel: [3]),
        ConvolutionCase(
            "dilated, stride 2", [Window(stride: 2, low: 1, high: 3, rhsDilation: 3)], data: [7], kernel: [2]),
        ConvolutionCase(
            "transposed", [Window(low: 2, high: 2, lhsDilation: 2, reversed: true)], data: [4], kernel: [3]),
        ConvolutionCase(
            "transposed, output padding", [Window(low: 1, high: 2, lhsDilation: 2)], data: [3], kernel: [3]),
        ConvolutionCase(
            "all at once", [Window(stride: 2, low: 3, high: 1, lhsDilation: 3, rhsDilation: 2, reversed: true)],
            data: [4], kernel: [3]),
        ConvolutionCase("reversed", [Window(low: 1, high: 0, reversed: true)], data: [5], kernel: [3]),
        ConvolutionCase("kernel of one", [Window()], data: [4], kernel: [1]),
        ConvolutionCase("kernel of one, stride 2", [Window(stride: 2)], data: [5], kernel: [1]),
        ConvolutionCase("kernel wider than the data", [Window(low: 2, high: 2)], data: [2], kernel: [4]),
        ConvolutionCase("kernel wider than what is seen", [Window()], data: [2], kernel: [4]),
        ConvolutionCase("only zeros seen", [Window(low: 3, high: -3)], data: [2], kernel: [2]),
        ConvolutionCase("kernel as wide as the data", [Window()], data: [3], kernel: [3]),
        ConvolutionCase(
            "image", [Window(low: 1, high: 1), Window(stride: 2)], data: [3, 5], kernel: [3, 2], n: 2, c: 2, o: 2),
        ConvolutionCase(
            "image, one axis reversed", [Window(low: 1), Window(stride: 2, reversed: true)], data: [3, 4],
            kernel: [2, 2], n: 1),
        ConvolutionCase(
            "volume", [Window(high: 1), Window(stride: 2, low: 1), Window(rhsDilation: 2)], data: [2, 3, 4],
            kernel: [2, 2, 2], n: 1, c: 2, o: 2),
        ConvolutionCase("no spatial axes", [], data: [], kernel: []),
        ConvolutionCase(
            name: "groups",
            operation: Convolution(
                lhs: Roles(batch: [1], free: [0], contracted: [2], spatial: [3]),
                rhs: Roles(batch: [0], free: [1], contracted: [2], spatial: [3]), windows: [Window(low: 1, high: 1)]),
            x: [2, 3, 2, 4], w: [3, 2, 2, 3]),
        ConvolutionCase(
            name: "depthwise, one sample",
            operation: Convolution(
                lhs: Roles(batch: [0], spatial: [1, 2]), rhs: Roles(batch: [0], spatial: [1, 2]),
                windows: [Window(), Window(stride: 2, low: 1)]),
            x: [3, 4, 4], w: [3, 2, 3]),
        ConvolutionCase(
            name: "roles of several axes, in any order",
            operation: Convolution(
                lhs: Roles(batch: [4], free: [2, 0], contracted: [5, 1], spatial: [3]),
                rhs: Roles(batch: [2], free: [4, 1], contracted: [0, 5], spatial: [3]), windows: [Window(high: 1)]),
            x: [1, 2, 2, 3, 2, 2], w: [2, 2, 2, 2, 1, 2]),
    ]
}
