import Compute
import Graph
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

@Suite struct SelfStabilizationTests {
    private func largest(_ run: Run, at theta: Vector) throws -> Double {
        try DenseEigen(symmetric: dense(of: CurvatureOperator(of: run.oracle, at: theta))).values[0]
    }

    /// ∇S·v is the derivative of λ_max along v: central differences of dense eigenvalues.
    @Test func theGradientOfTheSharpnessIsThatOfFiniteDifferences() throws {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 10))
        let found = try run.selfStabilization(EigenSettings(tolerance: 1e-9))
        let step = 1e-4
        var stream = RandomStream(seed: 3, purpose: .test)
        for _ in 0..<4 {
            var v = try Vector.randomNormal(count: run.parameters.count, element: .f64, stream: &stream)
            try v.scale(1 / v.norm())
            let difference =
                (try largest(run, at: run.parameters + step * v) - largest(run, at: run.parameters - step * v))
                / (2 * step)
            // The error of the difference is of order step²; that of u shows at first order, about 1e-6 after the division.
            #expect(abs(difference - (try found.gradient.dot(v))) < 1e-5 * found.gradient.norm())
        }
        #expect(abs(try found.perpendicular.dot(found.direction)) < 1e-10 * found.gradient.norm())
    }

    @Test func theProbesAreTheFormulas() throws {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 10))
        let settings = EigenSettings(tolerance: 1e-9)
        let found = try run.selfStabilization(settings)
        let g = try run.gradient()
        let u = found.direction
        let alpha = -(try g.dot(found.gradient)) + (try u.dot(g)) * (try u.dot(found.gradient))
        let measured = try run.measure("progressive_sharpening", ["tolerance": 1e-9])[0].value
        #expect(abs(measured - alpha) < 1e-9 * abs(alpha))
        let values = try run.measure("self_stabilization", ["tolerance": 1e-9]).map(\.value)
        #expect(abs(values[0] / found.perpendicular.squaredNorm - 1) < 1e-12)
        let delta = (2 * alpha / values[0]).squareRoot()
        #expect(alpha < 0 ? values[1].isNaN : abs(values[1] / delta - 1) < 1e-9)
    }

    /// L = (w₁w₂ − 1)² by hand: H = 2[w₂², c; c, w₁²] with c = 2w₁w₂ − 1; S and u from the 2 × 2 matrix, and ∂S = uᵀ(∂H)u.
    @Test func ofAProductOfTwoWeightsAllIsKnown() throws {
        let (a, b) = (0.7, 1.9)
        let run = try ProductRun.make(a, b)
        let c = 2 * a * b - 1
        let (mean, half) = (a * a + b * b, b * b - a * a)
        let root = (half * half + 4 * c * c).squareRoot()
        let sharpness = mean + root
        // (H/2 − S/2)u = 0.
        let length = (c * c + (sharpness / 2 - b * b) * (sharpness / 2 - b * b)).squareRoot()
        let u = [c / length, (sharpness / 2 - b * b) / length]
        let gradient = [
            8 * b * u[0] * u[1] + 4 * a * u[1] * u[1], 8 * a * u[0] * u[1] + 4 * b * u[0] * u[0],
        ]
        let along = u[0] * gradient[0] + u[1] * gradient[1]
        let perpendicular = [gradient[0] - along * u[0], gradient[1] - along * u[1]]
        let slope = [2 * (a * b - 1) * b, 2 * (a * b - 1) * a]
        let alpha = -(slope[0] * perpendicular[0] + slope[1] * perpendicular[1])
        let beta = perpendicular[0] * perpendicular[0] + perpendicular[1] * perpendicular[1]

        let found = try run.selfStabilization(EigenSettings(tolerance: 1e-10))
        #expect(abs(found.sharpness - sharpness) < 1e-12 * sharpness)
        #expect(abs(found.progressiveSharpening - alpha) < 1e-12 * abs(alpha))
        #expect(abs(found.strength - beta) < 1e-12 * beta)
        #expect(alpha < 0 ? found.deviation.isNaN : abs(found.deviation - (2 * alpha / beta).squareRoot()) < 1e-12)
        let predicted = 2 / 0.1 - 0.1 * beta * 0.3 / (4 * alpha)
        #expect(abs(found.predictedSharpness(rate: 0.1, noise: 0.3) - predicted) < 1e-10 * abs(predicted))
    }

    /// δ is a number where the sharpness rises, and follows from α and β_s; near the saddle at 0 it falls.
    @Test func theDeviationExistsWhereTheSharpnessRises() throws {
        let rising = try ProductRun.make(0.3, 2.4)
        let alpha = try rising.measure("progressive_sharpening")[0].value
        let values = try rising.measure("self_stabilization").map(\.value)
        #expect(alpha > 0)
        #expect(abs(values[1] - (2 * alpha / values[0]).squareRoot()) < 1e-12 * values[1])
        let falling = try ProductRun.make(0.2, 0.3)
        #expect(try falling.measure("progressive_sharpening")[0].value < 0)
        #expect(try falling.measure("self_stabilization")[1].value.isNaN)
    }
}
