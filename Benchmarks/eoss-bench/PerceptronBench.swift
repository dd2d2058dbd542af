import Compute
import Curvature
import Datasets
import Dynamics
import Experiments
import Graph
import Networks
import Objectives

/// The network of the reference measurements: 784-512-512-10, ReLU, `mse`, f32, 670k parameters.
struct PerceptronBench {
    static let widths = [784, 512, 512, 10]
    let data: Dataset
    let model: Model

    init() throws {
        var stream = RandomStream(seed: 1, purpose: .data)
        let n = 8192
        let inputs = (0..<n * 784).map { _ in Float(stream.normal()) }
        let labels = (0..<n).map { _ in Int32(stream.below(10)) }
        data = try Dataset.arrays(
            inputs: NDArray(inputs, shape: [n, 784]), answers: .labels(NDArray(labels)), classes: 10)
        model = try Model.multilayerPerceptron(
            inputShape: [784], hidden: [512, 512], outputs: 10, initScale: 0.3, seed: 1)
    }

    func oracle(_ samples: Int) throws -> Oracle {
        try Oracle(
            objective: Objective(model: model, loss: .mse), samples: DatasetSamples(data, first: samples, as: .f32))
    }

    /// Multiply-adds of one sample with all weights, and with the weights behind the first layer.
    static let all = Double(zip(widths, widths.dropFirst()).map(*).reduce(0, +))
    static let later = Double(zip(widths.dropFirst(), widths.dropFirst(2)).map(*).reduce(0, +))

    func works() throws -> [Work] {
        [
            try step(8, repetitions: 400), try step(64, repetitions: 200),
            try step(HeavyBall(learningRate: 1e-6), 8, repetitions: 400),
            try step(HeavyBall(learningRate: 1e-6), 64, repetitions: 200),
            try step(Adam(learningRate: 1e-6), 8, repetitions: 400),
            try step(Adam(learningRate: 1e-6), 64, repetitions: 200), try gradient(8192, repetitions: 5),
            try product(1024, repetitions: 15), try sharpness(8, repetitions: 20), try sharpness(32, repetitions: 10),
        ]
    }

    /// A gradient takes two contractions of each weight and one more, of the data gradient, behind the first layer.
    private static func gradientOperations(_ n: Int) -> Double { 2 * Double(n) * (2 * all + later) }

    private func step(_ size: Int, repetitions: Int) throws -> Work {
        Work(
            name: "SGD step, b = \(size)", peer: PeerTask(network: "mlp", name: "step", size: size),
            operations: Self.gradientOperations(size), repetitions: repetitions, pieces: 1,
            call: try stepping(SGD(learningRate: 1e-6), size))
    }

    /// The operations of the gradient: those of the update are few beside them, and are moved, not computed.
    private func step(_ rule: any UpdateRule, _ size: Int, repetitions: Int) throws -> Work {
        Work(
            name: "\(rule.name) step, b = \(size)", peer: PeerTask(network: "mlp", name: rule.name, size: size),
            operations: Self.gradientOperations(size), repetitions: repetitions, pieces: 1,
            call: try stepping(rule, size))
    }

    /// Steps of a rule on one batch, over and over.
    /// - Parameter measuring: whether each measures the curvature of its batch, as `step_sharpness` at every step has it.
    func stepping(_ rule: any UpdateRule, _ size: Int, measuring: Bool = false) throws -> () throws -> Void {
        let context = StepOracle(try oracle(8192))
        context.measuresCurvature = measuring
        var (rule, theta) = (rule, model.initial)
        var stream = RandomStream(seed: 2, purpose: .sampler)
        let batch = stream.sample(size, from: 8192)
        return {
            try batch.withUnsafeBufferPointer {
                context.batch = $0
                _ = try rule.step(&theta, context)
            }
        }
    }

    private func gradient(_ n: Int, repetitions: Int) throws -> Work {
        let oracle = try oracle(n)
        return Work(
            name: "full gradient, n = \(n)", peer: PeerTask(network: "mlp", name: "gradient", size: n),
            operations: Self.gradientOperations(n),
            repetitions: repetitions, pieces: 1
        ) { _ = try oracle.gradient(at: model.initial) }
    }

    /// Two contractions for the first layer, six for each later one.
    private func product(_ n: Int, repetitions: Int) throws -> Work {
        let hessian = CurvatureOperator(of: try oracle(n), at: model.initial)
        var stream = RandomStream(seed: 3, purpose: .vector)
        let v = try Vector.randomNormal(count: model.layout.count, element: .f32, stream: &stream)
        return Work(
            name: "HVP at a fixed point, n = \(n)", peer: PeerTask(network: "mlp", name: "hvp", size: n),
            operations: 2 * Double(n) * (2 * Self.all + 4 * Self.later), repetitions: repetitions, pieces: 1
        ) { _ = try hessian.apply(v) }
    }

    /// One forward product, one backward and one forward of tangents behind the first layer.
    private func sharpness(_ size: Int, repetitions: Int) throws -> Work {
        let oracle = try oracle(8192)
        var stream = RandomStream(seed: 4, purpose: .probe)
        let count = 4 * Oracle.stackedSamples / size
        let batches = (0..<count).flatMap { _ in stream.sample(size, from: 8192) }
        return Work(
            name: "batch sharpness, per batch, b = \(size)",
            peer: PeerTask(network: "mlp", name: "sharpness", size: size),
            operations: 2 * Double(size) * (Self.all + 2 * Self.later), repetitions: repetitions, pieces: count
        ) { _ = try oracle.batchCurvature(at: model.initial, batches: batches, size: size) }
    }
}
