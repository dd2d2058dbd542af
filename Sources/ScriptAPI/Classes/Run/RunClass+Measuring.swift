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
