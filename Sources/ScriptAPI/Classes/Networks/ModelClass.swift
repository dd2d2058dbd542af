import Compute
import Datasets
import Experiments
import Graph
import LuaBridge
import Networks

/// A network. Its initial parameters are what `load` replaces; the runs made of it have copies.
final class ModelObject: LuaObject {
    var model: Model
    init(_ model: Model) { self.model = model }
}

extension ScriptHost {
    /// `model`: a network with its initial parameters.
    func modelClass() -> ObjectClass<ModelObject> {
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
            "layers",
            .list(
                of: .record([
                    Parameter("name", .string, "The layer."),
                    Parameter("kind", .string, "What it is: linear, conv, …."),
                    Parameter("shape", .list(of: .integer), "Of its output."),
                    Parameter("parameters", .integer, "How many it has."),
                    Parameter("multiply_adds", .integer, "Of one sample."),
                ])), "What print shows, a line for each layer; empty where no layers were recorded, as in a module."
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
            parameters: [
                Parameter("path", .path, "The file, such as 'weights.safetensors'; its ending is the format.")
            ]
        ) { [unowned self] model, call in
            try save(model.model.initial, model.model.initialBuffers, of: model.model, to: call.get("path"))
        }
        models.method(
            "load", "Takes the parameters from a safetensors file; every name and shape must be the model's.",
            parameters: [Parameter("path", .path, "The file.")],
            results: [Parameter("model", .object("model"), "The model itself.")]
        ) { [unowned self] model, call in
            let path: String = try call.get("path")
            var loaded = model.model
            try load(path, into: &loaded)
            model.model = loaded
            return model
        }
        models.method(
            "freeze",
            "Freezes parameters at their present values, for runs that are made from here on: they are none of the parameters any more, of which steps, gradients and curvature are.",
            parameters: [
                Parameter(
                    "names", .names,
                    "Names, beginnings of names ('layers.0'), or patterns ('layers.*.bias'); '-' in front leaves out.")
            ], results: [Parameter("model", .object("model"), "The model itself.")]
        ) { object, call in
            let model = object.model
            let block = try ParameterBlock(call.names("names"), of: model.layout, called: model.name)
            object.model = try model.freezing(Set(block.entries.map(\.name)))
            return object
        }
        models.property("frozen", .list(of: .string), "The names of the parameters that are frozen.") {
            $0.model.frozen.map(\.name)
        }
        models.view { [unowned self] in view(of: $0) }
        models.description { object in
            object.model.layers.isEmpty ? object.line : "\(object.line)\n\(object.model.table)"
        }
        models.external { $0.model.layout.count * $0.model.element.byteCount }
        return models
    }
}

extension ModelObject {
    /// What it is, and how large.
    var line: String {
        let frozen = model.frozen.reduce(0) { $0 + $1.count }
        return "\(model.name): \(model.layout.count) parameters in \(model.element.rawValue)"
            + (frozen > 0 ? ", \(frozen) frozen" : "")
    }

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
