import Compute
import Curvature
import Graph
import Objectives

/// The central flow of gradient descent, RMSProp or RMSProp with one ν (Cohen et al. 2024), the smooth path that the rule oscillates
/// around, in units of its steps P⁻¹∇L: dθ/dt = −P⁻¹(∇L + ½ Σᵢⱼ Xᵢⱼ ∇³L[uᵢ, uⱼ]), with HU = PUΛ, UᵀPU = I, for the eigenvalues of P⁻¹H
/// that are at least 1.95 (tracked from 1.5), and X that solves 0 ⪯ X ⊥ A ⪰ 0, A = diag(2 − λ) + dt·Uᵀ(2dP/dt − dH/dt)U, affine in X:
/// both derivatives are those along the flow itself, which X moves. P and ν: see ``FlowDivisor``. Euler, `substeps` a step.
///
/// With `isStable` X = 0: the stable flow, in max(4, ⌈2·λ_max(P⁻¹H)⌉) substeps; it stops where that eigenvalue is above 100.
/// It takes all samples.
public struct CentralFlow: UpdateRule {
    /// Whose flow it is.
    public enum Kind: String, Sendable, CaseIterable {
        case descent = ""
        case rmsprop
        case scalarRMSProp = "scalar_rmsprop"
    }

    /// η.
    public var learningRate: Double
    public let kind: Kind
    /// β₂; of no meaning for gradient descent.
    public let factor: Double
    /// ε, the same.
    public let epsilon: Double
    public let substeps: Int
    public let isStable: Bool
    /// Eigenvectors to start from; tr X, how many oscillate, λ_max(P⁻¹H), tr((HU)X(HU)ᵀ) of the last substep. Within it ν: that of the
    /// rule after its last step, before the flow's first (`steps` = 0), that of the flow then.
    public var state = UpdateState()
    /// The relative error of eigenvalues aimed at.
    var tolerance = 1e-3

    /// Eigenvalues of P⁻¹H from which on eigenvectors are followed, and from which on they may oscillate.
    static let tracked = 1.5
    static let critical = 1.95
    /// Eigenvalues at the edge at once: each pair takes a third derivative.
    static let most = 16

    static let declarations = Kind.allCases.flatMap { kind in [declaration(kind), declaration(kind, isStable: true)] }

    private static func declaration(_ kind: Kind, isStable: Bool = false) -> RuleDeclaration {
        let of = ["": "gradient descent", "rmsprop": "RMSProp"][kind.rawValue] ?? "RMSProp with one ν"
        let squares = [
            RuleSettingDeclaration("beta2", .share, default: 0.99, "The decay β₂ of ν, above 0 and below 1."),
            RuleSettingDeclaration("eps", .nonNegative, default: 1e-8, "ε, added to the root of ν."),
        ]
        return RuleDeclaration(
            name(kind, isStable),
            isStable
                ? "The flow of \(of), in units of steps of rate lr: the path without oscillations. [Cohen et al. 2024]"
                : "The smooth path that \(of) at rate lr oscillates around, in units of steps. [Cohen et al. 2024]",
            settings: [.learningRate] + (kind == .descent ? [] : squares) + [
                RuleSettingDeclaration("substeps", .positive, default: 4, "Euler steps of a step, at least.")
            ]
        ) {
            try CentralFlow(
                learningRate: $0["lr"] ?? 0, kind: kind, factor: $0["beta2"] ?? 0.99, epsilon: $0["eps"] ?? 0,
                substeps: $0["substeps"] ?? 4, isStable: isStable)
        }
    }

    private static func name(_ kind: Kind, _ isStable: Bool) -> String {
        (kind == .descent ? "" : kind.rawValue + "_") + (isStable ? "stable_flow" : "central_flow")
    }

