import Graph

/// A tensor that stands for a value of a graph under construction: what models, losses and traced Lua functions compute with.
///
/// Shapes combine as in NumPy: aligned at the last axis, an extent of 1 or a missing leading axis is repeated. Every function
/// throws a `GraphError` in words for the author of the network when shapes do not fit.
public struct Symbolic {
    public let builder: GraphBuilder
    public let value: Value

    public init(_ value: Value, in builder: GraphBuilder) {
        self.builder = builder
        self.value = value
    }

    public var type: TensorType { builder.type(of: value) }
    public var shape: [Int] { type.shape }

    /// A constant of this tensor's element type.
    public func constant(_ number: Double, shape: [Int] = []) throws(GraphError) -> Symbolic {
        try Symbolic(builder.apply(Constant(type: TensorType(type.element, shape), splat: number)), in: builder)
    }

    package func with(_ operation: some Operation, _ others: Symbolic...) throws(GraphError) -> Symbolic {
        try Symbolic(builder.applyAll(operation, [value] + others.map(\.value))[0], in: builder)
    }
}

// MARK: - Shapes

extension Symbolic {
    /// Repeats the tensor to a shape that it is compatible with.
    public func broadcast(to target: [Int]) throws(GraphError) -> Symbolic {
        if shape == target { return self }
        let offset = target.count - shape.count
        guard offset >= 0, zip(shape, target.dropFirst(offset)).allSatisfy({ $0 == $1 || $0 == 1 }) else {
            throw GraphError("a tensor of shape \(shape) cannot be repeated to shape \(target)")
        }
        // An axis of extent 1 that is to be repeated is dropped first: broadcast_in_dim then adds it anew.
        let kept = shape.indices.filter { shape[$0] == target[$0 + offset] }
        let dense = kept.count == shape.count ? self : try reshaped(to: kept.map { shape[$0] })
        return try dense.with(BroadcastInDim(shape: target, dimensions: kept.map { $0 + offset }))
    }

    public func reshaped(to target: [Int]) throws(GraphError) -> Symbolic {
        shape == target ? self : try with(Reshape(shape: target))
    }

    /// Axes in a new order: axis `i` of the result is axis `permutation[i]`.
    public func transposed(_ permutation: [Int]) throws(GraphError) -> Symbolic {
        try with(Transpose(permutation: permutation))
    }

    /// The common shape of two tensors, or an error that names both.
    static func common(_ a: [Int], _ b: [Int], _ what: String) throws(GraphError) -> [Int] {
        let rank = Swift.max(a.count, b.count)
        var result = [Int](repeating: 1, count: rank)
        for axis in 0..<rank {
            let x = axis < rank - a.count ? 1 : a[axis - (rank - a.count)]
            let y = axis < rank - b.count ? 1 : b[axis - (rank - b.count)]
            guard x == y || x == 1 || y == 1 else {
                throw GraphError("\(what) of tensors of shapes \(a) and \(b), which do not fit")
            }
            result[axis] = x == 1 ? y : x
        }
        return result
    }

    static func combine(
        _ a: Symbolic, _ b: Symbolic, _ operation: some Operation, _ what: String
    ) throws(GraphError) -> Symbolic {
        let shape = try common(a.shape, b.shape, what)
        return try a.broadcast(to: shape).with(operation, b.broadcast(to: shape))
    }
}

// MARK: - Arithmetic

extension Symbolic {
    public static func + (a: Symbolic, b: Symbolic) throws(GraphError) -> Symbolic { try combine(a, b, Add(), "sum") }
    public static func - (a: Symbolic, b: Symbolic) throws(GraphError) -> Symbolic {
        try combine(a, b, Subtract(), "difference")
    }
    public static func * (a: Symbolic, b: Symbolic) throws(GraphError) -> Symbolic {
        try combine(a, b, Multiply(), "product")
    }
    public static func / (a: Symbolic, b: Symbolic) throws(GraphError) -> Symbolic {
        try combine(a, b, Divide(), "quotient")
    }
    public static func * (a: Double, b: Symbolic) throws(GraphError) -> Symbolic { try b.constant(a) * b }
    public static func + (a: Symbolic, b: Double) throws(GraphError) -> Symbolic { try a + a.constant(b) }

