import Graph
import LuaBridge
import Networks

/// Functions of one sample that networks are written with: convolution, pooling, normalisation, attention.
extension ScriptHost {
    func addNetworkFunctions(to eoss: Namespace) {
        addConvolutions(to: eoss)
        addPooling(to: eoss)
        addNormalization(to: eoss)
        eoss.function(
            "attention", "softmax(q·kᵀ/√d)·v for q […, T, d], k […, S, d] and v […, S, e]: […, T, e].",
            parameters: [
                Parameter("q", .object("tensor"), "Queries."), Parameter("k", .object("tensor"), "Keys."),
                Parameter("v", .object("tensor"), "Values."),
            ],
            options: [Parameter("causal", .boolean, default: false, "Whether a place sees none behind it.")],
            results: Self.tensor
        ) { call in
            let (q, k, v): (TensorObject, TensorObject, TensorObject) = (
                try call.get("q"), try call.get("k"), try call.get("v")
            )
            let causal: Bool = try call.get("causal")
            return try TensorObject.combined([q, k, v], "eoss.attention") { parts in
                let count = parts[0].shape.dropLast().last ?? 0
                if causal, parts[1].shape.dropLast().last != count {
                    throw ArgumentError("eoss.attention: causal attention needs as many keys as queries")
                }
                let mask = causal ? try Symbolic.causalMask(count, in: parts[0].builder) : nil
                return try parts[0].attention(keys: parts[1], values: parts[2], mask: mask)
            }
        }
    }

    static let stride = Parameter("stride", .integer(.positive), default: 1, "The step from window to window.")
    static let dilation = Parameter("dilation", .integer(.positive), default: 1, "The step within a window.")
    static let groups = Parameter(
        "groups", .integer(.positive), default: 1, "Groups of channels, each with its own weights.")
    static let convolutionPadding = Parameter(
        "padding", .integer(.nonNegative).or(.choice("same", "valid")), default: 0,
        "Zeros at both ends of each axis; 'same' keeps the extents at stride 1.")

    private func addConvolutions(to eoss: Namespace) {
        let weight = Parameter("weight", .object("tensor"), "The weights, [outputs, channels/groups, k…].")
        let bias = Parameter.optional("bias", .object("tensor"), "One number for each output channel.")
        for axes in 1...2 {
            let shapes = axes == 1 ? "[C, W]" : "[C, H, W]"
            eoss.function(
                "conv\(axes)d", "Cross-correlation of one sample \(shapes) with weights, as in PyTorch.",
                parameters: [Self.x, weight],
                options: [Self.stride, Self.convolutionPadding, Self.dilation, Self.groups, bias], results: Self.tensor
            ) { call in
                let (stride, dilation, groups): (Int, Int, Int) = (
                    try call.get("stride"), try call.get("dilation"), try call.get("groups")
                )
                let padding = try paddingOption(call)
                let y = try call.get("x", as: TensorObject.self).combined(call.get("weight")) { x, weight in
                    axes == 1
                        ? try x.conv1d(weight, stride: stride, padding: padding, dilation: dilation, groups: groups)
                        : try x.conv2d(weight, stride: stride, padding: padding, dilation: dilation, groups: groups)
                }
                return try adding(call, y)
            }
        }
        eoss.function(
            "conv_transpose2d",
            "The transpose of conv2d, as in PyTorch: [C, H, W] and weights [C, outputs/groups, kh, kw].",
            parameters: [Self.x, weight],
            options: [
                Self.stride,
                Parameter("padding", .integer(.nonNegative), default: 0, "Taken off at both ends of each axis."),
                Parameter("output_padding", .integer(.nonNegative), default: 0, "Put on again at the end."),
                Self.dilation, Self.groups, bias,
            ], results: Self.tensor
        ) { call in
            let (stride, padding, outputPadding): (Int, Int, Int) = (
                try call.get("stride"), try call.get("padding"), try call.get("output_padding")
            )
            let (dilation, groups): (Int, Int) = (try call.get("dilation"), try call.get("groups"))
            let y = try call.get("x", as: TensorObject.self).combined(call.get("weight")) {
                try $0.convTranspose2d(
                    $1, stride: stride, padding: padding, outputPadding: outputPadding, dilation: dilation,
                    groups: groups)
            }
            return try adding(call, y)
        }
    }

    static let poolingOptions: [Parameter] = [
        .optional("stride", .integer(.positive), "The step from window to window; the window's extent by default."),
        Parameter("padding", .integer(.nonNegative), default: 0, "Places added at both ends of each axis."),
    ]

