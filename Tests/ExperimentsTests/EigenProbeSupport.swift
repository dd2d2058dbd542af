import Compute
import Datasets
import Dynamics
import Graph
import Networks

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
