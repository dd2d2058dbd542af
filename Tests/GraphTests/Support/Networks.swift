import Graph

/// Fully connected networks as the tests' subjects, made the two ways that users make them.
struct Network {
    enum Activation { case relu, tanh, identity }
    enum Loss { case mse, ce }

    let widths: [Int]
    var activation = Activation.relu
    var loss = Loss.mse
    var element = ElementType.f64

    var parameterNames: [String] { (1..<widths.count).flatMap { ["weight\($0)", "bias\($0)"] } }

    private func parameters(_ b: GraphBuilder) -> [Value] {
        (1..<widths.count).flatMap { layer in
            [
                b.input("weight\(layer)", TensorType(element, [widths[layer], widths[layer - 1]])),
                b.input("bias\(layer)", TensorType(element, [widths[layer]])),
            ]
        }
    }

    private func activated(_ b: GraphBuilder, _ z: Value) -> Value {
        switch activation {
        case .relu: b.relu(z)
        case .tanh: b.tanh(z)
        case .identity: z
        }
    }

    /// One sample: matrix times vector, scalar `loss`.
    func sample() -> Graph {
        let b = GraphBuilder()
        let parameters = parameters(b)
        var x = b.input("input", TensorType(element, [widths[0]]))
        let target = b.input("target", TensorType(element, [widths[widths.count - 1]]))
        for layer in 1..<widths.count {
            x = b.add(b.matmul(parameters[2 * layer - 2], x), parameters[2 * layer - 1])
            if layer < widths.count - 1 { x = activated(b, x) }
        }
        let value =
            switch loss {
            case .mse: b.sum(b.square(b.subtract(x, target)))
            case .ce:
                b.subtract(logSumExp(b, x), b.inner(target, x))
            }
        return b.build(outputs: [("loss", value)])
    }

    private func logSumExp(_ b: GraphBuilder, _ x: Value) -> Value {
        let largest = b.detach(b.max(x, dimensions: [0]))
        let shifted = b.subtract(x, b.broadcast(largest, to: b.shape(of: x)))
        return b.add(largest, b.log(b.sum(b.exponential(shifted))))
    }

    /// The mean over a batch of the sample's loss.
    func batchBySample(_ count: Int) throws -> Graph {
        try mean(vmap(sample(), over: ["input", "target"], size: count), count)
    }

    /// The same written over the whole batch: rows are samples.
    func batchByRows(_ count: Int) -> Graph {
        let b = GraphBuilder()
        let parameters = parameters(b)
        var x = b.input("input", TensorType(element, [count, widths[0]]))
        let target = b.input("target", TensorType(element, [count, widths[widths.count - 1]]))
        for layer in 1..<widths.count {
            let product = b.dot(x, parameters[2 * layer - 2], contracting: ([1], [1]))
            x = b.add(product, b.broadcast(parameters[2 * layer - 1], to: [count, widths[layer]]))
            if layer < widths.count - 1 { x = activated(b, x) }
        }
        switch loss {
        case .mse:
            return b.build(outputs: [("loss", b.scale(b.sum(b.square(b.subtract(x, target))), by: 1 / Double(count)))])
        case .ce:
            let shape = b.shape(of: x)
            let largest = b.detach(b.max(x, dimensions: [1]))
            let shifted = b.subtract(x, b.broadcast(largest, to: shape, dimensions: [0]))
            let logarithm = b.add(largest, b.log(b.sum(b.exponential(shifted), dimensions: [1])))
            let total = b.subtract(b.sum(logarithm), b.sum(b.multiply(target, x)))
            return b.build(outputs: [("loss", b.scale(total, by: 1 / Double(count)))])
        }
    }

    private func mean(_ samples: Graph, _ count: Int) -> Graph {
        let b = GraphBuilder()
        let losses = b.inline(samples, inputs: samples.inputs.map { b.input($0.name, $0.type) })[0]
        return b.build(outputs: [("loss", b.scale(b.sum(losses), by: 1 / Double(count)))])
    }

    /// ‖g‖² and gᵀHg of a batch loss, by the quadratic form along the gradient; both as f64.
    func curvature(_ loss: Graph) throws -> Graph {
        try curvature(
            loss, along: quadraticForm(loss, of: "loss", along: parameterNames).selecting(outputs: ["loss.quadratic"]))
    }

    /// The same with gᵀHg = ⟨g, jvp of the gradient along g⟩: the double-backward way.
    func curvatureByProducts(_ loss: Graph) throws -> Graph {
        let names = parameterNames.map { $0 + ".gradient" }
        let gradient = try vjp(loss, of: "loss", withRespectTo: parameterNames).selecting(outputs: names)
        let product = try jvp(gradient, along: parameterNames).selecting(outputs: names.map { $0 + ".tangent" })
        let b = GraphBuilder()
        let inputs = product.inputs.map { b.input($0.name, $0.type) }
        let values = b.inline(product, inputs: inputs)
        let form = zip(inputs.suffix(values.count), values).map { b.inner($0, $1) }
        return try curvature(
            loss, along: b.build(outputs: [("loss.quadratic", form.dropFirst().reduce(form[0], b.add))]))
    }

    private func curvature(_ loss: Graph, along form: Graph) throws -> Graph {
        let gradient = try vjp(loss, of: "loss", withRespectTo: parameterNames)
        let b = GraphBuilder()
        let inputs = loss.inputs.map { b.input($0.name, $0.type) }
        let values = b.inline(gradient, inputs: inputs)
        let along = Array(values.dropFirst())
        let quadratic = b.inline(form, inputs: inputs + along)[0]
        let squares = along.map { b.sum(b.square($0)) }
        return b.build(outputs: [
            ("loss", values[0]), ("quadratic", b.convert(quadratic, to: .f64)),
            ("square", b.convert(squares.dropFirst().reduce(squares[0], b.add), to: .f64)),
        ])
    }
}
