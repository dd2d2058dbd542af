import Dynamics
import LuaBridge

/// `eoss.schedule`: what learning rates, batch sizes and other settings follow.
extension ScriptHost {
    func addSchedules(to eoss: Namespace) {
        let schedule = eoss.namespace(
            "schedule",
            "Numbers along the steps, for any setting: run.lr = eoss.schedule.cosine{ from = 0.1, steps = 3000 }.")
        let results = [
            Parameter("schedule", .object("schedule"), "The schedule, counted from the step at which it is given.")
        ]
        let steps = Parameter("steps", .integer(.positive), unit: "steps", "Over how many steps.")
        func from(_ summary: String) -> Parameter { Parameter("from", .number(.finite), summary) }
        schedule.function(
            "constant", "The same at each step.", parameters: [Parameter("value", .number(.finite), "The value.")],
            results: results
        ) { call in ScheduleObject(.constant(try call.get("value"))) }
        schedule.function(
            "step", "from·factor^⌊t/every⌋: multiplied by a factor every so many steps.",
            options: [
                from("The first value."), Parameter("factor", .number(.finite), default: 0.1, "By what."),
                Parameter("every", .integer(.positive), unit: "steps", "After how many steps."),
            ], results: results
        ) { call in
            ScheduleObject(
                .step(from: try call.get("from"), factor: try call.get("factor"), every: try call.get("every")))
        }
        schedule.function(
            "linear", "On a line from one value to another, which then holds.",
            options: [from("The first value."), Parameter("to", .number(.finite), "The last."), steps], results: results
        ) { call in
            ScheduleObject(.linear(from: try call.get("from"), to: try call.get("to"), steps: try call.get("steps")))
        }
        schedule.function(
            "cosine", "to + (from − to)(1 + cos(πt/steps))/2. [Loshchilov & Hutter 2017]",
            options: [
                from("The first value."),
                Parameter("to", .number(.finite), default: 0, "The last; a learning rate stays above 0."),
                steps,
            ], results: results
        ) { call in
            ScheduleObject(.cosine(from: try call.get("from"), to: try call.get("to"), steps: try call.get("steps")))
        }
        schedule.function(
            "warmup", "On a line to the first value of another schedule, which follows.",
            options: [
                Parameter("from", .number(.finite), default: 0, "The first value; a learning rate is above 0."), steps,
                Parameter("after", .number(.finite).or(.object("schedule")), "What follows: a schedule, or a number."),
            ], results: results
        ) { call in
            let after = try SettingValue(call.value("after"), "after")
            let then: Schedule =
                if case .schedule(let schedule) = after { schedule } else { .constant(try call.get("after")) }
            return ScheduleObject(.warmup(from: try call.get("from"), steps: try call.get("steps"), then: then))
        }
        schedule.function(
            "piecewise", "Each value from its step on: { [0] = 0.1, [1000] = 0.01 }.",
            parameters: [Parameter("points", .table, "Values by their steps.")],
            options: [Parameter("linear", .boolean, default: false, "On lines between them.")], results: results
        ) { call in
            guard case .table(let table) = try call.value("points") else { throw ArgumentError("'points' is no table") }
            return ScheduleObject(
                try Schedule(steps: table, "eoss.schedule.piecewise", isLinear: try call.get("linear")))
        }
        schedule.function(
            "cyclic", "From low to high and back, on lines, again and again. [Smith 2017]",
            options: [
                Parameter("low", .number(.finite), "The least value, the first."),
                Parameter("high", .number(.finite), "The largest."),
                Parameter("period", .integer(.positive), unit: "steps", "From low to low."),
            ], results: results
        ) { call in
            ScheduleObject(
                .cyclic(low: try call.get("low"), high: try call.get("high"), period: try call.get("period")))
        }
        schedule.function(
            "sequence", "Schedules one after the other: sequence{ a, b, steps = { 1000 } } has b from step 1000 on.",
            options: [
                Parameter(
                    "steps", .list(of: .integer(.positive)), unit: "steps", "How long each lasts, but for the last.")
            ], items: Parameter("schedule", .object("schedule"), "The schedules."), results: results
        ) { call in
            let schedules: [ScheduleObject] = try call.items()
            let lengths: [Int] = try call.get("steps")
            guard schedules.count >= 1, lengths.count == schedules.count - 1 else {
                throw ArgumentError(
                    "eoss.schedule.sequence: \(schedules.count) schedules take \(max(0, schedules.count - 1)) numbers of steps, got "
                        + "\(lengths.count)")
            }
            return ScheduleObject(
                .sequence(zip(schedules, lengths + [1]).map { Schedule.Part($0.schedule, steps: $1) }))
        }
    }
}
