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
        let inputs = try TensorType(element, inputShape).elementCount()
        let widths = [inputs] + hidden + [outputs]
        if let width = widths.first(where: { $0 < 1 }) {
            throw GraphError("a layer of \(width) units: every width is at least 1")
        }
        var parameters: [Parameter] = []
        for (layer, (fanIn, fanOut)) in zip(widths, widths.dropFirst()).enumerated() {
            let initializer: Initializer =
                activation == .tanh
                ? .xavierNormal(fanIn: fanIn, fanOut: fanOut, gain: initScale * 5 / 3)
                : .kaimingNormal(fanIn: fanIn, scale: initScale)
            parameters.append(
                Parameter(name: "layers.\(layer).weight", shape: [fanOut, fanIn], initializer: initializer))
            if bias { parameters.append(Parameter(name: "layers.\(layer).bias", shape: [fanOut], initializer: .zeros)) }
        }
        let stride = bias ? 2 : 1
        return try Model(
            name: "mlp " + widths.map(String.init).joined(separator: "-"), element: element, parameters: parameters,
            inputShape: inputShape, seed: seed
        ) { input, p in
            var x = try input.reshaped(to: [inputs])
            for layer in 0..<widths.count - 1 {
                x = try p[layer * stride].dot(x)
                if bias { x = try x + p[layer * stride + 1] }
                if layer < widths.count - 2 { x = try activation(x) }
            }
            return x
        }
    }
}
