import Graph
import Testing

@testable import Networks

/// Names, shapes and numbers of parameters are those of the PyTorch code bases; the whole lists are compared with PyTorch's in
/// `TorchAgreementTests` where a PyTorch is found.
@Suite struct LayoutsOfTheZoo {
    @Test func theNumbersOfParametersAreTheKnownOnes() throws {
        #expect(try Model.cnn(seed: 1).layout.count == 2_477_514)
        #expect(try Model.resnet(blocks: 3, batchNorm: true, seed: 1).layout.count == 269_722)
        #expect(try Model.resnet(blocks: 3, seed: 1).layout.count == 268_346)
        #expect(try Model.resnet(blocks: 2, batchNorm: true, seed: 1).layout.count == 172_506)
        #expect(try Model.cohenResnet(seed: 1).layout.count == 464_250)
        #expect(try Model.vgg11(seed: 1).layout.count == 9_750_922)
        #expect(try Model.vgg11(batchNorm: true, seed: 1).layout.count == 9_756_426)
        #expect(try Model.fullyConnected(inputShape: [3, 32, 32], outputs: 10, seed: 1).layout.count == 656_810)
        #expect(try Model.deepLinear(seed: 1).layout.count == 50_000)
        #expect(try Model.chebyshevNetwork(seed: 1).layout.count == 300)
    }

