import Graph

extension Objective {
    /// D^{k+1}L contracted with k directions: further inputs `x.tangent1` … `x.tangentk` and accumulators `x.sum`; outputs
    /// `x.product`.
    public func directional(order k: Int, count: Int, use: StatisticsUse = .batch) throws -> Graph {
        var graph = try gradient(count: count, use: use)
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

    /// Curvature of mini-batch losses along their own gradients, for `stack` batches of `count` samples at once: inputs
    /// `input` `[stack, count, …]`, `target` and `sample weight`; outputs of shape `[stack]`: `loss`, `quadratic` = g_BᵀH_Bg_B
    /// and `square` = ‖g_B‖², the last two in f64.
    ///
    /// The graph asks for the gradient of every batch; the re-association of contractions sees that no gradient needs to be
    /// formed.
    public func batchCurvature(count: Int, stack: Int, use: StatisticsUse = .batch) throws -> Graph {
        let loss = try loss(count: count, use: use)
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
        return try vmap(one, over: [Model.inputName, Model.targetName, Model.weightName], size: stack)
    }
}

extension Symbolic {
    func widened() throws(GraphError) -> Symbolic { type.element == .f64 ? self : try with(Convert(to: .f64)) }

    /// Σ x², as f64: a contraction, so that Gram products take its place where they are cheaper.
    func squaredNorm() throws(GraphError) -> Symbolic { try (self * self).sum().widened() }
}
