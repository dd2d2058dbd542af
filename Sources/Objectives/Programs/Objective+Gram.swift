import Compute
import Graph
import Networks

/// What the rows of a Gram matrix are.
enum GramRows: Hashable {
    /// The gradients of samples' losses.
    case gradients
    /// The derivatives of every sample's outputs.
    case outputs

    var words: String { self == .gradients ? "gradients" : "output derivatives" }
}

/// Inner products between samples, as graphs: a sample's gradient is the sum of outer products of a layer's inputs and deltas, so
/// that ⟨gᵢ, gⱼ⟩ becomes products of two small inner products by the re-association of contractions.
extension Objective {
    /// Inner products of the rows of `count` samples with each other, or with those of `count` others.
    ///
    /// Inputs: the parameters, `input`, `target` and `sample weight` of the samples, those of the others, running values. Output
    /// `products` in f64, `[count, count]` for gradients of weighted losses, and `[count, K, count, K]` for derivatives of K
    /// outputs. In f32 the sums of each layer are f32: nothing cancels as it does in the gradient of a batch.
    func gram(_ rows: GramRows, count: Int, pair: Bool, use: StatisticsUse) throws -> Graph {
        let derivatives = try rows == .gradients ? sampleGradients(count, use) : sampleJacobians(count, use)
        let builder = GraphBuilder()
        let parameters = derivatives.inputs.prefix(parameterNames.count).map { builder.input($0.name, $0.type) }
        let types = derivatives.inputs[parameterNames.count..<parameterNames.count + 3]
        let samples = types.map { builder.input($0.name, $0.type) }
        let others =
            pair ? zip(names(of: .otherSamples), types).map { builder.input($0, $1.type) } : samples
        let running = derivatives.inputs.dropFirst(parameterNames.count + 3).map { builder.input($0.name, $0.type) }
        let own = builder.inline(derivatives, inputs: parameters + samples + running)
        let other = pair ? builder.inline(derivatives, inputs: parameters + others + running) : own
        let free = rows == .gradients ? 1 : 2
        var sum: Value?
        for (a, b) in zip(own, other) {
            let axes = Array(builder.shape(of: a).indices.dropFirst(free))
            let operation = DotGeneral(lhsContracting: axes, rhsContracting: axes, result: model.element)
            let part = builder.emit(operation, a, b)
            sum = sum.map { builder.add($0, part) } ?? part
        }
        guard let sum else { preconditionFailure("a model has parameters") }
        return builder.build(outputs: [("products", builder.convert(sum, to: .f64))])
    }

    /// The gradient of each of `count` samples' own Σ wℓ: outputs `[count, …]`, one for each parameter.
    func sampleGradients(_ count: Int, _ use: StatisticsUse) throws -> Graph {
        let sample = use == .batch ? perSample : perSampleRunning
        let builder = GraphBuilder()
        let leading = parameterNames.count + 2
        let first = sample.inputs.prefix(leading).map { builder.input($0.name, $0.type) }
        let weight = builder.input(Model.weightName, TensorType(model.element, positions))
        let running = sample.inputs.dropFirst(leading).map { builder.input($0.name, $0.type) }
        let losses = builder.inline(sample, inputs: first + running)[0]
        let loss = try (Symbolic(weight, in: builder) * Symbolic(losses, in: builder)).sum()
        let gradient = try vjp(
            builder.build(outputs: [("loss", loss.value)]), of: "loss", withRespectTo: parameterNames)
        try Cancellation.check()
        return try vmap(
            gradient.selecting(outputs: parameterNames.map { "\($0).gradient" }),
            over: [Model.inputName, Model.targetName, Model.weightName], size: count)
    }

    /// The derivative of each of `count` samples' K outputs: outputs `[count, K, …]`, one for each parameter. The weights of
    /// samples are an input without use.
    private func sampleJacobians(_ count: Int, _ use: StatisticsUse) throws -> Graph {
        let one = eliminateDeadCode(
            (use == .batch ? perSample : perSampleRunning).selecting(outputs: [Objective.outputName]))
        let reverse = try vjp(one, of: Objective.outputName, withRespectTo: parameterNames)
            .selecting(outputs: parameterNames.map { "\($0).gradient" })
        try Cancellation.check()
        let builder = GraphBuilder()
        let leading = parameterNames.count + 2
        let first = one.inputs.prefix(leading).map { builder.input($0.name, $0.type) }
        _ = builder.input(Model.weightName, TensorType(model.element, positions))
        let running = one.inputs.dropFirst(leading).map { builder.input($0.name, $0.type) }
        let rows: [Value]
        if reverse.inputs.count > one.inputs.count {
            let width = model.outputCount
            var identity = [Double](repeating: 0, count: width * width)
            for index in 0..<width { identity[index * width + index] = 1 }
            let seeds = builder.constant(
                Tensor(TensorType(model.element, [width] + model.outputShape), identity))
            let all = try vmap(reverse, over: [reverse.inputs[one.inputs.count].name], size: width)
            rows = builder.inline(all, inputs: first + running + [seeds])
        } else {
            rows = builder.inline(reverse, inputs: first + running).map { builder.stacked($0, size: 1) }
        }
        let jacobian = builder.build(outputs: zip(parameterNames, rows).map { ("\($0).gradient", $1) })
        return try vmap(jacobian, over: [Model.inputName, Model.targetName, Model.weightName], size: count)
    }
}
