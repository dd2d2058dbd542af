import Experiments
import Foundation
import Reports

/// The curves of a report: losses, curvatures with the edges of theirs, accuracies, then each other quantity by itself.
struct ReportCurves {
    /// One pair of axes for all runs.
    struct Group: Equatable {
        var title: String
        var names: [String]
        var isLoss = false
    }

    /// Panels for quantities that stand alone: with more, a page would be nothing but curves.
    private static let mostAlone = 24

    let readers: [RunFileReader]
    private let labels: [String]
    private let runs: [PlottedRun]

    init(_ readers: [RunFileReader]) throws {
        self.readers = readers
        runs = try readers.map(PlottedRun.init)
        // Runs of one name are told apart by their numbers.
        labels = readers.enumerated().map { index, reader in
            let isAlone = readers.filter { $0.name == reader.name }.count == 1
            return isAlone ? reader.name.printable : "\(reader.name.printable) (\(index + 1))"
        }
    }

    /// - Returns: the groups in which anything was measured, and the names for which there was no room.
    func groups() throws -> (shown: [Group], left: [String]) {
        var names: [String] = []
        for name in runs.flatMap(\.seriesNames) where !names.contains(name) { names.append(name) }
        let kinds = Dictionary(grouping: names) { [PlottedGroup(name: "", runs: runs)].kind(of: $0) }
        var groups = [
            Group(title: "loss", names: kinds[.loss] ?? [], isLoss: true),
            Group(title: "curvature and its edge", names: kinds[.curvature] ?? []),
            Group(title: "accuracy", names: kinds[.accuracy] ?? []),
        ]
        // An edge alone is no curvature.
        if groups[1].names.allSatisfy({ name in runs.contains { $0.history.isEdge(name) } }) { groups[1].names = [] }
        let taken = Set(groups.flatMap(\.names))
        let alone = names.filter { !taken.contains($0) }
        groups += alone.prefix(Self.mostAlone).map { Group(title: $0.printable, names: [$0]) }
        return (groups.filter { !$0.names.isEmpty }, Array(alone.dropFirst(Self.mostAlone)))
    }

    /// The panel of a group; nil where nothing in it can be drawn.
    func panel(_ group: Group) throws -> Panel? {
        var panel = Panel(xLabel: "step")
        for (index, reader) in readers.enumerated() {
            let run = runs[index]
            for name in group.names where run.seriesNames.contains(name) {
                let series = try SeriesPoints(reader, name)
                let label = name.printable + (readers.count > 1 ? ", \(labels[index])" : "")
                if run.history.isEdge(name), group.names.count > 1 {
                    panel.references.append(
                        ReferenceLine(name: label, x: series.steps, y: series.values))
                } else {
                    panel.series.append(
                        PlottedSeries(name: label, x: series.steps, y: series.values, errors: series.errors))
                }
            }
        }
        let values = panel.series.lazy.flatMap(\.y).filter(\.isFinite)
        guard values.contains(where: { _ in true }) else { return nil }
        // A loss that is not positive has no place on a logarithmic axis.
        if group.isLoss, values.allSatisfy({ $0 > 0 }) { panel.yScale = .log }
        return panel
    }
}

/// What is drawn of a series: three numbers a value, whatever else stands beside it in the file.
private struct SeriesPoints {
    var steps: [Double] = []
    var values: [Double] = []
    /// Nil where no value has one.
    var errors: [Double]?

    init(_ reader: RunFileReader, _ name: String) throws {
        let cursor = try SeriesCursor(reader, name)
        while let measurement = cursor.current {
            steps.append(Double(measurement.step))
            values.append(measurement.value)
            if let error = measurement.standardError, errors == nil {
                errors = [Double](repeating: .nan, count: values.count - 1) + [error]
            } else {
                errors?.append(measurement.standardError ?? .nan)
            }
            try cursor.advance()
        }
    }
}
