import Experiments
import LuaBridge

extension ScriptHost {
    /// Going on: train, steps, at.
    func addTraining(to runs: ObjectClass<Run>) {
        runs.method(
            "train", "Trains until the first of these goals is reached.",
            options: [
                .optional("to", .integer(.nonNegative), unit: "steps", "Up to this step."),
                .optional("steps", .integer(.nonNegative), unit: "steps", "So many further steps."),
                .optional("epochs", .number(.nonNegative), unit: "epochs", "So many further epochs."),
                .optional("time", .number(.nonNegative), "So much further time, the sum of the learning rates."),
                .optional("stop_loss", .number, "Until the loss over all samples is at or below this."),
                .optional("stop_accuracy", .number, "Until the training accuracy is at or above this."),
                .optional(
                    "check_every", .integer(.positive), unit: "steps",
                    "At which steps stop_loss and stop_accuracy are looked at: its multiples, and those at which loss or accuracy is tracked. By default exactly those, or every 100 steps where neither is tracked: a look is a forward pass over all samples, n/(3 batch_size) steps."
                ),
                .optional("max_loss", .number, "Until the loss of a batch is above this."),
            ], results: [Parameter("reached", .string, "Which goal was reached: 'step', 'loss', …")]
        ) { run, call in
            let goal = try trainingGoal(of: run, call)
            return try run.train(goal).rawValue
        }
        runs.iterator(
            "steps", "Takes steps one by one in a for loop, and yields the number of each.",
            parameters: [
                .optional("count", .integer(.nonNegative), unit: "steps", "How many; without end by default.")
            ],
            results: [
                Parameter("step", .integer, "The number of the step taken."),
                Parameter("run", .object("run"), "The run."),
            ]
        ) { run, call in
            var left = try call.get("count", as: Int?.self) ?? .max
            return {
                guard left > 0 else { return nil }
                left -= 1
                try run.advance()
                return LuaResults(run.step, run)
            }
        }
        runs.procedure(
            "at", "Calls a function after a step and its probes, before the next step.",
            parameters: [
                Parameter("step", .integer(.nonNegative), unit: "steps", "After which step."),
                Parameter("fn", .function("(run)"), "What is called."),
            ]
        ) { run, call in
            let step: Int = try call.get("step")
            guard step >= run.step else {
                throw ArgumentError("run:at(\(step), …): run '\(run.name)' is at step \(run.step) already")
            }
            let callback = try call.capture("fn", in: run)
            try run.at(step) { run in try callback.call(run) }
        }
    }
}

private func trainingGoal(of run: Run, _ call: borrowing LuaCall) throws -> TrainingGoal {
    var goal = TrainingGoal(
        step: try call.get("to"), loss: try call.get("stop_loss"), accuracy: try call.get("stop_accuracy"),
        checkEvery: try call.get("check_every"), maxLoss: try call.get("max_loss"))
    if let steps: Int = try call.get("steps") {
        let (end, overflow) = run.step.addingReportingOverflow(steps)
        goal.step = min(goal.step ?? .max, overflow ? .max : end)
    }
    if let epochs: Double = try call.get("epochs") { goal.epoch = run.epoch + epochs }
    if let time: Double = try call.get("time") { goal.time = run.time + time }
    if goal.checkEvery != nil, goal.loss == nil, goal.accuracy == nil {
        throw ArgumentError("run:train: 'check_every' belongs to stop_loss and stop_accuracy: give one of them")
    }
    let hasGoal =
        goal.step != nil || goal.epoch != nil || goal.time != nil || goal.loss != nil || goal.accuracy != nil
        || goal.maxLoss != nil
    guard hasGoal else {
        throw ArgumentError(
            "run:train needs a goal: to, steps, epochs, time, stop_loss, stop_accuracy or max_loss, as in "
                + "run:train{ to = 1000 }")
    }
    return goal
}
