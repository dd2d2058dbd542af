import Graph

extension Model {
    /// The vision transformer of the central-flows code: `SimpleViT` of `vit_pytorch` (Beyer, Zhai & Kolesnikov 2022) with its
    /// layer norms replaced by γ(x − mean)/(σ + 10⁻⁶) + β and its output layer × `headScale` (0).
    ///
    /// Patches as vectors (row, column, channel), norm, linear, norm, plus fixed sines and cosines; `depth` blocks x +
    /// attention(x), x + MLP(x), each part after a norm of its own; norm, mean over patches, linear. Linear layers have PyTorch's
    /// initialisation. Parameters `to_patch_embedding.1.gamma`, `to_patch_embedding.2.weight`, …, `transformer.norm.gamma`,
    /// `transformer.layers.0.0.norm.gamma`, `transformer.layers.0.0.to_qkv.weight`, …, `linear_head.weight`.
    public static func visionTransformer(
        inputShape: [Int] = [3, 32, 32], patch: Int = 4, width: Int = 64, depth: Int = 4, heads: Int = 8,
        headWidth: Int = 64, hidden: Int = 256, outputs: Int = 10, activation: Activation = .gelu,
        headScale: Double = 0,
        seed: UInt64, element: ElementType = .f32
    ) throws -> Model {
        try checkExtents(
            "vit", ["patch": patch, "width": width, "depth": depth, "hidden": hidden, "outputs": outputs])
        guard inputShape.count == 3, inputShape[1] % patch == 0, inputShape[2] % patch == 0 else {
            throw GraphError("vit: patches of \(patch)×\(patch) do not divide an image of shape \(inputShape)")
        }
        guard width % 4 == 0, width >= 8 else {
            throw GraphError("vit: a width of \(width); its positions need a multiple of 4, from 8 on")
        }
        let (rows, columns) = (inputShape[1] / patch, inputShape[2] / patch)
        try PositionTable.check(rows * columns, width)
        let patchSize = inputShape[0] * patch * patch
        let patches = Layer(kind: "patches") { x, _ in
            try x.reshaped(to: [inputShape[0], rows, patch, columns, patch]).transposed([1, 3, 2, 4, 0])
                .reshaped(to: [rows * columns, patchSize])
        }
        let norm = Layer.layerNormCentralFlows(width)
        let embedding = Layer.sequential(
            patches, .layerNormCentralFlows(patchSize), .linear(patchSize, width), norm)
        let attention = Layer.vitAttention(width, heads: heads, headWidth: headWidth, norm: norm)
        let feedForward = Layer.sequential(
            norm, .linear(width, hidden), .activation(activation), .linear(hidden, width))
        let transformer = Layer(order: ["norm", "layers"]) { x, scope in
            var x = x
            for index in 0..<depth {
                let block = scope["layers"][index]
                x = try attention(x, in: block[0]) + x
                x = try feedForward(x, in: block[1]["net"]) + x
            }
            return try norm(x, in: scope["norm"])
        }
        let rule = InitializationRule.pyTorch.scaled(by: headScale)
        let layer = Layer { x, scope in
            let embedded = try embedding(x, in: scope["to_patch_embedding"])
            let table = PositionTable.grid(rows: rows, columns: columns, width: width)
            let placed = try embedded + embedded.constants(table, shape: [rows * columns, width])
            let mean = try transformer(placed, in: scope["transformer"]).mean([0])
            return try Layer.linear(width, outputs, weight: rule, biasInit: rule)(mean, in: scope["linear_head"])
        }
        return try Model(
            name: "vit \(width)×\(depth)", layer: layer, inputShape: inputShape, seed: seed, element: element)
    }
}
