import Experiments
import LuaBridge
import Sweeps

/// What `eoss.sweep` and `eoss.open_sweep` give: the points of a sweep, and what has become of them.
final class SweepObject: LuaObject {
    /// A point.
    struct Row {
        let name: String
        let settings: [SweepPoint.Setting]
        var isDiverged = false
        /// What the run said when it diverged.
        var message: String?
        /// What the function has returned, or the last values of the point's series.
        var columns: [String: LuaValue] = [:]
    }

    let axes: [SweepPlan.Axis]
    let rows: [Row]
    /// The names of the columns that are numbers, in the order in which tables show them.
    let numbers: [String]
    /// The values of the parameters as the script knows them, by their text.
    private let values: [String: [String: LuaValue]]

    /// - Parameter values: those of each parameter, by their text; where one is not there, it is its text.
    init(_ axes: [SweepPlan.Axis], values: [String: [String: LuaValue]], rows: [Row], columns: [String]) {
        (self.axes, self.values, self.rows) = (axes, values, rows)
        numbers = columns.filter { column in rows.contains { Double.read($0.columns[column] ?? .nil) != nil } }
    }

    func value(of setting: SweepPoint.Setting) -> LuaValue {
        values[setting.name]?[setting.value] ?? .string(setting.value)
    }

    /// A row as scripts see it.
    func record(_ row: Row) -> LuaValue {
        var fields = row.columns
        for setting in row.settings { fields[setting.name] = value(of: setting) }
        fields["name"] = .string(row.name)
        fields["diverged"] = .boolean(row.isDiverged)
        if let message = row.message { fields["message"] = .string(message) }
        return .table(LuaTable(named: fields))
    }

    /// - Throws: for a column that is not one of numbers.
    func table(_ columns: [String]?) throws -> SweepTable {
        for column in columns ?? [] { try check(column) }
        let entries = rows.map { row in
            SweepTable.Entry(
                settings: row.settings, isDiverged: row.isDiverged,
                values: row.columns.compactMapValues { Double.read($0) })
        }
        return SweepTable(entries, columns: columns ?? numbers)
    }

    func check(_ column: String) throws {
        guard !numbers.contains(column) else { return }
        let near = nearestNameQuestion(to: column, among: numbers)
        let known = numbers.isEmpty ? "it has none" : "it has " + numbers.joined(separator: ", ")
        throw ArgumentError("the sweep has no column of numbers '\(column)'\(near) (\(known))")
    }
}

/// What `sweep:table` gives.
final class SweepTableObject: LuaObject {
    let table: SweepTable
    /// For the values of the parameters.
    private let sweep: SweepObject

    init(_ table: SweepTable, of sweep: SweepObject) { (self.table, self.sweep) = (table, sweep) }

    /// A line as scripts see it.
    func record(_ row: SweepTable.Row) -> LuaValue {
        var fields: [String: LuaValue] = ["n": .integer(row.count), "diverged": .integer(row.diverged)]
        for (column, statistics) in zip(table.columns, row.statistics) {
            fields[column] = [
                "mean": .number(statistics.mean), "median": .number(statistics.median),
                "stderr": .number(statistics.standardError), "n": .integer(statistics.count),
            ]
        }
        for setting in row.settings { fields[setting.name] = sweep.value(of: setting) }
        return .table(LuaTable(named: fields))
    }
}
