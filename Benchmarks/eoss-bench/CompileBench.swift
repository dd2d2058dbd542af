import Compute
import Graph
import Networks
import Objectives

/// How long it takes to trace, differentiate, simplify and plan the third derivative of the large networks, contracted with two
/// vectors, for chunks of 32 samples. Nothing is kept from one to the next.
struct CompileBench {
    func run() throws {
        let models: [(String, () throws -> (Model, LossName))] = [
            ("CNN", { (try .cnn(seed: 1), .mse) }),
            ("VGG-11, batch norm", { (try .vgg11(batchNorm: true, seed: 1), .mse) }),
            ("ResNet-20, batch norm", { (try .resnet(batchNorm: true, seed: 1), .mse) }),
            ("ResNet-32 (Cohen)", { (try .cohenResnet(seed: 1), .mse) }),
            ("ViT", { (try .visionTransformer(seed: 1), .mse) }),
            ("transformer", { (try .transformer(vocabulary: 4, length: 15, seed: 1), .crossEntropy) }),
            ("LSTM", { (try .lstm(vocabulary: 4, length: 15, seed: 1), .crossEntropy) }),
            ("Mamba", { (try .mamba(vocabulary: 4, length: 15, seed: 1), .crossEntropy) }),
        ]
        print("third derivative".padded(36), "traced and differentiated, then planned".leftPadded(42))
        for (name, make) in models {
            let (model, loss) = try make()
            let objective = try Objective(model: model, loss: loss)
            var tracing: [Double] = []
            var planning: [Double] = []
            for _ in 0..<3 {
                var graph: Graph?
                tracing.append(try Clock.seconds { graph = try objective.directional(order: 2, count: 32) })
                guard let graph else { continue }
                let engine = try Engine()
                planning.append(try Clock.seconds { _ = try engine.plan(for: graph) })
            }
            print(
                name.padded(36), spelled(tracing.median).leftPadded(20), spelled(planning.median).leftPadded(21))
        }
    }
}
