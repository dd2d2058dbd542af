import Compute
import Datasets
import Dynamics
import Graph
import Networks
import Objectives
import Testing

@testable import Experiments

/// Only classes have an accuracy, and only outputs that are numbers.
@Suite struct AccuracyTests {
    /// A linear map of two numbers on four samples.
    private func make(_ targets: [Double], outputs: Int, loss: LossName = .mse) throws -> Run {
        let inputs = try NDArray([1, 0, 0, 1, 1, 1, -1, 0], shape: [4, 2])
        let model = try Model.multilayerPerceptron(
            inputShape: [2], hidden: [], outputs: outputs, activation: .identity, initScale: 1, bias: false, seed: 1,
            element: .f64)
        let data = try Dataset.arrays(inputs: inputs, answers: .targets(NDArray(targets, shape: [4, outputs])))
        return try Run(
            name: "small", objective: Objective(model: model, loss: loss), data: data, rule: SGD(learningRate: 0.1),
            batchSize: .full, seed: 1)
    }

    private func accuracy(_ run: Run, weights: [Double]) throws -> Double? {
        try run.setParameters(Vector(weights, element: .f64))
        return try run.accuracy(of: run.evaluation(), on: run.data.train)
    }

    /// Outputs W·x of the four samples are (a, c), (b, d), (a + b, c + d), (−a, −c).
    @Test func oneHotTargetsNameClasses() throws {
        let run = try make([1, 0, 0, 1, 1, 0, 1, 0], outputs: 2)
        #expect(try accuracy(run, weights: [1, 0, 0, 0.5]) == 0.75)
    }

    @Test func aSingleOutputIsOnOneSideOfItsClasses() throws {
        // Outputs a, b, a + b, −a = 0.6, −0.2, 0.4, −0.6.
        #expect(try accuracy(make([1, 0, 1, 0], outputs: 1), weights: [0.6, -0.2]) == 0.75)
        #expect(try accuracy(make([1, -1, 1, -1], outputs: 1), weights: [0.6, -0.2]) == 1)
        #expect(
            try accuracy(make([1, 0.2, 0.9, 0], outputs: 1, loss: .binaryCrossEntropy), weights: [0.6, -0.2]) == 1)
    }

    @Test(arguments: [
        ([0.3, 1, -2, 7], 1), ([1, 2, 1, 2], 1), ([1, 0, 0.5, 1, 1, 0, 0, 1], 2), ([1, 1, 0, 1, 1, 0, 0, 0], 2),
    ])
    func aRegressionHasNone(targets: [Double], outputs: Int) throws {
        let run = try make(targets, outputs: outputs)
        #expect(try run.accuracy(of: run.evaluation(), on: run.data.train) == nil)
        try run.track(ProbeCatalogue.probe("accuracy", for: run), every: 1)
        try run.train(TrainingGoal(step: 1))
        #expect(try run.series("accuracy").values.allSatisfy(\.isNaN))
        let error = #expect(throws: ExperimentError.self) { try run.train(TrainingGoal(step: 9, accuracy: 0)) }
        #expect("\(try #require(error))".contains("a regression has no accuracy"))
    }

    /// Class 0 would be the first of three outputs that are none.
    @Test func outputsThatAreNotNumbersHaveNone() throws {
        let run = try make([1, 0, 1, 0, 1, 0, 1, 0], outputs: 2)
        #expect(try accuracy(run, weights: [.nan, 0, 0, 0])?.isNaN == true)
        #expect(try accuracy(run, weights: [0, 0, 0, .nan])?.isNaN == true)
        #expect(try accuracy(run, weights: [1, 1, 0, 0]) == 0.75)
    }

    /// Samples that probes look at are drawn apart from those that make a data set of a part of another, with the same seed.
    @Test func theSamplesOfProbesAreDrawnByAStreamOfTheirOwn() throws {
        let run = try SmallRun.make()
        let scope = try #require(try ProbeScope(samples: 12).indices(of: run))
        for index in [UInt64(0), 1] {
            var stream = RandomStream(seed: run.seed, purpose: .subset, index: index)
            #expect(stream.sample(12, from: 24) != scope)
        }
        #expect(scope == ProbeScope.draw(12, of: run) && scope == ProbeScope.draw(12, of: run, seed: run.seed))
        #expect(scope != ProbeScope.draw(12, of: run, seed: run.seed + 1))
    }
}
