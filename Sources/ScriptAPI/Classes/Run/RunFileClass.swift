import Datasets
import Dynamics
import Experiments
import Foundation
import LuaBridge

/// A run file that was opened to be read.
final class RunFileObject: LuaObject {
    let reader: RunFileReader
    init(_ reader: RunFileReader) { self.reader = reader }

    /// As the run itself gives it: `edge` with the edges of all curvatures.
    func series(_ name: String, from: Int?, to: Int?) throws -> Series {
        let known = try reader.seriesNames()
        func values(_ name: String) throws -> Series {
            try reader.values(of: name, from: from ?? .min, to: to ?? .max)
        }
        if name == Self.edge {
            if known.contains(name) {
                return try reader.history().withOwnEdges(values(name)) { try whole($0, among: known) }
            }
            let named = EdgeQuantity.allCases.map { "\(Self.edge)_\($0.rawValue)" }.filter(known.contains)
            if named.count == 1 { return try values(named[0]) }
        }
        guard known.contains(name) else {
            throw ExperimentError.unknownSeries(name, run: reader.name, known: known)
        }
        return try values(name)
    }

    /// The edge that belongs to a series, tracked or not, as the run itself knows it.
    /// - Throws: where the file tells of none.
    func edge(for series: String) throws -> Series {
        let (known, history) = (try reader.seriesNames(), try reader.history())
        if let edge = try history.knownEdge(for: series, tracked: { try whole($0, among: known) }) { return edge }
        let rule = history.rule.map { " under \($0.name)" } ?? ": the file does not say with which settings it was made"
        throw ExperimentError.invalid("no edge of \(series) is known\(rule.printable)")
    }

    private func whole(_ name: String, among known: [String]) throws -> Series? {
        known.contains(name) ? try reader.values(of: name) : nil
    }

    private static let edge = "edge"
}

