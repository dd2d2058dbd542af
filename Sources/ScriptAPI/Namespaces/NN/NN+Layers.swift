import LuaBridge
import Networks

/// `eoss.nn`: layers, for `eoss.nn.sequential`, `eoss.nn.residual` and `eoss.nn.block`. Names and defaults are PyTorch's.
extension ScriptHost {
    func addLayers(to nn: Namespace) {
        addLinearLayers(to: nn)
        addConvolutionLayers(to: nn)
        addPoolingLayers(to: nn)
        addNormalizationLayers(to: nn)
        addShapeLayers(to: nn)
        addSequenceLayers(to: nn)
    }

    static let layer = [Parameter("layer", .object("layer"), "The layer.")]
    private static let initializer = LuaType.object("initializer").or(.number)
    private static let weightOptions: [Parameter] = [
        Parameter("bias", .boolean, default: true, "Whether it has a bias."),
        .optional("init", initializer, "Of the weight; PyTorch's by default, uniform on ±1/√fan_in."),
        .optional("bias_init", initializer, "Of the bias; PyTorch's by default."),
    ]

    private func addLinearLayers(to nn: Namespace) {
        nn.function(
            "linear", "W·x + b. Parameters: weight [outputs, inputs], bias.",
            parameters: [
                Parameter("inputs", .integer(.positive), "The extent of the input's last axis."),
                Parameter("outputs", .integer(.positive), "The number of outputs."),
            ], options: Self.weightOptions, results: Self.layer
        ) { call in
            let (inputs, outputs): (Int, Int) = (try call.get("inputs"), try call.get("outputs"))
            let (bias, weight, biasRule) = try weights(call)
            return LayerObject(
                "linear(\(inputs), \(outputs))",
                .linear(inputs, outputs, bias: bias, weight: weight, biasInit: biasRule), inputShape: [inputs])
        }
        nn.function(
            "embedding", "Rows of a table by tokens, whole numbers from 0. Parameter: weight [count, width].",
            parameters: [
                Parameter("count", .integer(.positive), "How many rows."),
                Parameter("width", .integer(.positive), "The extent of a row."),
            ], options: [.optional("init", Self.initializer, "Of the table; N(0, 1) by default.")], results: Self.layer
        ) { call in
            let (count, width): (Int, Int) = (try call.get("count"), try call.get("width"))
            let rule = try InitializerObject.rule(call.value("init")) ?? .normal(std: 1)
            return LayerObject("embedding(\(count), \(width))", .embedding(count, width, weight: rule))
        }
        nn.function(
            "positions", "Learnt positions, added to a sequence [length, width]. Parameter: weight.",
            parameters: [
                Parameter("length", .integer(.positive), "The length of the sequence."),
                Parameter("width", .integer(.positive), "The extent of its elements."),
            ], options: [.optional("init", Self.initializer, "N(0, 0.02²) by default.")], results: Self.layer
        ) { call in
            let (length, width): (Int, Int) = (try call.get("length"), try call.get("width"))
            let rule = try InitializerObject.rule(call.value("init")) ?? .normal(std: 0.02)
            return LayerObject(
                "positions(\(length), \(width))", .positionalEmbedding(length, width, weight: rule),
                inputShape: [length, width])
        }
        nn.function(
            "sinusoidal_positions", "Sines and cosines of the place added to a sequence (Vaswani et al. 2017).",
            results: Self.layer
        ) { _ in LayerObject("sinusoidal_positions()", .sinusoidalPositions()) }
    }

    private func addConvolutionLayers(to nn: Namespace) {
        let channels = [
            Parameter("inputs", .integer(.positive), "Channels in."),
            Parameter("outputs", .integer(.positive), "Channels out."),
            Parameter("kernel", .integer(.positive), "The extent of the windows."),
        ]
        for axes in 1...2 {
            nn.function(
                "conv\(axes)d",
                "A \(axes)-D convolution of [inputs, …]. Parameters: weight [outputs, inputs/groups, k…], bias.",
                parameters: channels,
                options: [Self.stride, Self.convolutionPadding, Self.dilation, Self.groups] + Self.weightOptions,
                results: Self.layer
            ) { call in
                let (inputs, outputs, kernel): (Int, Int, Int) = (
                    try call.get("inputs"), try call.get("outputs"), try call.get("kernel")
                )
                let (stride, dilation, groups): (Int, Int, Int) = (
                    try call.get("stride"), try call.get("dilation"), try call.get("groups")
                )
                let padding = try paddingOption(call)
                let (bias, weight, biasRule) = try weights(call)
                return LayerObject(
                    "conv\(axes)d(\(inputs), \(outputs), \(kernel))",
                    axes == 1
                        ? .conv1d(
                            inputs, outputs, kernel: kernel, stride: stride, padding: padding, dilation: dilation,
                            groups: groups, bias: bias, weight: weight, biasInit: biasRule)
                        : .conv2d(
                            inputs, outputs, kernel: kernel, stride: stride, padding: padding, dilation: dilation,
                            groups: groups, bias: bias, weight: weight, biasInit: biasRule))
            }
        }
        nn.function(
            "conv_transpose2d",
            "A transposed convolution of [inputs, H, W]. Parameters: weight [inputs, outputs/groups, k, k], bias.",
            parameters: channels,
            options: [
                Self.stride,
                Parameter("padding", .integer(.nonNegative), default: 0, "Taken off at both ends of each axis."),
                Parameter("output_padding", .integer(.nonNegative), default: 0, "Put on again at the end."),
                Self.dilation, Self.groups,
            ] + Self.weightOptions, results: Self.layer
        ) { call in
            let (inputs, outputs, kernel): (Int, Int, Int) = (
                try call.get("inputs"), try call.get("outputs"), try call.get("kernel")
            )
            let (bias, weight, biasRule) = try weights(call)
            return LayerObject(
                "conv_transpose2d(\(inputs), \(outputs), \(kernel))",
                .convTranspose2d(
                    inputs, outputs, kernel: kernel, stride: try call.get("stride"), padding: try call.get("padding"),
                    outputPadding: try call.get("output_padding"), dilation: try call.get("dilation"),
                    groups: try call.get("groups"), bias: bias, weight: weight, biasInit: biasRule))
        }
    }

