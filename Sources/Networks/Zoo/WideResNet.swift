import Graph

extension Model {
    /// The wide residual network of the EoSS code (Zagoruyko & Komodakis 2016): 6n + 4 layers, pre-activation blocks of
    /// (1, 2, 4) × `base` × `widen` channels, shortcuts conv 1×1.
    ///
    /// With batch norm: convolutions Kaiming normal (fan-out) × `initScale`, the second batch norm of each block zero, `fc`
    /// Kaiming uniform × `initScale` with zero bias. Parameters `stem.weight`, `group1.0.bn1.weight`, …, `bn.weight`,
    /// `fc.weight`.
    ///
    /// Without: Fixup (Zhang, Dauphin & Ma 2019): biases before and after each convolution and a scale in each block;
    /// convolutions Kaiming normal (fan-in), the first of a block × 1/√(number of blocks), the second zero, `fc` zero.
    /// Parameters `bias`, `stem.weight`, `group1.0.bias1a` `[1, C, 1, 1]`, …; `initScale` has no part in it.
    public static func wideResnet(
        inputShape: [Int] = [3, 32, 32], depth: Int = 10, widen: Int = 2, base: Int = 16, outputs: Int = 10,
        batchNorm: Bool = true, activation: Activation = .relu, initScale: Double = 0.2, seed: UInt64,
        element: ElementType = .f32
    ) throws -> Model {
        guard depth >= 10, (depth - 4) % 6 == 0 else {
            throw GraphError("wide resnet: a depth of \(depth); it is 6n + 4 with n ≥ 1: 10, 16, 22, …")
        }
        try checkExtents("wide resnet", ["depth": depth, "widen": widen, "base": base])
        let blocks = (depth - 4) / 6
        let parts = WideBlocks(activation: activation, count: 3 * blocks, scale: initScale)
        let groups = try ThreeStages(blocks: blocks, width: base * widen, inputShape) { channels, stride in
            batchNorm ? parts.block(channels, stride) : parts.fixupBlock(channels, stride)
        }
        let layer = Layer(order: ["bias", "stem", "group1", "group2", "group3", "bn", "fc"]) { x, scope in
            let stem = parts.conv(base, kernel: 3, batchNorm ? parts.normed : .kaimingNormal())
            var x = try groups(stem(x, in: scope["stem"]), "group", in: scope)
            x = batchNorm ? try Layer.batchNorm()(x, in: scope["bn"]) : try parts.shifted(x, by: "bias", scope)
            let weight: InitializationRule = batchNorm ? .kaimingUniform(scale: initScale) : .zeros
            let head = Layer.linear(nil, outputs, weight: weight, biasInit: .zeros)
            return try head(activation(x).globalAverage(), in: scope["fc"])
        }
        return try Model(
            name: "wide resnet \(depth)-\(widen)\(batchNorm ? "" : " fixup")", layer: layer, inputShape: inputShape,
            seed: seed, element: element)
    }
}

/// The blocks of a wide residual network.
private struct WideBlocks {
    let activation: Activation
    /// Blocks in the whole network.
    let count: Int
    let scale: Double

    var normed: InitializationRule { .kaimingNormal(.fanOut, scale: scale) }

    func conv(_ channels: Int, kernel: Int, stride: Int = 1, _ weight: InitializationRule) -> Layer {
        .conv2d(
            nil, channels, kernel: kernel, stride: stride, padding: .zeros(kernel / 2), bias: false, weight: weight)
    }

    func block(_ channels: Int, _ stride: Int) -> Layer {
        Layer { x, scope in
            var y = try activation(Layer.batchNorm()(x, in: scope["bn1"]))
            y = try conv(channels, kernel: 3, stride: stride, normed)(y, in: scope["conv1"])
            y = try activation(Layer.batchNorm(weight: .zeros)(y, in: scope["bn2"]))
            y = try conv(channels, kernel: 3, normed)(y, in: scope["conv2"])
            return try y + shortcut(x, channels, stride, normed, scope)
        }
    }

    func fixupBlock(_ channels: Int, _ stride: Int) -> Layer {
        Layer(order: ["bias1a", "bias1b", "bias2a", "bias2b", "scale", "conv1", "conv2", "shortcut"]) { x, scope in
            let first = InitializationRule.kaimingNormal(scale: 1 / Double(count).squareRoot())
            var y = try activation(shifted(x, by: "bias1a", scope))
            y = try shifted(
                conv(channels, kernel: 3, stride: stride, first)(y, in: scope["conv1"]), by: "bias1b", scope)
            y = try activation(shifted(y, by: "bias2a", scope))
            y = try conv(channels, kernel: 3, .zeros)(y, in: scope["conv2"])
            y = try shifted(y * perChannel("scale", y, .constant(1), scope), by: "bias2b", scope)
            return try y + shortcut(x, channels, stride, .kaimingNormal(), scope)
        }
    }

    func shifted(_ x: Symbolic, by name: String, _ scope: LayerScope) throws -> Symbolic {
        try x + perChannel(name, x, .zeros, scope)
    }

    /// A number for each channel of x, of the shape that the reference gives it.
    private func perChannel(
        _ name: String, _ x: Symbolic, _ initializer: Initializer, _ scope: LayerScope
    ) throws -> Symbolic {
        try scope.parameter(name, [1, x.shape[0], 1, 1], initializer).reshaped(to: [x.shape[0], 1, 1])
    }

    private func shortcut(
        _ x: Symbolic, _ channels: Int, _ stride: Int, _ weight: InitializationRule, _ scope: LayerScope
    ) throws -> Symbolic {
        stride == 1 && x.shape[0] == channels
            ? x : try conv(channels, kernel: 1, stride: stride, weight)(x, in: scope["shortcut"])
    }
}
