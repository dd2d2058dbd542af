import Foundation
import LuaBridge
import Sweeps

extension ScriptHost {
    /// `eoss.sweep` and `eoss.open_sweep`.
    func addSweeps(to eoss: Namespace) {
        eoss.function(
            "sweep",
            "Calls a function for every combination of values. A run that diverges is a row that says so; any other error ends the sweep. Runs have the point's name in theirs, and math.random goes on by itself at each point.",
            options: [
                Parameter(
                    "grid", .map(of: .list(of: LuaType.number.or(.string).or(.boolean))),
                    "Each parameter's values. Parameters go in alphabetical order, seed last; the last changes fastest."
                ),
                .optional("repeats", .integer(.positive), "Repeat each combination with p.seed = 1, 2, … up to this."),
                Parameter(
                    "jobs", .integer(.positive), default: 1,
                    "How many points are worked at at a time. Above 1 each in a process of its own, which executes the script up to the sweep and then calls the function there: rows and run files are those of 1. What the function changes in the script's variables stays there."
                ),
                Parameter(
                    "run", .function(("p", .map(of: .any)), ("name", .string), returns: .map(of: .any)),
                    "What is done at a point: takes its parameters and its name, returns numbers, texts and booleans by name."
                ),
            ], results: [Parameter("sweep", .object("sweep"), "The rows.")]
        ) { [unowned self] call in
            let grid: [String: LuaValue] = try call.get("grid")
            return try sweep(grid, repeats: call.get("repeats"), jobs: call.get("jobs"), call.get("run"))
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
}
