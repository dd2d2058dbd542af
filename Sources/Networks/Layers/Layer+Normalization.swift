import Graph

extension Layer {
    /// Batch norm of the channels `[C, …]`: mean and biased variance over the batch and all places of a channel, in training and in
    /// every derivative of it; running values in evaluation. Parameters `weight` (1 at the start) and `bias` (0), one a channel.
    ///
    /// Ioffe & Szegedy 2015, as PyTorch's BatchNorm1d and BatchNorm2d.
    public static func batchNorm(
        _ channels: Int? = nil, epsilon: Double = 1e-5, weight: InitializationRule = .ones
    ) -> Layer {
        Layer(kind: "batch norm") { x, scope in
            let count = try channelCount(x, channels)
            let (mean, variance) = try scope.moments(of: x, over: Array(1..<x.shape.count))
            let scale = try scope.parameter("weight", [count], weight([count]))
            let shift = try scope.parameter("bias", [count], .zeros)
            let factor = try scale * (variance + epsilon).sqrt().reciprocal()
            return try (x - mean.perChannel(of: x)) * factor.perChannel(of: x) + shift.perChannel(of: x)
        }
    }

    /// Layer norm over the last axes, which have this shape. Parameters `weight` and `bias` of that shape.
    public static func layerNorm(_ shape: [Int], epsilon: Double = 1e-5, affine: Bool = true) -> Layer {
        Layer(kind: "layer norm") { x, scope in
            guard !shape.isEmpty, x.shape.suffix(shape.count) == shape[...] else {
                throw GraphError("it normalises last axes of shape \(shape), its input has shape \(x.shape)")
            }
            let normal = try x.normalized(last: shape.count, epsilon: epsilon)
            guard affine else { return normal }
            let scale = try scope.parameter("weight", shape, .constant(1))
            return try normal * scale + scope.parameter("bias", shape, .zeros)
        }
    }

    /// Layer norm over the last axis in the form of the central-flows code: γ(x − mean)/(σ + ε) + β with the unbiased standard
    /// deviation σ and ε = 10⁻⁶. Parameters `gamma` and `beta`.
    public static func layerNormCentralFlows(_ width: Int, epsilon: Double = 1e-6) -> Layer {
        Layer(kind: "layer norm") { x, scope in
            guard x.shape.last == width, width > 1 else {
                throw GraphError("it normalises \(width) numbers, at least 2; its input has shape \(x.shape)")
            }
            let (difference, variance) = try x.centred(over: [x.shape.count - 1])
            let deviation = try (Double(width) / Double(width - 1) * variance).sqrt()
            let scale = try scope.parameter("gamma", [width], .constant(1))
            return try scale * (difference * (deviation + epsilon).reciprocal())
                + scope.parameter("beta", [width], .zeros)
        }
    }

    /// Group norm of the channels `[C, …]`. Parameters `weight` and `bias`, one a channel.
    /// - Parameter unbiased: whether the variance is divided by one less than the count (the central-flows code does).
    public static func groupNorm(
        _ groups: Int, _ channels: Int? = nil, epsilon: Double = 1e-5, unbiased: Bool = false,
        weight: InitializationRule = .ones
    ) -> Layer {
        Layer(kind: "group norm") { x, scope in
            let count = try channelCount(x, channels)
            // (n/(n−1))·v + ε under the root is the factor √((n−1)/n) outside and ε scaled by its square inside.
            let places = x.shape.reduce(1, *) / max(1, groups)
            guard !unbiased || places > 1 else {
                throw GraphError("a variance of one number: its input has shape \(x.shape)")
            }
            let ratio = unbiased ? Double(places - 1) / Double(places) : 1
            let normal = try x.groupNormalized(groups: groups, epsilon: epsilon * ratio)
            let scale = try scope.parameter("weight", [count], weight([count]))
            let shift = try scope.parameter("bias", [count], .zeros)
            let scaled = unbiased ? try ratio.squareRoot() * normal : normal
            return try scaled * scale.perChannel(of: x) + shift.perChannel(of: x)
        }
    }

    /// x/√(mean x² + ε) over the last axis, times a parameter `weight`.
    public static func rmsNorm(_ width: Int, epsilon: Double = 1e-5) -> Layer {
        Layer(kind: "rms norm") { x, scope in
            guard x.shape.last == width else {
                throw GraphError("it normalises \(width) numbers, its input has shape \(x.shape)")
            }
            return try x.rootMeanSquareNormalized(epsilon: epsilon) * scope.parameter("weight", [width], .constant(1))
        }
    }

    private static func channelCount(_ x: Symbolic, _ channels: Int?) throws -> Int {
        guard let count = x.shape.first, count == channels ?? count else {
            throw GraphError("it normalises \(channels ?? 0) channels, its input has shape \(x.shape)")
        }
        return count
    }
}
