import Datasets
import Dynamics
import Graph
import LuaBridge
import Networks

/// `dataset`: what `eoss.data` gives.
func datasetClass() -> ObjectClass<DatasetObject> {
    let sets = ObjectClass<DatasetObject>("dataset", "Samples to train on and samples to test on; a value.")
    sets.property("name", .string, "What the data are called.") { $0.data.name }
    sets.property("inputs", .integer, "The number of elements of one input.") { $0.data.inputWidth }
    sets.property("outputs", .integer, "The width of a target: the number of classes.") { $0.data.outputs }
    sets.property("shape", .list(of: .integer), "The shape of one input.") { $0.data.inputShape }
    sets.property("n", .integer, "The number of training samples.") { $0.data.train.count }
    sets.property("test_n", .integer, "The number of test samples.") { $0.data.test?.count ?? 0 }
    sets.length { $0.data.train.count }
    sets.description { $0.data.summary }
    sets.external { object in
        let data = object.data
        return (data.train.count + (data.test?.count ?? 0)) * (data.inputWidth + data.outputs) * 4
    }
    return sets
}

/// `optimizer`: an update rule with its settings.
func optimizerClass() -> ObjectClass<OptimizerObject> {
    let rules = ObjectClass<OptimizerObject>("optimizer", "An update rule with its settings; a value.")
    rules.property("name", .string, "What the rule is called.") { $0.rule.name }
    rules.property("lr", .number, "The learning rate.") { $0.rule.learningRate }
    rules.description { "\($0.rule.name){ lr = \(short($0.rule.learningRate)) }" }
    return rules
}

/// `initializer`: how the elements of a parameter are drawn.
func initializerClass() -> ObjectClass<InitializerObject> {
    let initializers = ObjectClass<InitializerObject>("initializer", "How a parameter's elements are drawn; a value.")
    initializers.description { $0.text }
    return initializers
}

/// `model`: a network with its initial parameters.
func modelClass(_ host: ScriptHost) -> ObjectClass<ModelObject> {
    let models = ObjectClass<ModelObject>("model", "A network with its initial parameters.")
    models.property("name", .string, "What the network is called.") { $0.model.name }
    models.property("count", .integer, "The number of parameters.") { $0.model.layout.count }
    models.property("dtype", .string, "The element type.") { $0.model.element.rawValue }
    models.property("params", .vector, "The initial parameters, which runs start from.") {
        VectorObject($0.model.initial)
    }
    models.property("shapes", .map(of: .list(of: .integer)), "The shape of each parameter, by its name.") {
        Dictionary(uniqueKeysWithValues: $0.model.layout.entries.map { ($0.name, $0.shape) })
    }
    models.procedure(
        "save", "Writes the parameters as a safetensors file below the output folder, in PyTorch's names and shapes.",
        parameters: [Parameter("path", .string, "The file, such as 'weights.safetensors'.")]
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
        return "\(model.name): \(model.layout.count) parameters in \(model.element.rawValue)"
    }
    models.external { $0.model.layout.count * $0.model.element.byteCount }
    return models
}
