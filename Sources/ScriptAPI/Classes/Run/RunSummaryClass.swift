import Experiments
import Foundation
import LuaBridge
import RunFiles

/// An element of what `eoss.runs` gives.
final class RunSummaryObject: LuaObject {
    let listed: ListedRun
    /// When it was read.
    let now: Date

    init(_ listed: ListedRun, now: Date) { (self.listed, self.now) = (listed, now) }
}

extension ScriptHost {
    /// `runsummary`: a run file at a glance.
    func runSummaryClass() -> ObjectClass<RunSummaryObject> {
        let summaries = ObjectClass<RunSummaryObject>(
            "runsummary", "A run file at a glance, as it was when the folder was read; open() gives the file itself.")
        summaries.property("name", .string, "That of the file, without its ending.") { $0.listed.name }
        summaries.property("path", .string, "Where the file is.") { Self.shortPath($0.listed.file) }
        summaries.property(
            "error", .string, "Why the file cannot be read; nil where it can, else all but name and path is nil."
        ) {
            $0.listed.error
        }
        summaries.property("script", .string, "The path of the script.") { $0.listed.run?.script }
        summaries.property(
            "status", .string, "How the run stood: running, paused, done, stopped, failed, killed or unknown."
        ) { $0.listed.run?.state }
        summaries.property("step", .integer, unit: "steps", "Steps taken.") { $0.listed.run?.step }
        summaries.property("created", .string, "When the run began, in UTC.") { $0.listed.run?.created.timestamp }
        summaries.property("age", .number, unit: "seconds", "Since the file was last written.") { object in
            object.listed.run.map { object.now.timeIntervalSince($0.written) }
        }
        summaries.property("alert", .string, "What an alert last said; nil where none has.") { $0.listed.run?.alert }
        summaries.property("parent", .string, "The run that it is a fork of; nil for none.") {
            $0.listed.run?.parent?.name
        }
        summaries.property("parameters", .table, "The parameters of the experiment; nil for one that it has not.") {
            object in
            LuaTable(named: (object.listed.run?.parameters ?? [:]).mapValues(LuaValue.init(json:)))
        }
        summaries.property(
            "last", .map(of: .number), "The last value of each series, by name; nil for one that it has not."
        ) { object in
            let last = (object.listed.run?.last ?? []).map { ($0.name, LuaValue.number($0.value.value)) }
            return LuaTable(named: Dictionary(last) { $1 })
        }
        summaries.method(
            "open", "Opens the file.", results: [Parameter("file", .object("runfile"), "The file.")]
        ) { [unowned self] object, _ in
            // The path was looked at when the folder was read.
            RunFileObject(try collectingFiles { try RunFile.open(object.listed.file) })
        }
        summaries.description { object in
            let name = "run '\(object.listed.name.printable)'"
            guard let run = object.listed.run else { return "\(name): \((object.listed.error ?? "").printable)" }
            let step = run.step.map { " at step \($0)" } ?? ""
            let values = run.last.prefix(4).map { ", \($0.name.printable) \(short($0.value.value))" }
            return "\(name): \(run.state)\(step)\(values.joined())"
        }
        return summaries
    }

    func addRuns(to eoss: Namespace) {
        eoss.function(
            "runs", "The runs of a folder at a glance, in the order of their names.",
            parameters: [
                .optional(
                    "folder", .string, "Below the output folder or the script's; the output folder itself by default.")
            ],
            options: [
                .optional(
                    "where", .string, "Only those for which this holds, as of eoss ls: 'lr > 0.1 and state == done'."),
                .optional(
                    "sort", .string, "In the order of this: a parameter, a series, name, step, state, age, created."),
                Parameter("reverse", .boolean, default: false, "In reverse order."),
            ],
            results: [
                Parameter(
                    "runs", .list(of: .object("runsummary")),
                    "One for each run file; without 'where' also for those that cannot be read, which have an error.")
            ]
        ) { [unowned self] call in
            var runs = try self.runs(in: call.get("folder", as: String?.self) ?? ".")
            do {
                if let text: String = try call.get("where", as: String?.self) {
                    runs = try RunQuery(text).matches(in: runs)
                }
                let isReverse: Bool = try call.get("reverse")
                if let key: String = try call.get("sort", as: String?.self) {
                    let field = try RunQuery.field(key)
                    try RunQuery.check([field], in: runs)
                    runs = runs.sorted(by: field, reversed: isReverse)
                } else if isReverse {
                    runs.reverse()
                }
            } catch let error as RunQueryError {
                throw ArgumentError("eoss.runs: \(error)")
            }
            let now = Date()
            return runs.map { RunSummaryObject($0, now: now) }
        }
    }

    /// Of a script, which may not read files that a link leads to elsewhere.
    private func runs(in folder: String) throws -> [ListedRun] {
        let found = URL(fileURLWithPath: try paths.readableFolder(folder))
        let files = try RunFolder(found).files()
        var refused: [URL: String] = [:]
        for file in files {
            do {
                _ = try paths.readable("\(folder)/\(file.lastPathComponent)")
            } catch { refused[file] = words(for: error) }
        }
        let runs = RunFolder.runs(files.filter { refused[$0] == nil })
        guard !refused.isEmpty else { return runs }
        let read = Dictionary(runs.map { ($0.file, $0) }) { $1 }
        return files.compactMap { file in refused[file].map { ListedRun(file, refused: $0) } ?? read[file] }
    }
}

extension ListedRun {
    fileprivate var error: String? {
        if case .failure(let error) = summary { error.reason } else { nil }
    }
}
