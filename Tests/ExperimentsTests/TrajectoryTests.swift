import Compute
import Curvature
import Datasets
import Dynamics
import Foundation
import Graph
import Networks
import Objectives
import Testing

@testable import Experiments

@Suite struct RandomProjections {
    private func random(_ count: Int, _ index: UInt64, _ element: ElementType = .f64) throws -> Vector {
        var stream = RandomStream(seed: 5, purpose: .test, index: index)
        return try Vector.randomNormal(count: count, element: element, stream: &stream)
    }

    private func norm(_ numbers: [Double]) -> Double { numbers.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    @Test(arguments: [4, 5, 7, 50, 5000])
    func aSparseProjectionHasFourHalvesInEachColumn(rows: Int) throws {
        let projection = try RandomProjection(rows: rows)
        var signs = 0
        var used = Set<Int>()
        for j in 0..<200 {
            var unit = [Double](repeating: 0, count: 200)
            unit[j] = 1
            let column = projection(try Vector(unit, element: .f64))
            let places = column.indices.filter { column[$0] != 0 }
            #expect(places.count == 4 && places.allSatisfy { abs(column[$0]) == 0.5 })
            signs += places.count { column[$0] > 0 }
            used.formUnion(places)
        }
        // 800 fair signs: five standard deviations.
        #expect(abs(Double(signs) - 400) < 5 * 200.0.squareRoot())
        // Rows are drawn evenly: of 5,000 the expected number hit by 800 draws is 739, of up to 50 all are.
        #expect(rows == 5000 ? (690...780).contains(used.count) : used.count == rows)
    }

    /// The relative variance of ‖Sx‖² is at most 2/rows: 2 % for 5,000 rows, so 1 % of the norm.
    @Test(arguments: [(RandomProjection.Kind.sparse, 5000, 20_000), (.gaussian, 200, 3000)])
    func distancesAreKeptToTheStatedAccuracy(kind: RandomProjection.Kind, rows: Int, count: Int) throws {
        let projection = try RandomProjection(kind, rows: rows)
        let points = try (0..<8).map { try random(count, UInt64($0)) }
        let sketches = points.map { projection($0) }
        let accuracy = 1 / (2 * Double(rows)).squareRoot()
        var squares = 0.0
        var pairs = 0.0
        for i in points.indices {
            for j in 0..<i {
                let error = norm(zip(sketches[i], sketches[j]).map { $0 - $1 }) / (try points[i] - points[j]).norm() - 1
                // Of 28 pairs none is five standard deviations off.
                #expect(abs(error) < 5 * accuracy)
                squares += error * error
                pairs += 1
            }
        }
        #expect((squares / pairs).squareRoot() < 1.5 * accuracy)
    }

    /// Sparse vectors, whose parts meet in few rows, are the hard case of sparse projections.
    @Test func vectorsOfFewNumbersKeepTheirNormToo() throws {
        var errors: [Double] = []
        for seed in 0..<200 {
            var numbers = [Double](repeating: 0, count: 1000)
            for j in 0..<10 { numbers[97 * j] = 1 }
            let projection = try RandomProjection(rows: 100, seed: UInt64(seed))
            errors.append(norm(projection(try Vector(numbers, element: .f64))) / 10.0.squareRoot() - 1)
        }
        // ‖Sx‖² has a relative standard deviation of √(2/100·(1 − 1/10)) = 13 %.
        let deviation = (errors.reduce(0) { $0 + $1 * $1 } / 200).squareRoot()
        #expect(deviation > 0.04 && deviation < 0.1)
    }

    @Test(arguments: RandomProjection.Kind.allCases)
    func aProjectionIsLinearAndAFunctionOfItsSeed(kind: RandomProjection.Kind) throws {
        let (x, y) = (try random(9001, 1), try random(9001, 2))
        let projection = try RandomProjection(kind, rows: 24, seed: 7)
        let sum = projection(try x + y)
        for (z, (a, b)) in zip(sum, zip(projection(x), projection(y))) { #expect(abs(z - a - b) < 1e-10) }
        #expect(try RandomProjection(kind, rows: 24, seed: 7)(x) == projection(x))
        #expect(try RandomProjection(kind, rows: 24, seed: 8)(x) != projection(x))
        // A prefix of zeros beyond has the same columns: chunks do not matter.
        let longer = try Vector(x.values + [Double](repeating: 0, count: 5000), element: .f64)
        #expect(projection(longer) == projection(x))
        let narrow = try x.converted(to: .f32)
        #expect(projection(narrow) == projection(try narrow.converted(to: .f64)))
    }

    /// The sketch that run files hold must stay what it is: the first numbers of that of (1, 1, …, 1).
    @Test func theDefaultProjectionIsFixed() throws {
        let sketch = try RandomProjection()(Vector([Double](repeating: 1, count: 1000), element: .f64))
        let places = sketch.indices.filter { sketch[$0] != 0 }.prefix(4)
        #expect(places.map { "\($0): \(sketch[$0])" } == Self.firstEntries)
    }

    private static let firstEntries = ["0: 1.0", "1: -0.5", "5: -0.5", "6: 0.5"]

    @Test func numbersOfRowsThatCannotBeAreRefused() {
        #expect(throws: ExperimentError.self) { try RandomProjection(rows: 3) }
        #expect(throws: ExperimentError.self) { try RandomProjection(rows: 1 << 26) }
    }
}

@Suite struct Trajectories {
    @Test func distancesAreMeasuredFromTheInitialParametersOrAGivenPoint() throws {
        let run = try SmallRun.make()
        let start = run.parameters
        try run.train(TrainingGoal(step: 5))
        let middle = run.parameters
        try run.track(ProbeCatalogue.probe("param_distance", for: run), .every(5))
        try run.train(TrainingGoal(step: 10))
        #expect(try run.series("param_distance").values == [(middle - start).norm(), (run.parameters - start).norm()])
        let since = try run.measure("param_distance", ["from": .vector(middle)])[0].value
        #expect(since == (try run.parameters - middle).norm())
    }

    @Test func sketchesOfTwoRunsTellTheirDistance() throws {
        let a = try SmallRun.make(rate: 0.02)
        let b = try SmallRun.make(rate: 0.03)
        var distances: [Double] = []
        for run in [a, b] { try run.track(ProbeCatalogue.probe("sketch", for: run), .every(run === a ? 5 : 10)) }
        for step in [0, 10, 20, 30] {
            for run in [a, b] { try run.train(TrainingGoal(step: step)) }
            distances.append(try a.distance(to: b))
        }
        // The last point is measured by a step further.
        for run in [a, b] { try run.train(TrainingGoal(step: 31)) }
        let compared = try a.series("sketch").distance(to: b.series("sketch"))
        #expect(compared.steps == [0, 10, 20, 30])
        // 83 parameters into 5,000 rows: hardly any meet.
        for (sketched, exact) in zip(compared.values, distances) { #expect(abs(sketched - exact) <= 0.05 * exact) }
        let sketch = try #require(try a.series("sketch").arrays[1]?["sketch"])
        #expect(sketch.count == 5000)
        #expect(abs(try a.distance(to: b, in: .sketch) / a.distance(to: b) - 1) < 0.05)
    }

    @Test func sketchesMadeInDifferentWaysAreNotCompared() throws {
        let run = try SmallRun.make()
        let other = try SmallRun.make()
        try run.track(ProbeCatalogue.probe("sketch", for: run), .every(1))
        try run.track(ProbeCatalogue.probe("loss", for: run), .every(1))
        try other.track(ProbeCatalogue.probe("sketch", ["seed": 3], for: other), .every(1))
        for run in [run, other] { try run.train(TrainingGoal(step: 1)) }
        #expect(throws: ExperimentError.self) { try run.series("sketch").distance(to: other.series("sketch")) }
        let error = #expect(throws: ExperimentError.self) {
            try run.series("sketch").distance(to: run.series("loss"))
        }
        #expect("\(try #require(error))".contains("the series 'loss' has no lists 'sketch'"))
    }

    @Test func successiveGradientsHaveTheirCosineWhicheverWayTheyAreMeasured() throws {
        let run = try SmallRun.make()
        try run.track(ProbeCatalogue.probe("gradient_cosine", for: run), .every(1))
        let rare = try SmallRun.make()
        try rare.track(ProbeCatalogue.probe("gradient_cosine", for: rare), .at([0, 4, 7]))
        var gradients = [try run.gradient()]
        for step in 1...8 {
            for run in [run, rare] { try run.train(TrainingGoal(step: step)) }
            gradients.append(try run.gradient())
        }
        let values = try run.series("gradient_cosine").values
        #expect(values[0].isNaN)
        for step in 1...8 {
            let expected =
                try gradients[step].dot(gradients[step - 1]) / (gradients[step].norm() * gradients[step - 1].norm())
            #expect(abs(values[step] - expected) < 1e-12)
        }
        let few = try rare.series("gradient_cosine").values
        #expect(abs(few[1] - values[4]) < 1e-12 && abs(few[2] - values[7]) < 1e-12)
        // Measured at each step, a gradient is computed once; measured rarely, twice.
        #expect(rare.costs.probes[0].operations / 3 > 1.2 * run.costs.probes[0].operations / 9)
    }

    @Test func assignedParametersAreNotTakenForAStep() throws {
        let run = try SmallRun.make()
        try run.track(ProbeCatalogue.probe("gradient_cosine", for: run), .every(1))
        try run.train(TrainingGoal(step: 3))
        try run.setParameters(2 * run.parameters)
        let before = try run.gradient()
        try run.train(TrainingGoal(step: 4))
        let expected = try run.gradient().dot(before) / (run.gradient().norm() * before.norm())
        #expect(abs(try run.series("gradient_cosine").values[4] - expected) < 1e-12)
    }

    @Test func theCoordinateAlongADirection() throws {
        let run = try SmallRun.make()
        let start = run.parameters
        var stream = RandomStream(seed: 1, purpose: .test)
        let u = try Vector.randomNormal(count: start.count, element: .f64, stream: &stream)
        try run.track(ProbeCatalogue.probe("u_coordinate", ["u": .vector(u)], for: run), .every(5))
        try run.train(TrainingGoal(step: 10))
        let expected = try u.dot(run.parameters - start) / u.norm()
        #expect(abs(try run.series("u_coordinate").values[2] - expected) < 1e-12 * max(1, abs(expected)))
        #expect(throws: ExperimentError.self) {
            try run.measure("u_coordinate", ["u": .vector(try Vector(zeros: start.count, element: .f64))])
        }
        #expect(throws: ExperimentError.self) {
            try run.measure("u_coordinate", ["u": .vector(try Vector([1], element: .f64))])
        }
        #expect(throws: ExperimentError.self) {
            try run.measure("param_distance", ["from": .vector(try Vector([1], element: .f64))])
        }
    }

    @Test func withoutADirectionItIsTheTopEigenvectorOfTheFirstMeasurement() throws {
        let run = try SmallRun.make()
        let start = run.parameters
        let lambda = try LambdaMax(.init(tolerance: 1e-6))
        try run.track(lambda, .every(10))
        try run.track(ProbeCatalogue.probe("u_coordinate", for: run), .every(5))
        try run.train(TrainingGoal(step: 5))
        let u = try #require(lambda.vectors.first)
        try run.train(TrainingGoal(step: 20))
        let values = try run.series("u_coordinate").values
        #expect(values[0] == 0)
        #expect(abs(values[4] - (try u.dot(run.parameters - start))) < 1e-10)
        // Without lambda_max the probe finds the same direction by itself.
        let alone = try SmallRun.make()
        try alone.track(ProbeCatalogue.probe("u_coordinate", for: alone), .every(20))
        try alone.train(TrainingGoal(step: 20))
        // The eigenvector is found to 1 %.
        #expect(abs(abs(try alone.series("u_coordinate").values[1]) - abs(values[4])) < 0.1 * abs(values[4]) + 1e-3)
    }

    @Test func theTemperatureOfMomentum() throws {
        let run = try SmallRun.make(rate: 0.02, batch: .samples(4))
        #expect(try run.measure("temperature")[0].value == 0.02 / 4)
        try run.setRule(HeavyBall(learningRate: 0.02, factor: 0.9))
        #expect(abs(try run.measure("temperature")[0].value - 0.02 / (4 * 0.1)) < 1e-15)
    }

    // MARK: - Between runs

    @Test func outputsAreComparedSampleBySample() throws {
        let a = try SmallRun.make(rate: 0.02)
        let b = try SmallRun.make(rate: 0.04)
        #expect(try a.distance(to: b) == 0 && a.distance(to: b, in: .outputs) == 0)
        for run in [a, b] { try run.train(TrainingGoal(step: 20)) }
        let (x, y) = (try a.evaluation().outputs, try b.evaluation().outputs)
        let expected = (zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 24).squareRoot()
        #expect(abs(try a.distance(to: b, in: .outputs) - expected) < 1e-14)
        #expect(try a.distance(to: b, in: .outputs, over: .test) > 0)
        #expect(try a.distance(to: b) == b.distance(to: a))
        #expect(abs(try a.distance(to: b) - (a.parameters - b.parameters).norm()) < 1e-15)
        // Neither the comparison nor its cost is part of the run.
        let plain = try SmallRun.make(rate: 0.02)
        try plain.train(TrainingGoal(step: 20))
        #expect(plain.costs.training.operations == a.costs.training.operations)
    }

    @Test func runsOfDifferentElementsCompare() throws {
        let a = try SmallRun.make(element: .f64)
        let b = try SmallRun.make(element: .f32)
        // The same initial numbers, rounded to f32.
        #expect(try a.distance(to: b) < 1e-6 * a.parameters.norm())
        #expect(try a.distance(to: b, in: .outputs) < 1e-5)
    }

    @Test func runsThatCannotBeComparedSayWhy() throws {
        let run = try SmallRun.make()
        let data = try SmallRun.data()
        func other(hidden: [Int], _ data: Dataset, outputs: Int = 3) throws -> Run {
            let model = try Model.multilayerPerceptron(
                inputShape: [4], hidden: hidden, outputs: outputs, activation: .tanh, initScale: 1, seed: 1,
                element: .f64)
            return try Run(
                name: "other", objective: Objective(model: model, loss: .mse), data: data,
                rule: SGD(learningRate: 0.1), batchSize: .full, seed: 1)
        }
        func message(_ body: () throws -> Double) -> String {
            do { return "\(try body())" } catch { return "\(error)" }
        }
        let wide = try other(hidden: [7], data)
        let refusal = message { try run.distance(to: wide) }
        #expect(
            refusal.contains("different parameters") && refusal.contains("layers.0.weight")
                && refusal.contains("[7, 4]"))
        #expect(message { try run.distance(to: wide, in: .sketch) }.contains("different parameters"))
        // Their outputs compare.
        #expect(try run.distance(to: wide, in: .outputs) > 0)
        var stream = RandomStream(seed: 99, purpose: .test)
        func numbers(_ count: Int) -> [Double] { (0..<count).map { _ in stream.normal() } }
        let fresh = try Dataset.arrays(
            inputs: NDArray(numbers(96), shape: [24, 4]), answers: .targets(NDArray(numbers(72), shape: [24, 3])))
        let fewer = try Dataset.arrays(
            inputs: NDArray(numbers(40), shape: [10, 4]), answers: .targets(NDArray(numbers(20), shape: [10, 2])))
        let elsewhere = try other(hidden: [6, 5], fresh)
        #expect(
            message { try run.distance(to: elsewhere, in: .outputs) }.contains(
                "different training samples, though as many"))
        #expect(message { try run.distance(to: elsewhere, in: .outputs, over: .test) }.contains("has no test samples"))
        #expect(
            message { try run.distance(to: try other(hidden: [6, 5], fewer, outputs: 2), in: .outputs) }
                .contains("have 3 and 2 outputs"))
    }

    @Test func trajectoryProbesDoNotDisturbTheTraining() throws {
        let plain = try SmallRun.make(element: .f32)
        try plain.train(TrainingGoal(step: 30))
        let run = try SmallRun.make(element: .f32)
        for name in ["param_distance", "sketch", "gradient_cosine", "u_coordinate", "temperature"] {
            try run.track(ProbeCatalogue.probe(name, for: run), Cadence(.every(3), budget: 0.9))
        }
        try run.train(TrainingGoal(step: 30))
        #expect(run.parameters.hasSameBits(as: plain.parameters))
        #expect(run.costs.probes.prefix(4).allSatisfy { $0.operations > 0 })
    }

    @Test func sketchesAreInTheFile() throws {
        let folder = try TemporaryFolder()
        let url = folder.url
        let run = try SmallRun.make()
        run.makeFile = { try RunFile.create(name: $0.name, in: url) }
        try run.track(ProbeCatalogue.probe("sketch", ["dim": 16], for: run), .every(10))
        try run.train(TrainingGoal(step: 20))
        let file = try #require(run.file)
        try file.close()
        let stored = try RunFile.open(file.url).arrays("sketch", of: "sketch")
        let series = try run.series("sketch")
        #expect(stored.map(\.step) == [0, 10, 20])
        for (i, list) in stored.enumerated() { #expect(list.numbers == series.arrays[i]?["sketch"]) }
    }
}