    @Test func namesAreThoseOfTheStateDicts() throws {
        func names(_ model: Model) -> [String] { model.layout.entries.map(\.name) }
        #expect(
            names(try .cnn(seed: 1)) == [
                "convs.0.weight", "convs.0.bias", "convs.2.weight", "convs.2.bias", "convs.5.weight", "convs.5.bias",
                "fcs.0.weight", "fcs.0.bias", "fcs.2.weight", "fcs.2.bias",
            ])
        #expect(
            names(try .fullyConnected(inputShape: [4], hidden: [3, 3], outputs: 2, seed: 1))
                == ["1.weight", "1.bias", "3.weight", "3.bias", "5.weight", "5.bias"])
        #expect(
            names(try .wideResnet(batchNorm: false, seed: 1)).prefix(9) == [
                "bias", "stem.weight", "group1.0.bias1a", "group1.0.bias1b", "group1.0.bias2a", "group1.0.bias2b",
                "group1.0.scale", "group1.0.conv1.weight", "group1.0.conv2.weight",
            ])
        let vit = names(try .visionTransformer(depth: 1, seed: 1))
        #expect(vit[6...8] == ["transformer.norm.gamma", "transformer.norm.beta", "transformer.layers.0.0.norm.gamma"])
        let decoder = names(try .transformer(vocabulary: 4, length: 8, layers: 1, seed: 1))
        #expect(decoder.prefix(2) == ["embedding.weight", "decoder.layers.0.self_attn.in_proj_weight"])
        #expect(decoder.suffix(3) == ["decoder.layers.0.norm3.beta", "output_layer.weight", "output_layer.bias"])
        let cohen = try Model.cohenResnet(blocks: 1, seed: 1)
        #expect(names(cohen).contains("layer2.0.downsample.1.weight"))
        #expect(cohen.statistics.map(\.name).prefix(3) == ["bn1", "layer1.0.bn1", "layer1.0.bn2"])
    }

    @Test func aTableNamesLayersShapesParametersAndCosts() throws {
        let model = try Model.cnn(seed: 1)
        let rows = model.layers
        #expect(rows.map(\.name).first == "convs.0")
        #expect(rows.first?.outputShape == [64, 30, 30])
        #expect(rows.first?.parameters == 1792)
        #expect(rows.first?.multiplyAdds == 30 * 30 * 64 * 27)
        #expect(rows.reduce(0) { $0 + $1.parameters } == model.layout.count)
        #expect(rows.reduce(0) { $0 + $1.multiplyAdds } == model.forward.cost().multiplyAdds)
        #expect(model.table.split(separator: "\n").count == rows.count + 4)
        #expect(model.table.contains("2,477,514"))
        #expect(model.table.contains("64×30×30"))
    }

    @Test func whatDoesNotFitNamesTheLayerAndBothShapes() throws {
        func message(_ layer: Layer, _ shape: [Int]) throws -> String {
            let error = #expect(throws: GraphError.self) {
                _ = try Model(name: "odd", layer: layer, inputShape: shape, seed: 1)
            }
            return try #require(error).message
        }
        let linear = try message(.sequential(.flatten, .linear(12, 10)), [3, 5])
        #expect(linear.contains("layer '1' (linear)") && linear.contains("12 inputs") && linear.contains("[15]"))
        let conv = try message(.sequential(.conv2d(3, 8, kernel: 3), .conv2d(4, 8, kernel: 3)), [3, 8, 8])
        #expect(conv.contains("layer '1' (conv 3×3)") && conv.contains("4 channels") && conv.contains("[8, 6, 6]"))
        let small = try message(.conv2d(nil, 8, kernel: 5), [3, 4, 4])
        #expect(small.contains("conv 5×5") && small.contains("[3, 4, 4]"), "\(small)")
        let residual = try message(.sequential(.residual(.linear(6, 5))), [6])
        #expect(residual.contains("layer '0' (residual)") && residual.contains("[5]") && residual.contains("[6]"))
        let pool = try message(.sequential(.maxPool2d(2)), [3, 1, 1])
        #expect(pool.contains("max pool 2×2") && pool.contains("[3, 1, 1]"))
        #expect(try message(.layerNorm([10]), [12]).contains("[12]"))
        #expect(try message(.attention(6, heads: 4), [3, 6]).contains("4 heads"))
        #expect(try message(.sequential(.identity), [3]).contains("without parameters"))
        #expect(throws: GraphError.self) { try Model.wideResnet(depth: 11, seed: 1) }
        #expect(throws: GraphError.self) { try Model.visionTransformer(patch: 5, seed: 1) }
        #expect(throws: GraphError.self) { try Model.resnet(inputShape: [3, 32], seed: 1) }
        #expect(throws: GraphError.self) { try Model.fullyConnected(inputShape: [3], hidden: [0], outputs: 1, seed: 1) }
    }

    /// Sizes whose sums and products would overflow, and negative counts, are errors and no traps.
    @Test(arguments: [-1, 0, 1 << 40, Int.max])
    func numbersNoNetworkHasAreErrors(_ n: Int) throws {
        let made: [() throws -> Model] = [
            { try .vgg11(width: n, seed: 1) }, { try .resnet(blocks: n, seed: 1) }, { try .resnet(width: n, seed: 1) },
            { try .cohenResnet(width: n, seed: 1) }, { try .centralFlowsResnet(stages: [1, n], seed: 1) },
            { try .wideResnet(depth: n, seed: 1) }, { try .wideResnet(widen: n, seed: 1) },
            { try .visionTransformer(patch: n, seed: 1) }, { try .visionTransformer(depth: n, seed: 1) },
            { try .visionTransformer(heads: n, seed: 1) }, { try .transformer(vocabulary: 4, length: n, seed: 1) },
            { try .transformer(vocabulary: 4, length: 5, hidden: n, seed: 1) },
            { try .transformer(vocabulary: 4, length: 5, layers: n, seed: 1) },
            { try .lstm(vocabulary: 4, length: 5, hidden: n, seed: 1) },
            { try .mamba(vocabulary: 4, length: 5, layers: n, seed: 1) },
            { try .mamba(vocabulary: 4, length: 5, states: n, seed: 1) }, { try .deepLinear(layers: n, seed: 1) },
            { try .centralFlowsCNN(width: n, seed: 1) }, { try .cnn(hidden: n, seed: 1) },
            { try .autoencoder(inputs: n, seed: 1) },
        ]
        for (index, make) in made.enumerated() {
            #expect(throws: (any Error).self, "model \(index)") { _ = try make() }
        }
        let layers: [Layer] = [
            .linear(nil, n), .conv2d(nil, 4, kernel: n), .conv2d(nil, n, kernel: 3),
            .conv2d(nil, 4, kernel: 3, stride: n),
            .conv2d(nil, 4, kernel: 3, dilation: n), .conv2d(nil, 4, kernel: 3, groups: n), .maxPool2d(n),
            .maxPool2d(2, stride: n, padding: n), .convTranspose2d(nil, 4, kernel: 2, stride: n),
            .convTranspose2d(nil, 4, kernel: n), .groupNorm(n), .layerNorm([n]), .reshape([n, 4]), .embedding(n, n),
        ]
        for (index, layer) in layers.enumerated() where !(index == 3 || index == 7) || n < 1 {
            #expect(throws: (any Error).self, "layer \(index)") {
                try Model(name: "odd", layer: .sequential(layer, .linear(nil, 1)), inputShape: [4, 8, 8], seed: 1)
            }
        }
    }
}
