import LuaBridge

/// `eoss.nn`: models and layers.
extension ScriptHost {
    func addNetworks(to eoss: Namespace) {
        let nn = eoss.namespace("nn", "Networks.")
        addPerceptrons(to: nn)
        addConvolutionalModels(to: nn)
        addSequenceModels(to: nn)
        addCompositions(to: nn)
        addLayers(to: nn)
        addWrittenInLua(to: nn)
    }
}
