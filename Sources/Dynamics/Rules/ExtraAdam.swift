import Compute
import Curvature
import Objectives

/// Adam by extragradient: a step of Adam to θ½, then one from θ with the gradient at θ½; both halves move m and ν, as in the published
/// implementation of Gidel et al. (2019). That Lin et al. (2020) do the same could not be verified: their code is not public.
public struct ExtraAdam: UpdateRule {
    private var adam: Adam

    static let declarations = [
        RuleDeclaration(
            "extra_adam", "Adam by extragradient: both halves move its memory. [Gidel et al. 2019; Lin et al. 2020]",
            settings: Adam.moments
        ) { ExtraAdam(try Adam.make($0.filter { $0.key != "weight_decay" })) }
    ]

    public init(_ adam: Adam) { self.adam = adam }

    public var name: String { "extra_adam" }
    public var learningRate: Double {
        get { adam.learningRate }
        set { adam.learningRate = newValue }
    }
    public var settings: [(name: String, value: Double)] { adam.settings }
    public var state: UpdateState {
        get { adam.state }
        set { adam.state = newValue }
    }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        let (loss, gradient) = try batch.gradient(at: theta)
        var half = theta
        var adam = adam
        try adam.apply(gradient, to: &half, batch)
        let ahead = try batch.gradient(at: half, moving: false).gradient
        try adam.apply(ahead, to: &theta, batch)
        self.adam = adam
        return loss
    }

    public var hasPreconditioner: Bool { true }

    public func preconditioner(after gradient: Vector?) throws -> Preconditioner? {
        try adam.preconditioner(after: gradient)
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? { nil }
}
