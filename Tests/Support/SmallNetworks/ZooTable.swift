import Graph
import Networks

/// A small model, and the same in PyTorch as `torch_reference.py` names it.
package struct ZooEntry: Sendable, CustomStringConvertible {
    package let name: String
    /// The vocabulary of integer inputs; 0 where inputs are numbers.
    package let tokens: Int
    package let samples: Int
    /// The model's name in `torch_reference.py`.
    package let peer: String
    /// Its options, in JSON.
    package let options: String
    package let make: @Sendable (ElementType) throws -> Model
    package var description: String { name }

    package init(
        _ name: String, _ peer: String, _ options: String, tokens: Int = 0, samples: Int = 3,
        make: @escaping @Sendable (ElementType) throws -> Model
    ) {
        self.name = name
        self.peer = peer
        self.options = options
        self.tokens = tokens
        self.samples = samples
        self.make = make
    }
}

package enum Zoo {
    package static let entries = connected + convolutional + residual + sequences

    package static let connected: [ZooEntry] = [
        .init("mlp", "mlp", #"{"widths": [5, 6, 4, 3]}"#) {
            try .multilayerPerceptron(inputShape: [5], hidden: [6, 4], outputs: 3, initScale: 1, seed: 1, element: $0)
        },
        .init("fc", "fc", #"{"widths": [6, 6, 3], "activation": "softplus"}"#) {
            try .fullyConnected(
                inputShape: [2, 3], hidden: [6], outputs: 3, activation: .softplus, seed: 1, element: $0)
        },
        .init("fc, batch norm", "fc", #"{"widths": [5, 6, 4, 3], "batch_norm": true}"#, samples: 5) {
            try .fullyConnected(inputShape: [5], hidden: [6, 4], outputs: 3, batchNorm: true, seed: 1, element: $0)
        },
        .init("deep linear", "deep_linear", #"{"width": 4, "layers": 5}"#) {
            try .deepLinear(width: 4, layers: 5, seed: 1, element: $0)
        },
        .init("chebyshev", "chebyshev", #"{"hidden": 7}"#) { try .chebyshevNetwork(hidden: 7, seed: 1, element: $0) },
        .init("autoencoder", "autoencoder", #"{"inputs": 4, "activation": "identity", "tied": true}"#) {
            try .autoencoder(inputs: 4, std: 1, seed: 1, element: $0)
        },
        .init(
            "autoencoder, relu, two vectors", "autoencoder", #"{"inputs": 4, "activation": "relu", "tied": false}"#
        ) { try .autoencoder(inputs: 4, activation: .relu, isTied: false, std: 1, seed: 1, element: $0) },
    ]

    package static let convolutional: [ZooEntry] = [
        .init("cnn", "cnn", #"{"inputs": 2, "channels": [2, 3, 2], "hidden": 5, "outputs": 3, "side": 12}"#) {
            try .cnn(
                inputShape: [2, 12, 12], channels: [2, 3, 2], hidden: 5, outputs: 3, initScale: 1, seed: 1, element: $0)
        },
        .init(
            "convnet, elu, batch norm", "convnet",
            #"{"inputs": 2, "channels": [3, 2], "outputs": 3, "side": 6, "activation": "elu", "batch_norm": true}"#
        ) {
            try .convnet(
                inputShape: [2, 6, 6], channels: [3, 2], outputs: 3, activation: .elu, batchNorm: true, seed: 1,
                element: $0)
        },
        .init(
            "convnet, average", "convnet",
            #"{"inputs": 2, "channels": [3, 2], "outputs": 3, "side": 7, "activation": "tanh", "pooling": "average"}"#
        ) {
            try .convnet(
                inputShape: [2, 7, 7], channels: [3, 2], outputs: 3, activation: .tanh, pooling: .average, seed: 1,
                element: $0)
        },
        .init("central-flows cnn", "central_flows_cnn", #"{"inputs": 2, "width": 2, "outputs": 3, "side": 8}"#) {
            try .centralFlowsCNN(inputShape: [2, 8, 8], width: 2, outputs: 3, seed: 1, element: $0)
        },
        .init("vgg11", "vgg11", #"{"inputs": 3, "width": 1, "outputs": 3}"#, samples: 2) {
            try .vgg11(inputShape: [3, 32, 32], width: 1, outputs: 3, seed: 1, element: $0)
        },
        .init("vgg11, batch norm", "vgg11", #"{"inputs": 1, "width": 1, "outputs": 2, "batch_norm": true}"#) {
            try .vgg11(inputShape: [1, 32, 32], width: 1, outputs: 2, batchNorm: true, seed: 1, element: $0)
        },
    ]

    package static let residual: [ZooEntry] = [
        .init("resnet8", "resnet", #"{"inputs": 3, "blocks": 1, "width": 4, "outputs": 3}"#) {
            try .resnet(inputShape: [3, 8, 8], blocks: 1, width: 4, outputs: 3, initScale: 1, seed: 1, element: $0)
        },
        .init(
            "resnet14, batch norm", "resnet",
            #"{"inputs": 3, "blocks": 2, "width": 4, "outputs": 3, "batch_norm": true}"#
        ) {
            try .resnet(inputShape: [3, 8, 8], blocks: 2, width: 4, outputs: 3, batchNorm: true, seed: 1, element: $0)
        },
        .init("cohen resnet8", "cohen_resnet", #"{"inputs": 3, "blocks": 1, "width": 4, "outputs": 3}"#) {
            try .cohenResnet(inputShape: [3, 8, 8], blocks: 1, width: 4, outputs: 3, seed: 1, element: $0)
        },
        .init(
            "central-flows resnet", "central_flows_resnet",
            #"{"inputs": 3, "stages": [1, 1], "width": 2, "outputs": 3, "side": 8}"#
        ) {
            try .centralFlowsResnet(inputShape: [3, 8, 8], stages: [1, 1], width: 2, outputs: 3, seed: 1, element: $0)
        },
        .init("wide resnet", "wide_resnet", #"{"inputs": 3, "blocks": 1, "base": 2, "widen": 1, "outputs": 3}"#) {
            try .wideResnet(inputShape: [3, 8, 8], widen: 1, base: 2, outputs: 3, seed: 1, element: $0)
        },
        .init(
            "wide resnet, fixup", "wide_resnet",
            #"{"inputs": 3, "blocks": 1, "base": 2, "widen": 2, "outputs": 3, "batch_norm": false}"#
        ) { try .wideResnet(inputShape: [3, 8, 8], base: 2, outputs: 3, batchNorm: false, seed: 1, element: $0) },
    ]

    package static let sequences: [ZooEntry] = [
        .init(
            "vit", "vit",
            #"{"inputs": 2, "patch": 2, "width": 8, "depth": 2, "heads": 2, "head_width": 3, "hidden": 6, "outputs": 3,"#
                + #" "side": 4}"#
        ) {
            try .visionTransformer(
                inputShape: [2, 4, 4], patch: 2, width: 8, depth: 2, heads: 2, headWidth: 3, hidden: 6, outputs: 3,
                seed: 1, element: $0)
        },
        .init(
            "transformer", "transformer",
            #"{"vocabulary": 4, "length": 5, "width": 6, "layers": 2, "heads": 2, "hidden": 7}"#, tokens: 4
        ) {
            try .transformer(vocabulary: 4, length: 5, width: 6, layers: 2, heads: 2, hidden: 7, seed: 1, element: $0)
        },
        .init(
            "transformer, causal memory", "transformer",
            #"{"vocabulary": 4, "length": 4, "width": 4, "layers": 1, "heads": 2, "hidden": 16, "causal_memory": true}"#,
            tokens: 4
        ) {
            try .transformer(
                vocabulary: 4, length: 4, width: 4, layers: 1, heads: 2, isMemoryCausal: true, seed: 1, element: $0)
        },
        .init("lstm", "lstm", #"{"vocabulary": 4, "width": 3, "hidden": 2, "layers": 2}"#, tokens: 4) {
            try .lstm(vocabulary: 4, length: 4, width: 3, hidden: 2, layers: 2, seed: 1, element: $0)
        },
        .init(
            "mamba", "mamba",
            #"{"vocabulary": 4, "width": 4, "layers": 2, "states": 2, "expansion": 2, "kernel": 3}"#, tokens: 4
        ) {
            try .mamba(
                vocabulary: 4, length: 4, width: 4, layers: 2, states: 2, kernel: 3, headScale: 20, seed: 1, element: $0
            )
        },
    ]
}
