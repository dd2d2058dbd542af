import Graph

extension Layer {
    /// A 2-D convolution: `[inputs, H, W]` to `[outputs, H', W']`. Parameters `weight` `[outputs, inputs/groups, k, k]` and `bias`.
    /// - Parameter inputs: channels in; nil takes what comes.
    public static func conv2d(
        _ inputs: Int? = nil, _ outputs: Int, kernel: Int, stride: Int = 1, padding: ConvolutionPadding = 0,
        dilation: Int = 1, groups: Int = 1, bias: Bool = true, weight: InitializationRule = .pyTorch,
        biasInit: InitializationRule = .pyTorch
    ) -> Layer {
        Layer(kind: "conv \(kernel)×\(kernel)") { x, scope in
            let shape = try weightShape(x, inputs, outputs, groups, [kernel, kernel])
            let y = try x.conv2d(
                scope.parameter("weight", shape, weight(shape)), stride: stride, padding: padding, dilation: dilation,
                groups: groups)
            return try y.plusBias(bias, outputs, biasInit, weight: shape, scope)
        }
    }

    /// A 1-D convolution: `[inputs, W]` to `[outputs, W']`. Parameters `weight` `[outputs, inputs/groups, k]` and `bias`.
    public static func conv1d(
        _ inputs: Int? = nil, _ outputs: Int, kernel: Int, stride: Int = 1, padding: ConvolutionPadding = 0,
        dilation: Int = 1, groups: Int = 1, bias: Bool = true, weight: InitializationRule = .pyTorch,
        biasInit: InitializationRule = .pyTorch
    ) -> Layer {
        Layer(kind: "conv \(kernel)") { x, scope in
            let shape = try weightShape(x, inputs, outputs, groups, [kernel])
            let y = try x.conv1d(
                scope.parameter("weight", shape, weight(shape)), stride: stride, padding: padding, dilation: dilation,
                groups: groups)
            return try y.plusBias(bias, outputs, biasInit, weight: shape, scope)
        }
    }

    /// A transposed 2-D convolution. Parameters `weight` `[inputs, outputs/groups, k, k]` and `bias`.
    public static func convTranspose2d(
        _ inputs: Int? = nil, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, outputPadding: Int = 0,
        dilation: Int = 1, groups: Int = 1, bias: Bool = true, weight: InitializationRule = .pyTorch,
        biasInit: InitializationRule = .pyTorch
    ) -> Layer {
        Layer(kind: "conv \(kernel)×\(kernel) transposed") { x, scope in
            let channels = try weightShape(x, inputs, outputs, groups, [kernel, kernel])[1] * groups
            let shape = [channels, outputs / groups, kernel, kernel]
            let y = try x.convTranspose2d(
                scope.parameter("weight", shape, weight(shape)), stride: stride, padding: padding,
                outputPadding: outputPadding, dilation: dilation, groups: groups)
            return try y.plusBias(bias, outputs, biasInit, weight: shape, scope)
        }
    }

    /// The shape of a convolution's weight for an input.
    private static func weightShape(
        _ x: Symbolic, _ inputs: Int?, _ outputs: Int, _ groups: Int, _ kernel: [Int]
    ) throws -> [Int] {
        guard x.shape.count == kernel.count + 1, x.shape[0] == inputs ?? x.shape[0] else {
            throw GraphError(
                (inputs.map { "it takes \($0) channels of \(kernel.count) axes" }
                    ?? "it takes \(kernel.count + 1) axes, channels first")
                    + ", its input has shape \(x.shape)")
        }
        guard groups >= 1, x.shape[0] % groups == 0, outputs % groups == 0 else {
            throw GraphError("\(groups) groups do not divide \(x.shape[0]) channels in and \(outputs) out")
        }
        return [outputs, x.shape[0] / groups] + kernel
    }

    /// Windows of the largest: `[C, H, W]` to `[C, H', W']`.
    public static func maxPool2d(_ kernel: Int, stride: Int? = nil, padding: Int = 0) -> Layer {
        Layer(kind: "max pool \(kernel)×\(kernel)") { x, _ in
            try x.maxPool2d(kernel, stride: stride, padding: padding)
        }
    }

    /// Windows of the mean: `[C, H, W]` to `[C, H', W']`.
    public static func averagePool2d(_ kernel: Int, stride: Int? = nil, padding: Int = 0) -> Layer {
        Layer(kind: "average pool \(kernel)×\(kernel)") { x, _ in
            try x.averagePool2d(kernel, stride: stride, padding: padding)
        }
    }

    /// The mean over all places: `[C, …]` to `[C]`.
    public static var globalAveragePool: Layer {
        Layer(kind: "global average pool") { x, _ in try x.globalAverage() }
    }
}

extension Symbolic {
    fileprivate func plusBias(
        _ bias: Bool, _ outputs: Int, _ rule: InitializationRule, weight: [Int], _ scope: LayerScope
    ) throws -> Symbolic {
        bias ? try self + scope.parameter("bias", [outputs], rule(weight)).perChannel(of: self) : self
    }
}
