/// A contraction with spatial axes: a kernel (right operand) slides over data (left operand), without being flipped
/// (cross-correlation), and every pair of contracted axes is summed over.
///
/// Axes are named by their role, as `DotGeneral` names them. The result's axes are, in the order of the role lists: batch, the
/// data's free axes (samples), spatial, the kernel's free axes (channels out). Images thus come out channels last. Groups of
/// channels are a batch role: reshape C to `[G, C/G]`.
///
/// Along one spatial axis of N elements, under a kernel of K,
///
///     y[o] = Σₖ x̃[o·stride + k·rhsDilation − low] w[k]        (w[K − 1 − k] where reversed)
///
/// where x̃ is x with lhsDilation − 1 zeros between neighbours and zeros beyond its ends, of which `low` and `high` are seen;
/// negative ones cut elements off. A kernel that is wider than what is seen gives no elements.
public struct Convolution: Operation {
    public static let mnemonic = "convolution"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)

    /// The axes of one operand by role; the lists partition its axes. Batch and contracted axes pair up with the other
    /// operand's in order; spatial ones with the windows.
    public struct Roles: Hashable, Sendable {
        public var batch: [Int]
        public var free: [Int]
        public var contracted: [Int]
        public var spatial: [Int]

        public init(batch: [Int] = [], free: [Int] = [], contracted: [Int] = [], spatial: [Int] = []) {
            self.batch = batch
            self.free = free
            self.contracted = contracted
            self.spatial = spatial
        }

        /// All axes: batch, free, contracted, spatial.
        public var axes: [Int] { batch + free + contracted + spatial }

        /// The roles of an operand whose axis `place(i)` is this one's axis i.
        func mapped(_ place: (Int) -> Int) -> Roles {
            Roles(
                batch: batch.map(place), free: free.map(place), contracted: contracted.map(place),
                spatial: spatial.map(place))
        }
    }

    /// How the kernel slides along one spatial axis; StableHLO's meaning.
    public struct Window: Hashable, Sendable {
        public var stride: Int
        /// Zeros before the first element; negative: elements cut off.
        public var low: Int
        /// Zeros after the last element; negative: elements cut off.
        public var high: Int
        /// One more than the zeros between neighbouring elements of the data.
        public var lhsDilation: Int
        /// The distance between neighbouring taps of the kernel.
        public var rhsDilation: Int
        /// Whether the kernel's elements are read from the last to the first.
        public var reversed: Bool

        public init(
            stride: Int = 1, low: Int = 0, high: Int = 0, lhsDilation: Int = 1, rhsDilation: Int = 1,
            reversed: Bool = false
        ) {
            self.stride = stride
            self.low = low
            self.high = high
            self.lhsDilation = lhsDilation
            self.rhsDilation = rhsDilation
            self.reversed = reversed
        }
    }

    /// Of the data: free axes are samples, contracted ones channels in.
    public let lhs: Roles
    /// Of the kernel: free axes are channels out, contracted ones channels in.
    public let rhs: Roles
    /// One for each spatial axis.
    public let windows: [Window]

    public init(lhs: Roles, rhs: Roles, windows: [Window]) {
        self.lhs = lhs
        self.rhs = rhs
        self.windows = windows
    }

    /// `{batch = … x …, free = … x …, contracting = … x …, spatial = … x …, stride = …, …}`; what is as usual is left out.
    public var attributes: String {
        var parts: [String] = []
        for (name, left, right) in [
            ("batch", lhs.batch, rhs.batch), ("free", lhs.free, rhs.free),
            ("contracting", lhs.contracted, rhs.contracted), ("spatial", lhs.spatial, rhs.spatial),
        ] where !(name == "batch" && left.isEmpty && right.isEmpty) {
            parts.append("\(name) = \(left) x \(right)")
        }
        func add(_ name: String, _ values: [Int], usual: Int) {
            if values.contains(where: { $0 != usual }) { parts.append("\(name) = \(values)") }
        }
        add("stride", windows.map(\.stride), usual: 1)
        if windows.contains(where: { $0.low != 0 || $0.high != 0 }) {
            parts.append("pad = \(windows.map { [$0.low, $0.high] })")
        }
        add("lhs_dilation", windows.map(\.lhsDilation), usual: 1)
        add("rhs_dilation", windows.map(\.rhsDilation), usual: 1)
        if windows.contains(where: \.reversed) { parts.append("reversed = \(windows.map(\.reversed))") }
        return parts.joined(separator: ", ")
    }

    // MARK: Types

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(2, of: operands)
        let (x, w) = (operands[0], operands[1])
        if x.element != w.element || !x.element.isFloating {
            throw GraphError("convolution takes data and a kernel of one real element, not \(x) and \(w)")
        }
        for (roles, type, name) in [(lhs, x, "data"), (rhs, w, "kernel")] {
            if roles.axes.sorted() != Array(type.shape.indices) {
                throw GraphError(
                    "convolution {\(attributes)}: the roles of the \(name) do not name each axis of \(type) once"
                )
            }
            if roles.spatial.count != windows.count {
                throw GraphError(
                    "convolution: the \(name) \(type) has \(roles.spatial.count) spatial axes, for \(windows.count) windows"
                )
            }
        }
        for (name, left, right) in [
            ("batch", lhs.batch, rhs.batch), ("contracted", lhs.contracted, rhs.contracted),
        ] where left.map({ x.shape[$0] }) != right.map({ w.shape[$0] }) {
            throw GraphError(
                "convolution: the \(name) axes of data \(x) and kernel \(w) differ: \(left.map { x.shape[$0] }) and "
                    + "\(right.map { w.shape[$0] })")
        }
        var spatial: [Int] = []
        for (axis, window) in windows.enumerated() {
            let (n, k) = (x.shape[lhs.spatial[axis]], w.shape[rhs.spatial[axis]])
            guard let extent = try window.resultExtent(data: n, kernel: k) else {
                throw GraphError(
                    "convolution of data \(x) and kernel \(w): the window of spatial axis \(axis) is not possible "
                        + "(stride \(window.stride), dilations \(window.lhsDilation) and \(window.rhsDilation), kernel \(k)); "
                        + "all must be at least 1")
            }
            spatial.append(extent)
        }
        return [
            TensorType(
                x.element,
                lhs.batch.map { x.shape[$0] } + lhs.free.map { x.shape[$0] } + spatial + rhs.free.map { w.shape[$0] })
        ]
    }

    /// The result's axes by role: batch, the data's free ones, spatial, the kernel's free ones.
    public var resultAxes: (batch: Range<Int>, lhsFree: Range<Int>, spatial: Range<Int>, rhsFree: Range<Int>) {
        let free = lhs.batch.count
        let spatial = free + lhs.free.count
        let channels = spatial + windows.count
        return (0..<free, free..<spatial, spatial..<channels, channels..<channels + rhs.free.count)
    }

    // MARK: Meaning

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let (x, w) = (operands[0], operands[1])
        let (xStrides, wStrides) = (Places.strides(x.type.shape), Places.strides(w.type.shape))
        func places(_ axes: [Int], _ tensor: Tensor, _ strides: [Int]) -> [Int] {
            Places.offsets(shape: axes.map { tensor.type.shape[$0] }, strides: axes.map { strides[$0] })
        }
        /// For each place of the result along one spatial axis the places of the data and of the kernel that meet there.
        let meetings = windows.indices.map { axis -> [[(x: Int, w: Int)]] in
            let (n, k) = (x.type.shape[lhs.spatial[axis]], w.type.shape[rhs.spatial[axis]])
            return (0..<types[0].shape[resultAxes.spatial][resultAxes.spatial.lowerBound + axis]).map { place in
                (0..<k).compactMap { tap in
                    windows[axis].source(of: place, tap: tap, data: n, kernel: k).map {
                        ($0 * xStrides[lhs.spatial[axis]], tap * wStrides[rhs.spatial[axis]])
                    }
                }
            }
        }
        let positions = meetings.reduce([[(x: 0, w: 0)]]) { positions, axis in
            positions.flatMap { sofar in
                axis.map { next in sofar.flatMap { a in next.map { (a.x + $0.x, a.w + $0.w) } } }
            }
        }
        let contracted = Array(zip(places(lhs.contracted, x, xStrides), places(rhs.contracted, w, wStrides)))
        let (samples, channels) = (places(lhs.free, x, xStrides), places(rhs.free, w, wStrides))
        var result: [Double] = []
        result.reserveCapacity(types[0].count)
        for (xBatch, wBatch) in zip(places(lhs.batch, x, xStrides), places(rhs.batch, w, wStrides)) {
            for sample in samples {
                for taps in positions {
                    for channel in channels {
                        var sum = 0.0
                        for (i, j) in contracted {
                            let (data, kernel) = (xBatch + sample + i, wBatch + channel + j)
                            for tap in taps { sum += x.values[data + tap.x] * w.values[kernel + tap.w] }
                        }
                        result.append(sum)
                    }
                }
            }
        }
        return [Tensor(types[0], result)]
    }
}

