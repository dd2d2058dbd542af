import Compute
import Graph
import Networks

/// A model and a loss: L(θ) = Σᵢ wᵢ ℓ(f_θ(xᵢ), yᵢ), as graphs, with wᵢ = 1/n over the n samples that count and 0 elsewhere.
/// Every quantity the laboratory computes of a network is one of the graphs of this type, made from the graph of one sample by
/// the transformations, so a network traced from Lua gets all of them.
///
/// Where a sample has a target at each of several positions, ℓ and w are given for each of them.
///
/// What the inputs and outputs of each graph are, and in which order, says its `ProgramSignature`. Making one asks between
/// transformations and passes whether it is cancelled, and throws `Cancelled`.
public struct Objective: Sendable {
    public let model: Model
    /// What the loss is called in messages and in the run file.
    public let lossName: String
    /// The loss, where it is one of ours.
    public let loss: LossName?
    /// The shape of one sample's target.
    public let targetShape: [Int]
    /// The shape of one sample's losses and weights: none for one loss a sample, `[T]` for one at each of T places.
    public let positions: [Int]
    /// The loss alone: inputs `output` and `target` of one sample, output `loss` (of shape `positions`).
    public let losses: Graph
    /// One sample as part of a batch: outputs `loss` (of shape `positions`), `output`, then the moments of the batch as the
    /// model's `forward` has them.
    public let perSample: Graph
    /// One sample with running statistics: outputs `loss` and `output`.
    public let perSampleRunning: Graph

    /// What stands for the network's loss near a point; nil for the loss itself.
    public let expansion: Expansion?
    /// What part of the space the loss is a function on; nil for all of it.
    public let restriction: Restriction?
    /// Whether it is the loss itself.
    public var isPlain: Bool { expansion == nil && restriction == nil }

    /// The name of a network's output in graphs.
    static let outputName = "output"

    /// Traces the loss over symbolic tensors.
    /// - Parameters:
    ///   - targetShape: shape of one sample's target; by default that of the model's output.
    ///   - positions: the leading axes of the target that have a label each. The loss is a scalar, or has one value for each.
    /// - Throws: `GraphError` when shapes do not fit.
    public init(
        model: Model, lossName: String, targetShape: [Int]? = nil, positions: [Int] = [],
        loss: (_ output: Symbolic, _ target: Symbolic) throws -> Symbolic
    ) throws {
        try self.init(model, lossName, nil, targetShape, positions, loss)
    }

    /// - Parameter positions: the leading axes of the target that have a label each; for `ce` and `bce` always all axes of the
    ///   output but the last.
    public init(model: Model, loss: LossName, targetShape: [Int]? = nil, positions: [Int] = []) throws {
        let positions = try loss.checked(positions, model.outputShape)
        try self.init(model, loss.rawValue, loss, targetShape, positions) { try loss($0, $1, positions: positions) }
    }

    private init(
        _ model: Model, _ lossName: String, _ name: LossName?, _ targetShape: [Int]?, _ positions: [Int],
        _ loss: (_ output: Symbolic, _ target: Symbolic) throws -> Symbolic
    ) throws {
        let shape = targetShape ?? model.outputShape
        let lossBuilder = GraphBuilder()
        let output = lossBuilder.input(Objective.outputName, TensorType(model.element, model.outputShape))
        let target = lossBuilder.input(Model.targetName, TensorType(model.element, shape))
        let value = try loss(Symbolic(output, in: lossBuilder), Symbolic(target, in: lossBuilder))
        guard value.type.element == model.element, value.shape.isEmpty || value.shape == positions else {
            let wanted = positions.isEmpty ? "a scalar" : "a scalar, or one number for each of \(positions),"
            throw GraphError(
                "loss '\(lossName)' returns \(value.type) for one sample; \(wanted) is needed: sum or average it")
        }
        let losses = lossBuilder.build(outputs: [("loss", value.value)])
        func attached(to forward: Graph) -> Graph {
            let builder = GraphBuilder()
            let count = model.layout.entries.count + 1
            let first = forward.inputs.prefix(count).map { builder.input($0.name, $0.type) }
            let target = builder.input(Model.targetName, TensorType(model.element, shape))
            let rest = forward.inputs.dropFirst(count).map { builder.input($0.name, $0.type) }
            let results = builder.inline(forward, inputs: first + rest)
            let value = builder.inline(losses, inputs: [results[0], target])[0]
            let moments = zip(forward.outputs, results).dropFirst().map { ($0.name, $1) }
            return builder.build(outputs: [("loss", value), (Objective.outputName, results[0])] + moments)
        }
        perSample = attached(to: model.forward)
        perSampleRunning = model.statistics.isEmpty ? perSample : attached(to: model.evaluation)
        self.model = model
        self.lossName = lossName
        self.loss = name
        self.targetShape = shape
        self.positions = value.shape
        self.losses = losses
        expansion = nil
        restriction = nil
    }

    /// - Parameter sample: inputs the model's parameters, `input`, `target` and what is fixed; outputs `loss` and `output`.
    init(_ other: Objective, _ expansion: Expansion, _ model: Model, _ sample: Graph) {
        self.model = model
        lossName = "\(other.lossName), \(expansion.rawValue) expansion"
        (loss, targetShape, positions, losses) = (other.loss, other.targetShape, other.positions, other.losses)
        (perSample, perSampleRunning) = (sample, sample)
        self.expansion = expansion
        restriction = nil
    }

