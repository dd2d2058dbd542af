/// Replaces expressions by cheaper ones of the same value.
///
/// What is assumed of floating-point numbers: the sign of a zero does not matter, and factors that are constants may be
/// multiplied beforehand, unless their product overflows or loses digits. Nothing is assumed to be finite: 0·x and x − x stay, so
/// that a NaN is seen. Integers wrap, in constants too.
public func simplifyAlgebra(_ g: Graph) -> Graph {
    let simplifier = Simplifier()
    return g.rewritten(in: simplifier.b) { node, operands in
        node.results.count == 1
            ? [simplifier.make(node.operation, operands)] : simplifier.b.emitAll(node.operation, operands)
    }
}

/// Makes operations in their simplest form. Each rule looks at one operation and the definitions of its operands, and makes
/// what it returns through `make` again, so that rules meet each other's results.
struct Simplifier {
    let b = GraphBuilder()

    func make(_ operation: any Operation, _ operands: [Value]) -> Value {
        sums(operation, operands) ?? products(operation, operands) ?? powers(operation, operands)
            ?? signs(operation, operands)
            ?? choices(operation, operands) ?? conversions(operation, operands) ?? shapesOfConstants(
                operation, operands)
            ?? shapes(operation, operands) ?? reductions(operation, operands) ?? parts(operation, operands)
            ?? elementwiseBeforeBroadcast(operation, operands) ?? b.emitAll(operation, operands)[0]
    }

    /// The operands of x's definition, where that is an operation of this kind.
    func match<Op: Operation>(_: Op.Type, _ x: Value) -> (operation: Op, operands: [Value])? {
        guard let node = b.definition(of: x), let operation = node.operation as? Op else { return nil }
        return (operation, node.operands)
    }
    private func isSplat(_ x: Value, _ value: Double) -> Bool { b.splat(of: x) == value }

    // MARK: x + 0, x + x, x − 0, 0 − x, x + (−y), x − (−y)

    private func sums(_ operation: any Operation, _ x: [Value]) -> Value? {
        if operation is Add {
            if isSplat(x[0], 0) { return x[1] }
            if isSplat(x[1], 0) { return x[0] }
            if x[0] == x[1] { return make(Multiply(), [b.constant(2, b.type(of: x[0])), x[0]]) }
            if let y = match(Negate.self, x[1]) { return make(Subtract(), [x[0], y.operands[0]]) }
            if let y = match(Negate.self, x[0]) { return make(Subtract(), [x[1], y.operands[0]]) }
        }
        if operation is Subtract {
            if isSplat(x[1], 0) { return x[0] }
            if isSplat(x[0], 0) { return make(Negate(), [x[1]]) }
            if let y = match(Negate.self, x[1]) { return make(Add(), [x[0], y.operands[0]]) }
        }
        return nil
    }

    /// What an operation makes of numbers, as a constant of this type.
    private func constant(_ operation: some Operation, of values: Double..., as type: TensorType) -> Value {
        let scalar = TensorType(type.element)
        let result = operation.evaluate(values.map { Tensor(scalar, repeating: $0) }, as: [scalar])[0]
        return b.constant(result.scalar, type)
    }

    /// c·d, where (c·d)·x may stand for c·(d·x). Of 10³⁰ and 10³⁰ f32 has no product, but of 10³⁰ and 10³⁰·10⁻³⁰ it has.
    private func combined(_ c: Double, _ d: Double, as type: TensorType) -> Value? {
        let product = constant(Multiply(), of: c, d, as: type)
        return !type.element.isFloating || type.element.canCombine(c, d) ? product : nil
    }

    // MARK: 1·x, −1·x, c·(d·x), (−x)·y, x/1, x/2ⁿ

    private func products(_ operation: any Operation, _ x: [Value]) -> Value? {
        if operation is Multiply {
            if b.splat(of: x[0]) == nil, b.splat(of: x[1]) != nil { return make(Multiply(), [x[1], x[0]]) }
            if let factor = b.splat(of: x[0]) {
                if factor == 1 { return x[1] }
                if factor == -1 { return make(Negate(), [x[1]]) }
                let type = b.type(of: x[1])
                if let own = b.splat(of: x[1]) { return constant(Multiply(), of: factor, own, as: type) }
                if let inner = match(Multiply.self, x[1]), let second = b.splat(of: inner.operands[0]),
                    let product = combined(factor, second, as: type)
                {
                    return make(Multiply(), [product, inner.operands[1]])
                }
                if let y = match(Negate.self, x[1]) {
                    return make(Multiply(), [constant(Negate(), of: factor, as: type), y.operands[0]])
                }
                return nil
            }
            switch (match(Negate.self, x[0]), match(Negate.self, x[1])) {
            case (let y?, let z?): return make(Multiply(), [y.operands[0], z.operands[0]])
            case (let y?, nil): return make(Negate(), [make(Multiply(), [y.operands[0], x[1]])])
            case (nil, let z?): return make(Negate(), [make(Multiply(), [x[0], z.operands[0]])])
            case (nil, nil): return nil
            }
        }
        if operation is Divide, let divisor = b.splat(of: x[1]), b.type(of: x[1]).element.isFloating {
            // Exact, for then 1/c is a power of two that the element holds.
            if divisor.significand == 1, b.type(of: x[1]).element.isNormal(1 / divisor) {
                return make(Multiply(), [b.constant(1 / divisor, b.type(of: x[1])), x[0]])
            }
        }
        return nil
    }

