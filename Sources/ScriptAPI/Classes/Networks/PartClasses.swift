import Compute
import Datasets
import Dynamics
import Experiments
import Graph
import LuaBridge
import Networks

/// `optimizer`: an update rule with its settings.
func optimizerClass() -> ObjectClass<OptimizerObject> {
    let rules = ObjectClass<OptimizerObject>("optimizer", "An update rule with its settings; a value.")
    rules.property("name", .string, "What the rule is called.") { $0.rule.name }
    rules.property("lr", .number, "The learning rate.") { $0.rule.learningRate }
    rules.property("settings", .map(of: .number), "All its settings, by name.") {
        Dictionary(uniqueKeysWithValues: $0.rule.settings.map { ($0.name, $0.value) })
    }
    rules.description { $0.rule.summary }
    return rules
}

/// `initializer`: how the elements of a parameter are drawn.
func initializerClass() -> ObjectClass<InitializerObject> {
    let initializers = ObjectClass<InitializerObject>("initializer", "How a parameter's elements are drawn; a value.")
    initializers.description { $0.text }
    return initializers
}

/// `layer`: a part of a network.
func layerClass() -> ObjectClass<LayerObject> {
    let layers = ObjectClass<LayerObject>("layer", "A part of a network: what eoss.nn.sequential composes; a value.")
    layers.description { $0.text }
    return layers
}

/// `model`: a network with its initial parameters.
func modelClass(_ host: ScriptHost) -> ObjectClass<ModelObject> {
    let models = ObjectClass<ModelObject>("model", "A network with its initial parameters.")
    models.property("name", .string, "What the network is called.") { $0.model.name }
    models.property("count", .integer, "The number of parameters.") { $0.model.layout.count }
    models.property("dtype", .string, "The element type.") { $0.model.element.rawValue }
    models.property("params", .vector, "The initial parameters, which runs start from.") {
        VectorObject($0.model.initial, $0.model.layout)
    }
    models.method(
        "vector", "A vector of this network's parameters.",
        parameters: [
            Parameter(
                "values", .number.or(.object("array")).or(.vector).or(.table),
                "A table of arrays, numbers or tables of them by the parameters' names, all of them; or all numbers in their order; or one number for all."
            )
        ], results: [Parameter("vector", .vector, "The vector, in the network's element type.")]
    ) { object, call in try object.vector(call.value("values")) }
    models.property("shapes", .map(of: .list(of: .integer)), "The shape of each parameter, by its name.") {
        Dictionary(uniqueKeysWithValues: $0.model.layout.entries.map { ($0.name, $0.shape) })
    }
    models.property(
        "layers", .table,
        "What print shows, a table for each layer: name, kind, shape of its output, parameters, multiply_adds; empty where no layers were recorded, as in a module."
    ) { object in
        LuaValue.table(
            LuaTable(
                array: object.model.layers.map { layer in
                    .table(
                        LuaTable(fields: [
                            "name": .string(layer.name), "kind": .string(layer.kind),
                            "shape": layer.outputShape.luaValue, "parameters": .integer(layer.parameters),
                            "multiply_adds": .integer(layer.multiplyAdds),
                        ]))
                }))
    }
    models.procedure(
        "save",
        "Writes the parameters below the output folder, in PyTorch's names and shapes, as .safetensors or .npz.",
        parameters: [Parameter("path", .string, "The file, such as 'weights.safetensors'; its ending is the format.")]
    ) { [unowned host] model, call in
        try host.save(model.model.initial, model.model.initialBuffers, of: model.model, to: call.get("path"))
    }
    models.method(
        "load", "Takes the parameters from a safetensors file; every name and shape must be the model's.",
        parameters: [Parameter("path", .string, "The file.")],
        results: [Parameter("model", .object("model"), "The model itself.")]
    ) { [unowned host] model, call in
        let path: String = try call.get("path")
        var loaded = model.model
        try host.load(path, into: &loaded)
        model.model = loaded
        return model
    }
    models.description { object in
        let model = object.model
        let line = "\(model.name): \(model.layout.count) parameters in \(model.element.rawValue)"
        return model.layers.isEmpty ? line : "\(line)\n\(model.table)"
    }
    models.external { $0.model.layout.count * $0.model.element.byteCount }
    return models
}

extension ModelObject {
    /// The vector of all parameters that a script spells.
    fileprivate func vector(_ value: LuaValue) throws -> VectorObject {
        let (layout, element) = (model.layout, model.element)
        if case .table(let table) = value, !table.fields.isEmpty {
            var arrays: [String: NDArray] = [:]
            for (name, value) in try table.fields.named(in: "\(model.name):vector") {
                if let number = Double.read(value), let entry = layout.entry(name) {
                    let numbers = [Double](repeating: number, count: entry.count)
                    arrays[name] = try NDArray(numbers, shape: entry.shape)
                } else {
                    arrays[name] = try ArrayObject.spelled(by: value, name)
                }
            }
            return VectorObject(try layout.vector(of: arrays, element: element, from: "\(model.name):vector"), layout)
        }
        if let number = Double.read(value) {
            return VectorObject(
                try Vector([Double](repeating: number, count: layout.count), element: element), layout)
        }
        let numbers = try ArrayObject.spelled(by: value, "values")
        guard numbers.count == layout.count else {
            throw ArgumentError("model:vector: \(numbers.count) numbers for \(layout.count) parameters")
        }
        return VectorObject(try ArrayObject(numbers).vector().converted(to: element), layout)
    }
}
