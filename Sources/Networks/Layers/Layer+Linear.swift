import Graph

extension Layer {
    /// W·x + b for each vector of the last axis: `[…, inputs]` to `[…, outputs]`. Parameters `weight` `[outputs, inputs]` and
    /// `bias` `[outputs]`.
    /// - Parameter inputs: the extent of the input's last axis; nil takes what comes.
    public static func linear(
        _ inputs: Int? = nil, _ outputs: Int, bias: Bool = true, weight: InitializationRule = .pyTorch,
        biasInit: InitializationRule = .pyTorch
    ) -> Layer {
        Layer(kind: "linear") { x, scope in
            guard let last = x.shape.last, last == inputs ?? last else {
                throw GraphError("it takes \(inputs ?? 0) inputs in the last axis, its input has shape \(x.shape)")
            }
            let shape = [outputs, last]
            let y = try x.projected(by: scope.parameter("weight", shape, weight(shape)))
            return bias ? try y + scope.parameter("bias", [outputs], biasInit(shape)) : y
        }
    }

    /// Rows of a table `weight` `[count, width]` by integers: `[k…]` to `[k…, width]`.
    public static func embedding(
        _ count: Int, _ width: Int, weight: InitializationRule = .normal(std: 1)
    ) -> Layer {
        Layer(kind: "embedding") { x, scope in
            let shape = [count, width]
            return try scope.parameter("weight", shape, weight(shape)).gathered(x)
        }
    }

    /// A parameter `weight` `[T, d]` added to a sequence of that shape: learnt positions.
    public static func positionalEmbedding(
        _ length: Int, _ width: Int, weight: InitializationRule = .normal(std: 0.02)
    ) -> Layer {
        Layer(kind: "positions") { x, scope in
            let shape = [length, width]
            guard x.shape == shape else {
                throw GraphError("it takes a sequence of shape \(shape), its input has shape \(x.shape)")
            }
            return try x + scope.parameter("weight", shape, weight(shape))
        }
    }

    /// Adds sines and cosines of the place in a sequence `[T, d]`, d even: element 2i of place t gets sin(t·10⁴^(−2i/d)), element
    /// 2i + 1 its cosine (Vaswani et al. 2017).
    public static func sinusoidalPositions() -> Layer {
        Layer(kind: "positions") { x, _ in
            guard x.shape.count == 2, x.shape[1] % 2 == 0 else {
                throw GraphError("it takes a sequence of an even width, its input has shape \(x.shape)")
            }
            try PositionTable.check(x.shape[0], x.shape[1])
            return try x + x.constants(PositionTable.sequence(x.shape[0], width: x.shape[1]), shape: x.shape)
        }
    }
}
