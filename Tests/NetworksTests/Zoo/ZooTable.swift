import Graph
import Testing

@testable import Networks

/// A model of the zoo, small, in f64.
struct ZooEntry: Sendable, CustomTestStringConvertible {
    let name: String
    var tokens = 0
    var samples = 3
    let make: @Sendable () throws -> Model
    var testDescription: String { name }
}

enum Zoo {
    static let image = [3, 8, 8]

    static let entries: [ZooEntry] = [
        .init(name: "mlp") {
            try .multilayerPerceptron(
                inputShape: [5], hidden: [6, 4], outputs: 3, initScale: 1, seed: 1, element: .f64)
        },
        .init(name: "fc, batch norm", samples: 5) {
            try .fullyConnected(inputShape: [5], hidden: [6, 4], outputs: 3, batchNorm: true, seed: 1, element: .f64)
        },
        .init(name: "deep linear") { try .deepLinear(width: 4, layers: 5, seed: 1, element: .f64) },
        .init(name: "chebyshev") { try .chebyshevNetwork(hidden: 7, seed: 1, element: .f64) },
        .init(name: "autoencoder") { try .autoencoder(inputs: 4, std: 1, seed: 1, element: .f64) },
        .init(name: "autoencoder, relu, two vectors") {
            try .autoencoder(inputs: 4, activation: .relu, isTied: false, std: 1, seed: 1, element: .f64)
        },
        .init(name: "cnn") {
            try .cnn(
                inputShape: [2, 12, 12], channels: [2, 3, 2], hidden: 5, outputs: 3, initScale: 1, seed: 1,
                element: .f64)
        },
        .init(name: "convnet, elu, batch norm") {
            try .convnet(
                inputShape: [2, 6, 6], channels: [3, 2], outputs: 3, activation: .elu, batchNorm: true, seed: 1,
                element: .f64)
        },
        .init(name: "convnet, average") {
            try .convnet(
                inputShape: [2, 7, 7], channels: [3, 2], outputs: 3, activation: .tanh, pooling: .average, seed: 1,
                element: .f64)
        },
        .init(name: "central-flows cnn") {
            try .centralFlowsCNN(inputShape: [2, 8, 8], width: 2, outputs: 3, seed: 1, element: .f64)
        },
        .init(name: "vgg11", samples: 2) {
            try .vgg11(inputShape: [3, 32, 32], width: 1, outputs: 3, activation: .relu, seed: 1, element: .f64)
        },
        .init(name: "vgg11, batch norm", samples: 2) {
            try .vgg11(inputShape: [1, 32, 32], width: 1, outputs: 2, batchNorm: true, seed: 1, element: .f64)
        },
        .init(name: "resnet8") {
            try .resnet(inputShape: image, blocks: 1, width: 4, outputs: 3, seed: 1, element: .f64)
        },
        .init(name: "resnet8, batch norm") {
            try .resnet(inputShape: image, blocks: 1, width: 4, outputs: 3, batchNorm: true, seed: 1, element: .f64)
        },
        .init(name: "cohen resnet8") {
            try .cohenResnet(inputShape: image, blocks: 1, width: 4, outputs: 3, seed: 1, element: .f64)
        },
        .init(name: "central-flows resnet") {
            try .centralFlowsResnet(
                inputShape: [3, 8, 8], stages: [1, 1], width: 2, outputs: 3, seed: 1, element: .f64)
        },
        .init(name: "wide resnet") {
            try .wideResnet(inputShape: image, widen: 1, base: 2, outputs: 3, seed: 1, element: .f64)
        },
        .init(name: "wide resnet, fixup") {
            try .wideResnet(
                inputShape: image, widen: 1, base: 2, outputs: 3, batchNorm: false, seed: 1, element: .f64)
        },
        .init(name: "vit") {
            try .visionTransformer(
                inputShape: [2, 4, 4], patch: 2, width: 8, depth: 2, heads: 2, headWidth: 3, hidden: 6, outputs: 3,
                seed: 1,
                element: .f64)
        },
        .init(name: "transformer", tokens: 4) {
            try .transformer(vocabulary: 4, length: 5, width: 6, layers: 2, heads: 2, hidden: 7, seed: 1, element: .f64)
        },
        .init(name: "lstm", tokens: 4) {
            try .lstm(vocabulary: 4, length: 4, width: 3, hidden: 3, layers: 2, seed: 1, element: .f64)
        },
        .init(name: "mamba", tokens: 4) {
            try .mamba(
                vocabulary: 4, length: 4, width: 4, layers: 2, states: 2, kernel: 3, headScale: 20, seed: 1,
                element: .f64)
        },
    ]
}
