import Graph

/// A model and a loss: L(θ) = (1/n) Σᵢ ℓ(f_θ(xᵢ), yᵢ), as graphs. Every quantity the laboratory computes of a network is one
/// of the graphs below, made from the graph of one sample by the transformations, so a network traced from Lua gets all of
/// them.
///
/// Inputs of each graph: the parameters by name, then `input` and `target`, then what the method says.
public struct Objective: Sendable {
    public let model: Model
    /// What the loss is called in messages and in the run file.
    public let lossName: String
    /// The shape of one sample's target.
    public let targetShape: [Int]
    /// One sample: outputs `loss` (a scalar) and `output`.
    public let perSample: Graph

    /// Traces the loss once over symbolic tensors.
    /// - Parameter targetShape: shape of one sample's target; by default that of the model's output.
    /// - Throws: `GraphError` when shapes do not fit, or the loss is no scalar.
    public init(
        model: Model, lossName: String, targetShape: [Int]? = nil,
        loss: (_ output: Symbolic, _ target: Symbolic) throws -> Symbolic
    ) throws {
        let builder = GraphBuilder()
        let parameters = model.forward.inputs.map { builder.input($0.name, $0.type) }
        let shape = targetShape ?? model.outputShape
        let target = builder.input(Model.targetName, TensorType(model.element, shape))
        let output = builder.inline(model.forward, inputs: parameters)[0]
        let value = try loss(Symbolic(output, in: builder), Symbolic(target, in: builder))
        guard value.type == TensorType(model.element) else {
            throw GraphError(
                "loss '\(lossName)' returns \(value.type) for one sample; a scalar is needed: sum or average it")
        }
        self.model = model
        self.lossName = lossName
        self.targetShape = shape
        perSample = builder.build(outputs: [("loss", value.value), ("output", output)])
    }

    public init(model: Model, loss: LossName, targetShape: [Int]? = nil) throws {
        try self.init(model: model, lossName: loss.rawValue, targetShape: targetShape) { try loss($0, $1) }
    }

    /// The parameters' names: what derivatives are taken with respect to.
    public var parameterNames: [String] { model.layout.entries.map(\.name) }
    private var sampleInputs: [String] { [Model.inputName, Model.targetName] }

    // MARK: - Sums over samples

    /// `count` samples at once; outputs `losses` `[count]` and `outputs` `[count, …]`.
    public func samples(count: Int) throws -> Graph {
        try vmap(perSample, over: sampleInputs, size: count).renamed(outputs: ["loss": "losses", "output": "outputs"])
    }

    /// (1/n) Σ ℓ over `count` samples, n = `total` (for a batch, its size; for a chunk of the data, the data's size); output
    /// `loss`.
    public func loss(count: Int, total: Int) throws -> Graph {
        let samples = try samples(count: count)
        let builder = GraphBuilder()
        let inputs = samples.inputs.map { builder.input($0.name, $0.type) }
        let losses = Symbolic(builder.inline(samples, inputs: inputs)[0], in: builder)
        return builder.build(outputs: [("loss", try ((1 / Double(total)) * losses.sum()).value)])
    }

    /// Outputs `loss` and, for each parameter x, `x.gradient`.
    public func gradient(count: Int, total: Int) throws -> Graph {
        try vjp(loss(count: count, total: total), of: "loss", withRespectTo: parameterNames)
    }

    /// As `gradient`, added to accumulators: further inputs `x.sum`, outputs `loss` and `x.gradient` = `x.sum` + gradient.
    public func accumulatedGradient(count: Int, total: Int) throws -> Graph {
        try accumulating(gradient(count: count, total: total)) { "\($0).gradient" }
    }

    /// One step of gradient descent on a batch: a further input `step rate` (a scalar); outputs `loss`, of the batch before the
    /// step, and `x.next` = x − rate·gradient.
    public func descent(count: Int) throws -> Graph {
        let gradient = try gradient(count: count, total: count)
        let builder = GraphBuilder()
        let inputs = gradient.inputs.map { builder.input($0.name, $0.type) }
        let rate = Symbolic(builder.input(Model.rateName, TensorType(model.element)), in: builder)
        let values = builder.inline(gradient, inputs: inputs)
        var outputs: [(String, Value)] = [("loss", values[0])]
        for (index, name) in parameterNames.enumerated() {
            let step = try rate * Symbolic(values[index + 1], in: builder)
            outputs.append(("\(name).next", try (Symbolic(inputs[index], in: builder) - step).value))
        }
        return builder.build(outputs: outputs)
    }

    // MARK: - Higher derivatives

