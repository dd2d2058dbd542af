import Experiments
import LuaBridge
import Objectives

extension ScriptHost {
    /// Going on: train, steps, at, fork.
    func addTraining(to runs: ObjectClass<Run>) {
        runs.method(
            "train", "Trains until the first of these goals is reached.",
            options: TrainingGoal.parameters,
            results: [Parameter("reached", .trainingEnd, "Which goal was reached.")]
        ) { run, call in
            var given: [String: LuaValue] = [:]
            for option in TrainingGoal.parameters { given[option.name] = try call.value(option.name) }
            let goal = try TrainingGoal(given, of: run, "run:train")
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
            let loop = try run.steps(call.get("count", as: Int?.self))
            return LuaLoop {
                try loop.next().map { LuaResults($0, run) }
            } close: { isTorn in
                loop.close(isTorn: isTorn)
            }
        }
        runs.procedure(
            "at", "Calls a function after a step and its probes, before the next step.",
            parameters: [
                Parameter("step", .integer(.nonNegative), unit: "steps", "After which step."),
                Parameter("fn", .function(("run", .object("run"))), "What is called."),
            ]
        ) { run, call in
            let step: Int = try call.get("step")
            guard step >= run.programStep else {
                throw ArgumentError("run:at(\(step), …): run '\(run.name)' is at step \(run.programStep) already")
            }
            let callback = try call.capture("fn", in: run)
            try run.at(step) { run in try callback.call(run) }
        }
        runs.procedure(
            "after", "Calls a function after so many further steps.",
            parameters: [
                Parameter("steps", .integer(.nonNegative), unit: "steps", "How many."),
                Parameter("fn", .function(("run", .object("run"))), "What is called."),
            ]
        ) { run, call in
            let (step, overflow) = run.programStep.addingReportingOverflow(try call.get("steps"))
            let callback = try call.capture("fn", in: run)
            try run.at(overflow ? .max : step) { run in try callback.call(run) }
        }
        runs.procedure(
            "every", "Calls a function after each step that is a multiple of a number, from the next one on.",
            parameters: [
                Parameter("count", .integer(.positive), unit: "steps", "Of how many."),
                Parameter("fn", .function(("run", .object("run"))), "What is called."),
            ]
        ) { run, call in
            let callback = try call.capture("fn", in: run)
            try run.every(call.get("count")) { run in try callback.call(run) }
        }
        runs.procedure(
            "when",
            "Calls a function when a condition has become true: once, until the condition is false again and becomes true anew.",
            parameters: [
                Parameter(
                    "condition", .function(("run", .object("run")), returns: .boolean),
                    "Asked after a step and its probes."),
                Parameter("fn", .function(("run", .object("run"))), "What is called."),
            ], options: Self.askingOptions
        ) { run, call in
            let callback = try call.capture("fn", in: run)
            try Self.watch(run, call, "run:when") { run in try callback.call(run) }
        }
        runs.procedure(
            "alert", "Prints and keeps a message when a condition has become true.",
            parameters: [
                Parameter(
                    "condition", .function(("run", .object("run")), returns: .boolean),
                    "Asked after a step and its probes."),
                Parameter("message", .string, "What is said."),
            ], options: Self.askingOptions
        ) { [unowned self] run, call in
            let message: String = try call.get("message")
            try Self.watch(run, call, "run:alert") { [unowned self] run in try alert(message, of: run) }
        }
        runs.procedure(
            "checkpoint",
            "Keeps the whole state of this moment in the run file, to go on from it: eoss run --resume, run:rewind."
        ) { run, _ in try run.checkpoint() }
        runs.procedure(
            "rewind",
            "Goes back to a checkpoint of this run: all is as it was then, and the run file has nothing of what came later.",
            parameters: [Parameter("step", .integer(.nonNegative), unit: "steps", "Of which step.")]
        ) { run, call in try run.rewind(to: call.get("step")) }
        runs.method(
            "fork",
            "The run as it stands, to go on by itself: the same future batches and noise, its own parameters, optimizer, series and file. Functions given to run:at and run:track are called with the fork.",
            options: [
                .optional("name", .string, "Its name, and that of its file; that of the run, with '-fork'."),
                .optional("lr", .number(.positive), "Another learning rate."),
                .optional("batch_size", .batchSize, unit: "samples", "Another batch size."),
                .optional(
                    "optimizer", .object("optimizer"), "Another update rule, without the state of the present one."),
                .optional(
                    "expansion", .choice(Expansion.allCases.map(\.rawValue)),
                    "What stands for the loss from here on: its expansion about the present parameters, by 'hessian' or 'gauss_newton' to second order, or that of the 'linearized' network. Probes describe it, too."
                ),
                .optional(
                    "restrict", .choice(Restriction.allCases.map(\.rawValue)),
                    "Where the fork can move: along the top k eigenvectors of the Hessian at the present parameters, or orthogonally to them. Probes describe the loss as a function there: its Hessian is PHP."
                ), .optional("k", .integer(.positive), "How many eigenvectors 'restrict' takes; 1 by default."),
            ], results: [Parameter("run", .object("run"), "The fork.")]
        ) { [unowned self] run, call in
            let name = place.name(of: try call.get("name") ?? run.name + "-fork")
            try RunFile.check(name: name)
            let fork = try run.fork(name: name, on: Self.forkObjective(call))
            adopt(fork)
            if run.makeFile == nil { fork.makeFile = nil }
            // What was captured for the run serves the fork, too.
            try call.state.keep(run, in: fork)
            try copyKept(of: run, to: fork)
            if let optimizer: OptimizerObject = try call.get("optimizer") {
                try fork.setRule(optimizer.rule)
                try call.state.keep(optimizer, in: fork)
                try optimizer.schedule(in: fork)
            }
            if let rate: Double = try call.get("lr") { try fork.setLearningRate(rate) }
            if try call.has("batch_size") { try fork.setBatchSize(Run.BatchSize(call.value("batch_size"))) }
            return fork
        }
    }
}