    /// - Parameters:
    ///   - training, running: as `perSample` and `perSampleRunning`, with what is fixed in `model`.
    init(_ other: Objective, _ restriction: Restriction, _ model: Model, training: Graph, running: Graph) {
        self.model = model
        lossName = "\(other.lossName) in the \(restriction.rawValue)"
        (loss, targetShape, positions, losses) = (other.loss, other.targetShape, other.positions, other.losses)
        (perSample, perSampleRunning) = (training, running)
        expansion = nil
        self.restriction = restriction
    }

    /// The parameters' names: what derivatives are taken with respect to.
    public var parameterNames: [String] { model.layout.entries.map(\.name) }

    /// The number of losses and weights of one sample.
    public var positionCount: Int { positions.reduce(1, *) }

    // MARK: - Sums over samples

    /// `count` samples at once, without `sample weight`; outputs `losses` `[count, positions…]` and `outputs` `[count, …]`.
    public func samples(count: Int, use: StatisticsUse = .batch) throws -> Graph {
        try vmap(use == .batch ? perSample : perSampleRunning, over: [Model.inputName, Model.targetName], size: count)
            .selecting(outputs: ["loss", "output"]).renamed(outputs: ["loss": "losses", "output": "outputs"])
    }

    /// Σ wᵢℓᵢ over `count` samples; output `loss`.
    /// - Parameter updating: running values are inputs, and further outputs `bn1.running_mean.next`, … are what they become
    ///   after training on this batch.
    /// - Parameter keepingOutputs: `outputs` `[count, …]` is an output, behind `loss`.
    public func loss(
        count: Int, use: StatisticsUse = .batch, updating: Bool = false, keepingOutputs: Bool = false
    ) throws -> Graph {
        let one = use == .batch ? perSample : perSampleRunning
        let batch = try vmap(one, over: [Model.inputName, Model.targetName], size: count)
        try Cancellation.check()
        let builder = GraphBuilder()
        let leading = model.layout.entries.count + 2
        let first = batch.inputs.prefix(leading).map { builder.input($0.name, $0.type) }
        let weights = Symbolic(
            builder.input(Model.weightName, TensorType(model.element, [count] + positions)), in: builder)
        let fixed = declare(.fixed, in: builder)
        let values = updating || use == .running ? declare(.running, in: builder) : []
        let results = builder.inline(batch, inputs: first + fixed + (use == .running ? values : []))
        let losses = Symbolic(results[0], in: builder)
        var outputs = [("loss", try (weights * losses).sum().value)]
        if keepingOutputs { outputs.append(("outputs", results[1])) }
        if updating {
            let moments = results.dropFirst(2).map { Symbolic($0, in: builder) }
            outputs += try nextBuffers(values.map { Symbolic($0, in: builder) }, moments, count: count)
        }
        return builder.build(outputs: outputs)
    }

    /// PyTorch's update: r ← 0.9 r + 0.1 m with the batch's mean, and its unbiased variance.
    /// - Parameter moments: means and biased variances, one row for each sample, all rows alike.
    private func nextBuffers(
        _ running: [Symbolic], _ moments: [Symbolic], count: Int
    ) throws(GraphError) -> [(String, Value)] {
        var outputs: [(String, Value)] = []
        for (index, entry) in model.buffers.entries.enumerated() {
            let row = try moments[index].with(
                Slice(
                    starts: [Int](repeating: 0, count: entry.shape.count + 1), limits: [1] + entry.shape,
                    strides: [Int](repeating: 1, count: entry.shape.count + 1))
            ).reshaped(to: entry.shape)
            var factor = Model.statisticsMomentum
            if index % 2 == 1 {
                let n = count * model.statisticElements[index / 2]
                guard n > 1 else {
                    throw GraphError(
                        "a batch of one sample has no variance for the running statistics of "
                            + "'\(model.statistics[index / 2].name)': train on batches of two samples or more")
                }
                factor *= Double(n) / Double(n - 1)
            }
            let next = try (1 - Model.statisticsMomentum) * running[index] + factor * row
            outputs.append(("\(entry.name).next", next.value))
        }
        return outputs
    }

    /// Outputs those of `loss` and, for each parameter x, `x.gradient`.
    public func gradient(
        count: Int, use: StatisticsUse = .batch, updating: Bool = false, keepingOutputs: Bool = false
    ) throws -> Graph {
        try vjp(
            loss(count: count, use: use, updating: updating, keepingOutputs: keepingOutputs), of: "loss",
            withRespectTo: parameterNames)
    }

    /// As `gradient`, added to accumulators: further inputs `x.sum`, outputs `x.gradient` = `x.sum` + gradient.
    public func accumulatedGradient(
        count: Int, use: StatisticsUse = .batch, updating: Bool = false, keepingOutputs: Bool = false
    ) throws -> Graph {
        try accumulating(
            gradient(count: count, use: use, updating: updating, keepingOutputs: keepingOutputs)
        ) { "\($0).gradient" }
    }

    /// Whether training changes running values.
    func updatesBuffers(_ use: StatisticsUse) -> Bool { use == .batch && !model.statistics.isEmpty }

    /// Adds inputs `x.sum` and adds them to the outputs that `name` gives for each parameter; other outputs stay.
    func accumulating(_ graph: Graph, _ name: (String) -> String) throws -> Graph {
        try Cancellation.check()
        let builder = GraphBuilder()
        let inputs = graph.inputs.map { builder.input($0.name, $0.type) }
        let sums = declare(.sums, in: builder)
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
