import Graph

/// Depthwise convolutions as elementwise operations. Every channel has a kernel of its own, so nothing is contracted that a kernel
/// of convolutions could put into the lanes of a vector; written out tap by tap, whatever lies innermost in memory is there.
///
/// - A small kernel: y = Σ over taps of a part of x times one number for each channel.
/// - A small result (the gradient in the kernel): each of its places is the sum of a part of x times the whole right operand.
///
/// Both are taken by regions on one walk. The data keep their order of axes, so transpositions around the convolution meet theirs.
func expandDepthwise(_ g: Graph) -> Graph {
    let b = GraphBuilder()
    return eliminateDeadCode(
        g.rewritten(in: b) { node, operands in
            guard let convolution = node.operation as? Convolution,
                let depthwise = DepthwiseConvolution(convolution, b.type(of: operands[0]), b.type(of: operands[1]))
            else { return b.emitAll(node.operation, operands) }
            let shape = g.type(of: node.result).shape
            return [b.reshape(depthwise.expanded(operands[0], operands[1], in: b), to: shape)]
        })
}

/// A convolution without channels in or out beside its batch axes, and few taps or few places.
private struct DepthwiseConvolution {
    /// Most taps, or places, that are written out.
    private static let most = 32

    private let lhs: Convolution.Roles
    private let rhs: Convolution.Roles
    private let windows: [Convolution.Window]
    private let x: [Int]
    private let w: [Int]
    /// Extents of the spatial axes.
    private let taps: [Int]
    private let places: [Int]
    private let isSumOfTaps: Bool

    init?(_ convolution: Convolution, _ x: TensorType, _ w: TensorType) {
        (lhs, rhs, windows) = (convolution.lhs, convolution.rhs, convolution.windows)
        (self.x, self.w) = (x.shape, w.shape)
        func product(_ extents: [Int]) -> Int { extents.reduce(1) { $0.multipliedSaturated(by: $1) } }
        func count(_ axes: [Int], of shape: [Int]) -> Int { product(axes.map { shape[$0] }) }
        guard let type = try? convolution.resultTypes(of: [x, w])[0], type.count > 0, x.count > 0, w.count > 0,
            !lhs.batch.isEmpty, count(rhs.free, of: w.shape) == 1
        else { return nil }
        taps = rhs.spatial.map { w.shape[$0] }
        let first = lhs.batch.count + lhs.free.count
        places = Array(type.shape[first..<first + windows.count])
        isSumOfTaps = product(taps) <= Self.most && count(lhs.contracted, of: x.shape) == 1
        guard isSumOfTaps || product(places) <= Self.most && count(lhs.free, of: x.shape) == 1 else { return nil }
    }

    /// The result in the order of its roles, up to axes of extent 1.
    func expanded(_ x: Value, _ w: Value, in b: GraphBuilder) -> Value {
        var (low, high, interior) = (self.x.map { _ in 0 }, self.x.map { _ in 0 }, self.x.map { _ in 0 })
        for (axis, window) in zip(lhs.spatial, windows) {
            (low[axis], high[axis], interior[axis]) = (window.low, window.high, window.lhsDilation - 1)
        }
        let data = b.pad(x, low: low, high: high, interior: interior)
        let kernel = b.reverse(w, dimensions: zip(rhs.spatial, windows).filter { $0.1.reversed }.map(\.0))
        return isSumOfTaps ? sumOfTaps(data, kernel, in: b) : sumsOverTaps(data, kernel, in: b)
    }

    private func sumOfTaps(_ data: Value, _ kernel: Value, in b: GraphBuilder) -> Value {
        // The kernel's channels in the order of the data's axes.
        let channels = zip(lhs.batch, rhs.batch).sorted { $0.0 < $1.0 }
        let byTap = b.reshape(
            b.transpose(kernel, rhs.spatial + channels.map(\.1) + rhs.contracted + rhs.free),
            to: taps + channels.map { self.x[$0.0] })
        var sum: Value?
        for tap in indices(of: taps) {
            let part = part(
                of: data, from: zip(tap, windows).map { $0 * $1.rhsDilation }, places, windows.map(\.stride), in: b)
            let numbers = b.slice(
                byTap, starts: tap + channels.map { _ in 0 }, limits: tap.map { $0 + 1 } + channels.map { self.x[$0.0] }
            )
            let spread = b.broadcast(
                b.reshape(numbers, to: channels.map { self.x[$0.0] }), to: b.shape(of: part),
                dimensions: channels.map(\.0))
            let term = b.multiply(part, spread)
            sum = sum.map { b.add($0, term) } ?? term
        }
        guard let sum else { preconditionFailure("a depthwise convolution has taps") }
        return b.transpose(sum, lhs.batch + lhs.free + lhs.spatial + lhs.contracted)
    }

    private func sumsOverTaps(_ data: Value, _ kernel: Value, in b: GraphBuilder) -> Value {
        // The right operand with the data's axes: where these have free ones, of extent 1.
        let pairs = zip(lhs.batch + lhs.contracted + lhs.spatial, rhs.batch + rhs.contracted + rhs.spatial)
            .sorted { $0.0 < $1.0 }
        var extents = self.x.map { _ in 1 }
        for (axis, other) in pairs { extents[axis] = self.w[other] }
        let weights = b.reshape(b.transpose(kernel, pairs.map(\.1) + rhs.free), to: extents)
        let summed = (lhs.contracted + lhs.spatial).sorted()
        let sums = indices(of: places).map { place in
            let part = part(
                of: data, from: zip(place, windows).map { $0 * $1.stride }, taps, windows.map(\.rhsDilation), in: b)
            let sum = b.sum(b.multiply(part, weights), dimensions: summed)
            return b.reshape(sum, to: [1] + b.shape(of: sum))
        }
        // [places, kept axes in the data's order]: channels in the order of the roles come first in the result.
        let kept = self.x.indices.filter { !summed.contains($0) }
        let stack = b.concatenate(sums, axis: 0)
        let order = (lhs.batch + lhs.free).map { axis in 1 + (kept.firstIndex(of: axis) ?? 0) }
        return b.transpose(stack, order + [0])
    }

    /// `extents` elements of the data's spatial axes from these places on, so far apart.
    private func part(of data: Value, from starts: [Int], _ extents: [Int], _ strides: [Int], in b: GraphBuilder)
        -> Value
    {
        var (from, to, step) = (self.x.map { _ in 0 }, b.shape(of: data), self.x.map { _ in 1 })
        for (index, axis) in lhs.spatial.enumerated() {
            from[axis] = starts[index]
            to[axis] = starts[index] + (extents[index] - 1) * strides[index] + 1
            step[axis] = strides[index]
        }
        return b.slice(data, starts: from, limits: to, strides: step)
    }

    /// All indices below these extents, the last one fastest.
    private func indices(of extents: [Int]) -> [[Int]] {
        extents.reduce([[]]) { all, extent in all.flatMap { index in (0..<extent).map { index + [$0] } } }
    }
}
