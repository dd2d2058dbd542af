import Graph

/// The activation functions, by the names that scripts use.
public enum Activation: String, CaseIterable, Sendable, Codable {
    case identity, relu
    case leakyRelu = "leaky_relu"
    case elu, silu, tanh, hardtanh, sigmoid, softplus

    public func callAsFunction(_ x: Symbolic) throws(GraphError) -> Symbolic {
        switch self {
        case .identity: return x
        case .relu: return try x.maximum(x.constant(0))
        case .leakyRelu: return try x.maximum(0.01 * x)
        case .elu:
            // exp is taken of the negative part alone, so that a large positive input does not overflow in the branch not chosen.
            let negative = try x.minimum(x.constant(0)).exp() + -1
            return try x.selected(where: x.compared(.gt, to: x.constant(0)), otherwise: negative)
        case .silu: return try x * x.sigmoid()
        case .tanh: return try x.tanh()
        case .hardtanh: return try x.maximum(x.constant(-1)).minimum(x.constant(1))
        case .sigmoid: return try x.sigmoid()
        case .softplus: return try x.softplus()
        }
    }
}

extension Symbolic {
    /// log(1 + eˣ). Above the threshold it equals x to the last bit of its element type (e⁻²⁰ and e⁻⁴⁰ lie under half a
    /// unit in the last place of 20 in f32 and of 40 in f64), so the linear branch changes no value and no derivative.
    public func softplus() throws(GraphError) -> Symbolic {
        let threshold = try constant(type.element == .f64 ? 40 : 20)
        let bent = try minimum(threshold).exp().log1p()
        return try selected(where: compared(.gt, to: threshold), otherwise: bent)
    }
}
