import Experiments
import LuaBridge

extension ScriptHost {
    /// Measuring along the run: track, series, first.
    func addTracking(to runs: ObjectClass<Run>) {
        runs.procedure(
            "track", "Measures one or several quantities along the run from now on.",
            parameters: [Parameter("names", .quantities, "Which: a name or a list of names.")],
            options: Cadence.parameters + [
                .optional(
                    "fn", .function(("run", .object("run")), returns: .number),
                    "Computes a quantity of your own, of this name."),
                .optional(
                    "as", .names,
                    "What the series is called, where a quantity is tracked twice, of two blocks, say; a list for a list of quantities. With k = 2 the second is called that with '_2'."
                ),
            ] + ProbeArguments.parameters
        ) { [unowned self] run, call in
            let names = try call.names("names")
            if names.isEmpty {
                throw ArgumentError("run:track: the list of names is empty: name at least one quantity")
            }
            let cadence = try Cadence(call, of: run, names: names, host: self)
            guard try call.has("fn") else {
                let arguments = try ProbeArguments(call, of: run)
                var probes = try ProbeCatalogue.probes(names, arguments, for: run)
                if try call.has("as") {
                    let given = try call.names("as")
                    guard given.count == probes.count else {
                        throw ArgumentError(
                            "run:track: 'as' has \(given.count) name\(given.count == 1 ? "" : "s") for \(probes.count) "
                                + "quantit\(probes.count == 1 ? "y" : "ies"): give one for each")
                    }
                    probes = try zip(given, probes).map { try NamedProbe($0, $1) }
                }
                for probe in probes { try run.track(probe, cadence, words: arguments.words) }
                return
            }
            if try call.has("as") {
                throw ArgumentError("run:track: with 'fn' the quantity has the name that it is given: leave out 'as'")
            }
            guard let name = names.first, names.count == 1, !name.isEmpty else {
                throw ArgumentError("run:track with 'fn' takes one name: that of the quantity it computes")
            }
            if ProbeCatalogue.names.contains(name) {
                throw ArgumentError(
                    "run:track: '\(name)' is what eoss calls a quantity of its own; choose another name")
            }
            let callback = try call.capture("fn", in: run)
            let probe = CustomProbe(name) { [unowned self] run in
                let result = try answer(of: callback, named: name, for: run)
                guard let number = Double.read(result) else {
                    throw ArgumentError("'fn' of the series '\(name)' returned \(result.typeName), a number is needed")
                }
                return number
            }
            try run.track(probe, cadence)
        }
        runs.method(
            "series", "The values measured of a quantity.", parameters: [Parameter("name", .seriesName, "Which.")],
            options: [
                .optional("from", .integer, unit: "steps", "From this step on."),
                .optional("to", .integer, unit: "steps", "Up to this step."),
            ], results: [Parameter("series", .object("series"), "The values.")]
        ) { run, call in
            SeriesObject(try run.series(call.get("name"), from: call.get("from"), to: call.get("to")))
        }
        runs.method(
            "first", "The first step at which one quantity stood in a relation to another, or to a number.",
            parameters: [
                Parameter("name", .seriesName, "The series looked at."),
                Parameter("relation", .choice(Series.Relation.allCases.map(\.rawValue)), "The relation."),
                Parameter(
                    "other", LuaType.seriesName.or(.number),
                    "The name of a series, or a number; 'edge' is the stability edge of the quantity looked at, tracked or not."
                ),
            ], results: [Parameter("step", .integer.orNil, "The step; nil where there is none.")]
        ) { run, call in
            let series = try run.series(call.get("name"))
            let relation: Series.Relation = try call.choice("relation")
            let other = try call.value("other")
            if let number = Double.read(other) { return series.firstStep(relation, number) }
            let name: String = try call.get("other")
            return series.firstStep(relation, try name == "edge" ? run.edge(for: series.name) : run.series(name))
        }
    }
}
