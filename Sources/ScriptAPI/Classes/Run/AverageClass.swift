import Experiments
import LuaBridge

/// An average of the parameters of a run, as scripts hold it.
final class AverageObject: LuaObject {
    let run: Run
    let index: Int
    init(_ run: Run, _ index: Int) { (self.run, self.index) = (run, index) }
    var average: WeightAverage { run.averages[index] }

    /// The run at the average.
    func at(_ what: String) throws -> Run {
        try run.requirePresent(what)
        return try run.atAverage(index)
    }
}

extension ScriptHost {
    /// `average`: what `run:average` gives.
    func averageClass() -> ObjectClass<AverageObject> {
        let averages = ObjectClass<AverageObject>(
            "average", "An average of the parameters along a run: a companion that changes nothing of the training.")
        averages.guarding { try $0.run.custody?.check() }
        averages.property("params", .vector, "The averaged parameters.") { object in
            try object.run.requirePresent("the average")
            return object.run.object(object.average.parameters)
        }
        averages.property("count", .integer, "How many points it has taken.") { $0.average.count }
        averages.property("loss", .number, "The loss over all training samples, at the average.") {
            try $0.at("the loss").evaluation().loss
        }
        averages.method(
            "measure", "Measures a quantity at the average, as run:measure does at the run's parameters.",
            parameters: [Parameter("name", .string, "Which.")], options: ProbeArguments.parameters,
            results: [Parameter("measurement", .object("measurement"), "The value, its error bar and its cost.")]
        ) { object, call in
            let name: String = try call.get("name")
            let run = try object.at("what is measured")
            let probe = try ProbeCatalogue.probe(name, ProbeArguments(call, of: run), for: run)
            return MeasurementObject(name, try run.measure(probe), names: probe.seriesNames)
        }
        averages.description {
            if let custody = $0.run.custody, !custody.isHere { return "an average of \(custody.words)" }
            if $0.average.isMidpoint { return "\($0.run.name): midpoint around step \($0.run.step - 1)" }
            return
                "\($0.run.name): \($0.average.decay.map { "exponential average, decay \($0)" } ?? "mean") of \($0.average.count)"
        }
        return averages
    }

    func addAverages(to runs: ObjectClass<Run>) {
        runs.method(
            "average",
            "Follows an average of the parameters from now on: exponential with a decay, else the mean of all (SWA). It is kept in checkpoints.",
            options: [
                .optional(
                    "decay", .number(.between(0, 1)),
                    "d of a ← d·a + (1 − d)θ; without it the mean of all points taken."),
                Parameter(
                    "every", .integer(.positive), default: 1, unit: "steps", "After each multiple of so many steps."),
            ], results: [Parameter("average", .object("average"), "The average.")]
        ) { run, call in
            let average = AverageObject(run, try run.average(decay: call.get("decay"), every: call.get("every")))
            try call.state.keep(run, in: average)
            return average
        }
        runs.method(
            "midpoint",
            "Follows (θₜ₋₁ + 2θₜ + θₜ₊₁)/4, t the step before the last, where an oscillation of period two cancels. Before there are three points it is the mean of what there is. It is kept in checkpoints.",
            results: [Parameter("midpoint", .object("average"), "The midpoint, to be measured as an average is.")]
        ) { run, call in
            let midpoint = AverageObject(run, try run.midpoint())
            try call.state.keep(run, in: midpoint)
            return midpoint
        }
    }
}
