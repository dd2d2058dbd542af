import Curvature
import Experiments
import LuaBridge
import Networks
import Objectives

extension ScriptHost {
    /// Derivatives of the loss, and the loss itself, here or elsewhere.
    func addDerivatives(to runs: ObjectClass<Run>) {
        runs.method(
            "gradient", "The gradient of the loss.", options: Parameter.here,
            results: [Parameter("gradient", .vector, "The gradient.")]
        ) { run, call in
            if try !call.has("batch"), try !call.has("at"), try !call.has("statistics") {
                try run.requirePresent("the gradient")
                return run.object(try run.gradient())
            }
            return run.object(
                try call.oracle(of: run).gradient(at: call.point(of: run), over: call.selection(of: run)).gradient)
        }
        runs.method(
            "hvp", "The Hessian times a vector.", parameters: [Parameter("v", .vector, "The vector.")],
            options: Parameter.here, results: [Parameter("product", .vector, "Hv.")]
        ) { run, call in
            let v = try run.fitting(call.get("v"), "v")
            return run.object(
                try call.oracle(of: run).directional(at: call.point(of: run), along: [v], over: call.selection(of: run))
            )
        }
        runs.method(
            "D", "The (k+1)-th derivative of the loss contracted with k vectors: a vector.", options: Parameter.here,
            rest: Parameter("v", .vector, "The vectors, one or more."),
            results: [Parameter("derivative", .vector, "D^{k+1}L[v1, …, vk].")]
        ) { run, call in
            let vectors: [VectorObject] = try call.rest()
            guard !vectors.isEmpty else {
                throw ArgumentError("run:D takes one vector or more: run:D(v) is the Hessian times v")
            }
            let directions = try vectors.map { try run.fitting($0, "v") }
            return run.object(
                try call.oracle(of: run).directional(
                    at: call.point(of: run), along: directions, over: call.selection(of: run)))
        }
        runs.method(
            "check",
            "Derivatives at these parameters against central differences, the Hessian's symmetry, and repeatability: for a network or a loss of your own, before its curvature is believed.",
            results: [
                Parameter(
                    "lines",
                    .list(
                        of: .record([
                            Parameter("name", .string, "What was checked."),
                            Parameter("error", .number, "By how much it is off, relatively."),
                            Parameter("bound", .number, "By how much it may be."),
                            Parameter("holds", .boolean, "Whether it is within that."),
                        ])), "A line for each check.")
            ]
        ) { run, _ in
            try run.requirePresent("the check")
            return try run.check().map { line -> LuaValue in
                [
                    "name": .string(line.name), "error": .number(line.error), "bound": .number(line.bound),
                    "holds": .boolean(line.holds),
                ]
            }
        }
        runs.method(
            "evaluate", "Losses and outputs over the training or test samples.",
            options: [
                .optional("at", .vector, "The parameters; those of the run by default."),
                Parameter("data", .choice("train", "test"), default: "train", "Which samples."),
                .optional(
                    "statistics", .choice("batch", "running"),
                    "Of batch norm; by default the batch's over training samples, the running values over test samples."
                ),
            ], results: [Parameter("evaluation", .object("evaluation"), "Losses, outputs, accuracy.")]
        ) { run, call in
            let isTest = try call.get("data", as: String.self) == "test"
            guard let oracle = isTest ? run.testOracle : run.oracle, let split = isTest ? run.data.test : run.data.train
            else { throw ArgumentError("run:evaluate: data '\(run.data.name)' has no test samples") }
            let statistics: String? = try call.get("statistics")
            let evaluation: Oracle.Evaluation
            if try call.has("at") || statistics != nil {
                let use: StatisticsUse? = statistics.map { $0 == "running" ? .running : .batch }
                evaluation = try oracle.with(use: use).evaluate(at: call.point(of: run))
            } else {
                try run.requirePresent("the evaluation")
                evaluation = isTest ? try run.testEvaluation() : try run.evaluation()
            }
            let accuracy: Double?
            // A loss written in Lua may take outputs of another width than the targets'.
            do { accuracy = try run.accuracy(of: evaluation, on: split) } catch is ExperimentError { accuracy = nil }
            return EvaluationObject(evaluation, accuracy: accuracy, outputShape: run.objective.model.outputShape)
        }
    }
}
