import Compute
import Datasets
import Dynamics
import Graph
import Networks
import Objectives

@testable import Experiments

/// Small runs on made-up data: 24 samples of 4 numbers, 3 targets.
enum SmallRun {
    static func data() throws -> Dataset {
        var stream = RandomStream(seed: 21, purpose: .test)
        let inputs = (0..<24 * 4).map { _ in stream.normal() }
        let targets = (0..<24 * 3).map { _ in stream.normal() }
        return try Dataset.arrays(
            inputs: NDArray(inputs, shape: [24, 4]), answers: .targets(NDArray(targets, shape: [24, 3])),
            test: (
                inputs: NDArray(Array(inputs[0..<8]), shape: [2, 4]),
                answers: .targets(NDArray(Array(targets[0..<6]), shape: [2, 3]))
            ))
    }

    static func make(
        rate: Double = 0.02, batch: Run.BatchSize = .samples(4), activation: Activation = .tanh,
        element: ElementType = .f64, seed: UInt64 = 1, engine: Engine = .shared
    ) throws -> Run {
        let model = try Model.multilayerPerceptron(
            inputShape: [4], hidden: [6, 5], outputs: 3, activation: activation, initScale: 1, seed: seed,
            element: element)
        return try Run(
            name: "small", objective: Objective(model: model, loss: .mse), data: data(),
            rule: SGD(learningRate: rate), batchSize: batch, seed: seed, engine: engine)
    }
}
