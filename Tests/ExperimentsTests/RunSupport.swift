import Compute
import Datasets
import Dynamics
import Graph
import Networks
import Objectives

@testable import Experiments

/// Small runs on made-up data: 24 samples of 4 numbers, 3 targets.
enum SmallRun {
    static func data(count: Int = 24) throws -> Dataset {
        var stream = RandomStream(seed: 21, purpose: .test)
        let inputs = (0..<count * 4).map { _ in stream.normal() }
        let targets = (0..<count * 3).map { _ in stream.normal() }
        return try Dataset.arrays(
            inputs: NDArray(inputs, shape: [count, 4]), answers: .targets(NDArray(targets, shape: [count, 3])),
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

    /// A probe of the catalogue by its name, with options by which a measurement of this small run takes no longer than it has to.
    static func probe(_ name: String, for run: Run) throws -> any Probe {
        try ProbeCatalogue.probe(name, name == "flow_sharpness" ? ["max_ticks": 2] : [:], for: run)
    }

    /// A run of a network with one normalisation over the batch, so that running values are state, too.
    static func normalised(
        under rule: any UpdateRule = SGD(learningRate: 0.05), batch: Run.BatchSize = .samples(6),
        ghostBatch: Int = 1000, width: Int = 5, count: Int = 24, engine: Engine = .shared
    ) throws -> Run {
        let model = try Model(
            name: "normalised", element: .f64,
            parameters: [
                .init(name: "fc1.weight", shape: [width, 4], initializer: .normal(std: 0.6)),
                .init(name: "bn1.weight", shape: [width], initializer: .constant(1)),
                .init(name: "bn1.bias", shape: [width], initializer: .zeros),
                .init(name: "fc2.weight", shape: [3, width], initializer: .normal(std: 0.6)),
            ], statistics: [.init(name: "bn1", shape: [width])], inputShape: [4], seed: 2
        ) { x, p, statistics in
            let z = try p[0].dot(x)
            let (mean, variance) = try statistics.moments("bn1", of: z, over: [])
            return try p[3].dot((p[1] * (z - mean) / (variance + 1e-5).sqrt() + p[2]).tanh())
        }
        let data = try data(count: count)
        return try Run(
            name: "normalised", objective: Objective(model: model, loss: .mse, data: data), data: data,
            rule: rule, batchSize: batch, seed: 1, ghostBatch: ghostBatch, engine: engine)
    }
}