extension Convolution.Window {
    /// The extent of the result along this axis; `nil` where stride, a dilation or the kernel is below 1.
    /// - Throws: `GraphError` where a size exceeds the largest integer.
    func resultExtent(data n: Int, kernel k: Int) throws(GraphError) -> Int? {
        if stride < 1 || lhsDilation < 1 || rhsDilation < 1 || k < 1 { return nil }
        func checked(_ result: (partialValue: Int, overflow: Bool)) throws(GraphError) -> Int {
            if result.overflow { throw GraphError("convolution: a window over \(n) elements is too large") }
            return result.partialValue
        }
        /// (count − 1)·step + 1.
        func span(_ count: Int, _ step: Int) throws(GraphError) -> Int {
            try checked(checked((count - 1).multipliedReportingOverflow(by: step)).addingReportingOverflow(1))
        }
        let seen = try checked(
            checked((n == 0 ? 0 : span(n, lhsDilation)).addingReportingOverflow(low)).addingReportingOverflow(high))
        let reach = try checked(seen.subtractingReportingOverflow(span(k, rhsDilation)))
        return reach < 0 ? 0 : reach / stride + 1
    }

    /// The element of the data that a tap of the kernel meets at a place of the result; `nil` where that is a zero.
    func source(of place: Int, tap: Int, data n: Int, kernel k: Int) -> Int? {
        let position = place * stride + (reversed ? k - 1 - tap : tap) * rhsDilation - low
        guard position >= 0, position % lhsDilation == 0, position / lhsDilation < n else { return nil }
        return position / lhsDilation
    }
}
