import Dynamics
import Graph
import LuaBridge
import Networks

/// `eoss.nn`: models, those written in Lua among them; `eoss.optim`: update rules.
extension ScriptHost {
    func addNetworks(to eoss: Namespace) {
        let nn = eoss.namespace("nn", "Networks.")
        addPerceptrons(to: nn)
        addConvolutionalModels(to: nn)
        addSequenceModels(to: nn)
        addCompositions(to: nn)
        addLayers(to: nn)
        addModule(to: nn)
    }

    private func addModule(to nn: Namespace) {
        nn.function(
            "module",
            "A network written in Lua: its parameters, and its output for one sample. With eoss.batch_mean or eoss.batch_norm in it, batches have statistics.",
            options: [
                Parameter("inputs", .shape, "The number of inputs, or the shape of one sample."),
                Parameter(
                    "params", .map(of: Self.parameterFields), "Its parameters by name; they lie in the names' order."),
                Parameter("forward", .function("(x, params) -> tensor"), "The output for one sample; traced once."),
                Parameter("name", .string, default: "module", "What the network is called."), .seed, .dtype,
            ], results: [Parameter("model", .object("model"), "The network.")]
        ) { call in
            let parameters = try call.get("params", as: [String: LuaTable].self)
                .sorted { $0.key < $1.key }.map { try parameter($0.key, $0.value) }
            let function: LuaFunction = try call.get("forward")
            let model = try Trace.run(function, named: "forward") { trace in
                try Model(
                    name: call.get("name"), element: call.element(), parameters: parameters,
                    inputShape: call.shape("inputs") ?? [], seed: call.seed()
                ) { input, symbols in
                    let named = zip(parameters, symbols).map { ($0.name, LuaValue.object(TensorObject($1, trace))) }
                    let record = LuaRecord(Dictionary(uniqueKeysWithValues: named), called: "the parameters")
                    return try trace.call(TensorObject(input, trace), record)
                }
            }
            return ModelObject(model)
        }
    }

    private static var parameterFields: LuaType {
        .record([
            Parameter("shape", .list(of: .integer(.positive)), "Its extents; {} for a scalar."),
            .optional("init", .object("initializer").or(.number), "Its initial values; zeros by default."),
        ])
    }

    func addOptimizers(to eoss: Namespace) {
        let optim = eoss.namespace("optim", "Update rules.")
        optim.function(
            "sgd", "θ ← θ − lr·∇L over the batch: gradient descent, stochastic or full.",
            options: [Parameter("lr", .number(.positive), "The learning rate.")],
            results: [Parameter("optimizer", .object("optimizer"), "The rule.")]
        ) { call in OptimizerObject(SGD(learningRate: try call.get("lr"))) }
    }
}

/// One entry of `params`.
private func parameter(_ name: String, _ table: LuaTable) throws -> Model.Parameter {
    let shape = [Int].read(table["shape"]) ?? []
    do {
        let rule = try InitializerObject.rule(table["init"]) ?? .zeros
        return Model.Parameter(name: name, shape: shape, initializer: try rule(shape))
    } catch { throw ArgumentError("parameter '\(name)' of eoss.nn.module: \(error)") }
}
