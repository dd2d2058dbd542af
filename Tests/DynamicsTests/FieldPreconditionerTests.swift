import Compute
import Curvature
import Dynamics
import Objectives
import Testing

/// P of a rule that takes another vector than the gradient, or less of it.
@Suite struct FieldPreconditioners {
    let problem: SmallProblem

    init() throws { problem = try SmallProblem() }

    private static let fields: [(name: String, field: @Sendable () throws -> (any GradientField)?, clip: Double)] = [
        ("clip", { nil }, 0.05),
        ("sam", { SharpnessAware(radius: 0.3) }, 0),
        ("sam clipped", { SharpnessAware(radius: 0.3) }, 0.05),
        ("sam_unnormalised", { SharpnessAware(radius: 0.3, isNormalised: false) }, 0),
        ("gradient_penalty", { try GradientPenalty(perRate: 5, chunks: 3) }, 0),
        ("extrap", { try Extrapolated(.local, distance: 0.2, chunks: 4) }, 0),
        ("extrap_previous", { try Extrapolated(.previous, distance: 0.2, chunks: 2) }, 0),
        ("bulk_subspace", { try Subspace(isInside: false, k: 2, every: 2) }, 0),
    ]

    private func values(of preconditioner: Preconditioner?) throws -> [Double] {
        switch try #require(preconditioner) {
        case .scalar(let number): [Double](repeating: number, count: problem.start.count)
        case .diagonal(let vector): vector.values
        }
    }

    /// What a look says enters P is what the step from there lets in: P after the look is P after the step, and not that of ∇L.
    @Test(arguments: fields.indices) func whatEntersIsWhatTheStepTakes(number: Int) throws {
        let (name, field, clip) = Self.fields[number]
        let updates: [any ElementwiseRule] = [
            try AdaptiveGradient(learningRate: 0.01, kind: .rmsprop, epsilon: 1e-3),
            try AdaptiveGradient(learningRate: 0.01, kind: .scalarRMSProp),
            try AdaptiveGradient(learningRate: 0.01, kind: .adagrad),
            try Adam(learningRate: 0.01),
        ]
        for update in updates {
            var rule = FieldRule(update, try field(), clip: clip)
            var theta = problem.start
            for step in 1...3 {
                let look = StepOracle(problem.oracle, seed: 7)
                (look.isLook, look.step) = (true, step)
                let gradient = try problem.oracle.gradient(at: theta).gradient
                let taken = try rule.gradientStandIn(at: theta, look) ?? gradient
                let expected = try values(of: rule.preconditioner(after: taken))
                let plain = try values(of: rule.update.preconditioner(after: gradient))
                let stepped = StepOracle(problem.oracle, seed: 7)
                stepped.step = step
                _ = try rule.step(&theta, stepped)
                let found = try values(of: rule.preconditioner())
                // SAM's step is one program, in which sums are taken in another order.
                #expect(distance(expected, found) < 1e-9, "\(name), \(update.name), step \(step)")
                // At the first step there is no vector before it to look ahead by.
                if step == 2 { #expect(distance(plain, found) > 1e-4, "\(name), \(update.name): a control") }
            }
        }
    }

    /// What a step to come will draw nobody knows: ∇L stands for it.
    @Test func aFieldThatDrawsHasNoStandIn() throws {
        let fields: [any GradientField] = [
            LabelNoise(amplitude: 0.1), NoisyGradient(.isotropic, batch: 4), try Extrapolated(.noise, distance: 0.1),
        ]
        for field in fields {
            let rule = FieldRule(try Adam(learningRate: 0.1), field)
            #expect(try rule.gradientStandIn(at: problem.start, StepOracle(problem.oracle)) == nil, "\(field.name)")
        }
        let plain = FieldRule(try Adam(learningRate: 0.1), SharpnessAware(radius: 0), clip: 1)
        #expect(try plain.gradientStandIn(at: problem.start, StepOracle(problem.oracle)) == nil)
    }

    /// A look over other samples than a batch's cuts them as evenly as they can be; a step does not.
    @Test func aLookCutsWhateverThereIs() throws {
        let step = StepOracle(problem.oracle)
        #expect(throws: UpdateRuleError.chunksDoNotDivide(rule: "extrap", chunks: 5, batch: 12)) {
            try step.chunks(5, of: "extrap")
        }
        step.isLook = true
        let sizes = try step.chunks(5, of: "extrap").map { part in
            if case .indices(let indices) = part { return indices.count }
            return 0
        }
        #expect(sizes.reduce(0, +) == 12 && sizes.allSatisfy { $0 == 2 || $0 == 3 })
        #expect(try step.chunks(50, of: "extrap").count == 12)
    }
}