    // MARK: x⁰, x^½, x¹, x², and products with a coefficient that is finite

    private func powers(_ operation: any Operation, _ x: [Value]) -> Value? {
        if let power = operation as? Power {
            switch power.exponent {
            case 0: return b.constant(1, b.type(of: x[0]))
            case 0.5: return make(Sqrt(), x)
            case 1: return x[0]
            case 2: return make(Multiply(), [x[0], x[0]])
            default: return nil
            }
        }
        if operation is MultiplyNonzero {
            if let coefficient = b.splat(of: x[0]), coefficient.isFinite { return make(Multiply(), x) }
            if let factor = b.splat(of: x[1]), factor != 0 { return make(Multiply(), x) }
            // A sign or a number before the coefficient changes nothing where x is 0.
            if let y = match(Negate.self, x[0]) {
                return make(Negate(), [make(MultiplyNonzero(), [y.operands[0], x[1]])])
            }
            if let product = match(Multiply.self, x[0]), let factor = b.splat(of: product.operands[0]), factor != 0,
                factor.isFinite
            {
                return make(Multiply(), [product.operands[0], make(MultiplyNonzero(), [product.operands[1], x[1]])])
            }
        }
        return nil
    }

    // MARK: −(−x), −c, −(c·x), −(x − y)

    private func signs(_ operation: any Operation, _ x: [Value]) -> Value? {
        guard operation is Negate else { return nil }
        if let y = match(Negate.self, x[0]) { return y.operands[0] }
        let type = b.type(of: x[0])
        if let value = b.splat(of: x[0]) { return constant(Negate(), of: value, as: type) }
        if let product = match(Multiply.self, x[0]), let factor = b.splat(of: product.operands[0]) {
            return make(Multiply(), [constant(Negate(), of: factor, as: type), product.operands[1]])
        }
        if let difference = match(Subtract.self, x[0]) { return make(Subtract(), difference.operands.reversed()) }
        return nil
    }

    // MARK: select(constant, x, y), select(p, x, x), select(p, select(p, x, y), z), max(x, x), min(x, x)

    private func choices(_ operation: any Operation, _ x: [Value]) -> Value? {
        if operation is Select {
            if let predicate = b.splat(of: x[0]) { return predicate != 0 ? x[1] : x[2] }
            if x[1] == x[2] { return x[1] }
            if let inner = match(Select.self, x[1]), inner.operands[0] == x[0] {
                return make(Select(), [x[0], inner.operands[1], x[2]])
            }
            if let inner = match(Select.self, x[2]), inner.operands[0] == x[0] {
                return make(Select(), [x[0], x[1], inner.operands[2]])
            }
        }
        if operation is Maximum || operation is Minimum, x[0] == x[1] { return x[0] }
        return nil
    }

    // MARK: Conversions to the own element, and to a wider one and back

    private func conversions(_ operation: any Operation, _ x: [Value]) -> Value? {
        guard let convert = operation as? Convert else { return nil }
        let element = b.type(of: x[0]).element
        if convert.to == element { return x[0] }
        if let value = b.splat(of: x[0]) { return b.constant(value, TensorType(convert.to, b.shape(of: x[0]))) }
        if let inner = match(Convert.self, x[0]) {
            let source = b.type(of: inner.operands[0]).element
            if element.holds(source) { return make(Convert(to: convert.to), inner.operands) }
        }
        return nil
    }

    // MARK: Constants in other shapes

    private func shapesOfConstants(_ operation: any Operation, _ x: [Value]) -> Value? {
        guard x.count == 1, let value = b.splat(of: x[0]) else { return nil }
        let element = b.type(of: x[0]).element
        switch operation {
        case let broadcast as BroadcastInDim: return b.constant(value, TensorType(element, broadcast.shape))
        case let reshape as Reshape: return b.constant(value, TensorType(element, reshape.shape))
        case let transpose as Transpose:
            return b.constant(value, TensorType(element, transpose.permutation.map { b.shape(of: x[0])[$0] }))
        default: return nil
        }
    }

    // MARK: Reshapes, transpositions and broadcasts that do nothing or follow each other

