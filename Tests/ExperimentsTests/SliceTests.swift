import Compute
import Curvature
import Dynamics
import Networks
import Objectives
import Testing

@testable import Experiments

/// Slices of the loss, against closed forms.
@Suite struct LossSlices {
    /// A network of one linear layer under `mse`: L is a quadratic function of its 15 parameters.
    private func quadratic() throws -> Run {
        let model = try Model.multilayerPerceptron(
            inputShape: [4], hidden: [], outputs: 3, activation: .identity, initScale: 1, seed: 3, element: .f64)
        return try Run(
            name: "quadratic", objective: Objective(model: model, loss: .mse), data: SmallRun.data(),
            rule: SGD(learningRate: 0.02), batchSize: .samples(4), seed: 1)
    }

    private func vector(_ seed: UInt64, _ count: Int) throws -> Vector {
        var stream = RandomStream(seed: seed, purpose: .test)
        return try Vector.randomNormal(count: count, element: .f64, stream: &stream)
    }

    @Test func theSliceOfAQuadraticIsAParabola() throws {
        let run = try quadratic()
        let v = try vector(4, run.parameters.count)
        let axis = try LossSlice.Axis(v, ends: (-2, 3), points: 51, unit: "v")
        let slice = try LossSlice(from: run.parameters, along: [axis], of: run.oracle)
        let (loss, gradient) = try run.oracle.gradient(at: run.parameters)
        let (slope, curvature) = (
            try gradient.dot(v), try CurvatureOperator(of: run.oracle, at: run.parameters).quadratic(v)
        )
        #expect(slice.losses.count == 51 && slice.axes[0].coordinates[20] == 0)
        #expect(try slice.losses[20] == run.evaluation().loss)
        for (t, value) in zip(axis.coordinates, slice.losses) {
            #expect(abs(value - (loss + t * slope + t * t / 2 * curvature)) < 1e-10 * max(1, value))
        }
    }

    @Test func thePlaneThroughThreePointsIsAQuadraticForm() throws {
        let run = try quadratic()
        let (a, b) = (try run.parameters + vector(4, 15), try run.parameters + 2 * vector(5, 15))
        let plane = try SlicePlane(through: run.parameters, a, b)
        // The marks lie in the plane, the first along the first direction, as far from each other as the points are.
        #expect(plane.marks.allSatisfy { $0.distance < 1e-12 })
        #expect(abs(plane.marks[1].coordinates[0] - (try a - run.parameters).norm()) < 1e-12)
        #expect(abs(plane.marks[1].coordinates[1]) < 1e-12)
        let (x, y) = (
            plane.marks[1].coordinates[0] - plane.marks[2].coordinates[0],
            plane.marks[1].coordinates[1] - plane.marks[2].coordinates[1]
        )
        #expect(abs((x * x + y * y).squareRoot() - (try a - b).norm()) < 1e-12)
        let axes = try plane.axes(points: 7, margin: 0.25)
        let slice = try LossSlice(from: run.parameters, along: axes, of: run.oracle)
        #expect(abs((try slice.point(at: plane.marks[2].coordinates) - b).norm()) < 1e-12)
        let (loss, gradient) = try run.oracle.gradient(at: run.parameters)
        let hessian = CurvatureOperator(of: run.oracle, at: run.parameters)
        var number = 0
        for y in axes[1].coordinates {
            for x in axes[0].coordinates {
                let w = try x * plane.directions[0] + y * plane.directions[1]
                let value = try loss + gradient.dot(w) + hessian.quadratic(w) / 2
                #expect(abs(slice.losses[number] - value) < 1e-10 * max(1, value))
                number += 1
            }
        }
        // A quarter of the extent beyond the points.
        let extent = axes[0].coordinates[6] - axes[0].coordinates[0]
        let inner = plane.marks.map { $0.coordinates[0] }
        let width = max(0, inner.max() ?? 0) - min(0, inner.min() ?? 0)
        #expect(abs(extent / width - 1.5) < 1e-12)
    }

