import Graph

extension Model {
    /// The residual networks of the EoSS code (6n + 2 layers for CIFAR; He et al. 2016 with shortcut A: every second place,
    /// channels of zeros before and behind). ResNet-14 has `blocks` 2, ResNet-20 3. Parameters `conv1.weight`, (`bn1`,)
    /// `layer1.0.conv1.weight`, …, `linear.weight`, `linear.bias`.
    ///
    /// Initialisation of the EoSS code: convolutions Kaiming normal (fan-out) × `initScale`; the linear layer likewise, its
    /// gain √2 without batch norm and 1 with; zero bias; batch norm 1 and 0.
    /// - Parameter width: channels of the first of the three stages; the others have twice and four times as many.
    public static func resnet(
        inputShape: [Int] = [3, 32, 32], blocks: Int = 3, width: Int = 16, outputs: Int = 10, batchNorm: Bool = false,
        activation: Activation = .relu, initScale: Double = 0.2, seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        let norm = batchNorm ? Layer.batchNorm() : .identity
        func conv(_ channels: Int, _ stride: Int = 1) -> Layer {
            .conv2d(
                nil, channels, kernel: 3, stride: stride, padding: 1, bias: false,
                weight: .kaimingNormal(.fanOut, scale: initScale))
        }
        let stages = try ThreeStages(blocks: blocks, width: width, inputShape) { channels, stride in
            Layer { x, scope in
                var y = try activation(norm(conv(channels, stride)(x, in: scope["conv1"]), in: scope["bn1"]))
                y = try norm(conv(channels)(y, in: scope["conv2"]), in: scope["bn2"])
                return try activation(y + x.paddedShortcut(channels: channels, stride: stride))
            }
        }
        let head = Layer.linear(
            nil, outputs, weight: .kaimingNormal(.fanOut, gain: batchNorm ? 1 : 2.0.squareRoot(), scale: initScale),
            biasInit: .zeros)
        let layer = Layer { x, scope in
            let stem = try activation(norm(conv(width)(x, in: scope["conv1"]), in: scope["bn1"]))
            return try head(stages(stem, "layer", in: scope).globalAverage(), in: scope["linear"])
        }
        return try Model(
            name: "resnet\(6 * blocks + 2)\(batchNorm ? " bn" : "")", layer: layer, inputShape: inputShape, seed: seed,
            element: element)
    }

    /// Cohen's residual network with batch norm (ResNet-32: `blocks` 5). As `resnet`, but the shortcut where the extents halve is
    /// every second place, then batch norm, then as many channels of zeros behind; the last linear layer is `fc`. Parameters
    /// `conv1.weight`, `bn1.weight`, …, `layer2.0.downsample.1.weight`, …, `fc.weight`.
    ///
    /// Convolutions Kaiming normal (fan-out), the second batch norm of each block zero, `fc` PyTorch's.
    public static func cohenResnet(
        inputShape: [Int] = [3, 32, 32], blocks: Int = 5, width: Int = 16, outputs: Int = 10,
        activation: Activation = .relu, seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        let norm = Layer.batchNorm()
        func conv(_ channels: Int, _ stride: Int = 1) -> Layer {
            .conv2d(
                nil, channels, kernel: 3, stride: stride, padding: 1, bias: false, weight: .kaimingNormal(.fanOut))
        }
        let stages = try ThreeStages(blocks: blocks, width: width, inputShape) { channels, stride in
            Layer { x, scope in
                var y = try activation(norm(conv(channels, stride)(x, in: scope["conv1"]), in: scope["bn1"]))
                y = try Layer.batchNorm(weight: .zeros)(conv(channels)(y, in: scope["conv2"]), in: scope["bn2"])
                if stride == 1 { return try activation(y + x) }
                let straight = try norm(x.averagePool2d(1, stride: stride), in: scope["downsample"][1])
                return try activation(y + straight.padded(low: [0, 0, 0], high: [channels - x.shape[0], 0, 0]))
            }
        }
        let layer = Layer { x, scope in
            let stem = try activation(norm(conv(width)(x, in: scope["conv1"]), in: scope["bn1"]))
            return try Layer.linear(nil, outputs)(stages(stem, "layer", in: scope).globalAverage(), in: scope["fc"])
        }
        return try Model(
            name: "cohen resnet\(6 * blocks + 2)", layer: layer, inputShape: inputShape, seed: seed, element: element)
    }

