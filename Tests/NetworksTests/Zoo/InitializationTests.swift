import Compute
import Graph
import Testing

@testable import Networks

/// The mean of k draws with standard deviation σ is known to σ/√k, their standard deviation to at most σ/√k too (σ/√(2k) for normal,
/// less for uniform draws): five of those bound the deviations, and fixed seeds make the outcome certain.
private func expect(
    _ model: Model, _ name: String, std: Double, mean: Double = 0, bound: Double = .infinity,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let entry = try #require(model.layout.entry(name), "\(name)", sourceLocation: sourceLocation)
    let values = Array(model.initial.values[entry.offset..<entry.offset + entry.count])
    let average = values.reduce(0, +) / Double(values.count)
    let deviation = (values.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(values.count)).squareRoot()
    let slack = 5 * std / Double(values.count).squareRoot() + 1e-7
    #expect(abs(average - mean) <= slack, "\(name): mean \(average)", sourceLocation: sourceLocation)
    #expect(abs(deviation - std) <= slack, "\(name): deviation \(deviation)", sourceLocation: sourceLocation)
    #expect(values.allSatisfy { abs($0) <= bound }, "\(name)", sourceLocation: sourceLocation)
}

@Suite struct InitialValues {
    /// The standard deviation of a uniform distribution on ±bound.
    private func uniform(_ fanIn: Double) -> (std: Double, bound: Double) {
        (1 / (3 * fanIn).squareRoot(), 1 / fanIn.squareRoot() + 1e-7)
    }

    @Test func layersHavePyTorchsDefault() throws {
        let fc = try Model.fullyConnected(inputShape: [3, 32, 32], outputs: 10, seed: 3)
        try expect(fc, "1.weight", std: uniform(3072).std, bound: uniform(3072).bound)
        try expect(fc, "1.bias", std: uniform(3072).std, bound: uniform(3072).bound)
        try expect(fc, "5.weight", std: uniform(200).std, bound: uniform(200).bound)
        let convnet = try Model.convnet(seed: 3)
        try expect(convnet, "3.weight", std: uniform(288).std, bound: uniform(288).bound)
        try expect(convnet, "0.bias", std: uniform(27).std, bound: uniform(27).bound)
        let lstm = try Model.lstm(vocabulary: 40, length: 8, seed: 3)
        try expect(lstm, "embed.weight", std: 1)
        try expect(lstm, "lstm.layers.1.Wih", std: uniform(48).std, bound: uniform(48).bound)
        try expect(lstm, "lstm.layers.0.bhh", std: uniform(48).std, bound: uniform(48).bound)
    }

    @Test func theNetworksOfTheEoSSCodeAreScaled() throws {
        let cnn = try Model.cnn(initScale: 0.2, seed: 3)
        try expect(cnn, "convs.2.weight", std: 0.2 * (2.0 / 576).squareRoot())
        try expect(cnn, "fcs.0.weight", std: 0.2 * (2.0 / 4608).squareRoot())
        try expect(cnn, "fcs.0.bias", std: 0)
        let tanh = try Model.cnn(activation: .tanh, initScale: 1, seed: 3)
        try expect(tanh, "convs.2.weight", std: 5 / 3 * (2.0 / 1152).squareRoot())
        let resnet = try Model.resnet(initScale: 0.5, seed: 3)
        try expect(resnet, "layer2.0.conv1.weight", std: 0.5 * (2.0 / 288).squareRoot())
        try expect(resnet, "linear.weight", std: 0.5 * (2.0 / 10).squareRoot())
        try expect(resnet, "linear.bias", std: 0)
        let normed = try Model.resnet(batchNorm: true, seed: 3)
        try expect(normed, "linear.weight", std: 0.2 * (1.0 / 10).squareRoot())
        try expect(normed, "layer1.0.bn2.weight", std: 0, mean: 1)
        let wide = try Model.wideResnet(seed: 3)
        try expect(wide, "group1.0.bn1.weight", std: 0, mean: 1)
        try expect(wide, "group3.0.bn2.weight", std: 0)
        try expect(wide, "group3.0.shortcut.weight", std: 0.2 * (2.0 / 128).squareRoot())
        try expect(wide, "fc.weight", std: 0.2 * (2.0 / 128).squareRoot(), bound: 0.2 * (6.0 / 128).squareRoot() + 1e-7)
        let fixup = try Model.wideResnet(batchNorm: false, seed: 3)
        try expect(fixup, "group2.0.conv1.weight", std: (2.0 / 288 / 3).squareRoot())
        try expect(fixup, "group2.0.conv2.weight", std: 0)
        try expect(fixup, "group2.0.scale", std: 0, mean: 1)
        try expect(fixup, "fc.weight", std: 0)
    }

