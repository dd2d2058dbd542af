import LuaBridge
import Networks

/// `eoss.nn`: layers put together, as a layer (`block`, `residual`) or as a model (`sequential`).
extension ScriptHost {
    func addCompositions(to nn: Namespace) {
        let layers = Parameter("layers", .object("layer"), "The layers, in their order.")
        nn.function(
            "sequential",
            "Layers one after the other, as a model. Parameters: 0.weight, 2.weight, …, as nn.Sequential.",
            options: [
                .optional(
                    "inputs", .shape, "The shape of one sample; where the first layer says it, it may be left out."),
                Parameter("name", .string, default: "sequential", "What the network is called."), .seed, .dtype,
            ], items: layers, results: [Parameter("model", .object("model"), "The network.")]
        ) { call in
            let parts: [LayerObject] = try call.items()
            guard let first = parts.first else { throw ArgumentError("eoss.nn.sequential needs at least one layer") }
            guard let shape = try call.shape("inputs") ?? first.inputShape else {
                throw ArgumentError(
                    "eoss.nn.sequential: the first layer, \(first.text), does not say the shape of a sample: give inputs, "
                        + "such as inputs = data.shape")
            }
            return ModelObject(
                try Model(
                    name: call.get("name"), layer: .sequential(parts.map(\.layer)), inputShape: shape,
                    seed: call.seed(),
                    element: call.element()))
        }
        nn.function(
            "block", "Layers one after the other, as one layer. Parameters: 0.weight, …, below the block's own name.",
            items: layers, results: Self.layer
        ) { call in
            let parts: [LayerObject] = try call.items()
            return try LayerObject(
                "block{ \(parts.map(\.text).joined(separator: ", ")) }", .sequential(parts.map(\.layer)),
                inputShape: parts.first?.inputShape
            ).keeping(parts, in: call.state)
        }
        nn.function(
            "residual",
            "shortcut(x) + scale · layers(x), then an activation. Parameters: body.0.weight, …, shortcut.….",
            options: [
                .optional("shortcut", .object("layer"), "What x goes through beside the layers; x itself by default."),
                Parameter(
                    "activation", .choice(Activation.allCases.map(\.rawValue)), default: "identity", "Of the sum."),
                Parameter("scale", .number(.finite), default: 1.0, "Multiplies what the layers give."),
            ], items: layers, results: Self.layer
        ) { call in
            let parts: [LayerObject] = try call.items()
            let shortcut: LayerObject? = try call.get("shortcut")
            return try LayerObject(
                "residual{ \(parts.map(\.text).joined(separator: ", ")) }",
                .residual(
                    .sequential(parts.map(\.layer)), shortcut: shortcut?.layer ?? .identity,
                    activation: try call.choice("activation"), scale: try call.get("scale")),
                inputShape: parts.first?.inputShape
            ).keeping(parts + [shortcut].compactMap { $0 }, in: call.state)
        }
    }
}

extension LayerObject {
    /// The layer, which keeps its parts: those written in Lua have functions that live with them.
    fileprivate func keeping(_ parts: [LayerObject], in state: LuaState) throws -> LayerObject {
        for part in parts { try state.keep(part, in: self) }
        return self
    }
}
