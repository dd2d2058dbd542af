import Experiments
import Foundation
import LuaBridge
import Sweeps

extension ScriptHost {
    /// `eoss.sweep` and `eoss.open_sweep`.
    func addSweeps(to eoss: Namespace) {
        eoss.function(
            "sweep",
            "Calls a function for every combination of values, one after the other. A run that diverges is a row that says so; any other error ends the sweep.",
            options: [
                Parameter(
                    "grid", .map(of: .list(of: LuaType.number.or(.string).or(.boolean))),
                    "Each parameter's values. Parameters go in alphabetical order, seed last; the last changes fastest."
                ),
                .optional("repeats", .integer(.positive), "Repeat each combination with p.seed = 1, 2, … up to this."),
                Parameter(
                    "jobs", .integer(.positive), default: 1,
                    "1: a script runs on one thread. 'eoss sweep FILE --jobs n' works at several points at a time, in processes of their own."
                ),
                Parameter(
                    "run", .function(("p", .map(of: .any)), ("name", .string), returns: .map(of: .any)),
                    "What is done at a point: takes its parameters and its name, returns numbers, texts and booleans by name."
                ),
            ], results: [Parameter("sweep", .object("sweep"), "The rows.")]
        ) { [unowned self] call in
            let jobs: Int = try call.get("jobs")
            guard jobs == 1 else {
                throw ArgumentError(
                    "eoss.sweep: jobs = \(jobs), but a script runs on one thread, and its points one after the other: for several at "
                        + "a time call 'eoss sweep FILE --set name=value,value --jobs \(jobs)', or train the runs of a point by "
                        + "eoss.parallel")
            }
            let grid: [String: LuaValue] = try call.get("grid")
            return try sweep(grid, repeats: call.get("repeats"), call.get("run"))
        }
        eoss.function(
            "open_sweep",
            "Opens the folder of a sweep that 'eoss sweep' has made: the last values of the series of each point that is over.",
            parameters: [Parameter("path", .path, "The folder, below the output folder or the script's.")],
            results: [Parameter("sweep", .object("sweep"), "The rows.")]
        ) { [unowned self] call in
            try Self.sweep(SweepFolder(opening: URL(fileURLWithPath: paths.readable(call.get("path")))))
        }
    }

    private static func sweep(_ folder: SweepFolder) -> SweepObject {
        var columns: [String] = []
        let rows = folder.plan.points.indices.compactMap { index -> SweepObject.Row? in
            let report = folder.report(on: index)
            guard report.state.isOver else { return nil }
            let values = folder.lastValues(of: index)
            for (series, _) in values where !columns.contains(series) { columns.append(series) }
            return SweepObject.Row(
                name: folder.plan.names[index], settings: folder.plan.points[index].settings,
                isDiverged: report.state == .diverged, message: report.message,
                columns: Dictionary(values.map { ($0.series, .number($0.value)) }) { $1 })
        }
        var values: [String: [String: LuaValue]] = [:]
        for axis in folder.plan.axes {
            for text in axis.values {
                values[axis.name, default: [:]][text] =
                    Int(text).map { .integer($0) } ?? Double(text).map { .number($0) } ?? .string(text)
            }
        }
        return SweepObject(folder.plan.axes, values: values, rows: rows, columns: columns)
    }

    // MARK: - In the script

