import Compute
import Curvature
import Datasets
import Experiments
import Graph
import Networks
import Objectives

/// Networks of images of 3×32×32 in 10 classes, `mse`, f32: the CNN of the EoSS code (2.48 M parameters) and ResNet-20 with batch
/// norm (0.27 M); of the rows of sequences the vision transformer.
struct ConvolutionalBench {
    let name: String
    /// What `peers.py` calls it.
    let peer: String
    let model: Model
    let data: Dataset

    static func works() throws -> [Work] {
        let cnn = try ConvolutionalBench("CNN", "cnn", .cnn(initScale: 1, seed: 1))
        let resnet = try ConvolutionalBench("ResNet-20", "resnet20", .resnet(batchNorm: true, seed: 1))
        return [
            try cnn.step(8, repetitions: 20), try cnn.step(64, repetitions: 10), try cnn.product(256, repetitions: 5),
            try cnn.sharpness(8, repetitions: 5), try resnet.step(8, repetitions: 20),
            try resnet.step(128, repetitions: 5),
        ]
    }

    init(_ name: String, _ peer: String, _ model: Model) throws {
        var stream = RandomStream(seed: 1, purpose: .data)
        let n = 512
        let inputs = (0..<n * 3072).map { _ in Float(stream.normal()) }
        let labels = (0..<n).map { _ in Int32(stream.below(10)) }
        data = try Dataset.arrays(
            inputs: NDArray(inputs, shape: [n, 3, 32, 32]), answers: .labels(NDArray(labels)), classes: 10)
        (self.name, self.peer, self.model) = (name, peer, model)
    }

    private func oracle(_ samples: Int) throws -> Oracle {
        try Oracle(
            objective: Objective(model: model, loss: .mse), samples: DatasetSamples(data, first: samples, as: .f32))
    }

    /// Multiply-adds of one sample: with all weights, with those behind the first layer, and of convolutions alone.
    private var all: Double { model.layers.reduce(0) { $0 + Double($1.multiplyAdds) } }
    private var first: Double { Double(model.layers.first?.multiplyAdds ?? 0) }
    private var convolutions: Double {
        model.layers.filter { $0.kind.hasPrefix("conv") }.reduce(0) { $0 + Double($1.multiplyAdds) }
    }

    /// Two contractions of each weight and one more, of the data gradient, behind the first layer.
    func step(_ size: Int, repetitions: Int) throws -> Work {
        let oracle = try oracle(512)
        var theta = model.initial
        var stream = RandomStream(seed: 2, purpose: .sampler)
        let batch = stream.sample(size, from: 512)
        return Work(
            name: "\(name) SGD step, b = \(size)", peer: PeerTask(network: peer, name: "step", size: size),
            operations: 2 * Double(size) * (3 * all - first), repetitions: repetitions, pieces: 1
        ) { _ = try batch.withUnsafeBufferPointer { try oracle.descend(&theta, rate: 1e-6, batch: $0) } }
    }

    /// Two contractions for the first layer, six for each later one.
    func product(_ n: Int, repetitions: Int) throws -> Work {
        let hessian = CurvatureOperator(of: try oracle(n), at: model.initial)
        var stream = RandomStream(seed: 3, purpose: .vector)
        let v = try Vector.randomNormal(count: model.layout.count, element: .f32, stream: &stream)
        return Work(
            name: "\(name) HVP at a fixed point, n = \(n)", peer: PeerTask(network: peer, name: "hvp", size: n),
            operations: 2 * Double(n) * (6 * all - 4 * first), repetitions: repetitions, pieces: 1
        ) { _ = try hessian.apply(v) }
    }

    /// Of a convolution forward, backward, weight gradient and two of tangents; linear layers by Gram products, as in the perceptron.
    private func sharpness(_ size: Int, repetitions: Int) throws -> Work {
        let oracle = try oracle(512)
        var stream = RandomStream(seed: 4, purpose: .probe)
        let count = 128 / size
        let batches = (0..<count).flatMap { _ in stream.sample(size, from: 512) }
        return Work(
            name: "\(name) batch sharpness, per batch, b = \(size)",
            peer: PeerTask(network: peer, name: "sharpness", size: size),
            operations: 2 * Double(size) * (5 * convolutions - 2 * first + 3 * (all - convolutions)),
            repetitions: repetitions, pieces: count
        ) { _ = try oracle.batchCurvature(at: model.initial, batches: batches, size: size) }
    }
}
