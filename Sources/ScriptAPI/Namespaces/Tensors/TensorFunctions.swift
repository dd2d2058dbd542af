import Graph
import LuaBridge
import Networks

/// `eoss.relu` and the like: what a network or loss written in Lua computes with.
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
                (
                    "batch_mean",
                    "The mean of x over the samples of the batch: what a network with batch statistics is written with.",
                    { try $0.batchMean() }
                ),
            ]
        for (name, summary, body) in functions {
            eoss.function(name, summary, parameters: [Self.x], results: Self.tensor) { call in
                try call.get("x", as: TensorObject.self).map(body)
            }
        }
        addBinary(to: eoss, "maximum", "The larger of two, element by element.") { try $0.maximum($1) }
        addBinary(to: eoss, "minimum", "The smaller of two, element by element.") { try $0.minimum($1) }
    }

    private func addClamp(to eoss: Namespace) {
        eoss.function(
            "clamp", "x cut to [from, to]. Derivatives at a bound are those of the bound: 0.",
            parameters: [
                Self.x, Parameter("from", .number, "The lower bound."), Parameter("to", .number, "The upper bound."),
            ], results: Self.tensor
        ) { call in
            let (from, to): (Double, Double) = (try call.get("from"), try call.get("to"))
            guard from <= to else {
                throw ArgumentError("eoss.clamp: 'from' is \(short(from)), above 'to', \(short(to))")
            }
            return try call.get("x", as: TensorObject.self).map {
                try $0.maximum($0.constant(from)).minimum($0.constant(to))
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
            addBinary(to: eoss, name, "Where \(words): a condition for eoss.where.") {
                try $0.compared(direction, to: $1)
            }
        }
        let value = LuaType.object("tensor").or(.number)
        eoss.function(
            "where",
            "a where a condition holds, b elsewhere. Both are computed, and derivatives run backwards through both: where one that "
                + "is not taken is infinite or nan, 0 times its slope is nan, as in PyTorch and JAX. Choose before the function "
                + "too: eoss.where(c, eoss.log(eoss.where(c, x, 1)), 0). Roots and powers need no such care.",
            parameters: [
                Parameter("condition", .object("tensor"), "Such as eoss.gt(x, 0)."),
                Parameter("a", value, "A tensor or number."),
                Parameter("b", value, "A tensor or number."),
            ], results: Self.tensor
        ) { call in
            let condition: TensorObject = try call.get("condition")
            guard try condition.symbol().type.element == .bool else {
                throw ArgumentError("eoss.where: the condition is no comparison: write eoss.gt(x, 0), say")
            }
            let (a, b) = (try call.value("a"), try call.value("b"))
            let known = TensorObject.read(a) ?? TensorObject.read(b)
            guard let known else { throw ArgumentError("eoss.where: one of 'a' and 'b' must be a tensor") }
            let onTrue = try known.beside(a)
            let onFalse = try known.beside(b)
            return try TensorObject.combined([condition, onTrue, onFalse], "eoss.where") {
                try $0[1].selected(where: $0[0], otherwise: $0[2])
            }
        }
    }

    private func addReductions(to eoss: Namespace) {
        let functions: [(String, String, (Symbolic, [Int]?) throws -> Symbolic)] = [
            ("sum", "The sum over some axes, or over all.", { try $0.sum($1) }),
            ("mean", "The mean over some axes, or over all.", { try $0.mean($1) }),
            ("max", "The largest element over some axes, or over all.", { try $0.max($1) }),
            ("min", "The smallest element over some axes, or over all.", { try $0.negated().max($1).negated() }),
            ("var", "The variance over some axes, or over all: the mean of (x − mean)².", { try $0.variance($1) }),
        ]
        for (name, summary, body) in functions {
            eoss.function(
                name, summary,
                parameters: [
                    Self.x, .optional("axes", .integer(.positive).or(.samples), "An axis, or a list; from 1."),
                ],
                results: Self.tensor
            ) { call in
                let axes = try call.shape("axes")?.map { $0 - 1 }
                return try call.get("x", as: TensorObject.self).map { try body($0, axes) }
            }
        }
        let last: [(String, String, (Symbolic) throws -> Symbolic)] = [
            ("logsumexp", "log Σ exp over the last axis, without overflow.", { try $0.logSumExp() }),
            ("softmax", "exp(x)/Σ exp(x) over the last axis.", { try $0.softmax() }),
            ("log_softmax", "The logarithm of softmax over the last axis.", { try $0.logSoftmax() }),
        ]
        for (name, summary, body) in last {
            eoss.function(name, summary, parameters: [Self.x], results: Self.tensor) { call in
                try call.get("x", as: TensorObject.self).map(body)
            }
        }
        eoss.function(
            "dot", "The product of vectors and matrices: [out, in]·[in], [n]·[n], [i, k]·[k, j].",
            parameters: [
                Parameter("a", .object("tensor"), "The left factor."),
                Parameter("b", .object("tensor"), "The right factor."),
            ], results: Self.tensor
        ) { call in
            try call.get("a", as: TensorObject.self).combined(call.get("b")) { try $0.dot($1) }
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

    private func addBinary(
        to eoss: Namespace, _ name: String, _ summary: String, _ body: @escaping (Symbolic, Symbolic) throws -> Symbolic
    ) {
        let value = LuaType.object("tensor").or(.number)
        eoss.function(
            name, summary,
            parameters: [Parameter("a", value, "A tensor or number."), Parameter("b", value, "The other.")],
            results: Self.tensor
        ) { call in
            let (a, b) = (try call.value("a"), try call.value("b"))
            guard let known = TensorObject.read(a) ?? TensorObject.read(b) else {
                throw ArgumentError("eoss.\(name): one of the two must be a tensor")
            }
            return try known.beside(a).combined(known.beside(b), body)
        }
    }
}

extension TensorObject {
    /// A tensor or number of a call, as a tensor of this one's function.
    fileprivate func beside(_ value: LuaValue) throws -> TensorObject {
        if let tensor = TensorObject.read(value) { return tensor }
        guard let number = Double.read(value) else { throw ArgumentError("expected a tensor or a number") }
        return try map { try $0.constant(number) }
    }
}

extension Symbolic {
    /// The mean over some axes of (x − mean)², without a correction for the mean.
    fileprivate func variance(_ axes: [Int]?) throws -> Symbolic {
        let kept = shape.indices.map { axes?.contains($0) ?? true ? 1 : shape[$0] }
        let difference = try self - mean(axes).reshaped(to: kept)
        return try (difference * difference).mean(axes)
    }

    fileprivate func sign() throws -> Symbolic { try Symbolic(builder.apply(Sign(), value), in: builder) }
}
