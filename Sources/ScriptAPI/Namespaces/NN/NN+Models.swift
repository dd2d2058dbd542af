import LuaBridge
import Networks

/// `eoss.nn`: networks of vectors and of images. What is said of a network here is said at length in `Networks/Zoo`.
extension ScriptHost {
    static let model = [Parameter("model", .object("model"), "The network.")]
    static let initScale = Parameter(
        "init_scale", .number(.nonNegative), default: 0.2, "Multiplies the initial weights; 0.2 in the EoSS code.")
    static let images = Parameter(
        "inputs", .shape, default: [3, 32, 32], "The shape of one sample: channels, rows, columns.")
    /// Each layer is traced by itself: a slip of many zeros would take hours.
    static let depth = LuaType.integer(.between(1, 1000))
    static let classes = Parameter("outputs", .integer(.positive), default: 10, "The number of outputs.")
    private static let anyInputs = Parameter("inputs", .shape, "The number of inputs, or the shape of one sample.")
    private static let batchnorm = Parameter("batchnorm", .boolean, default: false, "Whether it has batch norm.")
    private static let pooling = Parameter(
        "pooling", .choice(Model.PoolingKind.allCases.map(\.rawValue)), default: "max", "Of windows of 2×2.")

    static func activation(_ name: String) -> Parameter {
        Parameter(
            "activation", .choice(Activation.allCases.map(\.rawValue)), default: .string(name),
            "What stands between the layers.")
    }

    func addPerceptrons(to nn: Namespace) {
        let hidden = Parameter(
            "hidden", .list(of: .integer(.positive)), default: [], "The widths of the hidden layers.")
        let outputs = Parameter("outputs", .integer(.positive), "The number of outputs.")
        let bias = Parameter("bias", .boolean, default: true, "Whether layers have biases.")
        nn.function(
            "mlp", "A fully connected network; initialisation of the EoSS code. Parameters: layers.0.weight, ….",
            options: [
                Self.anyInputs, hidden, outputs, Self.activation("relu"),
                Self.initScale, bias, .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .multilayerPerceptron(
                    inputShape: call.shape("inputs") ?? [], hidden: call.get("hidden"), outputs: call.get("outputs"),
                    activation: call.choice("activation"), initScale: call.get("init_scale"), bias: call.get("bias"),
                    seed: call.seed(), element: call.element()))
        }
        nn.function(
            "fc", "Cohen's fully connected network; PyTorch's initialisation. Parameters: 1.weight, 3.weight, ….",
            options: [
                Self.anyInputs,
                Parameter(
                    "hidden", .list(of: .integer(.positive)), default: [200, 200], "The widths of the hidden layers."),
                outputs, Self.activation("tanh"), bias, Self.batchnorm, .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .fullyConnected(
                    inputShape: call.shape("inputs") ?? [], hidden: call.get("hidden"), outputs: call.get("outputs"),
                    activation: call.choice("activation"), bias: call.get("bias"), batchNorm: call.get("batchnorm"),
                    seed: call.seed(), element: call.element()))
        }
        nn.function(
            "deep_linear", "A product of square matrices, Xavier normal (Cohen et al. 2021). Parameters: 0.weight, ….",
            options: [
                Parameter("width", .integer(.positive), default: 50, "Of every layer."),
                Parameter("layers", Self.depth, default: 20, "How many."), .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .deepLinear(
                    width: call.get("width"), layers: call.get("layers"), seed: call.seed(), element: call.element()))
        }
        nn.function(
            "chebyshev_net",
            "Cohen's network for Chebyshev polynomials, 1-hidden-1. Parameters: 0.weight, 0.bias, 2.weight.",
            options: [
                Parameter("hidden", .integer(.positive), default: 100, "The width."), Self.activation("tanh"),
                Parameter("gain", .number(.nonNegative), default: 1.9, "Of the first layer's Xavier normal weights."),
                .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .chebyshevNetwork(
                    hidden: call.get("hidden"), activation: call.choice("activation"), inputGain: call.get("gain"),
                    seed: call.seed(), element: call.element()))
        }
        nn.function(
            "autoencoder",
            "A single neuron, φ(w·x)w, or φ(w·x)v where it is not tied (Ghosh et al. 2023). Parameters: w, v.",
            options: [
                Parameter("inputs", .integer(.positive), "The dimension."), Self.activation("identity"),
                Parameter("tied", .boolean, default: true, "Whether v is w."),
                Parameter("std", .number(.nonNegative), default: 0.01, "The deviation of the initial weights."), .seed,
                .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .autoencoder(
                    inputs: call.get("inputs"), activation: call.choice("activation"), isTied: call.get("tied"),
                    std: call.get("std"), seed: call.seed(), element: call.element()))
        }
    }

