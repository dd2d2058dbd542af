import Dynamics
import LuaBridge

/// `eoss.nn`: models and layers; `eoss.optim`: update rules.
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

    func addOptimizers(to eoss: Namespace) {
        let optim = eoss.namespace("optim", "Update rules.")
        optim.function(
            "sgd", "θ ← θ − lr·∇L over the batch: gradient descent, stochastic or full.",
            options: [Parameter("lr", .number(.positive), "The learning rate.")],
            results: [Parameter("optimizer", .object("optimizer"), "The rule.")]
        ) { call in OptimizerObject(SGD(learningRate: try call.get("lr"))) }
    }
}
