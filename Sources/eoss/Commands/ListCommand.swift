import ArgumentParser
import Experiments
import Foundation
import RunFiles

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List run files: script, steps, state, age, the last values.",
        discussion: """
            Conditions compare parameters, last values of series, and name, script, step, state, age (seconds since it was last \
            written), created, alert, parent:
              eoss ls --where 'lr > 0.1 and state == done'
              eoss ls --where 'lambda_max * lr > 2 or loss == nan' --sort loss
            'parameters.steps' and 'last.loss' say which is meant where both have the name.
            """)

    @Argument(
        help: ArgumentHelp(
            "Folders, or run files (default: the folder 'runs', where there is none the present one).",
            valueName: "folder"),
        completion: .directory)
    var places: [String] = []

    @Option(
        help: ArgumentHelp(
            "In the order of this: a parameter, a series, name, step, state, age, ….", valueName: "key"),
        transform: RunQuery.field)
    var sort: RunField?

    @Flag(help: "In reverse order.")
    var reverse = false

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp("Only those for which this holds.", valueName: "condition"), transform: RunQuery.init)
    var condition: RunQuery?

    @Option(
        name: .customLong("show"),
        help: ArgumentHelp("Further columns: parameters, say, with commas between them.", valueName: "names"),
        transform: RunQuery.fields)
    var shown: [RunField] = []

    @Flag(help: "For other programs: an array, an object for each file.")
    var json = false

    func run() throws {
        let (files, failed) = files()
        var runs = RunFolder.runs(files)
        let unreadable = runs.filter { $0.run == nil }.count
        try Self.telling("--sort") { () throws(RunQueryError) in try RunQuery.check(sort.map { [$0] } ?? [], in: runs) }
        try Self.telling("--show") { () throws(RunQueryError) in try RunQuery.check(shown, in: runs) }
        if let condition {
            runs = try Self.telling("--where") { () throws(RunQueryError) in try condition.matches(in: runs) }
            if unreadable > 0 { Console.tell("\(unreadable) file\(unreadable == 1 ? "" : "s") cannot be read") }
        }
        if let sort {
            runs = runs.sorted(by: sort, reversed: reverse)
        } else if reverse {
            runs.reverse()
        }
        if json {
            Console.writeOutput(try JSONValue.array(runs.map(\.json)).text())
        } else {
            if files.isEmpty, !failed {
                Console.tell("no run files in \(folders.map { "'\($0.printable)'" }.joined(separator: ", "))")
            }
            if !runs.isEmpty { Console.write(RunTable(runs, shown, in: folders).lines(.standard)) }
        }
        if failed { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    /// Only when the files have been read is it known which names there are.
    private static func telling<Result>(
        _ option: String, _ body: () throws(RunQueryError) -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch {
            Console.tell("\(option): \(error)")
            throw ExitCode(ExitStatus.usage.rawValue)
        }
    }

    private var folders: [String] {
        if !places.isEmpty { return places }
        var isFolder: ObjCBool = false
        let hasRuns = FileManager.default.fileExists(atPath: "runs", isDirectory: &isFolder) && isFolder.boolValue
        return [hasRuns ? "runs" : "."]
    }

    /// The files; and whether some folder could not be read, which was said.
    private func files() -> (files: [URL], failed: Bool) {
        var (files, failed): ([URL], Bool) = ([], false)
        for place in folders {
            let url = URL(fileURLWithPath: place)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else {
                Console.tell("there is no folder '\(place.printable)'")
                failed = true
                continue
            }
            do {
                files += isFolder.boolValue ? try RunFolder(url).files(includesPoints: true) : [url]
            } catch {
                Console.tell(words(for: error).printable)
                failed = true
            }
        }
        return (files, failed)
    }
}

/// What `eoss ls` prints.
struct RunTable {
    private let runs: [ListedRun]
    private let shown: [RunField]
    /// The folder whose files need no word of where they lie; or it is that file.
    private let home: String?
    private let now: Date

    /// More series than this are for `--json`, wherever it is printed.
    private static let mostSeries = 12

    /// - Parameter folders: where they were looked for. Runs elsewhere, those of a sweep's points say, and of several folders, are named
    ///   with the folders that they lie in.
    init(_ runs: [ListedRun], _ shown: [RunField] = [], in folders: [String], now: Date = Date()) {
        (self.runs, self.shown, self.now) = (runs, shown, now)
        home = folders.count > 1 ? nil : folders.first.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    }

    func lines(_ style: OutputStyle) -> [String] {
        let series = self.series
        let hasAlerts = runs.contains { $0.run?.alert != nil }
        var table = TextTable(
            [
                .init("NAME", .left, least: 24), .init("SCRIPT", .left, least: 12), .init("STEPS"),
                .init("STATE", .left), .init("AGE"),
            ] + (hasAlerts ? [.init("ALERT", .left, least: 12)] : []) + shown.map { .init($0.words, least: 6) }
                + series.map { .init($0.label(40), isOptional: true) })
        for listed in runs { table.add(cells(listed, series, hasAlerts: hasAlerts)) }
        let stateColumn = 3
        return table.lines(width: style.width) { cell, row, column in
            guard let row, column == stateColumn else { return cell }
            return style.coloured(cell, runs[row].run.map { OutputStyle.colour(of: $0.state) } ?? .red)
        }
    }

    private func cells(_ listed: ListedRun, _ series: [String], hasAlerts: Bool) -> [String] {
        let folder = listed.file.deletingLastPathComponent()
        let isAtHome = [folder, listed.file].contains { $0.standardizedFileURL.path == home }
        let name = (isAtHome ? listed.name : "\(folder.lastPathComponent)/\(listed.name)").label()
        switch listed.summary {
        case .failure(let error):
            return [name, "", "", error.reason.label()]
        case .success(let run):
            let script = run.script.map { ($0 as NSString).lastPathComponent.label() } ?? ""
            let last = Dictionary(run.last.map { ($0.name, $0.value.value.short) }) { $1 }
            return [
                name, script, run.step?.grouped ?? "", run.state, now.timeIntervalSince(run.written).age,
            ] + (hasAlerts ? [run.alert?.label() ?? ""] : [])
                + shown.map { $0.value(in: listed, now: now)?.label ?? "" } + series.map { last[$0] ?? "" }
        }
    }

    /// Those of most runs first.
    private var series: [String] {
        var (counts, order): ([String: Int], [String: Int]) = ([:], [:])
        for run in runs.compactMap(\.run) {
            for (name, _) in run.last {
                counts[name, default: 0] += 1
                if order[name] == nil { order[name] = order.count }
            }
        }
        func precedes(_ a: String, _ b: String) -> Bool {
            let (x, y) = (counts[a] ?? 0, counts[b] ?? 0)
            return x == y ? (order[a] ?? 0) < (order[b] ?? 0) : x > y
        }
        return Array(counts.keys.sorted(by: precedes).prefix(Self.mostSeries))
    }
}
