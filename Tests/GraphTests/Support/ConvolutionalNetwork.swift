import Graph

/// conv–relu–conv–relu–max-pool–conv–relu–flatten–linear, written as a network's author does: one sample `[C, H, W]`, weights
/// `[O, I, kh, kw]`, loss ‖y − target‖².
struct ConvolutionalNetwork {
    var channels = [3, 4, 5, 6]
    /// Height and width of the image.
    var size = (8, 10)
    var outputs = 2
    var element = ElementType.f64
    /// Smooth, where derivatives are compared with finite differences.
    var isSmooth = false

    let parameterNames = [
        "conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "conv3.weight", "conv3.bias", "linear.weight",
        "linear.bias",
    ]
    static let samples = ["input", "target"]

    /// Height and width before the linear layer: same padding twice, halved, valid.
    private var last: (Int, Int) { (size.0 / 2 - 2, size.1 / 2 - 2) }

    func sample() -> Graph {
        let b = GraphBuilder()
        func parameter(_ name: String, _ shape: [Int]) -> Value { b.input(name, TensorType(element, shape)) }
        var weights: [(Value, Value)] = []
        for layer in 1...3 {
            weights.append(
                (
                    parameter("conv\(layer).weight", [channels[layer], channels[layer - 1], 3, 3]),
                    parameter("conv\(layer).bias", [channels[layer]])
                ))
        }
        let flat = channels[3] * last.0 * last.1
        let (weight, bias) = (parameter("linear.weight", [outputs, flat]), parameter("linear.bias", [outputs]))
        var x = b.input("input", TensorType(element, [channels[0], size.0, size.1]))
        let target = b.input("target", TensorType(element, [outputs]))
        for (layer, parameters) in weights.enumerated() {
            x = activated(b, convolved(b, x, parameters.0, parameters.1, padding: layer == 2 ? 0 : 1))
            if layer == 1 { x = pooled(b, x) }
        }
        let y = b.add(b.matmul(weight, b.reshape(x, to: [flat])), bias)
        return b.build(outputs: [("loss", b.sum(b.square(b.subtract(y, target))))])
    }

    private func convolved(_ b: GraphBuilder, _ x: Value, _ weight: Value, _ bias: Value, padding: Int) -> Value {
        let y = b.convolution(
            x, weight, lhs: .init(contracted: [0], spatial: [1, 2]),
            rhs: .init(free: [0], contracted: [1], spatial: [2, 3]),
            windows: [.init(low: padding, high: padding), .init(low: padding, high: padding)])
        let image = b.transpose(y, [2, 0, 1])
        return b.add(image, b.broadcast(bias, to: b.shape(of: image), dimensions: [0]))
    }

    private func activated(_ b: GraphBuilder, _ x: Value) -> Value { isSmooth ? b.tanh(x) : b.relu(x) }

    private func pooled(_ b: GraphBuilder, _ x: Value) -> Value {
        let shape = b.shape(of: x)
        let windows = b.reshape(x, to: [shape[0], shape[1] / 2, 2, shape[2] / 2, 2])
        return isSmooth ? b.sum(windows, dimensions: [2, 4]) : b.max(windows, dimensions: [2, 4])
    }

    /// The mean over a batch of the sample's loss.
    func batch(_ count: Int) throws -> Graph {
        let samples = try vmap(sample(), over: Self.samples, size: count)
        let b = GraphBuilder()
        let losses = b.inline(samples, inputs: samples.inputs.map { b.input($0.name, $0.type) })[0]
        return b.build(outputs: [("loss", b.scale(b.sum(losses), by: 1 / Double(count)))])
    }

    /// The parameters' gradients of a batch.
    func gradient(_ count: Int) throws -> Graph { try vjp(batch(count), of: "loss", withRespectTo: parameterNames) }

    /// The gradient split into what depends on the point and what on the direction.
    func linearizedGradient(_ count: Int) throws -> Linearized {
        try linearize(
            gradient(count).selecting(outputs: parameterNames.map { $0 + ".gradient" }).simplified(),
            withRespectTo: parameterNames)
    }

    /// For `stack` batches at once: losses, gᵀHg by the quadratic form (or by the jvp of the gradient) and ‖g‖².
    func curvature(_ count: Int, stack: Int, doubleBackward: Bool = false) throws -> Graph {
        let loss = try batch(count)
        let gradient = try gradient(count)
        let b = GraphBuilder()
        let inputs = loss.inputs.map { b.input($0.name, $0.type) }
        let values = b.inline(gradient, inputs: inputs)
        let along = Array(values.dropFirst())
        let quadratic: Value
        if doubleBackward {
            let names = parameterNames.map { $0 + ".gradient" }
            let product = try jvp(gradient.selecting(outputs: names), along: parameterNames)
                .selecting(outputs: names.map { $0 + ".tangent" })
            let terms = zip(along, b.inline(product, inputs: inputs + along)).map { b.inner($0, $1) }
            quadratic = terms.dropFirst().reduce(terms[0], b.add)
        } else {
            let form = try quadraticForm(loss, of: "loss", along: parameterNames).selecting(outputs: ["loss.quadratic"])
            quadratic = b.inline(form, inputs: inputs + along)[0]
        }
        let squares = along.map { b.sum(b.square($0)) }
        let one = b.build(outputs: [
            ("loss", values[0]), ("quadratic", b.convert(quadratic, to: .f64)),
            ("square", b.convert(squares.dropFirst().reduce(squares[0], b.add), to: .f64)),
        ])
        return try vmap(one, over: Self.samples, size: stack)
    }
}
