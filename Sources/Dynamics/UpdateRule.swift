import Compute
import Curvature
import Objectives

/// A rule for one step θₜ₋₁ → θₜ: its settings, its state, and what it does with an oracle for the step's batch.
///
/// A rule is a value: a copy goes on with a state of its own. State vectors are as long as θ and in its element.
public protocol UpdateRule: Sendable {
    /// The name scripts use: `sgd`.
    var name: String { get }
    /// η.
    var learningRate: Double { get set }
    /// What it has gathered beside the parameters; empty before its first step.
    var state: UpdateState { get set }
    /// All settings as scripts name them, `lr` first.
    var settings: [(name: String, value: Double)] { get }

    /// Takes one step in place.
    /// - Returns: the loss of the step's batch at θₜ₋₁.
    mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double

    /// Whether a step measures the curvature of its batch along the gradient where `StepOracle.measuresCurvature` asks for it.
    var measuresCurvatureOnTheWay: Bool { get }

    /// v and β of v ← βv + g, θ ← θ − ηv; nil where the rule has no such velocity.
    var momentum: Momentum? { get }

    /// Whether the rule divides its step by a P, see ``preconditioner(after:)``.
    var hasPreconditioner: Bool { get }

    /// P without the learning rate, θ ← θ − ηP⁻¹g: from the state after the last step's gradient, or as it will be once
    /// `gradient` has entered, clipped where the rule clips. The curvature at θ_t belongs to P after the gradient at θ_t, by which the
    /// step from there is divided (Cohen et al. 2024). Nil where the rule divides by nothing.
    /// - Throws: `UpdateRuleError` where no gradient has entered yet, or P is not positive; for a vector of another model.
    func preconditioner(after gradient: Vector?) throws -> Preconditioner?

    /// The value of `quantity` up to which training is stable, and which training at the edge holds it at; nil where none is
    /// known (table *Stability edges* of `docs/definitions.md`). The quantity is that of L without weight decay, its edge
    /// accounts for the rule's.
    func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge?

    /// The time that the last step took, where it is not η: of a flow, that of its equation.
    var elapsed: Double? { get }

    /// Whether a step executes code of the program, which may look at the run meanwhile.
    var callsProgram: Bool { get }

    /// Whether its edges depend on the length of the full gradient.
    var edgeNeedsGradientNorm: Bool { get }

    /// The same for a rule whose edge depends on ‖∇L‖.
    func edge(of quantity: EdgeQuantity, on batch: BatchExtent, gradientNorm: Double) -> StabilityEdge?
}

extension UpdateRule {
    public var settings: [(name: String, value: Double)] { [("lr", learningRate)] }
    public var measuresCurvatureOnTheWay: Bool { false }
    public var callsProgram: Bool { false }
    public var elapsed: Double? { nil }
    public var edgeNeedsGradientNorm: Bool { false }
    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent, gradientNorm: Double) -> StabilityEdge? {
        edge(of: quantity, on: batch)
    }
    public var momentum: Momentum? { nil }
    public var hasPreconditioner: Bool { false }
    public func preconditioner(after gradient: Vector?) throws -> Preconditioner? { nil }

    /// P from the state after the last step's gradient.
    public func preconditioner() throws -> Preconditioner? { try preconditioner(after: nil) }

    /// The rule as scripts write it: `momentum{ lr = 0.1, beta = 0.9 }`.
    public var summary: String {
        "\(name){ \(settings.map { "\($0.name) = \(Self.short($0.value))" }.joined(separator: ", ")) }"
    }

    private static func short(_ x: Double) -> String {
        Int(exactly: x).flatMap { abs($0) < 1_000_000 ? "\($0)" : nil } ?? "\(x)"
    }
}

/// v and β of a rule with momentum.
public struct Momentum: Sendable {
    /// v after the last step; nil, for zero, before the first.
    public let velocity: Vector?
    /// β.
    public let factor: Double

    public init(velocity: Vector?, factor: Double) {
        self.velocity = velocity
        self.factor = factor
    }
}

/// What is wrong with the settings or the state of a rule.
public enum UpdateRuleError: Error, Equatable, CustomStringConvertible {
    /// A setting that cannot be: what it is and what is allowed.
    case badSetting(rule: String, setting: String, value: Double, allowed: String)
    /// A setting that the rule does not have.
    case unknownSetting(rule: String, setting: String, known: [String])
    /// A setting that has no default.
    case missingSetting(rule: String, setting: String)
    /// A rule that takes all samples itself, in a run with batches.
    case needsFullBatch(rule: String)
    /// A batch that cannot be cut into so many equal parts.
    case chunksDoNotDivide(rule: String, chunks: Int, batch: Int)
    /// A flow whose curvature has left what it can follow.
    case flowDiverged(rule: String, sharpness: Double)
    /// State, or a gradient, of another model.
    case otherModel(rule: String, state: Int, parameters: Int)
    /// A preconditioner asked for before the first gradient.
    case noGradientYet(rule: String)
    /// So many parameters have an entry of 0 in P.
    case notPositive(rule: String, count: Int)

    public var description: String {
        switch self {
        case .badSetting(let rule, let setting, let value, let allowed):
            return "\(rule): \(setting) must be \(allowed), not \(value)"
        case .unknownSetting(let rule, let setting, let known):
            return "\(rule) has no setting '\(setting)' (it has \(known.joined(separator: ", ")))"
        case .missingSetting(let rule, let setting):
            return "\(rule) needs \(setting)"
        case .needsFullBatch(let rule):
            return "\(rule) takes all samples at each step and imitates batches by itself: set batch_size = 'full'"
        case .chunksDoNotDivide(let rule, let chunks, let batch):
            return
                "\(rule) cuts a batch into \(chunks) equal chunks, and \(batch) samples cannot be: change chunks or batch_size"
        case .flowDiverged(let rule, let sharpness):
            return
                "\(rule): the effective sharpness, that of steps, is \(sharpness), above 100: the flow is too stiff to be followed; the rule "
                + "itself left it long ago"
        case .otherModel(let rule, let state, let parameters):
            return
                "\(rule) has a state of \(state) numbers, the model \(parameters) parameters of its element: take a new "
                + "optimizer for another model"
        case .noGradientYet(let rule):
            return "\(rule) has no preconditioner before its first step: no gradient has entered it"
        case .notPositive(let rule, let count):
            return
                "the preconditioner of \(rule) is 0 for \(count) parameter\(count == 1 ? "" : "s"), whose gradient was 0 at "
                + "every step: give the optimizer an eps above 0"
        }
    }
}
