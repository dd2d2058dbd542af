import Experiments
import Graph
import LuaBridge
import Networks

/// `eoss.nn.module` and `eoss.nn.layer`: networks and layers written in Lua.
extension ScriptHost {
    func addWrittenInLua(to nn: Namespace) {
        addModule(to: nn)
        addLayer(to: nn)
    }

    private func addModule(to nn: Namespace) {
        nn.function(
            "module",
            "A network written in Lua: its parameters, and its output for one sample. With eoss.batch_mean or eoss.batch_norm in it, batches have statistics; it keeps no running values, so test data are normalised by their own batches.",
            options: [
                Parameter("inputs", .shape, "The number of inputs, or the shape of one sample."),
                Parameter(
                    "params", .map(of: Self.parameterFields), "Its parameters by name; they lie in the names' order."),
                Parameter(
                    "forward",
                    .function(
                        ("x", .object("tensor")), ("params", .map(of: .object("tensor"))), returns: .object("tensor")),
                    "The output for one sample; traced once."),
                Parameter("name", .string, default: "module", "What the network is called."), .seed, .dtype,
            ], results: [Parameter("model", .object("model"), "The network.")]
        ) { call in
            let parameters = try call.get("params", as: [String: LuaTable].self)
                .sorted { $0.key < $1.key }.map { try WrittenParameter($0.key, .table($0.value), of: "eoss.nn.module") }
            let function: LuaFunction = try call.get("forward")
            let model = try Trace.run(function, named: "forward of eoss.nn.module") { trace in
                try Model(
                    name: call.get("name"), element: call.element(), parameters: parameters.map(\.declared),
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

    private func addLayer(to nn: Namespace) {
        nn.function(
            "layer",
            "A layer written in Lua, for sequential, residual and block: its parameters, and its output for one sample.",
            options: [
                Parameter(
                    "forward",
                    .function(
                        ("x", .object("tensor")), ("params", .map(of: .object("tensor"))), returns: .object("tensor")),
                    "The output for one sample's input."),
                .optional(
                    "params",
                    LuaType.map(of: Self.parameterFields).or(
                        .function(("shape", .list(of: .integer)), returns: .map(of: .table))),
                    "Its parameters by name, or a function of the input's shape that returns them. They lie in the names' order; a layer without parameters needs none."
                ),
                Parameter("name", .string, default: "layer", "What it is, in the network's table and in messages."),
            ], results: Self.layer
        ) { call in
            let name: String = try call.get("name")
            let code = LuaLayer(name)
            let object = LayerObject(
                name,
                Layer(kind: name) { x, scope in try code.output(for: x, in: scope) })
            code.forward = try call.capture("forward", in: object)
            switch try call.value("params") {
            case .function(let function): code.declare = try function.captured(by: object)
            case .table(let table): code.parameters = try code.read(.table(table))
            default: break
            }
            return object
        }
    }

    private static var parameterFields: LuaType {
        .record([
            Parameter("shape", .shape, "Its extents; {} for a scalar."),
            .optional("init", .object("initializer").or(.number), "Its initial values; zeros by default."),
        ])
    }
}

/// The Lua functions of a layer. They live as long as the layer's object in Lua, which every composition of the layer keeps.
private final class LuaLayer {
    private let name: String
    var forward: LuaCallback?
    /// Gives the parameters for the shape of the input.
    var declare: LuaCallback?
    var parameters: [WrittenParameter] = []

    init(_ name: String) { self.name = name }

    func output(for x: Symbolic, in scope: LayerScope) throws -> Symbolic {
        guard let forward else { return x }
        let parameters = try declare.map { try read($0.call(x.shape).first ?? .nil) } ?? self.parameters
        return try Trace.run(forward, named: "forward of the layer '\(name)'") { trace in
            var named: [String: LuaValue] = [:]
            for parameter in parameters {
                let symbol = try scope.parameter(parameter.name, parameter.shape, parameter.initializer)
                named[parameter.name] = .object(TensorObject(symbol, trace))
            }
            return try trace.call(TensorObject(x, trace), LuaRecord(named, called: "the parameters"))
        }
    }

    /// A table of parameters, in the names' order.
    func read(_ value: LuaValue) throws -> [WrittenParameter] {
        guard case .table(let table) = value, table.array.isEmpty, table.others.isEmpty else {
            throw ArgumentError(
                "params of the layer '\(name)' must be a table of names, each a table { shape, init }; it is "
                    + described(value))
        }
        return try table.fields.named(in: "params of the layer '\(name)'")
            .map { try WrittenParameter($0.name, $0.value, of: "the layer '\(name)'") }
    }
}

/// One entry of `params`.
private struct WrittenParameter {
    let name: String
    let shape: [Int]
    let initializer: Initializer

    var declared: Model.Parameter { Model.Parameter(name: name, shape: shape, initializer: initializer) }

    init(_ name: String, _ value: LuaValue, of owner: String) throws {
        let place = "parameter '\(name)' of \(owner)"
        guard case .table(let table) = value else {
            throw ArgumentError("\(place) must be a table { shape, init }; it is \(described(value))")
        }
        let unknown =
            (table.array.isEmpty ? [] : ["1"])
            + table.fields.keys.map(\.description).filter { !["shape", "init"].contains($0) }
        if let entry = unknown.sorted().first {
            throw ArgumentError("\(place) has the unknown entry '\(entry)': it takes shape and init")
        }
        guard let shape = Int.read(table["shape"]).map({ [$0] }) ?? [Int].read(table["shape"]),
            shape.allSatisfy({ $0 > 0 })
        else { throw ArgumentError("\(place): its shape must be a list of integers > 0, such as { 3, 4 }") }
        if !table["init"].isNil, InitializerObject.read(table["init"]) == nil, Double.read(table["init"]) == nil {
            throw ArgumentError("\(place): init must be an initializer, such as eoss.init.normal(), or a number")
        }
        (self.name, self.shape) = (name, shape)
        do {
            let rule = try InitializerObject.rule(table["init"]) ?? .zeros
            initializer = try rule(shape)
        } catch { throw ArgumentError("\(place): \(words(for: error))") }
    }
}
