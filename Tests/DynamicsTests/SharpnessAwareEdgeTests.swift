import Compute
import Dynamics
import Testing

/// Gradient descent by SAM on L = ½λw², decayed: θ ← (1 − ηω)θ − ηλ(1 + rλ)θ with r = ρ/(‖g‖ + ε), or ρ. Its edge is where that is −θ.
@Suite struct SharpnessAwareEdges {
    private func rule(_ field: SharpnessAware, rate: Double = 0.1, decay: Double, clip: Double = 0) throws -> FieldRule
    {
        FieldRule(try SGD(learningRate: rate, weightDecay: decay), field, clip: clip)
    }

    /// λ(1 + 0.1λ) = 20 − 0.5 at λ = 9.83; without the decay 10. One percent of λ changes ηλ(1 + rλ) by 0.029: 500 steps are a factor
    /// of 10⁶. A clip that takes nothing keeps the step from being one program.
    @Test(arguments: [0, 0.5, 3], [0, 1e9]) func withoutItsNormItIsStableBelowItsEdgeAndNotAbove(
        decay: Double, clip: Double
    ) throws {
        let field = SharpnessAware(radius: 0.1, isNormalised: false)
        let edge = try #require(
            rule(field, decay: decay).edge(of: .lambdaMax, on: .all, gradientNorm: 1)
        ).lower
        #expect(abs(edge * (1 + 0.1 * edge) - (20 - decay)) < 1e-9)
        let rule = try rule(field, decay: decay, clip: clip)
        #expect(try Quadratic(curvature: 0.99 * edge).magnitude(under: rule, steps: 500) < 1e-3)
        #expect(try Quadratic(curvature: 1.01 * edge).magnitude(under: rule, steps: 500) > 1e3)
    }

    /// The edge moves with ‖g‖ = λ|w|: a step from w = 1 leads farther out where λ is above the edge of this ‖g‖, and further in below.
    @Test(arguments: [(0.0, 0.0), (2, 0), (0, 20), (2, 20)]) func aStepGrowsAboveTheEdgeOfItsGradient(
        decay: Double, epsilon: Double
    ) throws {
        let rule = try rule(SharpnessAware(radius: 0.5, epsilon: epsilon), decay: decay)
        var outcomes: Set<Bool> = []
        for curvature in stride(from: 10.1, through: 19, by: 0.25) {
            let edge = try #require(rule.edge(of: .lambdaMax, on: .all, gradientNorm: curvature)).lower
            let grows = try Quadratic(curvature: curvature).magnitude(under: rule, steps: 1) > 1
            #expect(grows == (curvature > edge), "\(curvature), whose edge is \(edge)")
            outcomes.insert(grows)
        }
        #expect(outcomes.count == 2)
    }

    /// ηω > 2 alone diverges, and a gradient without a length has no direction: with ε it is that of plain descent then.
    @Test func whereThereIsNoneThereIsNone() throws {
        let plain = SharpnessAware(radius: 0.1, isNormalised: false)
        #expect(try rule(plain, decay: 100).edge(of: .lambdaMax, on: .all, gradientNorm: 1) == nil)
        let normalised = try rule(SharpnessAware(radius: 0.1), decay: 0)
        #expect(normalised.edge(of: .lambdaMax, on: .all, gradientNorm: 0) == nil)
        #expect(normalised.edge(of: .batchSharpness, on: .some, gradientNorm: 1) == nil)
        let withEpsilon = try rule(SharpnessAware(radius: 1e-30, epsilon: 1), decay: 1)
        #expect(withEpsilon.edge(of: .lambdaMax, on: .all, gradientNorm: 0) == StabilityEdge(19))
    }
}