    public func negated() throws(GraphError) -> Symbolic { try with(Negate()) }
    public func maximum(_ other: Symbolic) throws(GraphError) -> Symbolic {
        try Symbolic.combine(self, other, Maximum(), "maximum")
    }
    public func minimum(_ other: Symbolic) throws(GraphError) -> Symbolic {
        try Symbolic.combine(self, other, Minimum(), "minimum")
    }
    public func compared(_ direction: Compare.Direction, to other: Symbolic) throws(GraphError) -> Symbolic {
        try Symbolic.combine(self, other, Compare(direction: direction), "comparison")
    }
    /// `self` where the condition holds, `other` elsewhere.
    public func selected(where condition: Symbolic, otherwise other: Symbolic) throws(GraphError) -> Symbolic {
        let pair = try Symbolic.common(shape, other.shape, "choice")
        let target = try Symbolic.common(condition.shape, pair, "choice")
        return try condition.broadcast(to: target).with(
            Select(), broadcast(to: target), other.broadcast(to: target))
    }

    /// A real power; NaN below 0 unless the exponent is whole. Its derivatives are right at 0 to every order that exists.
    public func power(_ exponent: Double) throws(GraphError) -> Symbolic {
        // Whole exponents that few products make are products, which passes know well.
        if let whole = Int(exactly: exponent), (-1024...1024).contains(whole) { return try power(whole) }
        return exponent == 0.5 ? try sqrt() : try with(Power(exponent: exponent))
    }

    /// An integer power, by repeated squaring: exact derivatives at zero.
    public func power(_ exponent: Int) throws(GraphError) -> Symbolic {
        // Of 1/x, all of whose derivatives at 0 are infinite; those of 1/xⁿ would be 0 · ∞.
        if exponent < -1 { return try (constant(1) / self).power(-exponent) }
        if exponent == -1 { return try constant(1) / self }
        if exponent == 0 { return try constant(1, shape: shape) }
        if exponent == 1 { return self }
        let half = try power(exponent / 2)
        let square = try half * half
        return exponent % 2 == 0 ? square : try square * self
    }
}

// MARK: - Elementwise functions

extension Symbolic {
    public func exp() throws(GraphError) -> Symbolic { try with(Exponential()) }
    public func log() throws(GraphError) -> Symbolic { try with(Log()) }
    public func log1p() throws(GraphError) -> Symbolic { try with(LogPlusOne()) }
    /// eˣ − 1, accurate near 0.
    public func expm1() throws(GraphError) -> Symbolic { try with(ExponentialMinusOne()) }
    public func sqrt() throws(GraphError) -> Symbolic { try with(Sqrt()) }
    public func tanh() throws(GraphError) -> Symbolic { try with(Tanh()) }
    public func sigmoid() throws(GraphError) -> Symbolic { try with(Logistic()) }
    public func abs() throws(GraphError) -> Symbolic { try with(Abs()) }
    /// The value without its dependence on anything: derivatives through it are zero.
    public func detached() throws(GraphError) -> Symbolic { try with(Detach()) }
}

// MARK: - Sums, maxima, products

extension Symbolic {
    /// The axes that are meant, all by default, in order.
    func checked(_ axes: [Int]?, _ what: String) throws(GraphError) -> [Int] {
        guard let axes else { return Array(shape.indices) }
        for axis in axes where !shape.indices.contains(axis) {
            throw GraphError("\(what) over axis \(axis + 1) of a tensor of shape \(shape)")
        }
        guard Set(axes).count == axes.count else {
            throw GraphError(
                "\(what) over the axes \(axes.map { $0 + 1 }) of a tensor of shape \(shape): one is named twice")
        }
        return axes.sorted()
    }

