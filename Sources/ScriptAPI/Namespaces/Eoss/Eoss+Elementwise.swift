import Graph
import LuaBridge
import Networks

/// `eoss.relu` and the like: what a network or loss written in Lua computes with. What goes element by element, compares or sums up
/// takes numbers as well, outside of such functions too.
extension ScriptHost {
    func addTensorFunctions(to eoss: Namespace) {
        addElementwise(to: eoss)
        addClamp(to: eoss)
        addComparisons(to: eoss)
        addReductions(to: eoss)
        addShapes(to: eoss)
        addStructure(to: eoss)
        addNetworkFunctions(to: eoss)
        addScans(to: eoss)
    }

    private func addElementwise(to eoss: Namespace) {
        let activations: [(Activation, String)] = [
            (.relu, "max(x, 0)."), (.leakyRelu, "max(x, 0.01 x)."), (.elu, "x where x > 0, else exp(x) − 1."),
            (.selu, "The scaled elu of Klambauer et al. 2017."), (.silu, "x · sigmoid(x)."),
            (.gelu, "x · Φ(x), Φ the normal distribution function."),
            (.geluTanh, "gelu by its approximation with tanh."),
            (.tanh, "The hyperbolic tangent."), (.hardtanh, "x cut to [-1, 1]."), (.sigmoid, "1/(1 + exp(−x))."),
            (.softplus, "log(1 + exp(x))."), (.square, "x²."), (.relu6, "x cut to [0, 6]."),
            (.mish, "x · tanh(softplus(x))."), (.softsign, "x/(1 + |x|)."),
            (.logSigmoid, "log sigmoid(x), without overflow."), (.hardSigmoid, "(x + 3)/6 cut to [0, 1]."),
            (.hardSwish, "x · hard_sigmoid(x)."),
        ]
        let functions: [(String, String, (Symbolic) throws -> Symbolic)] =
            activations.map { activation, summary in (activation.rawValue, summary, { try activation($0) }) } + [
                ("exp", "The exponential.", { try $0.exp() }), ("log", "The natural logarithm.", { try $0.log() }),
                ("log1p", "log(1 + x), accurate near 0.", { try $0.log1p() }),
                ("sqrt", "The square root.", { try $0.sqrt() }), ("abs", "The absolute value.", { try $0.abs() }),
                ("erf", "The error function.", { try $0.erf() }),
                ("sign", "−1, 0 or 1; its derivative is taken as 0.", { try $0.sign() }),
                ("detach", "x as a constant: derivatives through it are zero.", { try $0.detached() }),
            ]
        for (name, summary, body) in functions {
            eoss.function(name, summary, parameters: [Self.operand], results: Self.computed) { call in
                try Operand.computed([call.get("x")], "eoss.\(name)") { try body($0[0]) }
            }
        }
        eoss.function(
            "batch_mean",
            "The mean of x over the samples of the batch: what a network with batch statistics is written with.",
            parameters: [Self.x], results: Self.tensor
        ) { call in try call.get("x", as: TensorObject.self).map { try $0.batchMean() } }
        addBinary(to: eoss, "maximum", "The larger of two, element by element.") { try $0.maximum($1) }
        addBinary(to: eoss, "minimum", "The smaller of two, element by element.") { try $0.minimum($1) }
    }

    private func addClamp(to eoss: Namespace) {
        eoss.function(
            "clamp", "x cut to [from, to]. Derivatives at a bound are those of the bound: 0.",
            parameters: [
                Self.operand, Parameter("from", .number, "The lower bound."),
                Parameter("to", .number, "The upper bound."),
            ], results: Self.computed
        ) { call in
            let (from, to): (Double, Double) = (try call.get("from"), try call.get("to"))
            guard from <= to else {
                throw ArgumentError("eoss.clamp: 'from' is \(short(from)), above 'to', \(short(to))")
            }
            return try Operand.computed([call.get("x")], "eoss.clamp") {
                try $0[0].maximum($0[0].constant(from)).minimum($0[0].constant(to))
            }
        }
    }

