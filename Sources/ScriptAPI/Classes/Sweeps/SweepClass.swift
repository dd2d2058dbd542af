import Experiments
import LuaBridge
import Reports
import Sweeps

extension ScriptHost {
    /// `sweep`: what `eoss.sweep` gives.
    func sweepClass() -> ObjectClass<SweepObject> {
        let sweeps = ObjectClass<SweepObject>(
            "sweep",
            "The points of a sweep, sweep[1] to sweep[#sweep]: tables with the parameters, what the point has returned, name and diverged. A value."
        )
        sweeps.property("rows", .list(of: .map(of: .any)), "The points as a list.") { sweep in
            sweep.rows.map { sweep.record($0) }
        }
        sweeps.property("parameters", .list(of: .string), "The parameters it goes through; the last changes fastest.") {
            $0.axes.map(\.name)
        }
        sweeps.property("columns", .list(of: .string), "The names of the columns that are numbers.") { $0.numbers }
        sweeps.method(
            "table",
            "A line for each combination of the parameters, with mean, median and standard error over the seeds of each column; prints as a table.",
            parameters: [.optional("columns", .names, "Which columns; all by default.")],
            results: [Parameter("table", .object("sweep_table"), "The table.")]
        ) { sweep, call in
            SweepTableObject(try sweep.table(call.has("columns") ? call.names("columns") : nil), of: sweep)
        }
        sweeps.procedure(
            "plot",
            "Draws a column over a parameter: the mean over the seeds, with its standard error as a band; a line for each combination of the other parameters.",
            parameters: [
                Parameter("x", .string, "A parameter whose values are numbers."),
                Parameter("y", .string, "The column."),
            ],
            options: [
                .optional("file", .string, "The file: .svg, .pdf, .png or .txt; '<y>-<x>.svg' by default."),
                Parameter(
                    "band", .choice("seeds", "none"), default: "seeds",
                    "seeds: the standard error over them; none: no band."),
                Parameter("log", .boolean, default: false, "A logarithmic y axis."),
                Parameter("log_x", .boolean, default: false, "A logarithmic x axis."),
                .optional("title", .string, "Above the figure."),
            ]
        ) { [unowned self] sweep, call in
            let (x, y): (String, String) = (try call.get("x"), try call.get("y"))
            let figure = try SweepFigure(call).drawing(sweep, x, y)
            let name = try call.get("file", as: String?.self) ?? "\(y)-\(x).svg"
            _ = try show(figure, of: [], in: FigureFile(name: name, format: FigureFormat(path: name)))
        }
        sweeps.length("How many points it has.") { $0.rows.count }
        sweeps.elements(LuaType.map(of: .any).orNil, "A point: its parameters, what it returned, name, diverged.") {
            sweep, i in sweep.rows.indices.contains(i - 1) ? sweep.record(sweep.rows[i - 1]) : nil
        }
        sweeps.description { sweep in
            let diverged = sweep.rows.count(where: \.isDiverged)
            return "sweep over \(sweep.axes.map(\.name).joined(separator: ", ")): \(sweep.rows.count) points"
                + (diverged > 0 ? ", \(diverged) diverged" : "")
        }
        return sweeps
    }

    /// `sweep_table`: what `sweep:table` gives.
    func sweepTableClass() -> ObjectClass<SweepTableObject> {
        let tables = ObjectClass<SweepTableObject>(
            "sweep_table",
            "A line for each combination of the parameters, by its number: t[1].lr, t[1].n, t[1].diverged, and of each column t[1].loss.mean, .median, .stderr, .n; prints as a table. A value."
        )
        tables.property("columns", .list(of: .string), "The columns.") { $0.table.columns }
        tables.length("How many lines it has.") { $0.table.rows.count }
        tables.elements(LuaType.map(of: .any).orNil, "A line.") { object, i in
            object.table.rows.indices.contains(i - 1) ? object.record(object.table.rows[i - 1]) : nil
        }
        tables.description { $0.table.text }
        return tables
    }
}
