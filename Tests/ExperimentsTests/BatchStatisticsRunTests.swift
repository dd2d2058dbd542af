import Compute
import Datasets
import Dynamics
import Foundation
import Graph
import Networks
import Objectives
import Testing

@testable import Experiments

@Suite struct RunsWithBatchStatistics {
    @Test func measuringDoesNotChangeTrainingNorRunningValues() throws {
        let (plain, measured) = (try SmallRun.normalised(), try SmallRun.normalised())
        for run in [plain, measured] { try run.setRule(HeavyBall(learningRate: 0.02)) }
        for name in [
            "loss", "accuracy", "test_loss", "lambda_max", "batch_sharpness", "step_sharpness", "hessian_trace",
            "momentum_batch_sharpness", "gni", "gradient_norm_mc", "one_step_loss_change", "projected_noise",
        ] {
            try measured.track(ProbeCatalogue.probe(name, for: measured), every: 3)
        }
        for run in [plain, measured] { try run.train(TrainingGoal(step: 12)) }
        #expect(measured.parameters.hasSameBits(as: plain.parameters))
        #expect(try measured.statistics().hasSameBits(as: plain.statistics()))
        #expect(try !plain.statistics().hasSameBits(as: plain.objective.model.initialBuffers))
    }

    /// Parameters and running values are what the next steps depend on.
    @Test func trainingGoesOnFromParametersAndRunningValues() throws {
        let whole = try SmallRun.normalised(batch: .full, ghostBatch: 10)
        try whole.train(TrainingGoal(step: 4))
        let (theta, statistics) = (whole.parameters, try whole.statistics())
        try whole.train(TrainingGoal(step: 9))
        let resumed = try SmallRun.normalised(batch: .full, ghostBatch: 10)
        try resumed.setParameters(theta)
        try resumed.setStatistics(statistics)
        try resumed.train(TrainingGoal(step: 5))
        #expect(resumed.parameters.hasSameBits(as: whole.parameters))
        #expect(try resumed.statistics().hasSameBits(as: whole.statistics()))
        #expect(try resumed.testEvaluation().loss == whole.testEvaluation().loss)
    }

    @Test func testDataSeesRunningValuesAndTrainingDataItsBatches() throws {
        let run = try SmallRun.normalised()
        let before = (try run.testEvaluation().loss, try run.evaluation().loss)
        var values = try run.statistics()
        values[0] += 1
        try run.setStatistics(values)
        #expect(try run.testEvaluation().loss != before.0)
        #expect(try run.evaluation().loss == before.1)
        #expect(try run.oracle(.running).evaluate(at: run.parameters).loss != before.1)
    }

    /// PyTorch's names; its counts of batches are accepted and not needed.
    @Test func parametersAreExchangedWithTheBuffersOfPyTorch() throws {
        let run = try SmallRun.normalised()
        try run.train(TrainingGoal(step: 3))
        let model = run.objective.model
        var arrays = try model.arrays(of: run.parameters, statistics: run.statistics())
        #expect(
            arrays.keys.sorted() == [
                "bn1.bias", "bn1.running_mean", "bn1.running_var", "bn1.weight", "fc1.weight", "fc2.weight",
            ])
        arrays["bn1.num_batches_tracked"] = try NDArray([3.0], shape: [])
        let state = try model.state(from: arrays, source: "a file")
        #expect(state.parameters.hasSameBits(as: run.parameters))
        #expect(try state.statistics.hasSameBits(as: run.statistics()))
        arrays["bn1.running_var"] = nil
        let error = #expect(throws: ExperimentError.self) { _ = try model.state(from: arrays, source: "a file") }
        #expect("\(try #require(error))".contains("bn1.running_var"))
    }
}

@Suite struct RunsWithMaskedLabels {
    private func make(_ labels: [Double], classes: Int, outputs: Int, loss: LossName, batch: Int = 2) throws -> Run {
        let inputs = (0..<labels.count * 2).map { Double($0 % 5) - 2 }
        let data = try Dataset.arrays(
            inputs: NDArray(inputs, shape: [labels.count, 2]),
            answers: .labels(try NDArray(labels, shape: [labels.count])), classes: classes)
        let model = try Model.multilayerPerceptron(
            inputShape: [2], hidden: [4], outputs: outputs, activation: .tanh, initScale: 1, seed: 4, element: .f64)
        return try Run(
            name: "masked", objective: Objective(model: model, loss: loss, data: data), data: data,
            rule: SGD(learningRate: 0.1), batchSize: .samples(batch), seed: 1)
    }