    @Test func theNetworksOfCohenAreAsInTheirCode() throws {
        let vgg = try Model.vgg11(seed: 3)
        try expect(vgg, "features.8.weight", std: (2.0 / (9 * 256)).squareRoot())
        try expect(vgg, "features.8.bias", std: 0)
        try expect(vgg, "classifier.2.weight", std: uniform(512).std, bound: uniform(512).bound)
        let resnet = try Model.cohenResnet(seed: 3)
        try expect(resnet, "layer3.4.conv2.weight", std: (2.0 / 576).squareRoot())
        try expect(resnet, "layer3.4.bn1.weight", std: 0, mean: 1)
        try expect(resnet, "layer3.4.bn2.weight", std: 0)
        try expect(resnet, "fc.weight", std: uniform(64).std, bound: uniform(64).bound)
        try expect(.deepLinear(seed: 3), "7.weight", std: (2.0 / 100).squareRoot())
        let chebyshev = try Model.chebyshevNetwork(hidden: 5000, seed: 3)
        try expect(chebyshev, "0.weight", std: 1.9 * (2.0 / 5001).squareRoot())
        try expect(chebyshev, "0.bias", std: 0)
        try expect(chebyshev, "2.weight", std: (2.0 / 5001).squareRoot())
    }

    @Test func theNetworksOfTheCentralFlowsCodeHaveSmallOutputs() throws {
        let vit = try Model.visionTransformer(seed: 3)
        try expect(vit, "linear_head.weight", std: 0)
        try expect(vit, "transformer.layers.1.0.to_qkv.weight", std: uniform(64).std, bound: uniform(64).bound)
        try expect(vit, "transformer.norm.gamma", std: 0, mean: 1)
        let transformer = try Model.transformer(vocabulary: 4, length: 15, seed: 3)
        try expect(transformer, "output_layer.weight", std: 0)
        let projection = "decoder.layers.2.multihead_attn.in_proj_weight"
        try expect(transformer, projection, std: (2.0 / 128).squareRoot(), bound: (6.0 / 128).squareRoot() + 1e-7)
        try expect(transformer, "decoder.layers.2.self_attn.in_proj_bias", std: 0)
        let mamba = try Model.mamba(vocabulary: 400, length: 15, seed: 3)
        try expect(mamba, "embed.weight", std: 0.02)
        try expect(mamba, "linear.weight", std: 0.002)
        try expect(mamba, "mamba.layers.1.mixer.dt_proj.bias", std: 0)
        let rates = try #require(mamba.layout.entry("mamba.layers.0.mixer.A_log"))
        #expect(rates.shape == [128, 16])
        #expect(abs(mamba.initial.values[rates.offset + 16 + 4] - 1.6094379) < 1e-6)
        try expect(.centralFlowsResnet(seed: 3), "out_proj.weight", std: 0)
        try expect(.centralFlowsResnet(seed: 3), "stages.1.2.bn2.weight", std: 0)
    }

    /// N(0, 1) between −1 and 2 has mean (φ(−1) − φ(2))/Z and variance 1 + (−φ(−1) − 2φ(2))/Z − mean², Z = Φ(2) − Φ(−1).
    @Test func truncatedNormalNumbersStayInTheirInterval() throws {
        let layer = Layer(kind: "draws") { x, scope in
            try x * scope.parameter("w", [20_000], .truncatedNormal(std: 1, low: -1, high: 2))
        }
        let model = try Model(name: "draws", layer: layer, inputShape: [20_000], seed: 1, element: .f64)
        let (left, right, mass) = (0.24197072451914337, 0.05399096651318806, 0.9772498680518208 - 0.15865525393145707)
        let mean = (left - right) / mass
        let variance = 1 + (-left - 2 * right) / mass - mean * mean
        try expect(model, "w", std: variance.squareRoot(), mean: mean, bound: 2)
        #expect(model.initial.values.allSatisfy { $0 >= -1 })
    }

    @Test func numbersThatMakeNoDistributionAreNamed() throws {
        for bad in [
            Initializer.normal(std: -1), .normal(std: .nan), .uniform(from: 1, to: 0), .repeating([]),
            .truncatedNormal(std: 1, low: 8, high: 9), .truncatedNormal(std: 1, low: 2, high: 1),
            .truncatedNormal(std: 0, mean: 3, low: -1, high: 1),
        ] {
            let error = #expect(throws: GraphError.self) {
                try Model(
                    name: "odd", layer: Layer { x, scope in try x * scope.parameter("w", [2], bad) }, inputShape: [2],
                    seed: 1)
            }
            #expect(try #require(error).message.contains("'w'"))
        }
    }

    @Test func aScaledInitialisationIsTheSameNumbersTimesTheFactor() throws {
        let all: [Initializer] = [
            .normal(std: 2, mean: 1), .uniform(from: -1, to: 3), .truncatedNormal(std: 1), .constant(4),
            .repeating([1, 2]),
            .zeros,
        ]
        for initializer in all {
            func values(_ initializer: Initializer) throws -> [Double] {
                try Model(
                    name: "draws", layer: Layer { x, scope in try x * scope.parameter("w", [50], initializer) },
                    inputShape: [50], seed: 5, element: .f64
                ).initial.values
            }
            let (once, scaled) = (try values(initializer), try values(initializer.scaled(by: 0.1)))
            #expect(zip(once, scaled).allSatisfy { abs(0.1 * $0 - $1) < 1e-14 })
        }
    }
}
