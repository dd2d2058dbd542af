import Compute
import Datasets
import Dynamics
import Graph
import Networks
import Objectives

@testable import Experiments

/// L(w₁, w₂) = (w₁w₂ − 1)²: two weights in a row, one sample x = 1 with target 1, in f64. Everything about it is known by hand.
enum ProductRun {
    static func make(_ first: Double, _ second: Double, rate: Double = 0.01) throws -> Run {
        let model = try Model.multilayerPerceptron(
            inputShape: [1], hidden: [1], outputs: 1, activation: .identity, initScale: 1, bias: false, seed: 1,
            element: .f64)
        let one = try NDArray([1], shape: [1, 1])
        let run = try Run(
            name: "product", objective: Objective(model: model, loss: .mse),
            data: Dataset.arrays(inputs: one, answers: .targets(one)), rule: SGD(learningRate: rate), batchSize: .full,
            seed: 1)
        try run.setParameters(Vector([first, second], element: .f64))
        return run
    }
}

/// A network of 13 parameters on 8 samples, in f64: its matrices are written out in no time.
enum TinyRun {
    static func make(batch: Run.BatchSize = .samples(2), rate: Double = 0.05) throws -> Run {
        var stream = RandomStream(seed: 5, purpose: .test)
        let inputs = try NDArray((0..<16).map { _ in stream.normal() }, shape: [8, 2])
        let targets = try NDArray((0..<8).map { _ in stream.normal() }, shape: [8, 1])
        let model = try Model.multilayerPerceptron(
            inputShape: [2], hidden: [3], outputs: 1, activation: .tanh, initScale: 1, seed: 2, element: .f64)
        return try Run(
            name: "tiny", objective: Objective(model: model, loss: .mse),
            data: Dataset.arrays(inputs: inputs, answers: .targets(targets)), rule: SGD(learningRate: rate),
            batchSize: batch, seed: 1)
    }
}