    func addConvolutionalModels(to nn: Namespace) {
        nn.function(
            "cnn",
            "The EoSS convolutional network and its initialisation. Parameters: convs.0.weight, …, fcs.0.weight, ….",
            options: [
                Self.images,
                Parameter(
                    "channels", .list(of: .integer(.positive), count: 3), default: [64, 64, 128], "Of the convolutions."
                ),
                Parameter("hidden", .integer(.positive), default: 512, "The width of the linear layer."), Self.classes,
                Self.activation("relu"),
                Self.initScale, .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .cnn(
                    inputShape: call.shape("inputs") ?? [], channels: call.get("channels"), hidden: call.get("hidden"),
                    outputs: call.get("outputs"), activation: call.choice("activation"),
                    initScale: call.get("init_scale"), seed: call.seed(), element: call.element()))
        }
        nn.function(
            "convnet",
            "Cohen's convolutional network: 3×3 convolutions with 2×2 pooling; PyTorch's initialisation. Parameters: 0.weight, 3.weight, ….",
            options: [
                Self.images,
                Parameter("channels", .list(of: .integer(.positive)), default: [32, 32], "Of the convolutions."),
                Self.classes, Self.activation("relu"), Self.pooling, Self.batchnorm,
                Parameter("bias", .boolean, default: true, "Whether convolutions have biases."), .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .convnet(
                    inputShape: call.shape("inputs") ?? [], channels: call.get("channels"),
                    outputs: call.get("outputs"),
                    activation: call.choice("activation"), pooling: call.choice("pooling"),
                    batchNorm: call.get("batchnorm"), bias: call.get("bias"), seed: call.seed(), element: call.element()
                ))
        }
        nn.function(
            "cnn_central_flows",
            "The CNN of the central-flows code: average pooling, no biases but the last. Parameters: 0.weight, 3.weight, 7.weight, ….",
            options: [
                Self.images, Parameter("width", .integer(.positive), default: 32, "Channels of the first convolution."),
                Self.classes, Self.activation("gelu"), .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .centralFlowsCNN(
                    inputShape: call.shape("inputs") ?? [], width: call.get("width"), outputs: call.get("outputs"),
                    activation: call.choice("activation"), seed: call.seed(), element: call.element()))
        }
        nn.function(
            "vgg11",
            "VGG-11 without dropout; Cohen's initialisation. Parameters: features.0.weight, …, classifier.0.weight, ….",
            options: [
                Self.images, Parameter("width", .integer(.positive), default: 64, "Channels of the first convolution."),
                Self.classes, Self.activation("relu"), Self.pooling, Self.batchnorm, .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .vgg11(
                    inputShape: call.shape("inputs") ?? [], width: call.get("width"), outputs: call.get("outputs"),
                    batchNorm: call.get("batchnorm"), activation: call.choice("activation"),
                    pooling: call.choice("pooling"), seed: call.seed(), element: call.element()))
        }
        addResidualModels(to: nn)
    }