    @Test func accuracyCountsLabelsThatCount() throws {
        let labels: [Double] = [0, -1, 2, 1, -1, 2]
        let run = try make(labels, classes: 3, outputs: 3, loss: .crossEntropy)
        let outputs = try run.evaluation().outputs
        let right = [0, 2, 3, 5].count { i in
            let row = Array(outputs[i * 3..<i * 3 + 3])
            return row.firstIndex(of: row.max() ?? 0) == Int(labels[i])
        }
        #expect(try run.accuracy(of: run.evaluation(), on: run.data.train) == Double(right) / 4)
        let losses = try run.evaluation().losses
        #expect(losses[1] == 0 && losses[4] == 0)
        #expect(abs(try run.evaluation().loss - losses.reduce(0, +) / 4) < 1e-14)
    }

    @Test func aStepWithoutALabelThatCountsIsAnErrorAndLeavesTheRunAsItWas() throws {
        let run = try make([-1, -1, -1, 1], classes: 2, outputs: 2, loss: .crossEntropy)
        let error = #expect(throws: GraphError.self) { _ = try run.train(TrainingGoal(step: 10)) }
        #expect(try #require(error).message.contains("-1"))
        #expect(run.parameters.values.allSatisfy { $0.isFinite })
    }

    /// The logistic loss of one logit takes labels of two classes; above 0 stands for class 1.
    @Test func theLogisticLossTakesLabelsOfTwoClasses() throws {
        let labels: [Double] = [0, 1, 1, 0, -1]
        let run = try make(labels, classes: 2, outputs: 1, loss: .binaryCrossEntropy)
        let evaluation = try run.evaluation()
        var (sum, right) = (0.0, 0)
        for i in 0..<4 {
            let f = evaluation.outputs[i]
            sum += log(1 + exp(f)) - f * labels[i]
            right += (f > 0) == (labels[i] == 1) ? 1 : 0
        }
        #expect(abs(evaluation.loss - sum / 4) < 1e-14)
        #expect(try run.accuracy(of: evaluation, on: run.data.train) == Double(right) / 4)
    }

    @Test func targetsThatDoNotFitTheLossAreNamed() throws {
        func objective(_ targets: [Double], width: Int, outputs: Int, _ loss: LossName) throws {
            let n = targets.count / width
            let data = try Dataset.arrays(
                inputs: NDArray([Double](repeating: 1, count: n), shape: [n, 1]),
                answers: .targets(NDArray(targets, shape: [n, width])))
            let model = try Model.multilayerPerceptron(
                inputShape: [1], hidden: [], outputs: outputs, seed: 4, element: .f64)
            _ = try Run(
                name: "odd", objective: Objective(model: model, loss: loss, data: data), data: data,
                rule: SGD(learningRate: 0.1), batchSize: .full, seed: 1)
        }
        try objective([0.5, 0.5, 1, 0], width: 2, outputs: 2, .crossEntropy)
        for (targets, width, outputs, loss, words) in [
            ([1, 0, 3, 0], 2, 2, .crossEntropy, ["sample 2 of", "3"]),
            ([-1, 1], 1, 1, .binaryCrossEntropy, ["sample 1 of", "-1"]),
            ([1, 0, 0, 1], 2, 3, .mse, ["[3]", "[2]"]), ([1, 0], 1, 1, .crossEntropy, ["'bce'"]),
            ([1, 0, 0], 3, 3, .binaryCrossEntropy, ["one logit"]),
        ] as [([Double], Int, Int, LossName, [String])] {
            let error = #expect(throws: GraphError.self) {
                try objective(targets, width: width, outputs: outputs, loss)
            }
            let message = try #require(error).message
            for word in words { #expect(message.contains(word), "\(message)") }
        }
    }
}