    /// - Throws: `UpdateRuleError` unless `substeps` is an integer from 1, 0 < β₂ < 1 and ε ≥ 0.
    public init(
        learningRate: Double, kind: Kind = .descent, factor: Double = 0.99, epsilon: Double = 0, substeps: Double = 4,
        isStable: Bool = false
    ) throws {
        let name = Self.name(kind, isStable)
        guard let count = Int(exactly: substeps), count >= 1 else {
            throw UpdateRuleError.badSetting(
                rule: name, setting: "substeps", value: substeps, allowed: "an integer >= 1")
        }
        guard factor > 0, factor < 1 else {
            throw UpdateRuleError.badSetting(
                rule: name, setting: "beta2", value: factor, allowed: "above 0 and below 1")
        }
        (self.learningRate, self.kind, self.factor, self.substeps) = (learningRate, kind, factor, count)
        self.epsilon = try RuleSetting.nonNegative(epsilon, "eps", of: name)
        self.isStable = isStable
    }

    /// The flow of a rule: of gradient descent without decay, of RMSProp, whose ν it takes up where the rule stands, or of a flow of one of
    /// them; nil for others.
    public init?(of rule: any UpdateRule, substeps: Double = 4, isStable: Bool = false) throws {
        switch rule {
        case let rule as SGD where rule.weightDecay == 0:
            try self.init(learningRate: rule.learningRate, substeps: substeps, isStable: isStable)
        case let rule as AdaptiveGradient where rule.kind != .adagrad:
            try self.init(
                learningRate: rule.learningRate, kind: rule.kind == .rmsprop ? .rmsprop : .scalarRMSProp,
                factor: rule.factor, epsilon: rule.epsilon, substeps: substeps, isStable: isStable)
            var squares = rule.state
            squares.steps = 0
            state.inner = [squares]
        case let rule as CentralFlow:
            try self.init(
                learningRate: rule.learningRate, kind: rule.kind, factor: rule.factor, epsilon: rule.epsilon,
                substeps: substeps, isStable: isStable)
            state = rule.state
        default: return nil
        }
    }