extension ScriptHost {
    /// What a fork trains on in place of the loss, if anything.
    fileprivate static func forkObjective(_ call: borrowing LuaCall) throws -> ForkObjective? {
        let (expands, restricts) = (try call.has("expansion"), try call.has("restrict"))
        if expands, restricts {
            throw ArgumentError("a fork has an 'expansion' or is restricted ('restrict'), not both")
        }
        let k: Int? = try call.get("k")
        guard restricts else {
            if k != nil { throw ArgumentError("'k' is how many eigenvectors 'restrict' takes, which is not given") }
            return expands ? .expansion(try call.choice("expansion")) : nil
        }
        return .restriction(try call.choice("restrict"), k: k ?? 1)
    }

    fileprivate static let askingOptions: [Parameter] = [
        Parameter(
            "every", .integer(.positive), default: 1, unit: "steps", "Asked after each multiple of so many steps."),
        .optional(
            "release", .function(("run", .object("run")), returns: .boolean),
            "What makes the condition count as false again, where that should be later than when it is: a lower threshold, say."
        ),
    ]

    /// `run:when` and `run:alert`.
    fileprivate static func watch(
        _ run: Run, _ call: borrowing LuaCall, _ name: String, _ action: @escaping (Run) throws -> Void
    ) throws {
        func condition(_ option: String) throws -> Cadence.Condition {
            let callback = try call.capture(option, in: run)
            return { run in
                let result = try callback.call(run).first ?? .nil
                guard case .boolean(let flag) = result else {
                    throw ArgumentError("'\(option)' of \(name) returned \(result.typeName), true or false is needed")
                }
                return flag
            }
        }
        try run.when(
            condition("condition"), every: call.get("every"), release: call.has("release") ? condition("release") : nil,
            action)
    }

    private func alert(_ message: String, of run: Run) throws {
        options.message("run '\(run.name)' at step \(run.step): \(message)")
        try run.file?.addEvent(step: run.step, kind: "alert", message: message)
        run.file?.note(step: run.step, alert: message)
    }
}
