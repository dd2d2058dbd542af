import Dynamics
import LuaBridge

/// `eoss.flow`: rules whose time is not a rate.
extension ScriptHost {
    func addFlows(to eoss: Namespace) {
        let flow = eoss.namespace("flow", "Flows, which take all samples: rules of continuous time.")
        let result = [Parameter("optimizer", .object("optimizer"), "The rule.")]
        if let classical = RuleCatalogue.declaration(of: "gradient_flow"),
            let exponential = RuleCatalogue.declaration(of: "exponential_flow")
        {
            flow.function(
                "gradient",
                "Gradient flow, dθ/dt = −∇L, in ticks of min(alpha/λ, dt). rk4: λ = λ_max [Cohen et al. 2021]; exponential_euler: exact along "
                    + "the top k eigenvectors, λ the next eigenvalue, and of first order.",
                options: classical.settings.map(Parameter.init) + [
                    Parameter(
                        "method", .choice(["rk4", "exponential_euler"]), default: "rk4",
                        "The classical Runge–Kutta method, or exponential Euler."),
                    .optional(
                        "k", .integer(.positive),
                        "Of exponential_euler: how many eigenvectors are taken apart; 1 by default."),
                ], results: result
            ) { call in
                let name = "eoss.flow.gradient"
                guard try call.get("method", as: String.self) == "rk4" else {
                    return try Given(call, exponential.settings, name).make(exponential)
                }
                if try call.has("k") {
                    throw ArgumentError(
                        "\(name): k is of method = 'exponential_euler'; rk4 takes no eigenvectors apart")
                }
                return try Given(call, classical.settings, name).make(classical)
            }
        }
        for (name, summary) in [
            (
                "central",
                "The smooth path that a rule oscillates around at the edge of stability, in units of its steps."
            ),
            ("stable", "The flow of a rule without oscillations, in units of its steps."),
        ] {
            flow.function(
                name, summary + " [Cohen et al. 2024]",
                options: [
                    Parameter(
                        "of", .object("optimizer"),
                        "The rule whose flow it is: eoss.optim.sgd{ lr = … }, rmsprop or scalar_rmsprop; run.optimizer takes up where "
                            + "a run's rule stands."),
                    Parameter("substeps", .integer(.positive), default: 4, "Euler steps of a step, at least."),
                ], results: result
            ) { call in
                let of: OptimizerObject = try call.get("of")
                let substeps: Int = try call.get("substeps")
                guard
                    let rule = try CentralFlow(of: of.rule, substeps: Double(substeps), isStable: name == "stable")
                else {
                    throw ArgumentError(
                        "eoss.flow.\(name): the flow of \(of.rule.name) is not known here: give eoss.optim.sgd without weight decay, "
                            + "rmsprop or scalar_rmsprop")
                }
                return OptimizerObject(rule)
            }
        }
    }
}