    /// The residual network of the central-flows code, with group norm (`width` groups, unbiased variance, ε = 10⁻⁶): blocks
    /// shortcut(x) + s·norm(conv(activation(norm(conv x)))), s = 1/√(number of blocks), shortcuts conv 3×3 and norm where the
    /// extents halve; average-pool 4, linear. Parameters `in_proj.0.weight`, `stages.0.0.conv1.weight`, …, `out_proj.weight`.
    ///
    /// Convolutions Kaiming normal (fan-out), the second norm of each block zero, the output layer zero.
    public static func centralFlowsResnet(
        inputShape: [Int] = [3, 32, 32], stages: [Int] = [3, 3, 3], width: Int = 16, outputs: Int = 10,
        activation: Activation = .gelu, seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        try checkExtents("central-flows resnet", ["width": width, "the number of stages": stages.count])
        for count in stages { try checkExtents("central-flows resnet", ["the blocks of a stage": count]) }
        guard stages.count <= 16 else { throw GraphError("central-flows resnet: \(stages.count) stages, at most 16") }
        let scale = 1 / Double(stages.reduce(0, +)).squareRoot()
        func conv(_ channels: Int, _ stride: Int = 1) -> Layer {
            .conv2d(
                nil, channels, kernel: 3, stride: stride, padding: 1, bias: false, weight: .kaimingNormal(.fanOut))
        }
        func norm(_ weight: InitializationRule = .ones) -> Layer {
            .groupNorm(width, epsilon: 1e-6, unbiased: true, weight: weight)
        }
        func block(_ channels: Int, _ stride: Int) -> Layer {
            let shortcut = stride == 1 ? Layer.identity : .sequential(conv(channels, stride), norm())
            return Layer { x, scope in
                var y = try activation(norm()(conv(channels, stride)(x, in: scope["conv1"]), in: scope["bn1"]))
                y = try norm(.zeros)(conv(channels)(y, in: scope["conv2"]), in: scope["bn2"])
                return try shortcut(x, in: scope["shortcut"]) + scale * y
            }
        }
        let layer = Layer { x, scope in
            var x = try activation(conv(width)(x, in: scope["in_proj"][0]))
            for (stage, count) in stages.enumerated() {
                for index in 0..<count {
                    let part = block(width << stage, stage > 0 && index == 0 ? 2 : 1)
                    x = try part(x, in: scope["stages"][stage][index])
                }
            }
            let pooled = try Layer.averagePool2d(4)(x, in: scope["pool"]).flattened()
            return try Layer.linear(nil, outputs, weight: .zeros, biasInit: .zeros)(pooled, in: scope["out_proj"])
        }
        return try Model(
            name: "central-flows resnet", layer: layer, inputShape: inputShape, seed: seed, element: element)
    }
}

/// The three stages of a residual network for small images: so many blocks each; the second and the third double the channels
/// and halve the extents in their first block.
struct ThreeStages {
    private let blocks: Int
    private let width: Int
    private let block: (_ channels: Int, _ stride: Int) -> Layer

    init(
        blocks: Int, width: Int, _ inputShape: [Int], block: @escaping (_ channels: Int, _ stride: Int) -> Layer
    ) throws(GraphError) {
        try checkExtents("residual network", ["width": width, "the blocks of a stage": blocks])
        guard inputShape.count == 3 else {
            throw GraphError("a residual network takes images [channels, height, width], not \(inputShape)")
        }
        self.blocks = blocks
        self.width = width
        self.block = block
    }

    /// Stage i is the part `prefix` i, from 1; its blocks are numbered from 0.
    func callAsFunction(_ x: Symbolic, _ prefix: String, in scope: LayerScope) throws -> Symbolic {
        var x = x
        for stage in 0..<3 {
            for index in 0..<blocks {
                let part = block(width << stage, stage > 0 && index == 0 ? 2 : 1)
                x = try part(x, in: scope["\(prefix)\(stage + 1)"][index])
            }
        }
        return x
    }
}

extension Symbolic {
    /// Shortcut A as in the EoSS code: every `stride`-th place, and `channels`/4 channels of zeros before and as many behind.
    fileprivate func paddedShortcut(channels: Int, stride: Int) throws -> Symbolic {
        if stride == 1 && shape[0] == channels { return self }
        let missing = channels - shape[0]
        let before = min(channels / 4, missing)
        return try slice(axis: 1, from: 0, to: shape[1], stride: stride)
            .slice(axis: 2, from: 0, to: shape[2], stride: stride)
            .padded(low: [before, 0, 0], high: [missing - before, 0, 0])
    }
}