    private func shapes(_ operation: any Operation, _ x: [Value]) -> Value? {
        switch operation {
        case let reshape as Reshape:
            if reshape.shape == b.shape(of: x[0]) { return x[0] }
            if let inner = match(Reshape.self, x[0]) { return make(reshape, inner.operands) }
            if let inner = match(BroadcastInDim.self, x[0]), b.shape(of: inner.operands[0]).isEmpty {
                return make(BroadcastInDim(shape: reshape.shape, dimensions: []), inner.operands)
            }
        case let transpose as Transpose:
            if transpose.permutation == Array(transpose.permutation.indices) { return x[0] }
            if let inner = match(Transpose.self, x[0]) {
                let permutation = transpose.permutation.map { inner.operation.permutation[$0] }
                return make(Transpose(permutation: permutation), inner.operands)
            }
            if let inner = match(BroadcastInDim.self, x[0]) {
                // The operand's axes in the order in which the transposed result has them.
                let places = transpose.inverse
                let dimensions = inner.operation.dimensions.map { places[$0] }
                let order = dimensions.indices.sorted { dimensions[$0] < dimensions[$1] }
                let shape = transpose.permutation.map { inner.operation.shape[$0] }
                let operand = make(Transpose(permutation: order), inner.operands)
                return make(BroadcastInDim(shape: shape, dimensions: dimensions.sorted()), [operand])
            }
        case let broadcast as BroadcastInDim:
            if broadcast.shape == b.shape(of: x[0]) { return x[0] }
            if let inner = match(BroadcastInDim.self, x[0]) {
                let dimensions = inner.operation.dimensions.map { broadcast.dimensions[$0] }
                return make(BroadcastInDim(shape: broadcast.shape, dimensions: dimensions), inner.operands)
            }
        default: break
        }
        return nil
    }

    // MARK: Sums over no axes, over axes of extent 1, of sums, of what was repeated

    private func reductions(_ operation: any Operation, _ x: [Value]) -> Value? {
        guard let sum = operation as? ReduceSum else { return nil }
        if sum.dimensions.isEmpty { return x[0] }
        if sum.dimensions != sum.dimensions.sorted() {
            return make(ReduceSum(dimensions: sum.dimensions.sorted()), x)
        }
        let operandShape = b.shape(of: x[0])
        if sum.dimensions.allSatisfy({ operandShape[$0] == 1 }) {
            return make(Reshape(shape: sum.kept(rank: operandShape.count).map { operandShape[$0] }), x)
        }
        if let inner = match(ReduceSum.self, x[0]) {
            let kept = inner.operation.kept(rank: b.shape(of: inner.operands[0]).count)
            let dimensions = inner.operation.dimensions + sum.dimensions.map { kept[$0] }
            return make(ReduceSum(dimensions: dimensions.sorted()), inner.operands)
        }
        if let value = b.splat(of: x[0]) {
            let type = b.type(of: x[0])
            let count = sum.dimensions.reduce(1) { $0 * type.shape[$1] }
            let shape = sum.kept(rank: type.rank).map { type.shape[$0] }
            return constant(
                Multiply(), of: value, type.element.wrapped(count), as: TensorType(type.element, shape))
        }
        if let inner = match(BroadcastInDim.self, x[0]) {
            let repeated = inner.operation.repeated
            let dropped = sum.dimensions.filter(repeated.contains)
            if dropped.isEmpty { return nil }
            let shape = inner.operation.shape
            let count = dropped.reduce(1) { $0 * shape[$1] }
            // First without the repeated axes that are summed, then the rest of the sum.
            let kept = shape.indices.filter { !dropped.contains($0) }
            let narrower = make(
                BroadcastInDim(
                    shape: kept.map { shape[$0] },
                    dimensions: inner.operation.dimensions.compactMap(kept.firstIndex)), inner.operands)
            let rest = sum.dimensions.filter { !dropped.contains($0) }.compactMap(kept.firstIndex)
            let total = make(ReduceSum(dimensions: rest), [narrower])
            let type = b.type(of: total)
            return make(Multiply(), [b.constant(type.element.wrapped(count), type), total])
        }
        return nil
    }

    // MARK: Elementwise operations on what is repeated alike: on the smaller tensor, then repeated

    private func elementwiseBeforeBroadcast(_ operation: any Operation, _ x: [Value]) -> Value? {
        guard type(of: operation).isElementwise, !x.isEmpty else { return nil }
        var common: BroadcastInDim?
        var operands: [Value] = []
        for operand in x {
            if let inner = match(BroadcastInDim.self, operand) {
                if let common, common != inner.operation { return nil }
                common = inner.operation
                operands.append(inner.operands[0])
            } else if b.splat(of: operand) != nil {
                operands.append(operand)
            } else {
                return nil
            }
        }
        guard let common else { return nil }
        let shape = common.dimensions.map { common.shape[$0] }
        // Then it gains even where the repeated operand is wanted for itself.
        if 4 * shape.reduce(1, *) > common.shape.reduce(1, *) { return nil }
        let narrow = operands.map { operand -> Value in
            guard let value = b.splat(of: operand) else { return operand }
            return b.constant(value, TensorType(b.type(of: operand).element, shape))
        }
        return make(common, [make(operation, narrow)])
    }
}

extension ElementType {
    /// A count as a factor: of integers that wrap, what is left of it counts.
    fileprivate func wrapped(_ count: Int) -> Double {
        self == .i32 ? Double(Int32(truncatingIfNeeded: count)) : Double(count)
    }

    /// Whether a conversion from `other` to this element keeps every number.
    fileprivate func holds(_ other: ElementType) -> Bool {
        switch (self, other) {
        case (.f64, _), (_, .bool): true
        default: self == other
        }
    }
}