    private func addComparisons(to eoss: Namespace) {
        let directions: [(String, Compare.Direction, String)] = [
            ("gt", .gt, "a > b"), ("ge", .ge, "a ≥ b"), ("lt", .lt, "a < b"), ("le", .le, "a ≤ b"),
            ("eq", .eq, "a = b"),
            ("ne", .ne, "a ≠ b"),
        ]
        for (name, direction, words) in directions {
            addBinary(
                to: eoss, name, "Where \(words): a condition for eoss.where.", .init(isComparison: true)
            ) {
                try $0.compared(direction, to: $1)
            }
        }
        eoss.function(
            "where",
            "a where a condition holds, b elsewhere. Both are computed, and derivatives run backwards through both: where one that "
                + "is not taken is infinite or nan, 0 times its slope is nan, as in PyTorch and JAX. Choose before the function "
                + "too: eoss.where(c, eoss.log(eoss.where(c, x, 1)), 0). Roots and powers need no such care.",
            parameters: [
                Parameter(
                    "condition", .object("tensor").or(.object("array")).or(.boolean), "Such as eoss.gt(x, 0)."),
                Parameter("a", Operand.type, "A tensor, a number or numbers."),
                Parameter("b", Operand.type, "The other."),
            ], results: Self.computed
        ) { call in
            return try Operand.computed(
                [condition(call), call.get("a"), call.get("b")], "eoss.where", .init(conditions: 1)
            ) {
                try $0[1].selected(where: $0[0], otherwise: $0[2])
            }
        }
    }

    private func addShapes(to eoss: Namespace) {
        eoss.function(
            "reshape", "The same elements in another shape.",
            parameters: [Self.x, Parameter("shape", .shape.or(.list(of: .integer)), "The extents.")],
            results: Self.tensor
        ) { call in
            let shape = try call.shape("shape") ?? []
            return try call.get("x", as: TensorObject.self).map { try $0.reshaped(to: shape) }
        }
        eoss.function(
            "transpose", "The axes in another order, by default reversed.",
            parameters: [Self.x, .optional("order", .samples, "Axis i of the result is axis order[i]; from 1.")],
            results: Self.tensor
        ) { call in
            let x: TensorObject = try call.get("x")
            let rank = try x.symbol().shape.count
            let order = try call.get("order", as: [Int]?.self)?.map { $0 - 1 } ?? (0..<rank).reversed()
            guard order.sorted() == Array(0..<rank) else {
                throw ArgumentError(
                    "eoss.transpose: the order {\(order.map { "\($0 + 1)" }.joined(separator: ", "))} does not name each "
                        + "of \(rank) axes once")
            }
            return try x.map { try $0.transposed(order) }
        }
    }

    static var x: Parameter { Parameter("x", .object("tensor"), "A tensor.") }
    static var tensor: [Parameter] { [Parameter("tensor", .object("tensor"), "The result.")] }
    static var operand: Parameter {
        Parameter("x", Operand.type, "A tensor, a number, or numbers: an array, a vector, a table.")
    }
    static var computed: [Parameter] { [Parameter("result", Operand.type, "Of what x is.")] }

    private func addBinary(
        to eoss: Namespace, _ name: String, _ summary: String, _ rules: Operand.Rules = .init(),
        _ body: @escaping (Symbolic, Symbolic) throws -> Symbolic
    ) {
        eoss.function(
            name, summary,
            parameters: [
                Parameter("a", Operand.type, "A tensor, a number or numbers."),
                Parameter("b", Operand.type, "The other."),
            ], results: Self.computed
        ) { call in
            try Operand.computed([call.get("a"), call.get("b")], "eoss.\(name)", rules) { try body($0[0], $0[1]) }
        }
    }
}

/// The condition of `eoss.where`: a comparison of tensors, of lists or of two numbers.
private func condition(_ call: borrowing LuaCall) throws -> Operand {
    let value = try call.value("condition")
    if case .boolean(let flag) = value { return .flag(flag) }
    if let tensor = TensorObject.read(value), try tensor.symbol().type.element == .bool { return .tensor(tensor) }
    if let array = ArrayObject.read(value)?.array, array.element == .bool { return .numbers(.array(array)) }
    throw ArgumentError("eoss.where: the condition is no comparison: write eoss.gt(x, 0), say")
}
