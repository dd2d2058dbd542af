import Experiments
import Foundation

/// What has become of quantities at the points of a sweep: a line for each combination of its parameters, with mean, median and
/// standard error over the seeds.
public struct SweepTable: Sendable, Equatable {
    /// What one point has to show.
    public struct Entry: Sendable, Equatable {
        /// Values of the parameters, in the order of the axes.
        public var settings: [SweepPoint.Setting]
        public var isDiverged: Bool
        public var values: [String: Double]

        public init(settings: [SweepPoint.Setting], isDiverged: Bool = false, values: [String: Double]) {
            (self.settings, self.isDiverged, self.values) = (settings, isDiverged, values)
        }
    }

    /// Of the values of one quantity; not a number where there are none.
    public struct Statistics: Sendable, Equatable {
        public var count: Int
        public var mean: Double
        public var median: Double
        /// The standard deviation of the values, with n − 1, over √n; not a number for a single one.
        public var standardError: Double

        public init(_ values: [Double]) {
            let series = Series(name: "", steps: Array(values.indices), values: values)
            (count, mean, median) = (values.count, series.mean, series.median)
            let squares = values.reduce(0) { $0 + ($1 - series.mean) * ($1 - series.mean) }
            standardError =
                count > 1 ? (squares / Double(count - 1)).squareRoot() / Double(count).squareRoot() : .nan
        }
    }

    /// A line.
    public struct Row: Sendable, Equatable {
        /// Without the seed.
        public var settings: [SweepPoint.Setting]
        /// Points that have something to show, and how many of them have diverged: these are in no statistics.
        public var count: Int
        public var diverged: Int
        /// For each of ``SweepTable/columns``.
        public var statistics: [Statistics]
    }

    public var columns: [String]
    public var rows: [Row] = []

    /// - Parameter columns: the quantities, in the order that they are shown in.
    public init(_ entries: [Entry], columns: [String]) {
        self.columns = columns
        var groups: [(settings: [SweepPoint.Setting], entries: [Entry])] = []
        var places: [[String]: Int] = [:]
        for entry in entries {
            let settings = entry.settings.filter { $0.name != SweepPlan.seed }
            let key = settings.map(\.value)
            if let place = places[key] {
                groups[place].entries.append(entry)
            } else {
                places[key] = groups.count
                groups.append((settings, [entry]))
            }
        }
        rows = groups.map { settings, entries in
            let converged = entries.filter { !$0.isDiverged }
            return Row(
                settings: settings, count: entries.count, diverged: entries.count - converged.count,
                statistics: columns.map { column in Statistics(converged.compactMap { $0.values[column] }) })
        }
    }

    /// The table as people read it: of several values `mean ± standard error`, and the median beside it.
    public var text: String {
        guard let first = rows.first else { return "no points" }
        let hasSeveral = rows.contains { $0.count > 1 }
        let hasDiverged = rows.contains { $0.diverged > 0 }
        var heads = first.settings.map(\.name)
        if hasSeveral { heads.append("n") }
        if hasDiverged { heads.append("diverged") }
        for column in columns { heads += hasSeveral ? [column, "median"] : [column] }
        let lines = rows.map { row -> [String] in
            var cells = row.settings.map(\.value)
            if hasSeveral { cells.append("\(row.count)") }
            if hasDiverged { cells.append("\(row.diverged)") }
            for statistics in row.statistics {
                var cell = Self.digits(statistics.mean)
                if !statistics.standardError.isNaN { cell += " ± " + Self.digits(statistics.standardError, 2) }
                if statistics.count == 0 { cell = "–" }
                cells.append(cell)
                if hasSeveral { cells.append(statistics.count == 0 ? "–" : Self.digits(statistics.median)) }
            }
            return cells
        }
        return aligned(([heads] + lines).map { $0.map(\.printable) })
    }

    /// So many significant digits.
    public static func digits(_ number: Double, _ count: Int = 4) -> String {
        number.isFinite ? String(format: "%.\(count)g", number) : "\(number)"
    }
}

extension SweepFolder {
    /// The table of the last values of the points that are over.
    /// - Parameter columns: the series that it shows; all by default, in the order in which they began.
    /// - Throws: ``SweepError`` for a series that no point has.
    public func table(_ reports: [PointReport], columns: [String]? = nil) throws(SweepError) -> SweepTable {
        var found: [String] = []
        let entries = plan.points.indices.compactMap { point -> SweepTable.Entry? in
            guard reports[point].state.isOver else { return nil }
            let values = lastValues(of: point)
            for (series, _) in values where !found.contains(series) { found.append(series) }
            return SweepTable.Entry(
                settings: plan.points[point].settings, isDiverged: reports[point].state == .diverged,
                values: Dictionary(values.map { ($0.series, $0.value) }) { $1 })
        }
        if let unknown = columns?.first(where: { !found.contains($0) }) {
            let known = found.isEmpty ? "there are none" : "there are " + found.joined(separator: ", ").printable
            throw SweepError("no point that is over has the series '\(unknown.printable)' (\(known))")
        }
        return SweepTable(entries, columns: columns ?? found)
    }
}