    private func sweep(
        _ grid: [String: LuaValue], repeats: Int?, _ function: LuaFunction
    ) throws -> SweepObject {
        if grid.isEmpty, repeats == nil {
            throw ArgumentError("eoss.sweep: there is nothing to sweep: give a grid with values, or repeats")
        }
        if repeats != nil, grid[SweepPlan.seed] != nil {
            throw ArgumentError("eoss.sweep: the grid has seeds, and repeats gives others: leave one of them out")
        }
        let axes: [SweepPlan.Axis]
        var values: [String: [String: LuaValue]]
        (axes, values) = Self.axes(grid)
        let plan: SweepPlan
        do { plan = try SweepPlan(axes, repeats: repeats) } catch { throw ArgumentError("eoss.sweep: \(error)") }
        if let repeats {
            values[SweepPlan.seed] = Dictionary(uniqueKeysWithValues: (1...repeats).map { ("\($0)", .integer($0)) })
        }
        var rows: [SweepObject.Row] = []
        for (number, point) in plan.points.enumerated() {
            let name = plan.names[number]
            options.message("sweep: point \(number + 1) of \(plan.points.count), \(name)")
            var parameters: [String: LuaValue] = [:]
            for setting in point.settings { parameters[setting.name] = values[setting.name]?[setting.value] }
            rows.append(try row(name, point, LuaRecord(parameters, called: "the point"), function))
        }
        let columns = Set(rows.flatMap(\.columns.keys)).sorted()
        return SweepObject(plan.axes, values: values, rows: rows, columns: columns)
    }

    /// The axes of a grid in their order, and their values by the texts that stand for them in names.
    private static func axes(
        _ grid: [String: LuaValue]
    ) -> (axes: [SweepPlan.Axis], values: [String: [String: LuaValue]]) {
        var (axes, values): ([SweepPlan.Axis], [String: [String: LuaValue]]) = ([], [:])
        let others = grid.keys.filter { $0 != SweepPlan.seed }.sorted()
        for name in others + [SweepPlan.seed] {
            guard case .table(let table)? = grid[name] else { continue }
            let texts = table.array.map { value in if case .string(let text) = value { text } else { value.literal } }
            axes.append(SweepPlan.Axis(name, texts))
            values[name] = Dictionary(zip(texts, table.array)) { first, _ in first }
        }
        return (axes, values)
    }

    /// Calls the function for a point.
    private func row(
        _ name: String, _ point: SweepPoint, _ parameters: LuaRecord, _ function: LuaFunction
    ) throws -> SweepObject.Row {
        do {
            let columns = try Self.columns(function.call(parameters, name), parameters, name)
            return SweepObject.Row(name: name, settings: point.settings, columns: columns)
        } catch {
            if let divergence = Self.divergence(error) {
                return SweepObject.Row(
                    name: name, settings: point.settings, isDiverged: true, message: divergence.description)
            }
            guard var failure = error as? LuaError else { throw error }
            if case .stopped = failure.kind { throw failure }
            failure.message = "point \(name): \(failure.message)"
            throw failure
        }
    }

    /// The divergence of a run that an error is, or stands for.
    private static func divergence(_ error: any Error) -> ExperimentError? {
        switch error {
        case let error as ExperimentError: if case .diverged = error { error } else { nil }
        case let error as LuaError: error.underlying.flatMap(divergence)
        case let error as Parallel.Failure: divergence(error.error)
        default: nil
        }
    }

    private static func columns(
        _ results: [LuaValue], _ parameters: LuaRecord, _ name: String
    ) throws -> [String: LuaValue] {
        guard let result = results.first, !result.isNil else { return [:] }
        func failure(_ what: String) -> ArgumentError {
            ArgumentError(
                "eoss.sweep, point \(name): the function returned \(what), and should return a table of numbers, texts and booleans by "
                    + "name, as in { loss = run.loss }")
        }
        guard case .table(let table) = result, table.array.isEmpty, table.others.isEmpty else {
            throw failure("a \(result.typeName == "table" ? "list" : result.typeName)")
        }
        var columns: [String: LuaValue] = [:]
        for (key, value) in table.fields {
            let column = key.description
            if parameters.fields[column] != nil || ["name", "diverged", "message"].contains(column) {
                throw failure("'\(column)', which a row has already")
            }
            switch value {
            case .integer, .number, .string, .boolean: columns[column] = value
            default: throw failure("a \(value.typeName) as '\(column)'")
            }
        }
        return columns
    }
}
