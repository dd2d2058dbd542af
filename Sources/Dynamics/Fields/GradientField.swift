import Compute
import Curvature
import Objectives

/// Which vector stands for ∇L_B in a step: the plain gradient, or one taken at another point, on other targets, with a penalty, with
/// noise. An update (momentum, Adam, …) does with it what it does with a gradient.
public protocol GradientField: Sendable {
    /// The name scripts use: `sam`.
    var name: String { get }
    /// All settings as scripts name them.
    var settings: [(name: String, value: Double)] { get }
    /// What it keeps from step to step.
    var state: UpdateState { get set }
    /// Whether, with these settings, it is the gradient of the batch: then the step is that of the update alone, to the bit.
    var isPlain: Bool { get }
    /// Whether it imitates the noise of batches, and so takes all samples itself.
    var needsFullBatch: Bool { get }
    /// Whether it draws random numbers: then the same parameters and batch have another vector at each step.
    var draws: Bool { get }

    /// L_B and the vector, at θ. Running statistics move once, at θ.
    /// - Parameter rate: η of the step.
    mutating func gradient(
        at theta: Vector, rate: Double, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector)

    /// The edge of a curvature where an update without memory, of this rate and coupled weight decay, takes the vector; nil where none
    /// is known.
    func edge(of quantity: EdgeQuantity, rate: Double, decay: Double, gradientNorm: Double) -> StabilityEdge?
}

extension GradientField {
    public var state: UpdateState {
        get { UpdateState() }
        set {}
    }
    public var isPlain: Bool { false }
    public var needsFullBatch: Bool { false }
    public var draws: Bool { needsFullBatch }
    public func edge(of quantity: EdgeQuantity, rate: Double, decay: Double, gradientNorm: Double) -> StabilityEdge? {
        nil
    }
}

/// A gradient field as it is offered.
public struct FieldDeclaration: Sendable {
    public let name: String
    /// One sentence, with the source in square brackets.
    public let summary: String
    public let settings: [RuleSettingDeclaration]
    let build: @Sendable ([String: Double]) throws -> any GradientField

    init(
        _ name: String, _ summary: String, settings: [RuleSettingDeclaration],
        build: @escaping @Sendable ([String: Double]) throws -> any GradientField
    ) {
        (self.name, self.summary, self.settings, self.build) = (name, summary, settings, build)
    }
}

/// All gradient fields, by name.
public enum FieldCatalogue {
    public static let all: [FieldDeclaration] = [
        SharpnessAware.declarations, Extrapolated.declarations, GradientPenalty.declarations, LabelNoise.declarations,
        NoisyGradient.declarations, Subspace.declarations, Distilled.declarations,
    ].flatMap { $0 }

    public static func declaration(of name: String) -> FieldDeclaration? { all.first { $0.name == name } }
}

/// An update of another vector than the gradient of the batch, of which at most a certain length is taken.
///
/// Called by both names, `momentum+sam`; its settings are those of both, and `clip`.
public struct FieldRule: UpdateRule {
    /// What is done with the vector.
    public var update: any ElementwiseRule
    /// Which vector; nil for the gradient of the batch.
    public var field: (any GradientField)?
    /// The vector is scaled by min(1, clip/(‖g‖ + 1e-6)); 0 for not at all.
    public let clip: Double

    public static let clipping = RuleSettingDeclaration(
        "clip", .nonNegative, default: 0, "The gradient is scaled by min(1, clip/(‖g‖ + 1e-6)); 0: it is not.")
    private static let plain = "clipped"

    public init(_ update: any ElementwiseRule, _ field: (any GradientField)?, clip: Double = 0) {
        (self.update, self.field, self.clip) = (update, field, clip)
    }

    public var name: String { "\(update.name)+\(field?.name ?? Self.plain)" }

    public var learningRate: Double {
        get { update.learningRate }
        set { update.learningRate = newValue }
    }

    public var settings: [(name: String, value: Double)] {
        update.settings + (field?.settings ?? []) + RuleSetting.unless(0, "clip", clip)
    }

