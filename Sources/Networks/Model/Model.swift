import Compute
import Graph

/// A network: named parameters in one flat vector, their initial values, and the function of one sample that they define.
public struct Model: Sendable {
    /// What the network is called in messages and in the run file.
    public let name: String
    public let element: ElementType
    /// The element of a sample's input: that of the parameters, or i32 for tokens.
    public let inputElement: ElementType
    public internal(set) var layout: ParameterLayout
    /// The shape of one sample's input and output.
    public let inputShape: [Int]
    public let outputShape: [Int]
    /// One sample, as part of a batch: inputs are the parameters by name, then `input`; the output is `output`, then for each
    /// statistic the batch's mean and biased variance, `bn1.mean` and `bn1.variance`. What is fixed are inputs behind `input`.
    public internal(set) var forward: Graph
    /// One sample alone, with running values: these are the last inputs, as `buffers` has them; the output is `output`.
    /// The same function as `forward` in a model without batch statistics.
    public internal(set) var evaluation: Graph
    /// The parameters at step 0.
    public var initial: Vector

    /// The normalisation layers that keep running values, and how these lie in one vector: `bn1.running_mean`,
    /// `bn1.running_var`, …, in PyTorch's names, shapes and order.
    public let statistics: [Statistic]
    public let buffers: ParameterLayout
    /// The running values at step 0: means 0 and variances 1.
    public var initialBuffers: Vector
    /// How many elements of one sample each statistic is taken over.
    package let statisticElements: [Int]
    /// Whether a sample's output depends on the batch that it is part of, under `StatisticsUse.batch` and `.running`.
    package let dependsOnBatch: [StatisticsUse: Bool]

    /// Tensors that are inputs of the graphs, though no derivative is taken by them and no step changes them, and their values.
    /// Frozen parameters come first.
    public internal(set) var fixed = ParameterLayout()
    public var fixedValues: Vector
    var frozenCount = 0

    /// Tensors that PyTorch's `state_dict` of this network holds beside parameters and statistics, though nothing changes them:
    /// the table of positions of a transformer.
    public package(set) var constants: [Constant] = []

    /// A tensor of a model's `state_dict` that nothing changes.
    public struct Constant: Sendable {
        public let name: String
        public let shape: [Int]
        public let values: [Double]
    }

    /// The model's table, in the order of the forward pass; empty where no layers were recorded.
    public var layers: [LayerSummary] = []

    /// The name of the graph input that a sample's input is bound to.
    public static let inputName = "input"
    public static let targetName = "target"
    /// The name of the graph input that holds the weights of losses in their sum.
    public static let weightName = "sample weight"
    /// What the names of a step's scalars begin with: `step rate`.
    package static let stepPrefix = "step "
    /// What the names of an update's state begin with, behind the parameter's.
    package static let statePrefix = "state "

    public struct Parameter: Sendable {
        public let name: String
        public let shape: [Int]
        public let initializer: Initializer
        public init(name: String, shape: [Int], initializer: Initializer) {
            self.name = name
            self.shape = shape
            self.initializer = initializer
        }
    }

    /// A model whose samples do not depend on each other.
    /// - Throws: as the initialiser with batch statistics.
    public init(
        name: String, element: ElementType, parameters: [Parameter], inputShape: [Int],
        inputElement: ElementType? = nil, seed: UInt64,
        forward: (_ input: Symbolic, _ parameters: [Symbolic]) throws -> Symbolic
    ) throws {
        try self.init(
            name: name, element: element, parameters: parameters, statistics: [], inputShape: inputShape,
            inputElement: inputElement, seed: seed
        ) { input, parameters, _ in try forward(input, parameters) }
    }

