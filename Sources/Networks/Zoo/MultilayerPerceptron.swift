import Graph

extension Model {
    /// A fully connected network: linear layers with an activation between them and none after the last. A sample of any
    /// shape is taken as one vector.
    ///
    /// Initialisation of the EoSS code base (arXiv 2412.20553): Kaiming normal (fan-in) × `initScale` for every weight, or
    /// Xavier normal with gain 5/3 × `initScale` for tanh; zero biases. Parameters: `layers.i.weight` `[out, in]`,
    /// `layers.i.bias` `[out]`.
    /// - Throws: `GraphError` for extents below 1, `MemoryError` when the parameters do not fit.
    public static func multilayerPerceptron(
        inputShape: [Int], hidden: [Int], outputs: Int, activation: Activation = .relu, initScale: Double = 0.2,
        bias: Bool = true, seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        let widths = [try TensorType(element, inputShape).elementCount()] + hidden + [outputs]
        if let width = widths.first(where: { $0 < 1 }) {
            throw GraphError("a layer of \(width) units: every width is at least 1")
        }
        let rule = InitializationRule.eoss(activation, scale: initScale)
        let layer = Layer { x, scope in
            var x = try x.flattened()
            for (index, width) in widths.dropFirst().enumerated() {
                x = try Layer.linear(nil, width, bias: bias, weight: rule, biasInit: .zeros)(
                    x, in: scope["layers"][index])
                if index < widths.count - 2 { x = try activation(x) }
            }
            return x
        }
        return try Model(
            name: "mlp " + widths.map(String.init).joined(separator: "-"), layer: layer, inputShape: inputShape,
            seed: seed, element: element)
    }

    /// Cohen's fully connected network: `nn.Sequential` of flatten, then linear, activation (and batch norm) for each width,
    /// then linear; PyTorch's initialisation. Parameters `1.weight`, `1.bias`, `3.weight`, ….
    ///
    /// Cohen et al. 2021: 200-200 with relu, elu, tanh, hardtanh or softplus. The central-flows code: 256-256 with gelu.
    public static func fullyConnected(
        inputShape: [Int], hidden: [Int] = [200, 200], outputs: Int, activation: Activation = .tanh, bias: Bool = true,
        batchNorm: Bool = false, seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        var layers: [Layer] = [.flatten]
        for width in hidden {
            layers += [.linear(nil, width, bias: bias), .activation(activation)]
            if batchNorm { layers.append(.batchNorm(width)) }
        }
        layers.append(.linear(nil, outputs, bias: bias))
        let widths = [try TensorType(element, inputShape).elementCount()] + hidden + [outputs]
        return try Model(
            name: "fc " + widths.map(String.init).joined(separator: "-"), layer: .sequential(layers),
            inputShape: inputShape, seed: seed, element: element)
    }

    /// A product of square matrices: `layers` linear layers of `width` without bias, Xavier normal. Parameters `0.weight`,
    /// `1.weight`, …. Cohen et al. 2021: 20 layers of 50.
    public static func deepLinear(
        width: Int = 50, layers: Int = 20, seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        try checkExtents("deep linear network", ["width": width, "layers": layers])
        let layer = Layer.linear(width, width, bias: false, weight: .xavierNormal())
        return try Model(
            name: "deep linear \(layers)×\(width)", layer: .sequential([Layer](repeating: layer, count: layers)),
            inputShape: [width], seed: seed, element: element)
    }

    /// Cohen's network for Chebyshev polynomials, one input and one output: linear, activation, linear without bias; Xavier
    /// normal with gain `inputGain`, then 1; zero bias. Parameters `0.weight`, `0.bias`, `2.weight`.
    public static func chebyshevNetwork(
        hidden: Int = 100, activation: Activation = .tanh, inputGain: Double = 1.9, seed: UInt64,
        element: ElementType = .f32
    ) throws -> Model {
        try Model(
            name: "chebyshev 1-\(hidden)-1",
            layer: .sequential(
                .linear(1, hidden, weight: .xavierNormal(gain: inputGain), biasInit: .zeros), .activation(activation),
                .linear(hidden, 1, bias: false, weight: .xavierNormal())), inputShape: [1], seed: seed, element: element
        )
    }
}
