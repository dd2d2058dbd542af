// What the elementwise families share. Each operation's own file holds what is particular to it.

/// f applied to each element of one tensor.
public protocol UnaryElementwise: Operation {
    init()

    /// Whether integers are accepted beside real numbers.
    static var acceptsIntegers: Bool { get }

    static func value(_ x: Double) -> Double

    /// The same of integers; where they are accepted and their results need not fit, it wraps as the kernels do.
    static func value(_ x: Int32) -> Int32

    /// f'(x), given x and y = f(x); `nil` where it is zero.
    static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value?

    /// f''(x), given x and y = f(x); `nil` where it is zero.
    static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value?
}

extension UnaryElementwise {
    public static var acceptsIntegers: Bool { false }
    public static func value(_ x: Int32) -> Int32 { Int32(ElementType.i32.rounded(value(Double(x)))) }

    /// Whether f' and f'' are made of f(x) alone, and so all derivatives: then nobody has to keep x.
    var derivativesAreOfResult: Bool {
        let b = GraphBuilder()
        let (x, y) = (b.input("x", TensorType(.f64, [])), b.input("y", TensorType(.f64, [])))
        let derivatives = [Self.derivative(x, y, in: b), Self.secondDerivative(x, y, in: b)].compactMap { $0 }
        return !b.build(outputs: derivatives.enumerated().map { ("d\($0)", $1) }).usedInputs().contains("x")
    }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        let element = operands[0].element
        if !element.isFloating && !(Self.acceptsIntegers && element == .i32) {
            throw GraphError("\(Self.mnemonic) is not defined for \(element.rawValue)")
        }
        return operands
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        if types[0].element == .i32 {
            return [Tensor(types[0], operands[0].values.map { Double(Self.value(Int32($0))) })]
        }
        return [Tensor(types[0], operands[0].values.map { Self.value($0) })]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let t = tangents[0], let slope = Self.derivative(site[0], site.result, in: b) else { return [nil] }
        return [b.multiply(slope, t)]
    }

    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let t = tangents[0], let curvature = Self.secondDerivative(site[0], site.result, in: b) else {
            return [nil]
        }
        return [b.multiply(curvature, b.square(t))]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, operands)
    }
}

/// f applied to the elements of two tensors of one type. Broadcasting is explicit.
public protocol BinaryElementwise: Operation {
    init()
    static func value(_ x: Double, _ y: Double) -> Double
    /// The same of integers: sums, differences and products wrap as the kernels' do; a quotient that does not exist saturates.
    static func value(_ x: Int32, _ y: Int32) -> Int32
}

extension BinaryElementwise {
    public static func value(_ x: Int32, _ y: Int32) -> Int32 {
        Int32(ElementType.i32.rounded(value(Double(x), Double(y))))
    }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(2, of: operands)
        if operands[0] != operands[1] {
            throw GraphError("\(Self.mnemonic) takes operands of one type, not \(operands[0]) and \(operands[1])")
        }
        if operands[0].element == .bool { throw GraphError("\(Self.mnemonic) is not defined for bool") }
        return [operands[0]]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let pairs = zip(operands[0].values, operands[1].values)
        if types[0].element == .i32 {
            return [Tensor(types[0], pairs.map { Double(Self.value(Int32($0), Int32($1))) })]
        }
        return [Tensor(types[0], pairs.map { Self.value($0, $1) })]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, b.aligned(operands, marked: marked, size: size))
    }
}

extension GraphBuilder {
    /// Operands of a batched elementwise operation: those without the batch's axis are repeated along it.
    func aligned(_ operands: [Value], marked: [Bool], size: Int) -> [Value] {
        zip(operands, marked).map { $1 ? $0 : stacked($0, size: size) }
    }
}
