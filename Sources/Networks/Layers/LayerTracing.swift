import Graph

/// What is learnt from tracing a layer, or what it is traced with.
///
/// In the first tracing, parameters are declared. There each layer with a row of its own is traced in a graph of its own,
/// so that its cost is the graph's, and only its output's type is passed on. In the second tracing the model's own graph is
/// written, with the parameters that the model has made.
final class LayerTracing {
    private let element: ElementType
    /// The model's parameters by name; nil in the first tracing.
    private let bound: [String: Symbolic]?
    private let statistics: BatchStatistics?
    /// Where declared parameters become inputs.
    private var builder: GraphBuilder
    /// Numbers the inputs that stand for the outputs of layers already traced.
    private var placeholders = 0
    private var isInRow = false

    private(set) var parameters: [Model.Parameter] = []
    private(set) var buffers: [Model.Statistic] = []
    private(set) var rows: [LayerSummary] = []

    /// The first tracing.
    init(declaring element: ElementType, in builder: GraphBuilder) {
        self.element = element
        self.builder = builder
        bound = nil
        statistics = nil
    }

    /// The second tracing.
    init(element: ElementType, bound: [String: Symbolic], statistics: BatchStatistics, in builder: GraphBuilder) {
        self.element = element
        self.builder = builder
        self.bound = bound
        self.statistics = statistics
    }

    func parameter(_ name: String, _ shape: [Int], _ initializer: () throws -> Initializer) throws -> Symbolic {
        if let bound {
            guard let symbol = bound[name], symbol.shape == shape else {
                throw GraphError("parameter '\(name)' was not declared with shape \(shape)")
            }
            return symbol
        }
        guard !parameters.contains(where: { $0.name == name }) else {
            throw GraphError("two parameters are named '\(name)'")
        }
        if let extent = shape.first(where: { $0 < 1 }) {
            throw GraphError("parameter '\(name)' has an extent of \(extent); extents start at 1")
        }
        _ = try TensorType(element, shape).elementCount()
        parameters.append(Model.Parameter(name: name, shape: shape, initializer: try initializer()))
        return Symbolic(builder.input(name, TensorType(element, shape)), in: builder)
    }

    func moments(_ path: String, of x: Symbolic, over axes: [Int]) throws -> (mean: Symbolic, variance: Symbolic) {
        if let statistics { return try statistics.moments(path, of: x, over: axes) }
        let shape = x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] }
        buffers.append(Model.Statistic(name: path, shape: shape))
        let mean = try x.mean(axes)
        return (mean, mean)
    }

    /// Traces a computation with a row of its own; one inside another belongs to it.
    func row(
        _ kind: String, _ path: String, _ inputs: [Symbolic], _ forward: ([Symbolic]) throws -> Symbolic
    ) throws -> Symbolic {
        if bound != nil || isInRow { return try forward(inputs) }
        let outer = builder
        builder = GraphBuilder()
        isInRow = true
        defer {
            builder = outer
            isInRow = false
        }
        let declared = parameters.count
        let output = try forward(inputs.map { Symbolic(builder.input(placeholder(), $0.type), in: builder) })
        let cost = builder.build(outputs: [("output", output.value)]).cost()
        let own = try ParameterLayout(parameters[declared...].map { ($0.name, $0.shape) }).count
        rows.append(
            LayerSummary(
                name: path, kind: kind, outputShape: output.shape, parameters: own, multiplyAdds: cost.multiplyAdds))
        return Symbolic(outer.input(placeholder(), output.type), in: outer)
    }

    /// A name that no parameter has: parameters' names have no spaces before their first letter.
    private func placeholder() -> String {
        placeholders += 1
        return " \(placeholders)"
    }

    /// Traces a composition, and then sorts the parameters that it declared by the part they belong to.
    func ordering(under path: String, _ order: [String], _ trace: () throws -> Symbolic) throws -> Symbolic {
        let (first, firstBuffer) = (parameters.count, buffers.count)
        let output = try trace()
        guard !order.isEmpty else { return output }
        let prefix = path.isEmpty ? "" : path + "."
        func rank(_ name: String) -> Int {
            let part = name.dropFirst(prefix.count).prefix { $0 != "." }
            return order.firstIndex(of: String(part)) ?? order.count
        }
        func sorted<Item>(_ items: ArraySlice<Item>, _ name: (Item) -> String) -> [Item] {
            items.enumerated().sorted { (rank(name($0.element)), $0.offset) < (rank(name($1.element)), $1.offset) }
                .map(\.element)
        }
        parameters.replaceSubrange(first..., with: sorted(parameters[first...], \.name))
        buffers.replaceSubrange(firstBuffer..., with: sorted(buffers[firstBuffer...], \.name))
        return output
    }
}