    private func addPoolingLayers(to nn: Namespace) {
        let window = Parameter("window", .integer(.positive), "The extent of the square windows.")
        nn.function(
            "max_pool2d", "The largest of each window of [C, H, W].", parameters: [window],
            options: Self.poolingOptions,
            results: Self.layer
        ) { call in
            let window: Int = try call.get("window")
            return LayerObject(
                "max_pool2d(\(window))",
                .maxPool2d(window, stride: try call.get("stride"), padding: try call.get("padding")))
        }
        nn.function(
            "avg_pool2d", "The mean of each window of [C, H, W].", parameters: [window], options: Self.poolingOptions,
            results: Self.layer
        ) { call in
            let window: Int = try call.get("window")
            return LayerObject(
                "avg_pool2d(\(window))",
                .averagePool2d(window, stride: try call.get("stride"), padding: try call.get("padding")))
        }
        nn.function("global_avg_pool", "The mean over all places: [C, …] gives [C].", results: Self.layer) { _ in
            LayerObject("global_avg_pool()", .globalAveragePool)
        }
    }

    private func addNormalizationLayers(to nn: Namespace) {
        let epsilon = Parameter("eps", .number(.nonNegative), default: 1e-5, "Added to the variance.")
        nn.function(
            "batchnorm",
            "Batch norm of the channels of [C, …]: the batch's statistics in training and in every derivative, running ones in evaluation. Parameters: weight, bias.",
            parameters: [Parameter("channels", .integer(.positive), "How many.")], options: [epsilon],
            results: Self.layer
        ) { call in
            let channels: Int = try call.get("channels")
            return LayerObject("batchnorm(\(channels))", .batchNorm(channels, epsilon: try call.get("eps")))
        }
        nn.function(
            "layernorm", "Layer norm over the last axes. Parameters: weight, bias.",
            parameters: [Parameter("shape", .shape, "Their extents; a number for the last axis alone.")],
            options: [epsilon, Parameter("affine", .boolean, default: true, "Whether it has weight and bias.")],
            results: Self.layer
        ) { call in
            let shape = try call.shape("shape") ?? []
            return LayerObject(
                "layernorm(\(shape.map(String.init).joined(separator: "×")))",
                .layerNorm(shape, epsilon: try call.get("eps"), affine: try call.get("affine")))
        }
        nn.function(
            "groupnorm", "Group norm of the channels of [C, …]. Parameters: weight, bias.",
            parameters: [
                Parameter("groups", .integer(.positive), "How many groups."),
                Parameter("channels", .integer(.positive), "How many channels."),
            ], options: [epsilon], results: Self.layer
        ) { call in
            let (groups, channels): (Int, Int) = (try call.get("groups"), try call.get("channels"))
            return LayerObject(
                "groupnorm(\(groups), \(channels))", .groupNorm(groups, channels, epsilon: try call.get("eps")))
        }
        nn.function(
            "rmsnorm", "x/√(mean x² + eps) over the last axis. Parameter: weight.",
            parameters: [Parameter("width", .integer(.positive), "Its extent.")], options: [epsilon],
            results: Self.layer
        ) { call in
            let width: Int = try call.get("width")
            return LayerObject("rmsnorm(\(width))", .rmsNorm(width, epsilon: try call.get("eps")))
        }
    }

    private func addShapeLayers(to nn: Namespace) {
        nn.function(
            "activation", "A function of each element.",
            parameters: [Parameter("name", .choice(Activation.allCases.map(\.rawValue)), "Which.")], results: Self.layer
        ) { call in
            let activation: Activation = try call.choice("name")
            return LayerObject("activation(\"\(activation.rawValue)\")", .activation(activation))
        }
        nn.function("flatten", "The sample as one vector.", results: Self.layer) { _ in
            LayerObject("flatten()", .flatten)
        }
        nn.function(
            "reshape", "The sample in another shape of as many elements.",
            parameters: [Parameter("shape", .shape, "Its extents.")], results: Self.layer
        ) { call in
            let shape = try call.shape("shape") ?? []
            return LayerObject("reshape(\(shape))", .reshape(shape))
        }
        nn.function("sequence_mean", "The mean over the places of a sequence: [T, d] gives [d].", results: Self.layer) {
            _ in LayerObject("sequence_mean()", .sequenceMean)
        }
    }
}

/// The options of a layer with a weight and perhaps a bias.
private func weights(
    _ call: borrowing LuaCall
) throws -> (bias: Bool, weight: InitializationRule, biasRule: InitializationRule) {
    (
        try call.get("bias"), try InitializerObject.rule(call.value("init")) ?? .pyTorch,
        try InitializerObject.rule(call.value("bias_init")) ?? .pyTorch
    )
}
