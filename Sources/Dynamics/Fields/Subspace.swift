import Compute
import Curvature
import Objectives

/// The part of ∇L_B in the space of the Hessian's top k eigenvectors (`top_subspace`), or outside of it (`bulk_subspace`): projected
/// dynamics. The Hessian is that over all samples; its eigenvectors are found anew every so many steps.
public struct Subspace: GradientField {
    /// Whether inside of it.
    public let isInside: Bool
    public let k: Int
    public let every: Int
    /// The eigenvectors; how many steps ago they were found.
    public var state = UpdateState()

    static let declarations = [
        (true, "top_subspace", "The part of the gradient in the space of the top k eigenvectors."),
        (false, "bulk_subspace", "The part of the gradient outside of the space of the top k eigenvectors."),
    ].map { isInside, name, summary in
        FieldDeclaration(
            name, summary + " [EoSS code]",
            settings: [
                RuleSettingDeclaration("k", .positive, default: 1, "How many eigenvectors."),
                RuleSettingDeclaration("every", .positive, default: 1, "After how many steps they are found anew."),
            ]
        ) { try Subspace(isInside: isInside, k: $0["k"] ?? 1, every: $0["every"] ?? 1) }
    }

    public init(isInside: Bool, k: Double = 1, every: Double = 1) throws {
        let name = isInside ? "top_subspace" : "bulk_subspace"
        func whole(_ value: Double, _ setting: String) throws -> Int {
            guard let number = Int(exactly: value), number >= 1 else {
                throw UpdateRuleError.badSetting(rule: name, setting: setting, value: value, allowed: "an integer >= 1")
            }
            return number
        }
        (self.isInside, self.k, self.every) = (isInside, try whole(k, "k"), try whole(every, "every"))
    }

    public var name: String { isInside ? "top_subspace" : "bulk_subspace" }
    public var settings: [(name: String, value: Double)] { [("k", Double(k)), ("every", Double(every))] }

    public mutating func gradient(
        at theta: Vector, rate: Double, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector) {
        if state.vectors.isEmpty || state.steps % every == 0 {
            var stream = batch.stream(.noise, index: 3)
            let hessian = CurvatureOperator(of: batch.oracle, at: theta)
            let pairs = try topEigenpairs(
                of: hessian, k: k, tolerance: 1e-3, warmStart: state.vectors, stream: &stream)
            if !pairs.isFinished { throw Cancelled() }
            state.vectors = pairs.vectors
        }
        state.steps += 1
        let (loss, gradient) = try batch.gradient(at: theta)
        var inside = try Vector(zeros: theta.count, element: theta.element)
        for u in state.vectors { try inside.add(u.dot(gradient), u) }
        return (loss, isInside ? inside : try gradient - inside)
    }
}
