/// Operations spelled out, for code that knows its shapes: rules, transformations, layers written in Swift.
/// Each traps on operands that do not fit; `apply` throws instead.
extension GraphBuilder {
    // MARK: Constants

    /// A tensor with one value throughout.
    public func constant(_ value: Double, _ type: TensorType) -> Value { emit(Constant(type: type, splat: value)) }
    /// A tensor with these values.
    public func constant(_ tensor: Tensor) -> Value {
        emit(ConstantTensor(type: tensor.type, values: tensor.values))
    }
    /// 0 throughout.
    public func zeros(_ type: TensorType) -> Value { constant(0, type) }
    /// 0 throughout, of the type of x.
    public func zeros(like x: Value) -> Value { constant(0, type(of: x)) }
    /// 1 throughout, of the type of x.
    public func ones(like x: Value) -> Value { constant(1, type(of: x)) }

    // MARK: Elementwise

    /// −x.
    public func negate(_ x: Value) -> Value { emit(Negate(), x) }
    /// eˣ.
    public func exponential(_ x: Value) -> Value { emit(Exponential(), x) }
    /// log x.
    public func log(_ x: Value) -> Value { emit(Log(), x) }
    /// log(1 + x).
    public func logPlusOne(_ x: Value) -> Value { emit(LogPlusOne(), x) }
    /// eˣ − 1.
    public func exponentialMinusOne(_ x: Value) -> Value { emit(ExponentialMinusOne(), x) }
    /// √x.
    public func sqrt(_ x: Value) -> Value { emit(Sqrt(), x) }
    /// tanh x.
    public func tanh(_ x: Value) -> Value { emit(Tanh(), x) }
    /// 1/(1 + e⁻ˣ).
    public func logistic(_ x: Value) -> Value { emit(Logistic(), x) }
    /// The error function.
    public func erf(_ x: Value) -> Value { emit(Erf(), x) }
    /// |x|.
    public func abs(_ x: Value) -> Value { emit(Abs(), x) }
    /// −1, 0 or 1.
    public func sign(_ x: Value) -> Value { emit(Sign(), x) }
    /// x + y, of one type; broadcasting is explicit, here and below.
    public func add(_ x: Value, _ y: Value) -> Value { emit(Add(), x, y) }
    /// x − y.
    public func subtract(_ x: Value, _ y: Value) -> Value { emit(Subtract(), x, y) }
    /// x · y, element by element.
    public func multiply(_ x: Value, _ y: Value) -> Value { emit(Multiply(), x, y) }
    /// coefficient · x, and 0 where x is 0, whatever the coefficient.
    public func multiplyNonzero(_ coefficient: Value, _ x: Value) -> Value { emit(MultiplyNonzero(), coefficient, x) }
    /// x / y, element by element.
    public func divide(_ x: Value, _ y: Value) -> Value { emit(Divide(), x, y) }
    /// The larger of x and y, element by element.
    public func maximum(_ x: Value, _ y: Value) -> Value { emit(Maximum(), x, y) }
    /// The smaller of x and y, element by element.
    public func minimum(_ x: Value, _ y: Value) -> Value { emit(Minimum(), x, y) }
    /// max(x, 0), with derivative 0 at 0.
    public func relu(_ x: Value) -> Value { maximum(x, zeros(like: x)) }
    /// x · x.
    public func square(_ x: Value) -> Value { multiply(x, x) }
    /// x ⋚ y as bool, element by element.
    public func compare(_ x: Value, _ direction: Compare.Direction, _ y: Value) -> Value {
        emit(Compare(direction: direction), x, y)
    }
    /// Where the predicate holds `onTrue`, elsewhere `onFalse`.
    public func select(_ predicate: Value, _ onTrue: Value, _ onFalse: Value) -> Value {
        emit(Select(), predicate, onTrue, onFalse)
    }
    /// x in another element; x itself where it has that element already.
    public func convert(_ x: Value, to element: ElementType) -> Value {
        type(of: x).element == element ? x : emit(Convert(to: element), x)
    }
    /// factor · x.
    public func scale(_ x: Value, by factor: Double) -> Value { multiply(constant(factor, type(of: x)), x) }
    /// x, with zero derivative.
    public func detach(_ x: Value) -> Value { emit(Detach(), x) }
    /// The mean over the samples of the batch that the graph will be vmapped over; x itself without one.
    public func batchMean(_ x: Value) -> Value { emit(BatchMean(), x) }

    // MARK: Shape

