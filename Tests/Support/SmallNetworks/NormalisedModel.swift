import Graph
import Networks

/// A layer between two linear ones that normalises each channel over the batch, with PyTorch's names.
package func normalisedModel(channels: Int = 4, element: ElementType = .f64, seed: UInt64 = 3) throws -> Model {
    try Model(
        name: "normalised", element: element,
        parameters: [
            .init(name: "fc1.weight", shape: [channels, 5], initializer: .normal(std: 0.6)),
            .init(name: "bn1.weight", shape: [channels], initializer: .normal(std: 0.2, mean: 1)),
            .init(name: "bn1.bias", shape: [channels], initializer: .normal(std: 0.2)),
            .init(name: "fc2.weight", shape: [3, channels], initializer: .normal(std: 0.6)),
        ], statistics: [.init(name: "bn1", shape: [channels])], inputShape: [5], seed: seed
    ) { x, p, statistics in
        let z = try p[0].dot(x)
        let (mean, variance) = try statistics.moments("bn1", of: z, over: [])
        let normal = try (z - mean) / (variance + 1e-5).sqrt()
        return try p[3].dot((p[1] * normal + p[2]).tanh())
    }
}
