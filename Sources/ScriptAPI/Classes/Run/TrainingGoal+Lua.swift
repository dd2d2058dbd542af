import Experiments
import LuaBridge

/// Up to where a training goes, as scripts say it to `run:train` and `eoss.parallel`.
extension TrainingGoal {
    static let parameters: [Parameter] = [
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
    ]

    /// - Parameters:
    ///   - given: values of these options; further ones are others' business.
    ///   - function: what messages call the function that was given them.
    /// - Throws: `ArgumentError` where no goal is among them.
    init(_ given: [String: LuaValue], of run: Run, _ function: String) throws {
        func number(_ name: String) -> Double? { given[name].flatMap(Double.read) }
        func integer(_ name: String) -> Int? { given[name].flatMap(Int.read) }
        self.init(
            step: integer("to"), loss: number("stop_loss"), accuracy: number("stop_accuracy"),
            checkEvery: integer("check_every"), maxLoss: number("max_loss"))
        for (name, value) in [("stop_loss", loss), ("stop_accuracy", accuracy), ("max_loss", maxLoss)] {
            guard let value, value.isNaN else { continue }
            throw ArgumentError("\(function): '\(name)' is nan, which nothing is above or below: give a number")
        }
        if let steps = integer("steps") {
            let (end, overflow) = run.programStep.addingReportingOverflow(steps)
            step = min(step ?? .max, overflow ? .max : end)
        }
        if let epochs = number("epochs") { epoch = run.programEpoch + epochs }
        if let time = number("time") { self.time = run.programTime + time }
        if checkEvery != nil, loss == nil, accuracy == nil {
            throw ArgumentError("\(function): 'check_every' belongs to stop_loss and stop_accuracy: give one of them")
        }
        let hasGoal =
            step != nil || epoch != nil || self.time != nil || loss != nil || accuracy != nil || maxLoss != nil
        guard hasGoal else {
            throw ArgumentError(
                "\(function) needs a goal: to, steps, epochs, time, stop_loss, stop_accuracy or max_loss, as in "
                    + (function == "run:train" ? "run:train{ to = 1000 }" : "\(function)({ a, b }, { to = 1000 })"))
        }
    }
}