    /// x placed along these axes of a larger shape, and repeated along the others.
    public func broadcast(_ x: Value, to shape: [Int], dimensions: [Int]) -> Value {
        shape == self.shape(of: x) ? x : emit(BroadcastInDim(shape: shape, dimensions: dimensions), x)
    }

    /// x with its axes aligned to the last ones of `shape`, those of extent 1 and those missing repeated (NumPy's rule).
    public func broadcast(_ x: Value, to shape: [Int]) -> Value {
        let own = self.shape(of: x)
        let offset = shape.count - own.count
        precondition(offset >= 0, "broadcast: \(own) to \(shape)")
        let kept = own.indices.filter { own[$0] == shape[offset + $0] }
        precondition(
            own.indices.allSatisfy { own[$0] == 1 || own[$0] == shape[offset + $0] }, "broadcast: \(own) to \(shape)")
        return broadcast(reshape(x, to: kept.map { own[$0] }), to: shape, dimensions: kept.map { offset + $0 })
    }

    /// x with a new leading axis of this size, along which it is repeated.
    public func stacked(_ x: Value, size: Int) -> Value {
        let shape = self.shape(of: x)
        return emit(BroadcastInDim(shape: [size] + shape, dimensions: Array(1..<shape.count + 1)), x)
    }

    /// The same numbers, row-major, in another shape.
    public func reshape(_ x: Value, to shape: [Int]) -> Value {
        shape == self.shape(of: x) ? x : emit(Reshape(shape: shape), x)
    }

    /// Axis i of the result is axis `permutation[i]` of x.
    public func transpose(_ x: Value, _ permutation: [Int]) -> Value {
        permutation == Array(permutation.indices) ? x : emit(Transpose(permutation: permutation), x)
    }

    // MARK: Reductions and contractions

    /// The sum along some axes, which disappear.
    public func sum(_ x: Value, dimensions: [Int]) -> Value {
        dimensions.isEmpty ? x : emit(ReduceSum(dimensions: dimensions), x)
    }
    /// The sum of all elements.
    public func sum(_ x: Value) -> Value { sum(x, dimensions: Array(shape(of: x).indices)) }
    /// The largest element along some axes, which disappear.
    public func max(_ x: Value, dimensions: [Int]) -> Value { emit(ReduceMax(dimensions: dimensions), x) }

    /// The contraction of two tensors over pairs of axes. Result: batch axes, free axes of x, free axes of y.
    public func dot(
        _ x: Value, _ y: Value, contracting: (lhs: [Int], rhs: [Int]), batch: (lhs: [Int], rhs: [Int]) = ([], [])
    ) -> Value {
        emit(
            DotGeneral(
                lhsBatch: batch.lhs, rhsBatch: batch.rhs, lhsContracting: contracting.lhs,
                rhsContracting: contracting.rhs, result: type(of: x).element), x, y)
    }
    /// x·y over the last axis of x and the first of y: matrix times matrix, matrix times vector, vector times vector.
    public func matmul(_ x: Value, _ y: Value) -> Value {
        dot(x, y, contracting: ([shape(of: x).count - 1], [0]))
    }
    /// ⟨x, y⟩, the sum over all elements of the product: a contraction over every axis.
    public func inner(_ x: Value, _ y: Value) -> Value {
        let axes = Array(shape(of: x).indices)
        return dot(x, y, contracting: (axes, axes))
    }

    /// Data x under a kernel w that slides along the spatial axes. Result: batch axes, free axes of x, spatial, free of w.
    public func convolution(
        _ x: Value, _ w: Value, lhs: Convolution.Roles, rhs: Convolution.Roles, windows: [Convolution.Window]
    ) -> Value {
        emit(Convolution(lhs: lhs, rhs: rhs, windows: windows), x, w)
    }

    // MARK: Optional values, where `nil` stands for zero

    /// The sum of two terms either of which may be zero.
    func add(_ x: Value?, _ y: Value?) -> Value? {
        guard let x else { return y }
        guard let y else { return x }
        return emit(Add(), x, y)
    }

    /// The sum of ⟨x, y⟩ over pairs, where `nil` stands for zero.
    func inner(_ x: [Value?], _ y: [Value?]) -> Value? {
        zip(x, y).reduce(nil) { sum, pair in
            guard let x = pair.0, let y = pair.1 else { return sum }
            let term = inner(x, y)
            return add(sum.map { convert($0, to: type(of: term).element) }, term)
        }
    }
}