    /// Traces `forward` over symbolic tensors and draws the initial parameters. Parameter `i` has a random stream of its own,
    /// so that adding a layer does not change the draws of those before it.
    /// - Parameters:
    ///   - statistics: the normalisation layers that ask `forward`'s third argument for moments, in PyTorch's order. With any,
    ///     `forward` is called twice.
    ///   - inputElement: of a sample's input; by default that of the parameters.
    /// - Throws: `GraphError` when shapes do not fit, `MemoryError` when the parameters do not, `Cancelled`.
    public init(
        name: String, element: ElementType, parameters: [Parameter], statistics: [Statistic], inputShape: [Int],
        inputElement: ElementType? = nil, seed: UInt64,
        forward: (_ input: Symbolic, _ parameters: [Symbolic], _ statistics: BatchStatistics) throws -> Symbolic
    ) throws {
        let layout = try ParameterLayout(parameters.map { ($0.name, $0.shape) })
        let buffers = try ParameterLayout(
            statistics.flatMap { [($0.meanName, $0.shape), ($0.varianceName, $0.shape)] })
        try Model.check(parameters.map(\.name), buffers.entries.map(\.name))
        // Every element is written below; zeros before that were a walk over all memory that nothing ends.
        var initial = try Vector(uninitialized: layout.count, element: element, for: "the parameters of \(name)")
        for (index, (parameter, entry)) in zip(parameters, layout.entries).enumerated() {
            var stream = RandomStream(seed: seed, purpose: .initialisation, index: UInt64(index))
            try parameter.initializer.fill(&initial, entry: entry, stream: &stream)
        }
        func trace(_ use: StatisticsUse) throws -> (Graph, BatchStatistics) {
            let builder = GraphBuilder()
            let symbols = parameters.map {
                Symbolic(builder.input($0.name, TensorType(element, $0.shape)), in: builder)
            }
            let type = TensorType(inputElement ?? element, inputShape)
            let input = Symbolic(builder.input(Model.inputName, type), in: builder)
            let moments = BatchStatistics(use, declared: statistics)
            let output = try forward(input, symbols, moments)
            guard output.type.element == element else {
                throw GraphError("\(name) returns \(output.type), not a tensor of \(element.rawValue)")
            }
            try moments.checkAllWereUsed(by: name)
            var outputs = [("output", output.value)]
            if use == .batch {
                for statistic in statistics {
                    guard let own = moments.moments[statistic.name] else { continue }
                    outputs += [("\(statistic.name).mean", own.mean), ("\(statistic.name).variance", own.variance)]
                }
            }
            return (builder.build(outputs: outputs), moments)
        }
        let (forwardGraph, moments) = try trace(.batch)
        self.name = name
        self.element = element
        self.inputElement = inputElement ?? element
        self.layout = layout
        self.inputShape = inputShape
        outputShape = forwardGraph.type(of: forwardGraph.outputs[0].value).shape
        self.forward = forwardGraph
        evaluation = statistics.isEmpty ? forwardGraph : try trace(.running).0.withInputs(orderedAs: layout, buffers)
        dependsOnBatch = [.batch: forwardGraph.containsBatchMean, .running: evaluation.containsBatchMean]
        self.initial = initial
        self.statistics = statistics
        self.buffers = buffers
        statisticElements = statistics.map { moments.moments[$0.name]?.elements ?? 1 }
        initialBuffers = try Vector(
            statistics.flatMap { statistic in
                let count = statistic.shape.reduce(1, *)
                return [Double](repeating: 0, count: count) + [Double](repeating: 1, count: count)
            }, element: element)
        fixedValues = try Vector(zeros: 0, element: element)
    }

    /// Graphs have further inputs, beside a parameter x also `x.sum`, `x.origin`, `x.basis`, `x.tangent` and `x.state velocity`: no
    /// parameter may be called so.
    private static func check(_ names: [String], _ buffers: [String]) throws(GraphError) {
        guard !names.isEmpty else { throw GraphError("a model without parameters: there is nothing to train") }
        let known = Set(names)
        for name in names {
            if buffers.contains(name) {
                throw GraphError("a parameter cannot be named '\(name)': batch statistics have the name")
            }
            if [inputName, targetName, weightName].contains(name) || name.hasPrefix(stepPrefix) {
                throw GraphError(
                    "a parameter cannot be named '\(name)': the name stands for a part of a sample or of a step")
            }
            guard let dot = name.lastIndex(of: "."), known.contains(String(name[..<dot])) else { continue }
            let last = name[name.index(after: dot)...]
            if ["sum", "origin", "basis"].contains(last) || last.hasPrefix("tangent") || last.hasPrefix(statePrefix) {
                throw GraphError("a parameter cannot be named '\(name)' beside one named '\(name[..<dot])'")
            }
        }
    }

    /// What the name of a parameter's value at the point of an expansion ends with.
    package static let originSuffix = ".origin"
    /// What the name of a parameter's part of a basis ends with.
    package static let basisSuffix = ".basis"

    /// The number of outputs of one sample.
    public var outputCount: Int { outputShape.reduce(1, *) }
}

extension Graph {
    /// The same function with the parameters, then the sample, then the running values as inputs, in the order of their
    /// layouts; `forward` asks for running values in the order in which its layers run.
    fileprivate func withInputs(orderedAs parameters: ParameterLayout, _ buffers: ParameterLayout) -> Graph {
        let b = GraphBuilder()
        var values: [String: Value] = [:]
        for name in parameters.entries.map(\.name) + [Model.inputName] + buffers.entries.map(\.name) {
            guard let index = inputIndex(name) else { preconditionFailure("every input was traced") }
            values[name] = b.input(name, inputs[index].type)
        }
        let results = b.call(self, values)
        return b.build(outputs: outputs.compactMap { output in results[output.name].map { (output.name, $0) } })
    }
}
