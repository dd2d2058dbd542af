import Compute
import Networks
import Objectives

/// ∇L_B(θ + ρ∇L_B(θ)/(‖∇L_B(θ)‖ + ε)), or without the norm: the gradient where the loss is about the largest nearby (Foret et al. 2021).
/// Running statistics move at θ alone, as in the authors' code.
///
/// Gradient descent by it has the edge 2s/(1 + √(1 + 4rs)) of λ_max, s = 2/η − ω and r = ρ/(‖g‖ + ε), unnormalised ρ, with the full
/// gradient g: that of Long & Bartlett (2023), (4/η)/(1 + √(1 + 8ρ/(η‖g‖))), for ω = ε = 0. On a quadratic of curvature λ along g the
/// gradient there is (1 + rλ)g, the decay ω is of θ itself, and a step is its own mirror image where λ(1 + rλ) = s.
public struct SharpnessAware: GradientField {
    /// ρ.
    public let radius: Double
    /// ε of the authors' code, which has 1e-12.
    public let epsilon: Double
    public let isNormalised: Bool

    static let declarations = [
        FieldDeclaration(
            "sam", "The gradient at θ + ρ∇L_B/‖∇L_B‖. [Foret et al. 2021]",
            settings: [
                radius,
                RuleSettingDeclaration(
                    "sam_eps", .nonNegative, default: 0, "ε of ‖∇L_B‖ + ε; the authors' code has 1e-12."),
            ]
        ) { SharpnessAware(radius: $0["rho"] ?? 0, epsilon: $0["sam_eps"] ?? 0) },
        FieldDeclaration(
            "sam_unnormalised", "The gradient at θ + ρ∇L_B. [Andriushchenko & Flammarion 2022]", settings: [radius]
        ) { SharpnessAware(radius: $0["rho"] ?? 0, isNormalised: false) },
    ]

    private static let radius = RuleSettingDeclaration("rho", .nonNegative, default: 0.05, "ρ, how far away.")

    public init(radius: Double, epsilon: Double = 0, isNormalised: Bool = true) {
        (self.radius, self.epsilon, self.isNormalised) = (radius, epsilon, isNormalised)
    }

    public var name: String { isNormalised ? "sam" : "sam_unnormalised" }
    public var settings: [(name: String, value: Double)] {
        [("rho", radius)] + RuleSetting.unless(0, "sam_eps", epsilon)
    }
    public var isPlain: Bool { radius == 0 }

    /// θ + ρg/(‖g‖ + ε); θ itself where ‖g‖ is 0.
    private static let ascent = ElementwiseUpdate(scalars: ["rho", "eps"], numbers: []) { x in
        ([try x.scalars[0].quotient(by: x.squaredNorm.sqrt() + x.scalars[1])], [])
    } _: { x in
        [try x.theta + x.scalars[0] * x.gradient]
    }

    private static let plainAscent = ElementwiseUpdate(scalars: ["rho"]) { x in
        [try x.theta + x.scalars[0] * x.gradient]
    }

    /// A step as one program, in which θ + ρg need not be formed: a batch's gradient is a product of rank b. Nil where the batch is walked
    /// in pieces.
    func step(
        _ update: inout any ElementwiseRule, _ theta: inout Vector, _ batch: StepOracle
    ) throws -> Double? {
        let (ascent, own) = (isNormalised ? Self.ascent : Self.plainAscent, update.update)
        let program = own.byGradient(at: ascent)
        guard try batch.oracle.isOneProgram(program, batch: batch.batch) else { return nil }
        let first = ascent.scalars.count
        return try withUnsafeTemporaryAllocation(of: Double.self, capacity: program.scalars.count) { scalars in
            scalars.initialize(repeating: 0)
            scalars[0] = radius
            if isNormalised { scalars[1] = epsilon }
            update.write(UnsafeMutableBufferPointer(rebasing: scalars[first...]))
            return try batch.oracle.step(
                program, &theta, &update.state, batch: batch.batch, scalars: UnsafeBufferPointer(scalars)
            ).loss
        }
    }

    public mutating func gradient(
        at theta: Vector, rate: Double, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector) {
        let (loss, gradient) = try batch.gradient(at: theta)
        let length = isNormalised ? gradient.norm() + epsilon : 1
        // Where the gradient vanishes there is no direction to look into.
        guard length > 0 else { return (loss, gradient) }
        var there = theta
        try there.add(radius / length, gradient)
        return (loss, try batch.gradient(at: there, moving: false).gradient)
    }

    /// Nil too where the decay alone makes every step unstable, and where ‖g‖ + ε is 0: there is no direction to look into.
    public func edge(
        of quantity: EdgeQuantity, rate: Double, decay: Double = 0, gradientNorm: Double
    ) -> StabilityEdge? {
        let length = isNormalised ? gradientNorm + epsilon : 1
        guard quantity == .lambdaMax, length > 0 else { return nil }
        let plain = 2 / rate - decay
        let square = 1 + 4 * radius / length * plain
        return square >= 0 ? StabilityEdge(2 * plain / (1 + square.squareRoot())) : nil
    }
}
