import Graph
import LuaBridge
import Networks

/// `tensor`: a value of a network or loss that is being traced.
func tensorClass() -> ObjectClass<TensorObject> {
    let tensors = ObjectClass<TensorObject>("tensor", "A value of a network or loss while its function is traced.")
    tensors.method(
        "shape", "The extents of its axes.", results: [Parameter("extents", .list(of: .integer), "The extents.")]
    ) { tensor, _ in try tensor.symbol().shape }
    arithmetic(.add, "+") { try $0 + $1 }
    arithmetic(.subtract, "-") { try $0 - $1 }
    arithmetic(.multiply, "*") { try $0 * $1 }
    arithmetic(.divide, "/") { try $0 / $1 }
    tensors.infix(.power, "tensor ^ number") { (x: TensorObject, p: Double) in try x.map { try $0.power(real: p) } }
    tensors.negation { try $0.map { try $0.negated() } }
    tensors.length { try $0.symbol().shape.first ?? 1 }
    tensors.description { tensor in
        guard let symbol = try? tensor.symbol() else { return "tensor of a function that has ended" }
        return "tensor \(symbol.type)"
    }
    return tensors

    func arithmetic(
        _ symbol: LuaOperator, _ spelling: String, _ body: @escaping (Symbolic, Symbolic) throws -> Symbolic
    ) {
        tensors.infix(symbol, "tensor \(spelling) tensor") { (a: TensorObject, b: TensorObject) in
            try a.combined(b, body)
        }
        tensors.infix(symbol, "tensor \(spelling) number") { (a: TensorObject, b: Double) in
            try a.map { try body($0, $0.constant(b)) }
        }
        tensors.infix(symbol, "number \(spelling) tensor") { (a: Double, b: TensorObject) in
            try b.map { try body($0.constant(a), $0) }
        }
    }
}

extension Symbolic {
    /// A real power: integers by repeated multiplication, ½ by the root, others as exp(p log x), for x > 0.
    fileprivate func power(real p: Double) throws -> Symbolic {
        if let integer = Int(exactly: p), (-1024...1024).contains(integer) { return try power(integer) }
        if p == 0.5 { return try sqrt() }
        if p == -0.5 { return try constant(1) / sqrt() }
        return try (p * log()).exp()
    }
}