    /// The sum over some axes (from 0), or over all of them.
    public func sum(_ axes: [Int]? = nil) throws(GraphError) -> Symbolic {
        let axes = try checked(axes, "sum")
        return axes.isEmpty ? self : try with(ReduceSum(dimensions: axes))
    }

    public func mean(_ axes: [Int]? = nil) throws(GraphError) -> Symbolic {
        let axes = try checked(axes, "mean")
        let count = axes.reduce(1) { $0 * shape[$1] }
        guard count > 0 else { throw GraphError("mean of no elements: shape \(shape)") }
        return try (1 / Double(count)) * sum(axes)
    }

    public func max(_ axes: [Int]? = nil) throws(GraphError) -> Symbolic {
        let axes = try checked(axes, "maximum")
        return axes.isEmpty ? self : try with(ReduceMax(dimensions: axes))
    }

    /// log Σ exp over the last axis, shifted by the maximum so that nothing overflows; ∞ where an element is, −∞ where all are −∞.
    /// The shift is a constant to derivatives, which is exact: the function does not depend on it.
    public func logSumExp() throws(GraphError) -> Symbolic {
        if shape.isEmpty { return self }
        let largest = try max([shape.count - 1]).detached()
        // ∞ − ∞ is nothing that exp could be taken of.
        let isInfinite = try largest.abs().compared(.eq, to: constant(.infinity))
        let shift = try constant(0).selected(where: isInfinite, otherwise: largest)
        return try shifted(by: shift).logSumExpOfShifted() + shift
    }

    /// The shift goes off first: large elements that are near each other would lose their differences in their logarithmic sum.
    public func logSoftmax() throws(GraphError) -> Symbolic {
        if shape.isEmpty { throw GraphError("softmax of a scalar") }
        let shifted = try shiftedByMaximum().shifted
        return try shifted - shifted.logSumExpOfShifted().reshaped(to: Array(shape.dropLast()) + [1])
    }

    /// The elements less the largest of the last axis, a constant to derivatives; and that.
    func shiftedByMaximum() throws(GraphError) -> (shifted: Symbolic, shift: Symbolic) {
        let shift = try max([shape.count - 1]).detached()
        return (try shifted(by: shift), shift)
    }

    /// The elements less that of their row, which has all axes but the last.
    private func shifted(by shift: Symbolic) throws(GraphError) -> Symbolic {
        try self - shift.reshaped(to: Array(shape.dropLast()) + [1])
    }

    /// The product, 0 where the factor is 0, whatever this is.
    func timesNonzero(_ factor: Symbolic) throws(GraphError) -> Symbolic { try with(MultiplyNonzero(), factor) }

    /// log Σ exp over the last axis, of elements up to 0.
    func logSumExpOfShifted() throws(GraphError) -> Symbolic { try exp().sum([shape.count - 1]).log() }

    public func softmax() throws(GraphError) -> Symbolic { try logSoftmax().exp() }

    /// The product of vectors and matrices: last axis of `self` against the first of a vector, or the second to last of
    /// `other`. `[out, in]·[in]` is `[out]`, `[n]·[n]` a scalar, `[i, k]·[k, j]` is `[i, j]`.
    public func dot(_ other: Symbolic) throws(GraphError) -> Symbolic {
        guard let left = shape.indices.last, let right = other.shape.indices.last else {
            throw GraphError("dot of shapes \(shape) and \(other.shape): both need at least one axis")
        }
        let axis = other.shape.count == 1 ? right : right - 1
        guard shape[left] == other.shape[axis] else {
            throw GraphError("dot of shapes \(shape) and \(other.shape): \(shape[left]) is not \(other.shape[axis])")
        }
        return try with(
            DotGeneral(
                lhsBatch: [], rhsBatch: [], lhsContracting: [left], rhsContracting: [axis], result: type.element),
            other)
    }
}