    /// The gradient split at a point: `point` computes what depends on θ only, `linear` maps tangents `x.tangent` to
    /// Hessian-vector products, added to accumulators `x.sum`: outputs `x.product`.
    public func linearizedGradient(count: Int, total: Int) throws -> Linearized {
        let gradient = try gradient(count: count, total: total)
        let names = parameterNames.map { "\($0).gradient" }
        // Simplified first: a transpose that is folded into its contraction does not become a kept value of its own.
        let linearized = try linearize(
            gradient.selecting(outputs: names).simplified(), withRespectTo: parameterNames)
        let named = linearized.linear.renamed(
            outputs: Dictionary(
                uniqueKeysWithValues: parameterNames.map { ("\($0).gradient.tangent", "\($0).product") }))
        return Linearized(
            point: linearized.point, linear: try accumulating(named) { "\($0).product" },
            residuals: linearized.residuals)
    }

    /// D^{k+1}L contracted with k directions: further inputs `x.tangent1` … `x.tangentk` and accumulators `x.sum`; outputs
    /// `x.product`.
    public func directional(order k: Int, count: Int, total: Int) throws -> Graph {
        var graph = try gradient(count: count, total: total)
        var names = parameterNames.map { "\($0).gradient" }
        for level in 1...max(1, k) {
            graph = try jvp(graph.selecting(outputs: names), along: parameterNames)
                .renamed(
                    inputs: Dictionary(
                        uniqueKeysWithValues: parameterNames.map { ("\($0).tangent", "\($0).tangent\(level)") }))
            names = names.map { "\($0).tangent" }
        }
        let products = Dictionary(uniqueKeysWithValues: zip(names, parameterNames.map { "\($0).product" }))
        return try accumulating(graph.selecting(outputs: names).renamed(outputs: products)) { "\($0).product" }
    }

    /// vᵀHv by one backward and one forward sweep: further inputs `x.tangent`; output `loss.quadratic`.
    public func quadratic(count: Int, total: Int) throws -> Graph {
        try quadraticForm(loss(count: count, total: total), of: "loss", along: parameterNames)
            .selecting(outputs: ["loss.quadratic"])
    }

    /// Curvature of mini-batch losses along their own gradients, for `stack` batches of `count` samples at once: inputs
    /// `input` `[stack, count, …]` and `target`; outputs of shape `[stack]`: `loss`, `quadratic` = g_BᵀH_Bg_B and `square` =
    /// ‖g_B‖², the last two in f64.
    ///
    /// The graph asks for the gradient of every batch; the re-association of contractions sees that no gradient needs to be
    /// formed.
    public func batchCurvature(count: Int, stack: Int) throws -> Graph {
        let loss = try loss(count: count, total: count)
        let gradient = try vjp(loss, of: "loss", withRespectTo: parameterNames)
        let quadratic = try quadraticForm(loss, of: "loss", along: parameterNames)
        let builder = GraphBuilder()
        let inputs = loss.inputs.map { builder.input($0.name, $0.type) }
        let values = builder.inline(gradient, inputs: inputs)
        let along = Array(values.dropFirst())
        let form = builder.inline(quadratic.selecting(outputs: ["loss.quadratic"]), inputs: inputs + along)[0]
        var square = try Symbolic(along[0], in: builder).squaredNorm()
        for part in along.dropFirst() { square = try square + Symbolic(part, in: builder).squaredNorm() }
        let one = builder.build(outputs: [
            ("loss", values[0]), ("quadratic", try Symbolic(form, in: builder).widened().value),
            ("square", square.value),
        ])
        return try vmap(one, over: sampleInputs, size: stack)
    }

    /// Adds inputs `x.sum` and adds them to the outputs that `name` gives for each parameter; other outputs stay.
    private func accumulating(_ graph: Graph, _ name: (String) -> String) throws -> Graph {
        let builder = GraphBuilder()
        let inputs = graph.inputs.map { builder.input($0.name, $0.type) }
        let sums = model.layout.entries.map { builder.input("\($0.name).sum", TensorType(model.element, $0.shape)) }
        let values = builder.inline(graph, inputs: inputs)
        let slots = Dictionary(uniqueKeysWithValues: zip(parameterNames.map(name), sums))
        var outputs: [(String, Value)] = []
        for (output, value) in zip(graph.outputs, values) {
            guard let sum = slots[output.name] else {
                outputs.append((output.name, value))
                continue
            }
            outputs.append((output.name, try (Symbolic(sum, in: builder) + Symbolic(value, in: builder)).value))
        }
        return builder.build(outputs: outputs)
    }
}

extension Symbolic {
    func widened() throws(GraphError) -> Symbolic { type.element == .f64 ? self : try with(Convert(to: .f64)) }

    /// Σ x², as f64: a contraction, so that Gram products take its place where they are cheaper.
    func squaredNorm() throws(GraphError) -> Symbolic { try (self * self).sum().widened() }
}