    public var name: String { Self.name(kind, isStable) }
    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate)] + (kind == .descent ? [] : [("beta2", factor), ("eps", epsilon)])
            + [("substeps", Double(substeps))]
    }

    /// tr X of the last substep: the loss that the rule has on average is L + tr X.
    public var oscillation: Double { state.numbers.first ?? 0 }
    /// How many eigenvectors oscillate.
    public var oscillating: Int { state.numbers.count > 1 ? Int(state.numbers[1]) : 0 }
    /// tr((HU)X(HU)ᵀ) of the last substep: the rule's squared gradient norm is ‖∇L‖² + this on average.
    public var gradientOscillation: Double { state.numbers.count > 3 ? state.numbers[3] : 0 }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        guard batch.batch == nil else { throw UpdateRuleError.needsFullBatch(rule: name) }
        // ν cannot pass what it goes towards.
        var count = kind == .descent ? substeps : max(substeps, Int(((1 - factor) / factor).rounded(.up)))
        if isStable, state.numbers.count > 2 { count = max(count, Int(min(1000, (2 * state.numbers[2]).rounded(.up)))) }
        var loss: Double?
        for part in 0..<count {
            let own = try substep(&theta, batch, 1 / Double(count), part)
            loss = loss ?? own
            if !own.isFinite { break }
        }
        state.steps += 1
        return loss ?? .nan
    }

    /// - Returns: L before it.
    private mutating func substep(
        _ theta: inout Vector, _ batch: StepOracle, _ dt: Double, _ part: Int
    ) throws -> Double {
        let (loss, gradient) = try batch.gradient(at: theta, moving: part == 0)
        guard loss.isFinite else { return loss }
        try enter(gradient)
        let divisor = try divisor()
        let preconditioner = try divisor.preconditioner()
        let pairs = try eigenpairs(
            CurvatureOperator(of: batch.oracle, at: theta).preconditioned(by: preconditioner), batch, part)
        let largest = pairs.values.first ?? 0
        if isStable, largest > 100 { throw UpdateRuleError.flowDiverged(rule: name, sharpness: largest) }
        let critical = isStable ? [] : pairs.values.indices.filter { pairs.values[$0] >= Self.critical }
        let drift = divisor.drift(gradient)
        var slope = gradient
        var oscillations: Oscillations?
        if !critical.isEmpty {
            let own = try Oscillations(
                critical.map { pairs.values[$0] },
                critical.map { try preconditioner.power(-0.5, times: pairs.vectors[$0]) }, gradient, dt, divisor, drift,
                preconditioner, theta, batch)
            for (pair, term) in zip(own.pairs, own.terms) {
                try slope.add(own.x[pair.i * own.size + pair.j] * (pair.i == pair.j ? 0.5 : 1), term)
            }
            oscillations = own
        }
        try theta.add(-dt, preconditioner.power(-1, times: slope))
        let added = oscillations?.squares
        if kind != .descent {
            let moved = drift.indices.map { i in
                divisor.squares[i] + dt * (drift[i] + divisor.speed * (added?.each[i] ?? 0))
            }
            try keep(moved, theta.element)
        }
        state.numbers = [oscillations?.trace ?? 0, Double(critical.count), largest, added?.sum ?? 0]
        return loss
    }

    /// As many as are tracked, and one more to see whether another has come.
    private mutating func eigenpairs(
        _ matrix: PreconditionedOperator, _ batch: StepOracle, _ part: Int
    ) throws -> Eigenpairs {
        var stream = RandomStream(
            seed: batch.seed, purpose: .noise, index: 1 << 62 | UInt64(batch.step) << 12 | UInt64(part))
        var k = min(matrix.dimension, max(1, state.vectors.count))
        while true {
            let pairs = try topEigenpairs(
                of: matrix, k: k, tolerance: tolerance, warmStart: state.vectors, stream: &stream)
            if !pairs.isFinished { throw Cancelled() }
            if (pairs.values.last ?? 0) < Self.tracked || k == min(Self.most, matrix.dimension) {
                state.vectors = Array(pairs.warmStart.prefix(k))
                return pairs
            }
            k += 1
        }
    }

    // MARK: - ν

    /// ν, of the rule before the first step of the flow, or of the flow.
    private var squares: [Double] {
        guard let own = state.inner.first else { return [] }
        return kind == .rmsprop ? own.vectors.first?.values ?? [] : own.numbers
    }
    private var hasBegun: Bool { (state.inner.first?.steps ?? 0) > 0 }

    /// The gradient at θ_t enters ν before the step from there.
    private mutating func enter(_ gradient: Vector) throws {
        guard kind != .descent, !hasBegun else { return }
        try keep(entered(gradient), gradient.element)
        state.inner[0].steps = 1
    }

    private func entered(_ gradient: Vector) throws -> [Double] {
        let entering = kind == .rmsprop ? gradient.values.map { $0 * $0 } : [gradient.squaredNorm]
        let before = squares.isEmpty ? entering.map { _ in 0 } : squares
        guard before.count == entering.count else {
            throw UpdateRuleError.otherModel(rule: name, state: before.count, parameters: entering.count)
        }
        return zip(before, entering).map { factor * $0 + (1 - factor) * $1 }
    }

    private mutating func keep(_ squares: [Double], _ element: ElementType) throws {
        var own = state.inner.first ?? UpdateState()
        if kind == .rmsprop { own.vectors = [try Vector(squares, element: element)] } else { own.numbers = squares }
        state.inner = [own]
    }

    private func divisor() throws -> FlowDivisor {
        kind == .descent
            ? FlowDivisor(rate: learningRate)
            : try FlowDivisor(rate: learningRate, squares: squares, factor: factor, epsilon: epsilon, rule: name)
    }

    public var hasPreconditioner: Bool { kind != .descent }

    /// ν of the flow has the gradient at θ_t in it already; before its first step that of the gradient given.
    public func preconditioner(after gradient: Vector?) throws -> Preconditioner? {
        guard kind != .descent else { return nil }
        var now = squares
        if !hasBegun {
            if let gradient { now = try entered(gradient) }
            guard !now.isEmpty else { throw UpdateRuleError.noGradientYet(rule: name) }
        }
        return try FlowDivisor(rate: 1, squares: now, factor: factor, epsilon: epsilon, rule: name)
            .preconditioner()
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        switch (quantity, kind) {
        case (.lambdaMax, .descent), (.preconditionedLambdaMax, .rmsprop), (.preconditionedLambdaMax, .scalarRMSProp):
            StabilityEdge(2 / learningRate)
        case (.effectiveSharpness, .rmsprop), (.effectiveSharpness, .scalarRMSProp): StabilityEdge(2)
        default: nil
        }
    }
}
