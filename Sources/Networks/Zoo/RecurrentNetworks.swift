import Graph

extension Model {
    /// The LSTM of the central-flows code: embedding (N(0, 1)), `layers` LSTM layers, linear; PyTorch's initialisation. Input: tokens
    /// `[length]`, from 0; output: logits `[length, vocabulary]`. Parameters `embed.weight`, `lstm.layers.0.Wih` `[in, 4h]`, `Whh`,
    /// `bih`, `bhh`, …, `linear.weight`, `linear.bias`.
    public static func lstm(
        vocabulary: Int, length: Int, width: Int = 48, hidden: Int = 48, layers: Int = 2, seed: UInt64,
        element: ElementType = .f32
    ) throws -> Model {
        try checkExtents(
            "lstm",
            ["vocabulary": vocabulary, "length": length, "width": width, "hidden": hidden, "layers": layers])
        let layer = Layer { x, scope in
            var x = try Layer.embedding(vocabulary, width)(x, in: scope["embed"])
            for index in 0..<layers { x = try Layer.lstmCell(hidden)(x, in: scope["lstm"]["layers"][index]) }
            return try Layer.linear(nil, vocabulary)(x, in: scope["linear"])
        }
        return try Model(
            name: "lstm \(hidden)×\(layers)", layer: layer, inputShape: [length], inputElement: .i32, seed: seed,
            element: element)
    }

    /// The Mamba network of the central-flows code: embedding, `layers` blocks x + mamba(norm x), norm, linear without bias; norms are
    /// x/√(mean x² + 10⁻⁵) times a weight. Input: tokens `[length]`, from 0; output: logits `[length, outputs]`. Parameters
    /// `embed.weight`, `mamba.layers.0.mixer.A_log`, …, `mamba.layers.0.norm.weight`, …, `norm_f.weight`, `linear.weight`.
    ///
    /// Embedding and linear maps N(0, 0.02²), the output layer × `headScale`.
    /// - Parameter outputs: numbers a place; the vocabulary by default.
    public static func mamba(
        vocabulary: Int, length: Int, width: Int = 64, layers: Int = 2, states: Int = 16, expansion: Int = 2,
        kernel: Int = 4, outputs: Int? = nil, headScale: Double = 0.1, seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        try checkExtents("mamba", ["vocabulary": vocabulary, "length": length, "width": width, "layers": layers])
        let rule = InitializationRule.normal(std: 0.02)
        let mixer = Layer.mamba(width, states: states, expansion: expansion, kernel: kernel)
        let block = Layer(order: ["mixer", "norm"]) { x, scope in
            try mixer(Layer.rmsNorm(width)(x, in: scope["norm"]), in: scope["mixer"]) + x
        }
        let head = Layer.linear(width, outputs ?? vocabulary, bias: false, weight: rule.scaled(by: headScale))
        let layer = Layer { x, scope in
            var x = try Layer.embedding(vocabulary, width, weight: rule)(x, in: scope["embed"])
            for index in 0..<layers { x = try block(x, in: scope["mamba"]["layers"][index]) }
            return try head(Layer.rmsNorm(width)(x, in: scope["norm_f"]), in: scope["linear"])
        }
        return try Model(
            name: "mamba \(width)×\(layers)", layer: layer, inputShape: [length], inputElement: .i32, seed: seed,
            element: element)
    }
}
