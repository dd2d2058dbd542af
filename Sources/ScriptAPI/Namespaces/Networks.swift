import Dynamics
import Graph
import LuaBridge
import Networks

/// `eoss.nn`: models; `eoss.init`: initial values; `eoss.optim`: update rules.
extension ScriptHost {
    func addNetworks(to eoss: Namespace) {
        let nn = eoss.namespace("nn", "Networks.")
        nn.function(
            "mlp", "A fully connected network; initialisation of the EoSS code. Parameters: layers.0.weight, ….",
            options: [
                Parameter("inputs", .shape, "The number of inputs, or the shape of one sample."),
                Parameter("hidden", .list(of: .integer(.positive)), default: [], "The widths of the hidden layers."),
                Parameter("outputs", .integer(.positive), "The number of outputs."),
                Parameter(
                    "activation", .choice(Activation.allCases.map(\.rawValue)), default: "relu",
                    "What stands between the layers."),
                Parameter("init_scale", .number(.nonNegative), default: 0.2, "Multiplies the initial weights."),
                Parameter("bias", .boolean, default: true, "Whether layers have biases."), .seed, .dtype,
            ], results: [Parameter("model", .object("model"), "The network.")]
        ) { call in
            ModelObject(
                try .multilayerPerceptron(
                    inputShape: call.shape("inputs") ?? [], hidden: call.get("hidden"), outputs: call.get("outputs"),
                    activation: call.choice("activation"), initScale: call.get("init_scale"), bias: call.get("bias"),
                    seed: call.seed(), element: call.element()))
        }
        nn.function(
            "module", "A network written in Lua: its parameters, and its output for one sample.",
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

    func addInitializers(to eoss: Namespace) {
        let inits = eoss.namespace("init", "Initial values of parameters.")
        let result = [Parameter("initializer", .object("initializer"), "For the parameters of eoss.nn.module.")]
        inits.function("zeros", "All zero.", results: result) { _ in InitializerObject("zeros") { _ in .zeros } }
        inits.function(
            "constant", "All the same.", parameters: [Parameter("value", .number(.finite), "The value.")],
            results: result
        ) { call in
            let value: Double = try call.get("value")
            return InitializerObject("constant(\(value))") { _ in .constant(value) }
        }
        inits.function(
            "normal", "Independent normal numbers.",
            options: [
                Parameter("std", .number(.nonNegative), default: 1.0, "The standard deviation."),
                Parameter("mean", .number(.finite), default: 0.0, "The mean."),
            ], results: result
        ) { call in
            let (std, mean): (Double, Double) = (try call.get("std"), try call.get("mean"))
            return InitializerObject("normal{ std = \(std), mean = \(mean) }") { _ in .normal(std: std, mean: mean) }
        }
        inits.function(
            "uniform", "Independent uniform numbers.",
            options: [
                Parameter("from", .number(.finite), default: -1.0, "The lower end."),
                Parameter("to", .number(.finite), default: 1.0, "The upper end."),
            ], results: result
        ) { call in
            let (from, to): (Double, Double) = (try call.get("from"), try call.get("to"))
            guard from <= to else { throw ArgumentError("eoss.init.uniform: 'from' is above 'to'") }
            return InitializerObject("uniform{ from = \(from), to = \(to) }") { _ in .uniform(from: from, to: to) }
        }
        let scale = Parameter("scale", .number(.nonNegative), default: 1.0, "Multiplies the standard deviation.")
        inits.function(
            "kaiming_normal",
            "N(0, 2/fan_in) × scale (He et al. 2015); fan_in is the product of all extents but the first.",
            options: [scale], results: result
        ) { call in
            let scale: Double = try call.get("scale")
            return InitializerObject("kaiming_normal{ scale = \(scale) }") { shape in
                .kaimingNormal(fanIn: try fans(shape).fanIn, scale: scale)
            }
        }
        inits.function(
            "xavier_normal", "N(0, 2/(fan_in + fan_out)) × gain (Glorot & Bengio 2010).",
            options: [Parameter("gain", .number(.nonNegative), default: 1.0, "Multiplies the standard deviation.")],
            results: result
        ) { call in
            let gain: Double = try call.get("gain")
            return InitializerObject("xavier_normal{ gain = \(gain) }") { shape in
                let (fanIn, fanOut) = try fans(shape)
                return .xavierNormal(fanIn: fanIn, fanOut: fanOut, gain: gain)
            }
        }
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
    let initializer: Initializer
    if let number = Double.read(table["init"]) {
        initializer = .constant(number)
    } else if let object = InitializerObject.read(table["init"]) {
        do { initializer = try object.initializer(shape) } catch {
            throw ArgumentError("parameter '\(name)' of eoss.nn.module: \(error)")
        }
    } else {
        initializer = .zeros
    }
    return Model.Parameter(name: name, shape: shape, initializer: initializer)
}

/// PyTorch's fans of a weight `[out, in, …]`.
private func fans(_ shape: [Int]) throws -> (fanIn: Int, fanOut: Int) {
    guard shape.count >= 2 else {
        throw ArgumentError("this initialisation needs two axes or more, the shape is \(shape)")
    }
    let field = shape.dropFirst(2).reduce(1, *)
    return (shape[1] * field, shape[0] * field)
}
