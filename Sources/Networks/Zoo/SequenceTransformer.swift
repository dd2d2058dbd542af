import Graph

extension Model {
    /// The sequence transformer of the central-flows code: embedding × √d, fixed sines and cosines, `layers` decoder layers of
    /// PyTorch (norm after each part) whose layer norms are γ(x − mean)/(σ + 10⁻⁶) + β, and a linear layer with weight ×
    /// `headScale` (0). Input: tokens `[length]`, from 0; output: logits `[length, vocabulary]`.
    ///
    /// Every weight is Xavier uniform. Parameters `embedding.weight`, `decoder.layers.0.self_attn.in_proj_weight`, …,
    /// `decoder.layers.0.multihead_attn.…`, `linear1`, `linear2`, `norm1.gamma`, …, `output_layer.weight`,
    /// `output_layer.bias`; the `state_dict` holds the positions too, `pos_encoder.pe` `[1, length, width]`.
    /// - Parameter isMemoryCausal: the reference's second attention, to the embedded input, is not masked: it sees tokens to
    ///   come. `true` masks it.
    public static func transformer(
        vocabulary: Int, length: Int, width: Int = 32, layers: Int = 4, heads: Int = 4, hidden: Int? = nil,
        activation: Activation = .gelu, headScale: Double = 0, isMemoryCausal: Bool = false, seed: UInt64,
        element: ElementType = .f32
    ) throws -> Model {
        try checkExtents(
            "transformer",
            ["vocabulary": vocabulary, "length": length, "width": width, "layers": layers, "heads": heads])
        guard width % 2 == 0 else {
            throw GraphError("transformer: a width of \(width); its positions need an even one")
        }
        let rule = InitializationRule.xavierUniform()
        let own = MultiHeadAttention(width: width, heads: heads, isCausal: true, weight: rule, outputWeight: rule)
        let other = MultiHeadAttention(
            width: width, heads: heads, isCausal: isMemoryCausal, weight: rule, outputWeight: rule)
        let norm = Layer.layerNormCentralFlows(width)
        let expand = Layer.linear(width, hidden ?? 4 * width, weight: rule)
        let contract = Layer.linear(nil, width, weight: rule)
        let order = ["self_attn", "multihead_attn", "linear1", "linear2", "norm1", "norm2", "norm3"]
        func decoder(memory: Symbolic, _ x: Symbolic, in scope: LayerScope) throws -> Symbolic {
            try scope.ordered(order) {
                var x = try norm(x + own(x, in: scope["self_attn"]), in: scope["norm1"])
                x = try norm(x + other(x, memory: memory, in: scope["multihead_attn"]), in: scope["norm2"])
                let y = try contract(activation(expand(x, in: scope["linear1"])), in: scope["linear2"])
                return try norm(x + y, in: scope["norm3"])
            }
        }
        let head = Layer.linear(width, vocabulary, weight: rule.scaled(by: headScale))
        let layer = Layer { x, scope in
            let embedded = try Layer.embedding(vocabulary, width, weight: rule)(x, in: scope["embedding"])
            let memory = try Layer.sinusoidalPositions()(
                Double(width).squareRoot() * embedded, in: scope["pos_encoder"])
            var y = memory
            for index in 0..<layers { y = try decoder(memory: memory, y, in: scope["decoder"]["layers"][index]) }
            return try head(y, in: scope["output_layer"])
        }
        var model = try Model(
            name: "transformer \(width)×\(layers)", layer: layer, inputShape: [length], inputElement: .i32, seed: seed,
            element: element)
        model.constants = [
            Constant(
                name: "pos_encoder.pe", shape: [1, length, width],
                values: PositionTable.sequence(length, width: width))
        ]
        return model
    }
}
