import Compute
import Curvature
import Networks
import Objectives

/// Rules that divide the gradient by the root of what they have seen of its square: θ ← θ − ηg/(√ν + ε), where with the current
/// gradient already in ν
/// - `rmsprop`: ν ← β₂ν + (1 − β₂)g², element by element, from 0 and without bias correction, as in PyTorch and, with ε = 0, in
///   central flows;
/// - `scalar_rmsprop`: the same with ‖g‖², one number for all parameters;
/// - `adagrad`: ν ← ν + g².
///
/// P = diag(√ν + ε), and the edge of λ_max(P^{−½}HP^{−½}) is 2/η. Where ν and ε are 0, and with them g, nothing moves.
public struct AdaptiveGradient: ElementwiseRule {
    public enum Kind: String, Sendable {
        case rmsprop
        case scalarRMSProp = "scalar_rmsprop"
        case adagrad
    }

    static let declarations = [
        declaration(
            .rmsprop,
            "ν ← β₂ν + (1 − β₂)∇L², θ ← θ − lr·∇L/(√ν + ε): the current gradient enters first, no bias correction."),
        declaration(
            .scalarRMSProp, "RMSProp with one ν for all parameters: ν ← β₂ν + (1 − β₂)‖∇L‖². [Cohen et al. 2024]"),
        declaration(.adagrad, "ν ← ν + ∇L², θ ← θ − lr·∇L/(√ν + ε). [Duchi et al. 2011]"),
    ]

    private static func declaration(_ kind: Kind, _ summary: String) -> RuleDeclaration {
        let decay = RuleSettingDeclaration("beta2", .share, default: 0.99, "The decay β₂ of ν, below 1.")
        let epsilon = RuleSettingDeclaration(
            "eps", .nonNegative, default: kind == .adagrad ? 1e-10 : 1e-8,
            "ε, added to the root; 0 as in central flows.")
        return RuleDeclaration(
            kind.rawValue, summary, settings: [.learningRate] + (kind == .adagrad ? [] : [decay]) + [epsilon]
        ) {
            try AdaptiveGradient(learningRate: $0["lr"] ?? 0, kind: kind, factor: $0["beta2"] ?? 0, epsilon: $0["eps"])
        }
    }

    public var learningRate: Double
    public let kind: Kind
    /// β₂; of no meaning for `adagrad`.
    public let factor: Double
    /// ε.
    public let epsilon: Double
    /// ν.
    public var state = UpdateState()

    /// - Parameter epsilon: by default that of PyTorch: 1e-8, `adagrad` 1e-10.
    /// - Throws: `UpdateRuleError` unless 0 ≤ β₂ < 1 and ε ≥ 0.
    public init(learningRate: Double, kind: Kind, factor: Double = 0.99, epsilon: Double? = nil) throws {
        self.learningRate = learningRate
        self.kind = kind
        self.factor = try RuleSetting.share(factor, "beta2", of: kind.rawValue)
        self.epsilon = try RuleSetting.nonNegative(
            epsilon ?? (kind == .adagrad ? 1e-10 : 1e-8), "eps", of: kind.rawValue)
    }

    public var name: String { kind.rawValue }

    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate)] + (kind == .adagrad ? [] : [("beta2", factor)]) + [("eps", epsilon)]
    }

    /// ν ← keep·ν + add·g².
    private var weights: (keep: Double, add: Double) { kind == .adagrad ? (1, 1) : (factor, 1 - factor) }

    public var update: ElementwiseUpdate {
        let isGuarded = ElementwiseUpdate.isGuarded(epsilon)
        switch kind {
        case .rmsprop: return isGuarded ? Self.guardedMean : Self.mean
        case .adagrad: return isGuarded ? Self.guardedSum : Self.sum
        case .scalarRMSProp: return Self.scalar
        }
    }

    public func write(_ scalars: UnsafeMutableBufferPointer<Double>) {
        (scalars[0], scalars[1]) = (learningRate, epsilon)
        switch kind {
        case .adagrad: break
        case .rmsprop: scalars[2] = weights.add
        case .scalarRMSProp: (scalars[2], scalars[3]) = weights
        }
    }

    private static let mean = update(.rmsprop, isGuarded: false)
    private static let guardedMean = update(.rmsprop, isGuarded: true)
    private static let sum = update(.adagrad, isGuarded: false)
    private static let guardedSum = update(.adagrad, isGuarded: true)

    private static func update(_ kind: Kind, isGuarded: Bool) -> ElementwiseUpdate {
        let scalars = ["rate", "eps"] + (kind == .adagrad ? [] : ["entering"])
        return ElementwiseUpdate(states: ["squares"], scalars: scalars) { x in
            let (rate, epsilon) = (x.scalars[0], x.scalars[1])
            let square = try x.gradient * x.gradient
            let squares = try x.states[0] + (kind == .adagrad ? square : x.scalars[2] * (square - x.states[0]))
            let step = try x.gradient.quotient(by: squares.sqrt() + epsilon, isGuarded: isGuarded)
            return [try x.theta - rate * step, squares]
        }
    }

    /// All elements wait for ‖g‖²: what they are multiplied by is then one number.
    private static let scalar = ElementwiseUpdate(
        scalars: ["rate", "eps", "kept", "entering"], numbers: ["square"]
    ) { x in
        let square = try x.scalars[2] * x.numbers[0] + x.scalars[3] * x.squaredNorm
        return ([try x.scalars[0].quotient(by: square.sqrt() + x.scalars[1])], [square])
    } _: { x in
        [try x.theta - x.scalars[0] * x.gradient]
    }

    private var squares: Vector? { state.vectors.first }
    private var square: Double? { state.numbers.first }

    public var hasPreconditioner: Bool { true }

    public func preconditioner(after gradient: Vector?) throws -> Preconditioner? {
        let (keep, add) = weights
        let epsilon = epsilon
        if kind == .scalarRMSProp {
            guard square != nil || gradient != nil else { throw UpdateRuleError.noGradientYet(rule: name) }
            let nu = square ?? 0
            let root = (gradient.map { keep * nu + add * $0.squaredNorm } ?? nu).squareRoot() + epsilon
            guard root > 0 else { throw UpdateRuleError.notPositive(rule: name, count: 1) }
            return .scalar(root)
        }
        return .diagonal(
            try RuleState.roots(
                of: squares, after: gradient, rule: name,
                enter: { nu, g in nu = keep * nu + add * g * g }, finish: { nu in nu = nu.squareRoot() + epsilon }))
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        switch quantity {
        case .preconditionedLambdaMax: StabilityEdge(2 / learningRate)
        case .effectiveSharpness: StabilityEdge(2)
        default: nil
        }
    }
}
