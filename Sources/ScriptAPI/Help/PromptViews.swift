import Experiments
import Foundation
import LuaBridge
import RunFiles

/// What the prompt shows of runs and series: small tables.
extension ScriptHost {
    /// The run in a line, and a line for each series: its last value, over its edge where it has one, and its course.
    static func view(of run: Run) -> String {
        var table = TextTable([
            .init("", .left, least: 12), .init("last"), .init("of edge"), .init("step"), .init("", .left),
        ])
        for name in run.seriesNames {
            guard let series = try? run.series(name, from: nil, to: nil), let last = series.last else { continue }
            let share = (try? run.edge(for: name)).flatMap { series.over($0).last }
            table.add([
                name.printable, short(last), share.map { String(format: "%.3f", $0) } ?? "",
                series.stepList.last.map { "\($0)" } ?? "", Sparkline.text(series.values),
            ])
        }
        return ([run.line] + (table.rows.isEmpty ? [] : table.lines().map { "  " + $0 })).joined(separator: "\n")
    }

    static func view(of series: Series, line: String) -> String {
        let values = series.values
        let finite = values.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max(), values.count > 1 else { return line }
        return "\(line)\n  \(Sparkline.text(values, width: 60))  \(short(low)) to \(short(high))"
    }
}