    private func addPooling(to eoss: Namespace) {
        let window = Parameter("window", .integer(.positive), "The extent of the square windows.")
        eoss.function(
            "max_pool2d", "The largest element of each window of [C, H, W].", parameters: [Self.x, window],
            options: Self.poolingOptions, results: Self.tensor
        ) { call in
            let (window, padding): (Int, Int) = (try call.get("window"), try call.get("padding"))
            let stride: Int? = try call.get("stride")
            return try call.get("x", as: TensorObject.self).map {
                try $0.maxPool2d(window, stride: stride, padding: padding)
            }
        }
        eoss.function(
            "avg_pool2d", "The mean of each window of [C, H, W], padding counted as zeros.",
            parameters: [Self.x, window], options: Self.poolingOptions, results: Self.tensor
        ) { call in
            let (window, padding): (Int, Int) = (try call.get("window"), try call.get("padding"))
            let stride: Int? = try call.get("stride")
            return try call.get("x", as: TensorObject.self).map {
                try $0.averagePool2d(window, stride: stride, padding: padding)
            }
        }
        eoss.function(
            "global_avg_pool", "The mean over all places of each channel: [C, …] gives [C].", parameters: [Self.x],
            results: Self.tensor
        ) { call in try call.get("x", as: TensorObject.self).map { try $0.globalAverage() } }
    }

    private func addNormalization(to eoss: Namespace) {
        let epsilon = Parameter("eps", .number(.nonNegative), default: 1e-5, "Added to the variance.")
        eoss.function(
            "layer_norm", "(x − mean)/√(variance + eps) over the last axes; scale and shift are the caller's.",
            parameters: [Self.x],
            options: [Parameter("axes", .integer(.positive), default: 1, "How many of the last axes."), epsilon],
            results: Self.tensor
        ) { call in
            let (axes, epsilon): (Int, Double) = (try call.get("axes"), try call.get("eps"))
            return try call.get("x", as: TensorObject.self).map { try $0.normalized(last: axes, epsilon: epsilon) }
        }
        eoss.function(
            "group_norm", "Normalised within each of so many groups of the channels of [C, …].",
            parameters: [Self.x, Parameter("groups", .integer(.positive), "How many groups.")], options: [epsilon],
            results: Self.tensor
        ) { call in
            let (groups, epsilon): (Int, Double) = (try call.get("groups"), try call.get("eps"))
            return try call.get("x", as: TensorObject.self).map {
                try $0.groupNormalized(groups: groups, epsilon: epsilon)
            }
        }
        eoss.function(
            "rms_norm", "x/√(mean x² + eps) over the last axis.", parameters: [Self.x], options: [epsilon],
            results: Self.tensor
        ) { call in
            let epsilon: Double = try call.get("eps")
            return try call.get("x", as: TensorObject.self).map { try $0.rootMeanSquareNormalized(epsilon: epsilon) }
        }
        eoss.function(
            "batch_norm",
            "Normalised by mean and variance over the batch and all places of each channel of [C, …]; scale and shift are the caller's.",
            parameters: [Self.x], options: [epsilon], results: Self.tensor
        ) { call in
            let epsilon: Double = try call.get("eps")
            return try call.get("x", as: TensorObject.self).map { try $0.batchNormalized(epsilon: epsilon) }
        }
    }
}

/// The option `padding` of a convolution.
func paddingOption(_ call: borrowing LuaCall) throws -> ConvolutionPadding {
    switch try call.value("padding") {
    case .string("same"): .same
    case .string: 0
    case let other: .zeros(Int.read(other) ?? 0)
    }
}

/// The option `bias` of a convolution, added to its result.
private func adding(_ call: borrowing LuaCall, _ y: TensorObject) throws -> TensorObject {
    guard let bias: TensorObject = try call.get("bias", as: TensorObject?.self) else { return y }
    return try y.combined(bias) { y, bias in
        guard bias.shape == [y.shape[0]] else {
            throw ArgumentError("'bias' has shape \(bias.shape), the convolution gives \(y.shape[0]) channels")
        }
        return try y + bias.reshaped(to: bias.shape + y.shape.dropFirst().map { _ in 1 })
    }
}

extension Symbolic {
    /// (x − mean)/√(variance + ε), both over the batch and all places of each channel `[C, …]`.
    fileprivate func batchNormalized(epsilon: Double) throws -> Symbolic {
        guard let channels = shape.first else { throw ArgumentError("eoss.batch_norm of a scalar") }
        let places = Array(1..<shape.count)
        let kept = [channels] + places.map { _ in 1 }
        let difference = try self - mean(places).batchMean().reshaped(to: kept)
        let variance = try (difference * difference).mean(places).batchMean().reshaped(to: kept)
        return try difference / (variance + epsilon).sqrt()
    }
}
