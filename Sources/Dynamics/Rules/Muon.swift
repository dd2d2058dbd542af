import Compute
import Graph
import Networks
import Objectives

/// Descent in the spectral norm, with momentum (Jordan et al. 2024): v ← βv + g, and of each matrix the step is that of the orthogonal
/// matrix nearest to v (or to g + βv, Nesterov's), scaled by √max(1, rows/columns):
///
///     θ ← (1 − ηω)θ − η·√max(1, rows/columns)·NS(g + βv)
///
/// NS is five steps X ← aX + (bA + cA²)X, A = XXᵀ, of Newton and Schulz, from X = V/(‖V‖_F + 1e-7), with (a, b, c) = (3.4445, −4.7750,
/// 2.0315): singular values come to lie between about 0.7 and 1.2. A convolution's kernel `[out, in, h, w]` is a matrix of `out` rows.
///
/// Parameters that are no matrices (biases, scales) take steps of root mean square 1, η·V/RMS(V): the same in the norm that belongs to
/// vectors (Pethick et al. 2025). Jordan et al. leave them, and first and last layers, to Adam.
public struct Muon: ElementwiseRule {
    public var learningRate: Double
    /// β.
    public let factor: Double
    public let isNesterov: Bool
    /// ω, decoupled.
    public let weightDecay: Double
    public var state = UpdateState()

    static let declarations = [
        RuleDeclaration(
            "muon",
            "Matrices take steps of orthogonal matrices, nearest to ∇L with momentum. [Jordan et al. 2024]",
            settings: [
                RuleSettingDeclaration("lr", .positive, default: 0.02, "The learning rate η."),
                RuleSettingDeclaration("beta", .share, default: 0.95, "The momentum β, below 1."),
                RuleSettingDeclaration("nesterov", .flag, default: 1, "Whether g + βv is made orthogonal, or v."),
                RuleSettingDeclaration("weight_decay", .nonNegative, default: 0, "ω, decoupled from the gradient."),
            ]
        ) {
            Muon(
                learningRate: $0["lr"] ?? 0.02, factor: $0["beta"] ?? 0.95, isNesterov: $0["nesterov"] != 0,
                weightDecay: $0["weight_decay"] ?? 0)
        }
    ]

    public init(learningRate: Double, factor: Double = 0.95, isNesterov: Bool = true, weightDecay: Double = 0) {
        (self.learningRate, self.factor) = (learningRate, factor)
        (self.isNesterov, self.weightDecay) = (isNesterov, weightDecay)
    }

    public var name: String { "muon" }
    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate), ("beta", factor)] + RuleSetting.unless(1, "nesterov", isNesterov ? 1 : 0)
            + RuleSetting.unless(0, "weight_decay", weightDecay)
    }

    public var update: ElementwiseUpdate { isNesterov ? Self.nesterov : Self.polyak }

    public func write(_ scalars: UnsafeMutableBufferPointer<Double>) {
        (scalars[0], scalars[1]) = (learningRate, factor)
        scalars[2] = 1 - learningRate * weightDecay
    }

    private static let nesterov = update { x, velocity in try x.gradient + x.scalars[1] * velocity }
    private static let polyak = update { _, velocity in velocity }

    private static func update(
        _ direction: @escaping @Sendable (ElementwiseUpdate.Terms, Symbolic) throws -> Symbolic
    ) -> ElementwiseUpdate {
        ElementwiseUpdate(states: ["velocity"], scalars: ["rate", "beta", "kept"], isByTensor: true) { x in
            let velocity = try x.scalars[1] * x.states[0] + x.gradient
            let step = try StepNorm.unit(direction(x, velocity)) { try StepNorm.nearlyPolar($0) }
            return [try x.scalars[2] * x.theta - x.scalars[0] * step, velocity]
        }
    }

    /// Without momentum it is descent in its norm, at the rate η/‖g‖_*.
    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        guard quantity == .spectralSharpness, batch == .all, factor == 0, weightDecay == 0 else { return nil }
        return StabilityEdge(2 / learningRate)
    }
}
