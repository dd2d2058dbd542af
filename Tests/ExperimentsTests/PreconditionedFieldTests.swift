import Compute
import Dynamics
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

/// `preconditioned_lambda_max` under rules that clip, or take another vector than the gradient.
@Suite struct PreconditionedFieldTests {
    /// min(1, clip/(‖g‖ + 10⁻⁶))·∇L(θ + ρ∇L/‖∇L‖) over samples, by hand.
    private func vector(_ run: Run, radius: Double, clip: Double, over samples: BatchSelection = .all) throws -> Vector
    {
        let g = try run.oracle.gradient(at: run.parameters, over: samples).gradient
        var there = run.parameters
        try there.add(radius / g.norm(), g)
        var vector = try run.oracle.gradient(at: there, over: samples).gradient
        if clip > 0 { try vector.scale(min(1, clip / (vector.norm() + 1e-6))) }
        return vector
    }

    private func largest(_ run: Run, _ squares: [Double], over samples: BatchSelection = .all) throws -> Double {
        let roots = squares.map { ($0.squareRoot() + 1e-3).squareRoot() }
        var matrix = try dense(of: CurvatureOperator(of: run.oracle, at: run.parameters, over: samples))
        for i in roots.indices { for j in roots.indices { matrix[i, j] /= roots[i] * roots[j] } }
        return DenseEigen(symmetric: matrix).values[0]
    }

    @Test(arguments: [(0.0, 0.3), (0.5, 0), (0.5, 0.3)]) func theRulesVectorEntersP(radius: Double, clip: Double) throws
    {
        let run = try SmallRun.make(batch: .full)
        let update = try AdaptiveGradient(learningRate: 1e-3, kind: .rmsprop, factor: 0.9, epsilon: 1e-3)
        try run.setRule(FieldRule(update, SharpnessAware(radius: radius), clip: clip))
        var squares = [Double](repeating: 0, count: run.parameters.count)
        func enter() throws {
            let v = try vector(run, radius: radius, clip: clip).values
            for i in v.indices { squares[i] = 0.9 * squares[i] + 0.1 * v[i] * v[i] }
        }
        for step in 1...3 {
            try enter()
            try run.train(TrainingGoal(step: step))
        }
        try enter()
        let measured = try run.measure("preconditioned_lambda_max", ["tolerance": 1e-7])[0].value
        #expect(abs(measured / (try largest(run, squares)) - 1) < 1e-6)
        let effective = try run.measure("effective_sharpness")[0]
        #expect(abs(effective.value - 1e-3 * measured) < 1e-12 * measured && effective.products == 0, "shared")
    }

    /// Of mini-batches the field's vector over the probe's samples enters, whatever the batch size; a setting that changes counts.
    @Test func ofMiniBatchesItIsThatOfTheProbesSamples() throws {
        let run = try SmallRun.make(batch: .samples(3))
        let update = try AdaptiveGradient(learningRate: 1e-3, kind: .rmsprop, factor: 0, epsilon: 1e-3)
        try run.setRule(FieldRule(update, SharpnessAware(radius: 0.5)))
        try run.train(TrainingGoal(step: 2))
        for radius in [0.5, 0.1] {
            try run.setSetting("rho", radius)
            let samples = try ProbeScope(samples: 7).selection(of: run)
            let squares = try vector(run, radius: radius, clip: 0, over: samples).values.map { $0 * $0 }
            let measured = try run.measure("preconditioned_lambda_max", ["tolerance": 1e-7, "samples": 7])[0].value
            #expect(abs(measured / (try largest(run, squares, over: samples)) - 1) < 1e-6)
        }
    }

    /// Noise averages out, and so P is that of the same rule without it.
    @Test func aFieldThatDrawsIsLeftOut() throws {
        let run = try SmallRun.make(batch: .full)
        let update = try AdaptiveGradient(learningRate: 1e-3, kind: .adagrad)
        let options: ProbeArguments = ["tolerance": 1e-7]
        try run.setRule(update)
        let plain = try run.measure("preconditioned_lambda_max", options)[0].value
        try run.setRule(FieldRule(update, LabelNoise(amplitude: 1)))
        #expect(try run.measure("preconditioned_lambda_max", options)[0].value == plain)
    }

    /// A look takes no step: neither running values nor what the field keeps move, and training goes on to the bit. Five chunks of a
    /// batch of ten are cut evenly, those of all 24 samples as evenly as they can be.
    @Test func lookingChangesNothing() throws {
        let fields: [any GradientField] = [
            SharpnessAware(radius: 0.1), try Extrapolated(.local, distance: 0.1, chunks: 5),
            try Extrapolated(.previous, distance: 0.1), try GradientPenalty(chunks: 5),
            try Subspace(isInside: false, k: 2, every: 2),
        ]
        for field in fields {
            let runs = try (0..<2).map { _ in
                try SmallRun.normalised(under: FieldRule(Adam(learningRate: 1e-3), field), batch: .samples(10))
            }
            try runs[0].track(ProbeCatalogue.probe("effective_sharpness", for: runs[0]), every: 1)
            for run in runs { try run.train(TrainingGoal(step: 3)) }
            #expect(try runs[0].series("effective_sharpness").values.allSatisfy { $0 > 0 }, "\(field.name)")
            #expect(runs[0].parameters.hasSameBits(as: runs[1].parameters), "\(field.name)")
            #expect(try runs[0].statistics().hasSameBits(as: runs[1].statistics()), "\(field.name)")
        }
    }
}
