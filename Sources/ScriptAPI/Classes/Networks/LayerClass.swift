import LuaBridge
import Networks

/// A part of a network, for `eoss.nn.sequential` and its like.
final class LayerObject: LuaObject {
    let layer: Layer
    /// The shape of one sample's input, where the layer says it.
    let inputShape: [Int]?
    let text: String

    init(_ text: String, _ layer: Layer, inputShape: [Int]? = nil) {
        self.layer = layer
        self.inputShape = inputShape
        self.text = text
    }
}

extension ScriptHost {
    /// `layer`: a part of a network.
    func layerClass() -> ObjectClass<LayerObject> {
        let layers = ObjectClass<LayerObject>(
            "layer", "A part of a network: what eoss.nn.sequential composes; a value.")
        layers.description { $0.text }
        return layers
    }
}
