import Compute
import Curvature
import Datasets
import Experiments
import Graph
import Networks
import Objectives

/// The zoo's networks of sequences at their default sizes: 32 tokens of a vocabulary of 16, softmax cross-entropy at every place,
/// f32.
struct SequenceBench {
    static let vocabulary = 16
    static let length = 32

    let name: String
    /// What `peers.py` calls it.
    let peer: String
    let model: Model
    let data: Dataset

    static func works() throws -> [Work] {
        let (v, t) = (vocabulary, length)
        let benches = [
            try SequenceBench("LSTM", "lstm", .lstm(vocabulary: v, length: t, seed: 1)),
            try SequenceBench(
                "transformer", "transformer", .transformer(vocabulary: v, length: t, headScale: 1, seed: 1)),
            try SequenceBench("Mamba", "mamba", .mamba(vocabulary: v, length: t, seed: 1)),
        ]
        let vit = try ConvolutionalBench("ViT", "vit", .visionTransformer(headScale: 1, seed: 1))
        return try benches.flatMap { [try $0.step(32, repetitions: 50), try $0.product(256, repetitions: 10)] }
            + [vit.step(32, repetitions: 20), vit.product(256, repetitions: 5)]
    }

    init(_ name: String, _ peer: String, _ model: Model) throws {
        var stream = RandomStream(seed: 1, purpose: .data)
        let n = 256
        func tokens() throws -> NDArray {
            let values = (0..<n * Self.length).map { _ in Int32(stream.below(Self.vocabulary)) }
            return try NDArray(values, shape: [n, Self.length])
        }
        data = try Dataset.arrays(
            inputs: tokens(), answers: .labels(tokens()), classes: Self.vocabulary, vocabulary: Self.vocabulary)
        (self.name, self.peer, self.model) = (name, peer, model)
    }

    private func oracle() throws -> Oracle {
        try Oracle(
            objective: Objective(model: model, loss: .crossEntropy),
            samples: DatasetSamples(data, first: 256, as: .f32, inputs: .i32))
    }

    /// Operations of one forward pass of a sample. A gradient takes three times that, a Hessian-vector product at a fixed point six
    /// times, products of activations with each other as those with weights.
    private var forwardOperations: Double { 2 * Double(model.forward.cost().multiplyAdds) }

    private func step(_ size: Int, repetitions: Int) throws -> Work {
        let oracle = try oracle()
        var theta = model.initial
        var stream = RandomStream(seed: 2, purpose: .sampler)
        let batch = stream.sample(size, from: 256)
        return Work(
            name: "\(name) SGD step, b = \(size)", peer: PeerTask(network: peer, name: "step", size: size),
            operations: 3 * Double(size) * forwardOperations, repetitions: repetitions, pieces: 1
        ) { _ = try batch.withUnsafeBufferPointer { try oracle.descend(&theta, rate: 1e-6, batch: $0) } }
    }

    private func product(_ n: Int, repetitions: Int) throws -> Work {
        let hessian = CurvatureOperator(of: try oracle(), at: model.initial)
        var stream = RandomStream(seed: 3, purpose: .vector)
        let v = try Vector.randomNormal(count: model.layout.count, element: .f32, stream: &stream)
        return Work(
            name: "\(name) HVP at a fixed point, n = \(n)", peer: PeerTask(network: peer, name: "hvp", size: n),
            operations: 6 * Double(n) * forwardOperations, repetitions: repetitions, pieces: 1
        ) { _ = try hessian.apply(v) }
    }
}
