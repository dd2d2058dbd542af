import LuaBridge
import Reports
import Sweeps

/// A column of a sweep over one of its parameters.
struct SweepFigure {
    private let hasBand: Bool
    private let scales: (x: Panel.Scale, y: Panel.Scale)
    private let title: String?

    /// Reads the options of a call.
    init(_ call: borrowing LuaCall) throws {
        hasBand = try call.get("band") == "seeds"
        scales = (try call.get("log_x") ? .log : .linear, try call.get("log") ? .log : .linear)
        title = try call.get("title")
    }

    /// - Throws: for a parameter or a column that the sweep does not have, and one that is not of numbers.
    func drawing(_ sweep: SweepObject, _ x: String, _ y: String) throws -> Figure {
        let others = sweep.axes.map(\.name).filter { $0 != SweepPlan.seed }
        guard others.contains(x) else {
            let near = nearestNameQuestion(to: x, among: others)
            throw ArgumentError("the sweep has no parameter '\(x)'\(near) (it has \(others.joined(separator: ", ")))")
        }
        let table = try sweep.table([y])
        var lines: [(name: String, points: [(x: Double, y: SweepTable.Statistics)])] = []
        for row in table.rows {
            let rest = row.settings.filter { $0.name != x }
            guard let setting = row.settings.first(where: { $0.name == x }),
                let place = Double.read(sweep.value(of: setting)) ?? Double(setting.value)
            else { throw ArgumentError("the values of '\(x)' are no numbers, so they have no place on an axis") }
            let name = rest.map { "\($0.name) = \($0.value)" }.joined(separator: ", ")
            let point = (place, row.statistics[0])
            if let index = lines.firstIndex(where: { $0.name == name }) {
                lines[index].points.append(point)
            } else {
                lines.append((name, [point]))
            }
        }
        var panel = Panel(xLabel: x, yLabel: y, xScale: scales.x, yScale: scales.y)
        panel.series = lines.map { name, points in
            let points = points.sorted { $0.x < $1.x }
            return PlottedSeries(
                name: name, x: points.map(\.x), y: points.map(\.y.mean),
                errors: hasBand ? points.map(\.y.standardError) : nil)
        }
        return Figure(title: title ?? "", panels: [panel])
    }
}