extension ScriptHost {
    /// `runfile`: what `eoss.open` gives.
    func runFileClass() -> ObjectClass<RunFileObject> {
        let files = ObjectClass<RunFileObject>(
            "runfile", "A run file, read only; also one that is still being written.")
        files.property("name", .string, "The run's name.") { $0.reader.name }
        files.property("path", .string, "Where the file is.") { Self.shortPath($0.reader.url) }
        files.property(
            "status", .string.orNil,
            "How the run stands: running, paused, done, stopped, failed or killed; nil in old files."
        ) { try $0.reader.status()?.words }
        files.property("step", .integer.orNil, unit: "steps", "Steps taken; nil in old files.") {
            try $0.reader.status()?.step
        }
        files.property("alert", .string.orNil, "What an alert last said; nil where none has.") {
            try $0.reader.status()?.alert
        }
        files.property("created", .string, "When the run began, in UTC.") { "\($0.reader.created.formatted(.iso8601))" }
        files.property("parameters", .map(of: .any), "The parameters of the experiment.") { file in
            LuaRecord(try file.reader.parameters().mapValues(LuaValue.init(json:)), called: "the parameters")
        }
        files.property("environment", .map(of: .string), "Machine, kernels, threads, versions.") { file in
            try file.reader.environment().mapValues { LuaValue.string($0) }
        }
        files.property("script", .string.orNil, "The text of the script; nil of a run that was made without one.") {
            file in
            try file.reader.scripts().first.map { String(decoding: $0.source, as: UTF8.self) }
        }
        files.property("tracked", .list(of: .string), "The names of its series.") { try $0.reader.seriesNames() }
        files.property(
            "events",
            .list(
                of: .record([
                    Parameter("step", .integer, unit: "steps", "When."),
                    Parameter("time", .string.orNil, "In UTC; nil in old files."),
                    Parameter("kind", .string, "What: lr, fork, alert, …."), Parameter("message", .string, "In words."),
                    Parameter("data", LuaType.map(of: .any).orNil, "The same for programs; nil for none."),
                ])), "What happened."
        ) { try events(of: $0.reader) }
        files.property("checkpoints", .list(of: .integer), unit: "steps", "The steps of its checkpoints.") {
            try $0.reader.checkpointSteps()
        }
        files.method(
            "series", "The values measured of a quantity.", parameters: [Parameter("name", .seriesName, "Which.")],
            options: [
                .optional("from", .integer, unit: "steps", "From this step on."),
                .optional("to", .integer, unit: "steps", "Up to this step."),
            ], results: [Parameter("series", .object("series"), "The values.")]
        ) { file, call in
            SeriesObject(try file.series(call.get("name"), from: call.get("from"), to: call.get("to")))
        }
        files.method(
            "first", "The first step at which one quantity stood in a relation to another, or to a number.",
            parameters: [
                Parameter("name", .string, "The series looked at."),
                Parameter("relation", .choice(Series.Relation.allCases.map(\.rawValue)), "The relation."),
                Parameter(
                    "other", .string.or(.number),
                    "The name of a series, or a number; 'edge' is the stability edge of the quantity looked at, tracked or not."
                ),
            ], results: [Parameter("step", .integer.orNil, "The step; nil where there is none.")]
        ) { file, call in
            let series = try file.series(call.get("name"), from: nil, to: nil)
            let relation: Series.Relation = try call.choice("relation")
            if let number = Double.read(try call.value("other")) { return series.firstStep(relation, number) }
            let name: String = try call.get("other")
            return series.firstStep(
                relation, try name == "edge" ? file.edge(for: series.name) : file.series(name, from: nil, to: nil))
        }
        files.method(
            "at", "The state of a checkpoint: arrays by their names, those of the model in PyTorch's, and run.state.",
            parameters: [Parameter("step", .integer(.nonNegative), unit: "steps", "Of which step.")],
            results: [
                Parameter(
                    "state",
                    .record([
                        Parameter("step", .integer, unit: "steps", "Of which step."),
                        Parameter("arrays", .map(of: .object("array")), "By their names."),
                        Parameter("state", .map(of: .any), "What run.state held."),
                    ]), "The checkpoint.")
            ]
        ) { file, call in
            let step: Int = try call.get("step")
            let steps = try file.reader.checkpointSteps()
            guard steps.contains(step) else {
                let known =
                    steps.isEmpty ? "it has none" : "it has those of \(steps.map(String.init).joined(separator: ", "))"
                throw ArgumentError("'\(file.reader.name)' has no checkpoint of step \(step) (\(known))")
            }
            let contents = try ArrayFile.contents(
                of: file.reader.checkpoint(step: step), name: "\(file.reader.name), step \(step)")
            var state = LuaValue.table(LuaTable())
            if let text = contents.metadata["eoss"], case .object(let values)? = try? JSONValue(json: text),
                case .object(let kept)? = values["program.keeps"], let own = kept["state"]
            {
                state = LuaValue(json: own)
            }
            return LuaRecord(
                [
                    "step": .integer(step), "state": state,
                    "arrays": .table(LuaTable(named: contents.arrays.mapValues { .object(ArrayObject($0)) })),
                ], called: "the checkpoint")
        }
        addContents(to: files)
        addPlot(to: files)
        files.description { file in
            let status = (try? file.reader.status()).flatMap { $0 }
            return "run file '\(file.reader.name.printable)'"
                + (status.map { ": \($0.words) at step \($0.step)" } ?? "")
        }
        return files
    }

    func addOpen(to eoss: Namespace) {
        addRuns(to: eoss)
        eoss.function(
            "open",
            "Opens a run file to read it: series, parameters, events, figures, checkpoints; also while it is written.",
            parameters: [Parameter("path", .path, "The file, below the output folder or the script's.")],
            results: [Parameter("file", .object("runfile"), "The file.")]
        ) { [unowned self] call in
            // Of one's own run all that is there.
            for file in openFiles { try file.commit() }
            let url = URL(fileURLWithPath: try paths.readable(call.get("path")))
            return RunFileObject(try collectingFiles { try RunFile.open(url) })
        }
    }
}