    public var state: UpdateState {
        get {
            var state = update.state
            state.inner = [field?.state ?? UpdateState()]
            return state
        }
        set {
            field?.state = newValue.inner.first ?? UpdateState()
            var own = newValue
            own.inner = []
            update.state = own
        }
    }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        let isPlain = field?.isPlain ?? true
        if isPlain, clip == 0 { return try update.step(&theta, batch) }
        if let field, field.needsFullBatch, batch.batch != nil {
            throw UpdateRuleError.needsFullBatch(rule: name)
        }
        if clip == 0, let field = field as? SharpnessAware, batch.oracle.model.statistics.isEmpty,
            let loss = try field.step(&update, &theta, batch)
        {
            return loss
        }
        var (loss, gradient): (Double, Vector)
        if isPlain {
            (loss, gradient) = try batch.gradient(at: theta)
        } else {
            guard var field else { preconditionFailure("a field that is not plain") }
            // Nobody else holds what it keeps, which may be large.
            self.field = nil
            defer { self.field = field }
            (loss, gradient) = try field.gradient(at: theta, rate: learningRate, batch)
        }
        try shorten(&gradient)
        try update.apply(gradient, to: &theta, batch)
        return loss
    }

    private func shorten(_ gradient: inout Vector) throws {
        guard clip > 0 else { return }
        let factor = clip / (gradient.norm() + 1e-6)
        if factor < 1 { try gradient.scale(factor) }
    }

    public var momentum: Momentum? { update.momentum }
    public var hasPreconditioner: Bool { update.hasPreconditioner }

    /// - Parameter gradient: as it is before it is clipped.
    public func preconditioner(after gradient: Vector?) throws -> Preconditioner? {
        guard hasPreconditioner, var gradient else { return try update.preconditioner(after: gradient) }
        try shorten(&gradient)
        return try update.preconditioner(after: gradient)
    }

    /// What a step from θ on this batch takes in place of ∇L_B, before it is clipped; the rule itself stays as it is. Nil for ∇L_B,
    /// and for a vector that is drawn at random: the noise of a step that is yet to come is nobody's to know.
    public func gradientStandIn(at theta: Vector, _ batch: StepOracle) throws -> Vector? {
        guard var field, !field.isPlain, !field.draws else { return nil }
        return try field.gradient(at: theta, rate: learningRate, batch).gradient
    }

    /// Without the length of the gradient known where it is nothing else but that of the update.
    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        field?.isPlain ?? true ? update.edge(of: quantity, on: batch) : nil
    }

    public var edgeNeedsGradientNorm: Bool { update is SGD && !(field?.isPlain ?? true) }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent, gradientNorm: Double) -> StabilityEdge? {
        guard let field, !field.isPlain, let update = update as? SGD else { return edge(of: quantity, on: batch) }
        return field.edge(
            of: quantity, rate: learningRate, decay: update.weightDecay, gradientNorm: gradientNorm)
    }

    /// What the catalogue has of such a name.
    static func declaration(of name: String) -> RuleDeclaration? {
        let parts = name.split(separator: "+", maxSplits: 1).map(String.init)
        guard parts.count == 2, let update = RuleCatalogue.all.first(where: { $0.name == parts[0] }) else { return nil }
        let field = FieldCatalogue.declaration(of: parts[1])
        guard field != nil || parts[1] == plain else { return nil }
        let own = field?.settings ?? []
        return RuleDeclaration(
            name, "\(update.summary) \(field?.summary ?? "")", settings: update.settings + own + [clipping]
        ) { values in
            guard
                let rule = try update.make(
                    values.filter { value in update.settings.contains { $0.name == value.key } })
                    as? any ElementwiseRule
            else { throw UpdateRuleError.unknownSetting(rule: name, setting: "field", known: []) }
            return FieldRule(rule, try field?.build(values), clip: values["clip"] ?? 0)
        }
    }
}

extension ElementwiseRule {
    /// Does with a vector what it does with a gradient.
    mutating func apply(_ gradient: Vector, to theta: inout Vector, _ batch: StepOracle) throws {
        let update = update
        try withUnsafeTemporaryAllocation(of: Double.self, capacity: update.scalars.count) { scalars in
            scalars.initialize(repeating: 0)
            write(scalars)
            try batch.oracle.apply(
                update, &theta, &state, gradient: gradient, scalars: UnsafeBufferPointer(scalars))
        }
    }
}
