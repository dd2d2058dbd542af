import Curvature
import Experiments
import LuaBridge

extension ScriptHost {
    /// Measuring now, what measuring costs, and comparing with another run.
    func addMeasuring(to runs: ObjectClass<Run>) {
        addCosts(to: runs)
        addComparison(to: runs)
        runs.method(
            "measure", "Measures a quantity now, without recording it.",
            parameters: [Parameter("name", .string.suggesting(.names(ProbeCatalogue.names)), "Which.")],
            options: ProbeArguments.parameters,
            results: [Parameter("measurement", .object("measurement"), "The value, its error bar and its cost.")]
        ) { run, call in
            let name: String = try call.get("name")
            let arguments = try ProbeArguments(call, of: run)
            guard let probe = try ProbeCatalogue.probes([name], arguments, for: run).first else {
                throw ExperimentError.unknownProbe(name, known: ProbeCatalogue.names)
            }
            let course = DrawCourse()
            let measured = try run.reading(measure: "\(name){ \(arguments.words) }") {
                try DrawCourse.$current.withValue(course) { try run.measure(probe) }
            }
            let vectors = (probe as? any EigenvectorProbe)?.vectors ?? []
            return MeasurementObject(
                name, measured, names: probe.seriesNames, vectors: vectors.map(run.object), course: course)
        }
    }

    /// `run:costs()`.
    private func addCosts(to runs: ObjectClass<Run>) {
        runs.method(
            "costs",
            "What steps and quantities have cost so far, in the cost model's operations and in seconds; prints as a table.",
            results: [Parameter("costs", .object("costs"), "The costs; what was measured by hand is not in them.")]
        ) { run, _ in CostsObject(run.costs) }
        runs.method(
            "estimate",
            "What further steps are expected to take on this machine, with all that is tracked: a copy of the run takes a few. A rough figure. What does not fit in memory is an error here, before a training has begun.",
            options: [
                .optional("to", .integer(.nonNegative), unit: "steps", "Up to this step."),
                .optional("steps", .integer(.nonNegative), unit: "steps", "So many further steps."),
                .optional("epochs", .number(.nonNegative), unit: "epochs", "So many further epochs."),
            ],
            results: [
                Parameter(
                    "estimate",
                    .record([
                        Parameter("steps", .integer, unit: "steps", "How many."),
                        Parameter("seconds", .number, unit: "seconds", "How long they would take."),
                        Parameter("training", .number, unit: "seconds", "The part of the steps themselves."),
                        Parameter("probes", .number, unit: "seconds", "That of what is tracked."),
                        Parameter("operations", .number, "Multiply-adds of the cost model."),
                        Parameter("memory", .integer, unit: "bytes", "The most that was in use at a time so far."),
                        Parameter("memory_limit", .integer, unit: "bytes", "How much may be."),
                        Parameter(
                            "unknown", .list(of: .string),
                            "What is tracked and in none of these: nobody knows its cost."),
                    ]), "What they would take.")
            ]
        ) { run, call in
            let given = [try call.has("to"), try call.has("steps"), try call.has("epochs")].filter { $0 }.count
            guard given == 1 else {
                throw ArgumentError("run:estimate takes one of to, steps and epochs, as in run:estimate{ to = 1000 }")
            }
            var steps: Int = try call.get("steps") ?? 0
            if let last: Int = try call.get("to") { steps = max(0, last - run.programStep) }
            if let epochs: Double = try call.get("epochs") {
                let exact = (epochs * Double(run.data.train.count) / Double(run.batchCount)).rounded(.up)
                guard let whole = Int(exactly: exact) else {
                    throw ArgumentError("run:estimate: \(epochs) epochs are more steps than can be counted")
                }
                steps = whole
            }
            return try run.estimate(steps: steps).record
        }
    }

    /// Comparing runs: distance.
    private func addComparison(to runs: ObjectClass<Run>) {
        runs.method(
            "distance", "How far this run is from another, both where they stand.",
            parameters: [Parameter("other", .object("run"), "The other run.")],
            options: [
                Parameter(
                    "what", .choice(Run.DistanceKind.allCases.map(\.rawValue)), default: "params",
                    "params: the norm of the difference of parameters; outputs: the root of the mean squared difference of a "
                        + "sample's outputs; sketch: as series of sketches compare."),
                Parameter(
                    "data", .choice(Run.DataPart.allCases.map(\.rawValue)), default: "train",
                    "The samples on which outputs are compared; both runs must have the same."),
            ], results: [Parameter("distance", .number, "The distance.")]
        ) { run, call in
            let other: Run = try call.get("other")
            try other.custody?.check()
            for each in [run, other] { try each.requirePresent("the distance") }
            return try run.distance(to: other, in: call.choice("what"), over: call.choice("data"))
        }
    }
}

extension TrainingEstimate {
    fileprivate var record: LuaRecord {
        LuaRecord(
            [
                "steps": .integer(steps), "seconds": .number(seconds), "training": .number(training),
                "probes": .number(probes), "operations": .number(operations), "memory": .integer(memory),
                "memory_limit": .integer(memoryLimit),
                "unknown": .table(LuaTable(array: unknown.map { .string($0) })),
            ], called: "the estimate")
    }
}
