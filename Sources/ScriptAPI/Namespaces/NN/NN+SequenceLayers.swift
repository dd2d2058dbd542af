import LuaBridge
import Networks

/// `eoss.nn`: layers over sequences.
extension ScriptHost {
    func addSequenceLayers(to nn: Namespace) {
        nn.function(
            "attention",
            "Multi-head self-attention of a sequence [T, width], in PyTorch's names: in_proj_weight, out_proj.weight, ….",
            parameters: [
                Parameter("width", .integer(.positive), "Numbers a place."),
                Parameter("heads", .integer(.positive), "How many; they divide the width."),
            ],
            options: [
                Parameter("causal", .boolean, default: false, "Whether a place sees none behind it."),
                Parameter("bias", .boolean, default: true, "Whether its linear maps have biases."),
            ], results: Self.layer
        ) { call in
            let (width, heads): (Int, Int) = (try call.get("width"), try call.get("heads"))
            return LayerObject(
                "attention(\(width), \(heads))",
                .attention(width, heads: heads, isCausal: try call.get("causal"), bias: try call.get("bias")))
        }
        nn.function(
            "lstm_layer",
            "An LSTM over a sequence: [T, inputs] gives [T, hidden]. Parameters: weight_ih_l0, weight_hh_l0, ….",
            parameters: [
                Parameter("inputs", .integer(.positive), "Numbers a place."),
                Parameter("hidden", .integer(.positive), "The width of the state."),
            ],
            options: [
                Parameter("layers", Self.depth, default: 1, "One upon the other."),
                Parameter("bias", .boolean, default: true, "Whether it has biases."),
            ], results: Self.layer
        ) { call in
            let (inputs, hidden): (Int, Int) = (try call.get("inputs"), try call.get("hidden"))
            return LayerObject(
                "lstm_layer(\(inputs), \(hidden))",
                .lstm(inputs, hidden, layers: try call.get("layers"), bias: try call.get("bias")))
        }
        nn.function(
            "mamba_layer", "A Mamba mixer over a sequence [T, width] (Gu & Dao 2023).",
            parameters: [Parameter("width", .integer(.positive), "Numbers a place.")],
            options: [
                Parameter("states", .integer(.positive), default: 16, "Of each channel."),
                Parameter("expansion", .integer(.positive), default: 2, "Inner channels a number of the width."),
                Parameter("kernel", .integer(.positive), default: 4, "Places of the convolution."),
            ], results: Self.layer
        ) { call in
            let width: Int = try call.get("width")
            return LayerObject(
                "mamba_layer(\(width))",
                .mamba(
                    width, states: try call.get("states"), expansion: try call.get("expansion"),
                    kernel: try call.get("kernel")))
        }
    }
}
