import Graph
import SmallNetworks

@testable import Networks

extension ZooEntry {
    /// Layers one after the other, and their names and options in PyTorch.
    init(
        _ name: String, _ peers: String, _ shape: [Int], tokens: Int = 0, samples: Int = 3,
        layers: @escaping @Sendable () -> [Layer]
    ) {
        self.init(name, "sequential", "{\"layers\": [\(peers)]}", tokens: tokens, samples: samples) {
            try Model(
                name: name, layer: .sequential(layers()), inputShape: shape, inputElement: tokens > 0 ? .i32 : nil,
                seed: 1,
                element: $0)
        }
    }
}

extension Zoo {
    /// Every layer, and every option of a layer that a model of the zoo does not use.
    static let layers: [ZooEntry] =
        [
            .init(
                "convolutions with strides, dilation, groups, even kernels",
                #"["conv2d", [4, 6, 3], {"stride": 2, "padding": 1, "groups": 2}], ["activation", ["tanh"]], "#
                    + #"["conv2d", [6, 3, 2], {"dilation": 2}], ["activation", ["tanh"]], "#
                    + #"["conv2d", [3, 2, 4], {"padding": "same"}], ["flatten"]"#, [4, 9, 8]
            ) {
                [
                    .conv2d(4, 6, kernel: 3, stride: 2, padding: 1, groups: 2), .activation(.tanh),
                    .conv2d(6, 3, kernel: 2, dilation: 2), .activation(.tanh), .conv2d(3, 2, kernel: 4, padding: .same),
                    .flatten,
                ]
            },
            .init(
                "1-D convolutions, depthwise",
                #"["conv1d", [3, 4, 3], {"padding": 1}], ["activation", ["silu"]], "#
                    + #"["conv1d", [4, 4, 2], {"groups": 4, "stride": 2, "bias": false}]"#, [3, 7]
            ) {
                [
                    .conv1d(3, 4, kernel: 3, padding: 1), .activation(.silu),
                    .conv1d(4, 4, kernel: 2, stride: 2, groups: 4, bias: false),
                ]
            },
            .init(
                "transposed convolutions",
                #"["conv_transpose2d", [2, 4, 3], {"stride": 2, "padding": 1, "output_padding": 1}], "#
                    + #"["activation", ["tanh"]], ["conv_transpose2d", [4, 2, 2], {"groups": 2, "dilation": 2}]"#,
                [2, 3, 4]
            ) {
                [
                    .convTranspose2d(2, 4, kernel: 3, stride: 2, padding: 1, outputPadding: 1), .activation(.tanh),
                    .convTranspose2d(4, 2, kernel: 2, dilation: 2, groups: 2),
                ]
            },
            .init(
                "pooling of windows that overlap",
                #"["conv2d", [2, 3, 1]], ["max_pool", [3], {"stride": 2, "padding": 1}], ["activation", ["tanh"]], "#
                    + #"["average_pool", [3], {"stride": 1, "padding": 1}], ["conv2d", [3, 2, 1]], ["global_average"]"#,
                [2, 7, 6]
            ) {
                [
                    .conv2d(2, 3, kernel: 1), .maxPool2d(3, stride: 2, padding: 1), .activation(.tanh),
                    .averagePool2d(3, stride: 1, padding: 1), .conv2d(3, 2, kernel: 1), .globalAveragePool,
                ]
            },
            .init(
                "layer norm", #"["linear", [4, 5]], ["layer_norm", [5]], ["activation", ["gelu"]], ["linear", [5, 3]]"#,
                [3, 4]
            ) { [.linear(4, 5), .layerNorm([5]), .activation(.gelu), .linear(5, 3)] },
            .init(
                "layer norm of two axes, then group norm",
                #"["conv2d", [2, 4, 2]], ["layer_norm", [[4, 3, 2]]], ["conv2d", [4, 4, 1]], ["group_norm", [2, 4]], "#
                    + #"["activation", ["tanh"]]"#, [2, 4, 3]
            ) {
                [
                    .conv2d(2, 4, kernel: 2), .layerNorm([4, 3, 2]), .conv2d(4, 4, kernel: 1), .groupNorm(2, 4),
                    .activation(.tanh),
                ]
            },
            .init(
                "batch norm",
                #"["conv2d", [2, 3, 2]], ["batch_norm2d", [3]], ["activation", ["tanh"]], ["flatten"], ["linear", [12, 4]], "#
                    + #"["batch_norm1d", [4]], ["activation", ["softplus"]]"#, [2, 3, 3], samples: 4
            ) {
                [
                    .conv2d(2, 3, kernel: 2), .batchNorm(3), .activation(.tanh), .flatten, .linear(12, 4),
                    .batchNorm(4),
                    .activation(.softplus),
                ]
            },
            .init(
                "embedding and lstm of two layers",
                #"["embedding", [5, 3]], ["lstm", [3, 2, 2], {"batch_first": true}], ["linear", [2, 2]]"#, [4],
                tokens: 5
            ) { [.embedding(5, 3), .lstm(3, 2, layers: 2), .linear(2, 2)] },
            .init("causal attention", #"["attention", [6, 3, true]], ["linear", [6, 2]]"#, [4, 6]) {
                [.attention(6, heads: 3, isCausal: true), .linear(6, 2)]
            },
            .init("attention", #"["attention", [4, 2, false]], ["activation", ["tanh"]]"#, [3, 4]) {
                [.attention(4, heads: 2), .activation(.tanh)]
            },
            .init(
                "residual", #"["residual", [["linear", [4, 3]], ["linear", [4, 3], {"bias": false}], "silu"]]"#, [4]
            ) { [.residual(.linear(4, 3), shortcut: .linear(4, 3, bias: false), activation: .silu)] },
        ]
        + Activation.allCases.filter { $0 != .square }.map { activation in
            let peers = #"["linear", [4, 8]], ["activation", ["\#(activation.rawValue)"]], ["linear", [8, 2]]"#
            return .init("activation \(activation.rawValue)", peers, [4]) {
                [.linear(4, 8), .activation(activation), .linear(8, 2)]
            }
        }
}
