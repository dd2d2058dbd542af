import Dynamics
import LuaBridge

/// `eoss.optim`: update rules. Defaults are PyTorch's; the learning rate is always the script's to say.
extension ScriptHost {
    private static let rate = Parameter("lr", .number(.positive), "The learning rate η.")
    private static let coupledDecay = Parameter(
        "weight_decay", .number(.nonNegative), default: 0, "ω of ∇L + ωθ, coupled: as if ½ω‖θ‖² were in the loss.")
    private static let epsilon = Parameter(
        "eps", .number(.nonNegative), default: 1e-8, "ε, added to the root; 0 as in central flows.")
    private static let rule = [Parameter("optimizer", .object("optimizer"), "The rule.")]

    func addOptimizers(to eoss: Namespace) {
        let optim = eoss.namespace("optim", "Update rules.")
        optim.function(
            "sgd", "θ ← θ − lr·(∇L + ωθ) over the batch: gradient descent, stochastic or full.",
            options: [Self.rate, Self.coupledDecay], results: Self.rule
        ) { call in
            OptimizerObject(try SGD(learningRate: call.get("lr"), weightDecay: call.get("weight_decay")))
        }
        addHeavyBalls(to: optim)
        addAdaptive(to: optim)
    }

    private func addHeavyBalls(to optim: Namespace) {
        let options = [
            Self.rate, Parameter("beta", .number(.between(0, 1)), default: 0.9, "The momentum β, below 1."),
            Self.coupledDecay,
        ]
        func add(_ kind: HeavyBall.Kind, _ summary: String) {
            optim.function(kind.rawValue, summary, options: options, results: Self.rule) { call in
                OptimizerObject(
                    try HeavyBall(
                        learningRate: call.get("lr"), factor: call.get("beta"), weightDecay: call.get("weight_decay"),
                        kind: kind))
            }
        }
        add(.polyak, "v ← βv + ∇L, θ ← θ − lr·v: momentum as Polyak and PyTorch have it.")
        add(.nesterov, "v ← βv + ∇L, θ ← θ − lr·(∇L + βv): Nesterov's momentum as PyTorch has it.")
    }

    private func addAdaptive(to optim: Namespace) {
        let beta2 = Parameter("beta2", .number(.between(0, 1)), default: 0.99, "The decay β₂ of ν, below 1.")
        func add(_ kind: AdaptiveGradient.Kind, _ options: [Parameter], _ summary: String) {
            optim.function(kind.rawValue, summary, options: [Self.rate] + options, results: Self.rule) { call in
                let factor = kind == .adagrad ? 0 : try call.get("beta2", as: Double.self)
                return OptimizerObject(
                    try AdaptiveGradient(
                        learningRate: call.get("lr"), kind: kind, factor: factor, epsilon: call.get("eps")))
            }
        }
        add(
            .rmsprop, [beta2, Self.epsilon],
            "ν ← β₂ν + (1 − β₂)∇L², θ ← θ − lr·∇L/(√ν + ε): the current gradient enters first, no bias correction.")
        add(
            .scalarRMSProp, [beta2, Self.epsilon],
            "RMSProp with one ν for all parameters: ν ← β₂ν + (1 − β₂)‖∇L‖². [Cohen et al. 2024]")
        add(
            .adagrad,
            [Parameter("eps", .number(.nonNegative), default: 1e-10, "ε, added to the root.")],
            "ν ← ν + ∇L², θ ← θ − lr·∇L/(√ν + ε). [Duchi et al. 2011]")

        let moments = [
            Self.rate, Parameter("beta1", .number(.between(0, 1)), default: 0.9, "The decay β₁ of the mean, below 1."),
            Parameter("beta2", .number(.between(0, 1)), default: 0.999, "The decay β₂ of the squares, below 1."),
            Self.epsilon,
        ]
        optim.function(
            "adam", "Steps of m̂/(√ν̂ + ε), running means of ∇L and ∇L² without their bias. [Kingma & Ba 2015]",
            options: moments, results: Self.rule
        ) { call in OptimizerObject(try Self.adam(call, decay: nil)) }
        optim.function(
            "adamw", "Adam with decoupled weight decay: θ ← (1 − lr·ω)θ first. [Loshchilov & Hutter 2019]",
            options: moments + [
                Parameter("weight_decay", .number(.nonNegative), default: 0.01, "ω, decoupled from the gradient.")
            ], results: Self.rule
        ) { call in OptimizerObject(try Self.adam(call, decay: call.get("weight_decay"))) }
    }

    private static func adam(_ call: borrowing LuaCall, decay: Double?) throws -> Adam {
        try Adam(
            learningRate: call.get("lr"), momentumFactor: call.get("beta1"), squareFactor: call.get("beta2"),
            epsilon: call.get("eps"), weightDecay: decay)
    }
}