    private func addResidualModels(to nn: Namespace) {
        nn.function(
            "resnet",
            "A residual network for small images, 6n + 2 layers: of the EoSS code (14, 20), of Cohen's (32, with batch norm) or of the central-flows code (with group norm).",
            options: [
                Self.images,
                Parameter("depth", .integer(.between(8, 602)), default: 20, "The number of layers, 6n + 2."),
                Parameter(
                    "variant", .choice("eoss", "cohen", "central_flows"), default: "eoss",
                    "Whose: it decides names, norms, shortcuts and initialisation."),
                Parameter("width", .integer(.positive), default: 16, "Channels of the first stage."), Self.classes,
                .optional(
                    "batchnorm", .boolean,
                    "Whether it has batch norm; of the variant 'eoss' alone, where it is false by default."),
                .optional(
                    "activation", .choice(Activation.allCases.map(\.rawValue)),
                    "relu by default, gelu in the variant 'central_flows'."),
                .optional(
                    "init_scale", .number(.nonNegative),
                    "Multiplies the initial weights; of the variant 'eoss' alone, where it is 0.2 by default."),
                .seed, .dtype,
            ], results: Self.model
        ) { call in
            let (depth, variant): (Int, String) = (try call.get("depth"), try call.get("variant"))
            guard depth % 6 == 2 else {
                throw ArgumentError("eoss.nn.resnet: depth = \(depth) is not 6n + 2: take 14, 20, 32, 44, 56, …")
            }
            let (blocks, shape) = (depth / 6, try call.shape("inputs") ?? [])
            let (width, outputs): (Int, Int) = (try call.get("width"), try call.get("outputs"))
            let batchNorm: Bool? = try call.get("batchnorm")
            let scale: Double? = try call.get("init_scale")
            let activation = try call.has("activation") ? try call.choice("activation") as Activation : nil
            if variant != "eoss", scale != nil || batchNorm == (variant != "cohen") {
                throw ArgumentError(
                    "eoss.nn.resnet: the variant '\(variant)' has "
                        + (variant == "cohen" ? "batch norm" : "group norm, no batch norm,") + " and no init_scale")
            }
            switch variant {
            case "cohen":
                return ModelObject(
                    try .cohenResnet(
                        inputShape: shape, blocks: blocks, width: width, outputs: outputs,
                        activation: activation ?? .relu, seed: call.seed(), element: call.element()))
            case "central_flows":
                return ModelObject(
                    try .centralFlowsResnet(
                        inputShape: shape, stages: [blocks, blocks, blocks], width: width, outputs: outputs,
                        activation: activation ?? .gelu, seed: call.seed(), element: call.element()))
            default:
                return ModelObject(
                    try .resnet(
                        inputShape: shape, blocks: blocks, width: width, outputs: outputs,
                        batchNorm: batchNorm ?? false, activation: activation ?? .relu, initScale: scale ?? 0.2,
                        seed: call.seed(), element: call.element()))
            }
        }
        nn.function(
            "wide_resnet",
            "The EoSS wide residual network, 6n + 4 layers; without batch norm Fixup (Zhang, Dauphin & Ma 2019). Parameters: stem.weight, group1.0.…, fc.weight.",
            options: [
                Self.images,
                Parameter("depth", .integer(.between(10, 604)), default: 10, "The number of layers, 6n + 4."),
                Parameter("widen", .integer(.positive), default: 2, "Multiplies the channels."),
                Parameter("base", .integer(.positive), default: 16, "Channels of the stem."), Self.classes,
                Parameter("batchnorm", .boolean, default: true, "Whether it has batch norm."), Self.activation("relu"),
                Self.initScale, .seed, .dtype,
            ], results: Self.model
        ) { call in
            let depth: Int = try call.get("depth")
            guard depth % 6 == 4 else {
                throw ArgumentError("eoss.nn.wide_resnet: depth = \(depth) is not 6n + 4: take 10, 16, 22, 28, 40, …")
            }
            return ModelObject(
                try .wideResnet(
                    inputShape: call.shape("inputs") ?? [], depth: depth, widen: call.get("widen"),
                    base: call.get("base"),
                    outputs: call.get("outputs"), batchNorm: call.get("batchnorm"),
                    activation: call.choice("activation"), initScale: call.get("init_scale"), seed: call.seed(),
                    element: call.element()))
        }
    }
}
