import Compute
import Graph

/// A network: named parameters in one flat vector, their initial values, and the function of one sample that they define.
public struct Model: Sendable {
    /// What the network is called in messages and in the run file.
    public let name: String
    public let element: ElementType
    public let layout: ParameterLayout
    /// The shape of one sample's input and output.
    public let inputShape: [Int]
    public let outputShape: [Int]
    /// One sample: inputs are the parameters by name, then `input`; the output is `output`.
    public let forward: Graph
    /// The parameters at step 0.
    public var initial: Vector

    /// The name of the graph input that a sample's input is bound to.
    public static let inputName = "input"
    public static let targetName = "target"
    /// The name of the graph input that a step's learning rate is bound to.
    static let rateName = "step rate"

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

    /// Traces `forward` once over symbolic tensors and draws the initial parameters. Parameter `i` has a random stream of
    /// its own, so that adding a layer does not change the draws of those before it.
    /// - Throws: `GraphError` when shapes do not fit, `MemoryError` when the parameters do not.
    public init(
        name: String, element: ElementType, parameters: [Parameter], inputShape: [Int], seed: UInt64,
        forward: (_ input: Symbolic, _ parameters: [Symbolic]) throws -> Symbolic
    ) throws {
        let layout = try ParameterLayout(parameters.map { ($0.name, $0.shape) })
        try Model.check(parameters.map(\.name))
        var initial = try Vector(zeros: layout.count, element: element, for: "the parameters of \(name)")
        for (index, (parameter, entry)) in zip(parameters, layout.entries).enumerated() {
            var stream = RandomStream(seed: seed, purpose: .initialisation, index: UInt64(index))
            try parameter.initializer.fill(&initial, entry: entry, stream: &stream)
        }
        let builder = GraphBuilder()
        let symbols = parameters.map {
            Symbolic(builder.input($0.name, TensorType(element, $0.shape)), in: builder)
        }
        let input = Symbolic(builder.input(Model.inputName, TensorType(element, inputShape)), in: builder)
        let output = try forward(input, symbols)
        guard output.type.element == element else {
            throw GraphError("\(name) returns \(output.type), not a tensor of \(element.rawValue)")
        }
        self.name = name
        self.element = element
        self.layout = layout
        self.inputShape = inputShape
        outputShape = output.shape
        self.forward = builder.build(outputs: [("output", output.value)])
        self.initial = initial
    }

    /// Graphs have further inputs, beside a parameter x also `x.sum` and `x.tangent`: no parameter may be called so.
    private static func check(_ names: [String]) throws(GraphError) {
        guard !names.isEmpty else { throw GraphError("a model without parameters: there is nothing to train") }
        let known = Set(names)
        for name in names {
            if [inputName, targetName, rateName].contains(name) {
                throw GraphError(
                    "a parameter cannot be named '\(name)': the name stands for a sample's or step's \(name)")
            }
            guard let dot = name.lastIndex(of: "."), known.contains(String(name[..<dot])) else { continue }
            let last = name[name.index(after: dot)...]
            if last == "sum" || last.hasPrefix("tangent") {
                throw GraphError("a parameter cannot be named '\(name)' beside one named '\(name[..<dot])'")
            }
        }
    }

    /// The number of outputs of one sample.
    public var outputCount: Int { outputShape.reduce(1, *) }
}
