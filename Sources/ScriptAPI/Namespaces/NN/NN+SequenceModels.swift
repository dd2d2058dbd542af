import LuaBridge
import Networks

/// `eoss.nn`: transformers and recurrent networks, those of the central-flows code.
extension ScriptHost {
    private static let vocabulary = Parameter("vocabulary", .integer(.positive), "How many different tokens there are.")
    private static let length = Parameter("length", .integer(.positive), "The number of tokens of one sample.")

    func addSequenceModels(to nn: Namespace) {
        nn.function(
            "vit",
            "A vision transformer without dropout: the central-flows code's SimpleViT. Parameters: to_patch_embedding.…, transformer.…, linear_head.….",
            options: [
                Self.images, Parameter("patch", .integer(.positive), default: 4, "The extent of the square patches."),
                Parameter("width", .integer(.positive), default: 64, "Numbers a patch."),
                Parameter("depth", .integer(.positive), default: 4, "The number of blocks."),
                Parameter("heads", .integer(.positive), default: 8, "Of the attention."),
                Parameter("head_width", .integer(.positive), default: 64, "Numbers a head."),
                Parameter("hidden", .integer(.positive), default: 256, "The width of the blocks' MLPs."), Self.classes,
                Self.activation("gelu"),
                Parameter(
                    "head_scale", .number(.finite), default: 0.0, "Multiplies the output layer's initial weights."),
                .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .visionTransformer(
                    inputShape: call.shape("inputs") ?? [], patch: call.get("patch"), width: call.get("width"),
                    depth: call.get("depth"), heads: call.get("heads"), headWidth: call.get("head_width"),
                    hidden: call.get("hidden"), outputs: call.get("outputs"), activation: call.choice("activation"),
                    headScale: call.get("head_scale"), seed: call.seed(), element: call.element()))
        }
        nn.function(
            "transformer",
            "The central-flows sequence transformer: tokens in, a vector of logits for each place. Parameters: embedding.weight, decoder.layers.0.…, output_layer.weight.",
            options: [
                Self.vocabulary, Self.length, Parameter("width", .integer(.positive), default: 32, "Numbers a place."),
                Parameter("layers", Self.depth, default: 4, "How many."),
                Parameter("heads", .integer(.positive), default: 4, "Of the attention; they divide the width."),
                .optional(
                    "hidden", .integer(.positive), "The width of the layers' MLPs; four times the width by default."),
                Self.activation("gelu"),
                Parameter(
                    "head_scale", .number(.finite), default: 0.0, "Multiplies the output layer's initial weights."),
                Parameter(
                    "causal_memory", .boolean, default: false,
                    "Masks the second attention too, which in the reference sees tokens to come."), .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .transformer(
                    vocabulary: call.get("vocabulary"), length: call.get("length"), width: call.get("width"),
                    layers: call.get("layers"), heads: call.get("heads"), hidden: call.get("hidden"),
                    activation: call.choice("activation"), headScale: call.get("head_scale"),
                    isMemoryCausal: call.get("causal_memory"), seed: call.seed(), element: call.element()))
        }
        nn.function(
            "lstm",
            "The central-flows LSTM: tokens in, a vector of logits for each place. Parameters: embed.weight, lstm.layers.0.Wih, …, linear.weight.",
            options: [
                Self.vocabulary, Self.length, Parameter("width", .integer(.positive), default: 48, "Numbers a token."),
                Parameter("hidden", .integer(.positive), default: 48, "The width of the state."),
                Parameter("layers", Self.depth, default: 2, "How many."), .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .lstm(
                    vocabulary: call.get("vocabulary"), length: call.get("length"), width: call.get("width"),
                    hidden: call.get("hidden"), layers: call.get("layers"), seed: call.seed(), element: call.element()))
        }
        nn.function(
            "mamba",
            "The central-flows Mamba (Gu & Dao 2023): tokens in, a vector of logits for each place. Parameters: embed.weight, mamba.layers.0.mixer.…, linear.weight.",
            options: [
                Self.vocabulary, Self.length, Parameter("width", .integer(.positive), default: 64, "Numbers a place."),
                Parameter("layers", Self.depth, default: 2, "How many."),
                Parameter("states", .integer(.positive), default: 16, "Of each channel."),
                Parameter("expansion", .integer(.positive), default: 2, "Inner channels a number of the width."),
                Parameter("kernel", .integer(.positive), default: 4, "Places of the convolution."),
                .optional("outputs", .integer(.positive), "Numbers a place; the vocabulary by default."),
                Parameter(
                    "head_scale", .number(.finite), default: 0.1, "Multiplies the output layer's initial weights."),
                .seed, .dtype,
            ], results: Self.model
        ) { call in
            ModelObject(
                try .mamba(
                    vocabulary: call.get("vocabulary"), length: call.get("length"), width: call.get("width"),
                    layers: call.get("layers"), states: call.get("states"), expansion: call.get("expansion"),
                    kernel: call.get("kernel"), outputs: call.get("outputs"), headScale: call.get("head_scale"),
                    seed: call.seed(), element: call.element()))
        }
    }
}
