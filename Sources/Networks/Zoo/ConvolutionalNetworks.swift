import Graph

extension Model {
    /// The EoSS convolutional network: conv 3×3 valid 64, activation, conv 64, activation, max-pool 2, conv 128, activation,
    /// max-pool 2, linear `hidden`, activation, linear. Parameters `convs.0.weight`, `convs.2`, `convs.5`, `fcs.0`, `fcs.2`.
    ///
    /// Initialisation of the EoSS code: Kaiming normal (fan-in), or Xavier normal with gain 5/3 for tanh, × `initScale`; zero
    /// biases.
    public static func cnn(
        inputShape: [Int] = [3, 32, 32], channels: [Int] = [64, 64, 128], hidden: Int = 512, outputs: Int = 10,
        activation: Activation = .relu, initScale: Double = 0.2, seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        guard channels.count == 3 else {
            throw GraphError("cnn: three numbers of channels are needed, not \(channels)")
        }
        let rule = InitializationRule.eoss(activation, scale: initScale)
        func conv(_ channels: Int) -> Layer { .conv2d(nil, channels, kernel: 3, weight: rule, biasInit: .zeros) }
        func linear(_ outputs: Int) -> Layer { .linear(nil, outputs, weight: rule, biasInit: .zeros) }
        let act = Layer.activation(activation)
        let convs = Layer.sequential(
            conv(channels[0]), act, conv(channels[1]), act, .maxPool2d(2), conv(channels[2]), act, .maxPool2d(2))
        let fcs = Layer.sequential(linear(hidden), act, linear(outputs))
        let layer = Layer { x, scope in try fcs(convs(x, in: scope["convs"]).flattened(), in: scope["fcs"]) }
        return try Model(
            name: "cnn " + (channels + [hidden]).map(String.init).joined(separator: "-"), layer: layer,
            inputShape: inputShape, seed: seed, element: element)
    }

    /// How a network pools windows of 2×2.
    public enum PoolingKind: String, Sendable, CaseIterable, Codable {
        case max, average
        var layer: Layer { self == .max ? .maxPool2d(2) : .averagePool2d(2) }
    }

    /// Cohen's convolutional network: `nn.Sequential` of conv 3×3 same, activation, (batch norm,) 2×2 pooling for each width,
    /// then flatten and linear; PyTorch's initialisation. Parameters `0.weight`, `3.weight`, `7.weight` (with batch norm `0`,
    /// `2`, `4`, `6`, `9`).
    public static func convnet(
        inputShape: [Int] = [3, 32, 32], channels: [Int] = [32, 32], outputs: Int = 10, activation: Activation = .relu,
        pooling: PoolingKind = .max, batchNorm: Bool = false, bias: Bool = true, seed: UInt64,
        element: ElementType = .f32
    ) throws -> Model {
        var layers: [Layer] = []
        for count in channels {
            layers += [.conv2d(nil, count, kernel: 3, padding: 1, bias: bias), .activation(activation)]
            if batchNorm { layers.append(.batchNorm(count)) }
            layers.append(pooling.layer)
        }
        layers += [.flatten, .linear(nil, outputs)]
        return try Model(
            name: "convnet " + channels.map(String.init).joined(separator: "-"), layer: .sequential(layers),
            inputShape: inputShape, seed: seed, element: element)
    }

    /// The CNN of the central-flows code: twice conv 3×3 same without bias, activation, average-pool 2 (`width`, then
    /// 2·`width` channels), then flatten, linear 4·`width` without bias, activation, linear; PyTorch's initialisation.
    /// Parameters `0.weight`, `3.weight`, `7.weight`, `9.weight`, `9.bias`.
    public static func centralFlowsCNN(
        inputShape: [Int] = [3, 32, 32], width: Int = 32, outputs: Int = 10, activation: Activation = .gelu,
        seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        try checkExtents("central-flows cnn", ["width": width, "outputs": outputs])
        func block(_ channels: Int) -> [Layer] {
            [
                .conv2d(nil, channels, kernel: 3, padding: .same, bias: false), .activation(activation),
                .averagePool2d(2),
            ]
        }
        let head: [Layer] = [
            .flatten, .linear(nil, 4 * width, bias: false), .activation(activation), .linear(nil, outputs),
        ]
        return try Model(
            name: "central-flows cnn \(width)", layer: .sequential(block(width) + block(2 * width) + head),
            inputShape: inputShape, seed: seed, element: element)
    }

    /// VGG-11 for 32×32 images, without dropout: convolutions 3×3 with padding 1 of 64, 128, 256, 256, 512, 512, 512, 512
    /// channels, each followed by (batch norm and) an activation; pooling after the 1st, 2nd, 4th, 6th and 8th; then linear
    /// 512, 512 and `outputs`. Parameters `features.i.weight`, `classifier.i.weight`.
    ///
    /// Initialisation of Cohen et al. 2021: convolutions N(0, 2/(9·channels out)) with zero bias, linear layers PyTorch's.
    /// - Parameter width: channels of the first convolution; all others and the hidden linear layers scale with it.
    public static func vgg11(
        inputShape: [Int] = [3, 32, 32], width: Int = 64, outputs: Int = 10, batchNorm: Bool = false,
        activation: Activation = .relu, pooling: PoolingKind = .max, seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        try checkExtents("vgg11", ["width": width, "outputs": outputs])
        var features: [Layer] = []
        for stage in [[1], [2], [4, 4], [8, 8], [8, 8]] {
            for factor in stage {
                features.append(
                    .conv2d(
                        nil, factor * width, kernel: 3, padding: 1, weight: .kaimingNormal(.fanOut), biasInit: .zeros))
                if batchNorm { features.append(.batchNorm(factor * width)) }
                features.append(.activation(activation))
            }
            features.append(pooling.layer)
        }
        let act = Layer.activation(activation)
        let body = Layer.sequential(features)
        let classifier = Layer.sequential(
            .linear(nil, 8 * width), act, .linear(nil, 8 * width), act, .linear(nil, outputs))
        let layer = Layer { x, scope in
            try classifier(body(x, in: scope["features"]).flattened(), in: scope["classifier"])
        }
        return try Model(
            name: "vgg11\(batchNorm ? " bn" : "")", layer: layer, inputShape: inputShape, seed: seed, element: element)
    }
}