    @Test func aStraightTrajectoryIsExplainedByItsFirstComponent() throws {
        let run = try quadratic()
        let way = try vector(6, 15)
        let points = try [0.0, 0.3, 1, 1.1, 2].map { try run.parameters - $0 * way }
        let gradient = try run.gradient()
        let plane = try SlicePlane(from: run.parameters, principal: points, fallback: gradient)
        #expect(abs(try #require(plane.explained)[0] - 1) < 1e-12 && plane.explained?[1] == 0)
        #expect(plane.marksArePath && plane.marks.count == 5)
        for (mark, t) in zip(plane.marks, [0.0, 0.3, 1, 1.1, 2]) {
            #expect(abs(mark.coordinates[0] - t * way.norm()) < 1e-12 && mark.distance < 1e-12)
        }
        // The second direction is what the gradient has at right angles to it.
        var rest = gradient
        try rest.add(-plane.directions[0].dot(gradient), plane.directions[0])
        #expect(abs(try rest.dot(plane.directions[1]) / rest.norm() - 1) < 1e-12)
        let axes = try plane.axes(points: 5, margin: 0.2)
        let width = axes.map { $0.coordinates[4] - $0.coordinates[0] }
        #expect(width[1] > 0.3 * width[0] && width[1] < width[0])
        let line = try SlicePlane(from: run.parameters, principalLine: points)
        #expect(line.directions.count == 1)
        #expect(abs(try #require(line.explained)[0] - 1) < 1e-12)
    }

    @Test func pointsOnALineHaveNoPlane() throws {
        let run = try quadratic()
        let a = try vector(4, 15)
        #expect(throws: ExperimentError.self) {
            try SlicePlane(through: run.parameters, run.parameters + a, run.parameters + 2 * a)
        }
        #expect(throws: ExperimentError.self) { try SlicePlane(through: run.parameters, run.parameters, a) }
    }

    /// A corner where the network diverges is a value like others.
    @Test func aSliceHasLossesThatAreNotFinite() throws {
        let run = try quadratic()
        let axis = try LossSlice.Axis(1e160 * run.parameters, ends: (-1, 1), points: 5, unit: "")
        let slice = try LossSlice(from: run.parameters, along: [axis], of: run.oracle)
        #expect(slice.losses[2].isFinite && slice.notFinite == 4)
        #expect(slice.range?.lowerBound == slice.losses[2])
    }

    /// All but the meter of work, which counts what is done by hand too.
    private func state(of run: Run) throws -> [String: String] {
        try StateRun.summary(of: run, after: -1).filter { $0.key != "meters.work" }
    }

    /// Running statistics, warm starts and random streams: after slices, all of the run and what it does next is as without them.
    @Test func aSliceChangesNothing() throws {
        func run(slicing: Bool) throws -> Run {
            let run = try SmallRun.normalised()
            try run.track(ProbeCatalogue.probe("lambda_max", ["k": 2], for: run), every: 1)
            try run.track(ProbeCatalogue.probe("batch_sharpness", ["max_samples": 20], for: run), every: 2)
            try run.train(TrainingGoal(step: 4))
            if slicing {
                // Not by `run.gradient()`, which the run would know from then on.
                let gradient = try run.oracle.gradient(at: run.parameters).gradient
                let axis = try LossSlice.Axis(gradient, ends: (-1, 1), points: 9, unit: "")
                let before = try state(of: run)
                for use in [StatisticsUse.batch, .running] {
                    _ = try LossSlice(from: run.parameters, along: [axis], of: run.oracle(use))
                    _ = try LossSlice(
                        from: run.parameters, along: [axis, axis], of: run.oracle(use), over: .indices([1, 2, 3, 4, 5]))
                }
                #expect(try state(of: run) == before)
            }
            try run.train(TrainingGoal(step: 8))
            return run
        }
        #expect(try state(of: run(slicing: true)) == state(of: run(slicing: false)))
    }

    @Test func whatCannotBeSlicedIsRefused() throws {
        let v = try vector(1, 3)
        for (ends, points) in [((0.0, 0.0), 5), ((1, -1), 5), ((0, 1), 1), ((0, .infinity), 5), ((0, 1), 20_000)] {
            #expect(throws: ExperimentError.self) { try LossSlice.Axis(v, ends: ends, points: points, unit: "") }
        }
        #expect(throws: ExperimentError.self) { try LossSlice.Axis(v / 0, ends: (0, 1), points: 5, unit: "") }
    }
}
