import Compute
import Curvature
import Dynamics
import Networks
import Objectives
import Testing

@testable import Experiments

/// The constrained trajectory and the predicted deviation from it, against dense matrices and finite differences.
@Suite struct ConstrainedTrajectories {
    private func run(rate: Double) throws -> Run {
        let run = try SmallRun.make(rate: rate, batch: .full)
        try run.train(TrainingGoal(step: 20))
        return run
    }

    private func spectrum(_ run: Run, _ theta: Vector) throws -> (values: [Double], vectors: DenseMatrix) {
        try #require(try dense(of: CurvatureOperator(of: run.oracle, at: theta)).symmetricEigen())
    }

    private func largest(_ run: Run, _ theta: Vector) throws -> Double { try spectrum(run, theta).values.max() ?? 0 }

    /// θ† is where it has to be: no sharper than 2/η, and no slope along u.
    @Test func constraintsHold() throws {
        let probe = try run(rate: 0.01)
        let rate = 2.02 / (try largest(probe, probe.parameters))
        var trajectory = try ConstrainedTrajectory(
            of: probe.oracle, from: probe.parameters, theta: probe.parameters, rate: rate,
            stream: RandomStream(seed: 1, purpose: .test))
        for _ in 0..<5 {
            let (values, vectors) = try spectrum(probe, trajectory.point)
            let u = try Vector(vectors.column(values.count - 1), element: .f64)
            #expect((values.last ?? 0) < 2 / rate * (1 + 1e-4))
            let gradient = try probe.oracle.gradient(at: trajectory.point).gradient
            let along = try u.dot(gradient)
            #expect(abs(along) < 1e-3 * gradient.norm())
            try trajectory.advance()
        }
    }

    /// A step of v by its formula: S and u from a dense matrix, ∇S by central differences of the largest eigenvalue along every parameter.
    @Test func aStepOfTheDeviationIsTheFormula() throws {
        let probe = try run(rate: 0.01)
        let rate = 2.02 / (try largest(probe, probe.parameters))
        var stream = RandomStream(seed: 7, purpose: .test)
        var aside = try Vector.randomNormal(count: probe.parameters.count, element: .f64, stream: &stream)
        try aside.scale(0.05 / aside.norm())
        var trajectory = try ConstrainedTrajectory(
            of: probe.oracle, from: probe.parameters, theta: probe.parameters + aside, rate: rate, stream: stream)
        let (point, v) = (trajectory.point, trajectory.deviation)
        let began = try distance(v, probe.parameters + aside - point)
        #expect(began < 1e-14)
        let (values, vectors) = try spectrum(probe, point)
        let u = try Vector(vectors.column(values.count - 1), element: .f64)
        let slope = try Vector(
            point.indices.map { i in
                var unit = [Double](repeating: 0, count: point.count)
                unit[i] = 1e-5
                let step = try Vector(unit, element: .f64)
                return (try largest(probe, point + step) - largest(probe, point - step)) / 2e-5
            }, element: .f64)
        let across = try slope - u.dot(slope) * u
        let gradient = try probe.oracle.gradient(at: point).gradient
        let square = -2 * (try gradient.dot(across)) / across.squaredNorm
        let (x, y) = (try u.dot(v), try across.dot(v))
        var force = try probe.oracle.directional(at: point, along: [v])
        try force.add((x * x - square) / 2, across)
        try force.add(x * y, u)
        let expected = try v - rate * force
        let (loss, sharpness) = (try trajectory.predictedLoss(), try trajectory.predictedSharpness())
        let (expectedLoss, rise) = (try probe.oracle.loss(at: point) + x * x / rate, try slope.dot(v))
        #expect(abs(loss - expectedLoss) < 1e-9 * loss)
        #expect(abs(sharpness - (values.last ?? 0) - rise) < 1e-4 * sharpness)
        try trajectory.advance()
        // Differences of eigenvalues are off by about 1e-10/1e-5 of them.
        let off = (try trajectory.deviation - expected).norm() / (try expected - v).norm()
        #expect(off < 1e-4)
        // Half of the third derivative along v is what these terms stand for where v is along u: ½x²∇S⊥ and the part along u.
        let third = try probe.oracle.directional(at: point, along: [u, u])
        let gradientOff = try distance(third, slope)
        #expect(gradientOff < 1e-4)
    }

    private func distance(_ a: Vector, _ b: Vector) throws -> Double { try (a - b).norm() / b.norm() }

    /// Descent is where it was without the forecast, and the start is the first step whose midpoint is at the edge.
    @Test func theStartIsTheFirstStepAtTheEdge() throws {
        let probe = try run(rate: 0.01)
        let before = probe.parameters
        let rate = 2 / (1.05 * (try largest(probe, before)))
        try probe.setLearningRate(rate)
        let forecast = try probe.selfStabilizationForecast(steps: 5, within: 2000)
        #expect(probe.parameters == before && probe.step == 20)
        var points = [before]
        for _ in 0...forecast.start - probe.step {
            let last = points[points.count - 1]
            points.append(try last - rate * probe.oracle.gradient(at: last).gradient)
        }
        let sharpnesses = try (1..<points.count - 1).map { t in
            try largest(probe, 0.25 * (points[t - 1] + 2 * points[t] + points[t + 1])) * rate / 2
        }
        #expect(sharpnesses.count > 1 && sharpnesses.dropLast().allSatisfy { $0 < 1 }, "\(sharpnesses)")
        #expect((sharpnesses.last ?? 0) >= 1 - 1e-6, "\(sharpnesses)")
    }
}
