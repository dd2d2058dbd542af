import Graph

extension Model {
    /// The network that a layer is, from inputs of this shape.
    ///
    /// Its parameters are those that the layer declares, in their order; parameter `i` is drawn from a stream of its own.
    /// - Parameter inputElement: i32 for tokens; by default the parameters' element.
    /// - Throws: `GraphError` that names the layer and the shapes where these do not fit, `MemoryError` when the parameters do
    ///   not fit.
    public init(
        name: String, layer: Layer, inputShape: [Int], inputElement: ElementType? = nil, seed: UInt64,
        element: ElementType = .f32
    ) throws {
        if let extent = inputShape.first(where: { $0 < 1 }) {
            throw GraphError("\(name): an input of shape \(inputShape) has an extent of \(extent); extents start at 1")
        }
        let builder = GraphBuilder()
        let declared = LayerTracing(declaring: element, in: builder)
        let type = TensorType(inputElement ?? element, inputShape)
        _ = try type.elementCount()
        let input = Symbolic(builder.input(Model.inputName, type), in: builder)
        _ = try layer(input, in: LayerScope(path: "", tracing: declared))
        let names = declared.parameters.map(\.name)
        try self.init(
            name: name, element: element, parameters: declared.parameters, statistics: declared.buffers,
            inputShape: inputShape, inputElement: inputElement, seed: seed
        ) { input, symbols, statistics in
            let bound = Dictionary(zip(names, symbols), uniquingKeysWith: { first, _ in first })
            let tracing = LayerTracing(element: element, bound: bound, statistics: statistics, in: input.builder)
            return try layer(input, in: LayerScope(path: "", tracing: tracing))
        }
        layers = declared.rows
    }
}
