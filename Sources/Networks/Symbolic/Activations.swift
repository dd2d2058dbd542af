import Foundation
import Graph

/// The activation functions, by the names that scripts use: PyTorch's definitions with its default constants.
public enum Activation: String, CaseIterable, Sendable, Codable {
    case identity, relu
    case leakyRelu = "leaky_relu"
    case elu, selu, silu
    /// x·Φ(x), Φ the normal distribution function.
    case gelu
    /// The approximation of `gelu` by tanh.
    case geluTanh = "gelu_tanh"
    case tanh, hardtanh, sigmoid, softplus
    case relu6, mish, softsign
    case logSigmoid = "log_sigmoid"
    case hardSigmoid = "hard_sigmoid"
    case hardSwish = "hard_swish"
    /// x², of theory and not of PyTorch.
    case square

    /// The function of x, in a line.
    public var summary: String {
        switch self {
        case .identity: "x."
        case .relu: "max(x, 0)."
        case .leakyRelu: "max(x, 0.01 x)."
        case .elu: "x for x > 0, else exp(x) − 1."
        case .selu: "1.0507 (x for x > 0, else 1.6733 (exp(x) − 1)) [Klambauer et al. 2017]."
        case .silu: "x σ(x), also called swish."
        case .gelu: "x Φ(x), Φ the normal distribution function."
        case .geluTanh: "The approximation of gelu by tanh."
        case .tanh: "tanh x."
        case .hardtanh: "x between −1 and 1, else the nearer of the two."
        case .sigmoid: "σ(x) = 1/(1 + exp(−x))."
        case .softplus: "log(1 + exp(x))."
        case .relu6: "min(max(x, 0), 6)."
        case .mish: "x tanh(log(1 + exp(x)))."
        case .softsign: "x/(1 + |x|)."
        case .logSigmoid: "log σ(x)."
        case .hardSigmoid: "x/6 + 1/2 between −3 and 3, else 0 or 1."
        case .hardSwish: "x times hard_sigmoid of x."
        case .square: "x²."
        }
    }

    /// The value for each element. Derivatives at a kink: `docs/definitions.md`.
    public func callAsFunction(_ x: Symbolic) throws(GraphError) -> Symbolic {
        switch self {
        case .identity: return x
        case .relu: return try x.maximum(x.constant(0))
        case .leakyRelu: return try x.maximum(0.01 * x)
        case .elu: return try x.exponentialLinear(alpha: 1)
        // Klambauer et al. 2017: the constants that keep mean 0 and variance 1.
        case .selu:
            return try 1.0507009873554804934193349852946 * x.exponentialLinear(alpha: 1.6732632423543772848170429916717)
        case .silu: return try x * x.sigmoid()
        case .gelu: return try 0.5 * x * (((0.5.squareRoot()) * x).erf() + 1)
        case .geluTanh:
            let inner = try (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
            return try 0.5 * x * (inner.tanh() + 1)
        case .tanh: return try x.tanh()
        case .hardtanh: return try x.clipped(-1, 1)
        case .sigmoid: return try x.sigmoid()
        case .softplus: return try x.softplus()
        case .relu6: return try x.clipped(0, 6)
        case .mish: return try x * x.softplus().tanh()
        case .softsign: return try x / (x.abs() + 1)
        case .logSigmoid: return try x.negated().softplus().negated()
        case .hardSigmoid: return try (1.0 / 6) * (x + 3).clipped(0, 6)
        case .hardSwish: return try x * ((1.0 / 6) * (x + 3).clipped(0, 6))
        case .square: return try x * x
        }
    }
}

extension Symbolic {
    /// log(1 + eˣ). Above the threshold it equals x to the last bit of its element type (e⁻²⁰ and e⁻⁴⁰ lie under half a
    /// unit in the last place of 20 in f32 and of 40 in f64), so the linear branch changes no value and no derivative.
    public func softplus() throws(GraphError) -> Symbolic {
        let threshold = try constant(type.element == .f64 ? 40 : 20)
        let bent = try threshold.minimum(self).exp().log1p()
        return try selected(where: compared(.gt, to: threshold), otherwise: bent)
    }

    /// x where x > 0, else α(eˣ − 1). The exponential is taken of the negative part alone, so that a large positive input does not
    /// overflow in the branch not chosen; at 0, where zero biases and padding put many inputs, every derivative is that branch's.
    func exponentialLinear(alpha: Double) throws(GraphError) -> Symbolic {
        let zero = try constant(0)
        let negative = try alpha * zero.minimum(self).expm1()
        return try selected(where: compared(.gt, to: zero), otherwise: negative)
    }

    /// x cut to [low, high]; every derivative at both ends is 0, that of the bound.
    func clipped(_ low: Double, _ high: Double) throws(GraphError) -> Symbolic {
        try maximum(constant(low)).minimum(constant(high))
    }
}
