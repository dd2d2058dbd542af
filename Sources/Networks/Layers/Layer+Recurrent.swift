import Graph

/// One layer of an LSTM (Hochreiter & Schmidhuber 1997, as in PyTorch): gates from W·x + W_h·h + b + b_h in the order input, forget,
/// cell, output; c ← σ(f)c + σ(i)tanh(g), h ← σ(o)tanh(c), from zeros.
struct LSTMWeights {
    /// `[4h, in]` and `[4h, h]`.
    var input: Symbolic
    var hidden: Symbolic
    /// `[4h]`; nil without biases.
    var bias: Symbolic?

    /// - Parameter x: a sequence `[T, in]`.
    /// - Returns: h after each step, `[T, h]`.
    func run(_ x: Symbolic) throws -> Symbolic {
        let width = hidden.shape[1]
        guard x.shape.count == 2, x.shape[0] >= 1, x.shape[1] == input.shape[1] else {
            throw GraphError("it takes sequences of width \(input.shape[1]), its input has shape \(x.shape)")
        }
        // All that does not depend on h is one product over the whole sequence.
        var gates = try x.projected(by: input)
        if let bias { gates = try gates + bias }
        let element = x.type.element
        let body = GraphBuilder()
        let types = [[width], [width], [4 * width], [4 * width, width]].map { TensorType(element, $0) }
        let values = zip(["h", "c", "gates", "weight"], types).map { Symbolic(body.input($0, $1), in: body) }
        let parts = try (values[2] + values[3].dot(values[0])).split([width, width, width, width], axis: 0)
        let cell = try parts[1].sigmoid() * values[1] + parts[0].sigmoid() * parts[2].tanh()
        let output = try parts[3].sigmoid() * cell.tanh()
        let zero = try x.constant(0, shape: [width])
        let scan = Scan(
            body: body.build(outputs: [("h", output.value), ("c", cell.value)]), carries: 2, stacked: 1,
            length: x.shape[0])
        try scan.checkLength()
        let results = try x.builder.applyAll(scan, [zero.value, zero.value, gates.value, hidden.value])
        return Symbolic(results[0], in: x.builder)
    }
}

extension Layer {
    /// An LSTM over a sequence: `[T, inputs]` to `[T, hidden]`, the last layer's h at each place. Parameters as in `nn.LSTM`:
    /// `weight_ih_l0` `[4·hidden, inputs]`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_ih_l1`, …, all uniform on
    /// ±1/√hidden.
    public static func lstm(_ inputs: Int? = nil, _ hidden: Int, layers: Int = 1, bias: Bool = true) -> Layer {
        Layer(kind: "lstm") { x, scope in
            guard x.shape.count == 2, x.shape[1] == inputs ?? x.shape[1] else {
                throw GraphError("it takes sequences of width \(inputs ?? 0), its input has shape \(x.shape)")
            }
            try checkExtents("lstm", ["layers": layers, "hidden": hidden])
            let rule = Initializer.pyTorch(hidden)
            var x = x
            for layer in 0..<layers {
                let input = try scope.parameter("weight_ih_l\(layer)", [4 * hidden, x.shape[1]], rule)
                let recurrent = try scope.parameter("weight_hh_l\(layer)", [4 * hidden, hidden], rule)
                let offset =
                    bias
                    ? try scope.parameter("bias_ih_l\(layer)", [4 * hidden], rule)
                        + scope.parameter("bias_hh_l\(layer)", [4 * hidden], rule) : nil
                x = try LSTMWeights(input: input, hidden: recurrent, bias: offset).run(x)
            }
            return x
        }
    }

    /// One layer of an LSTM as the central-flows code stores it: `Wih` `[in, 4h]`, `Whh` `[h, 4h]`, `bih`, `bhh`.
    static func lstmCell(_ hidden: Int) -> Layer {
        Layer(kind: "lstm") { x, scope in
            guard x.shape.count == 2 else { throw GraphError("it takes a sequence, its input has shape \(x.shape)") }
            try checkExtents("lstm", ["hidden": hidden])
            let rule = Initializer.pyTorch(hidden)
            let input = try scope.parameter("Wih", [x.shape[1], 4 * hidden], rule).transposed([1, 0])
            let recurrent = try scope.parameter("Whh", [hidden, 4 * hidden], rule).transposed([1, 0])
            let offset = try scope.parameter("bih", [4 * hidden], rule) + scope.parameter("bhh", [4 * hidden], rule)
            return try LSTMWeights(input: input, hidden: recurrent, bias: offset).run(x)
        }
    }
}
