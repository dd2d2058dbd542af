import Experiments
import Foundation
import Sweeps

/// What `eoss sweep --status` prints: how each point stands by its files and, where it was submitted, by Slurm, and the table of those
/// that are over.
struct SweepStatusText {
    let text: String

    init(_ folder: SweepFolder, columns: [String]?) throws {
        let reports = folder.reports()
        let slurm = SlurmStatus(folder)
        let counts = PointState.allCases.compactMap { state -> String? in
            let count = reports.count { $0.state == state }
            return count == 0 ? nil : "\(count) \(state.rawValue)"
        }
        var heads = ["point", "state", "step"]
        if !slurm.words.isEmpty { heads.append("Slurm") }
        let lines = reports.indices.map { point -> [String] in
            let report = reports[point]
            let cells = [folder.plan.names[point], report.state.rawValue, report.step.map(String.init) ?? "–"]
            return slurm.words.isEmpty ? cells : cells + [slurm.words[point] ?? "–"]
        }
        var parts = [
            "sweep of \(folder.manifest.script.printable): \(reports.count) points, \(counts.joined(separator: ", "))",
            aligned(([heads] + lines).map { $0.map(\.printable) }),
        ]
        let failures = Self.failures(folder, reports)
        if !failures.isEmpty { parts.append(failures.joined(separator: "\n")) }
        if reports.contains(where: \.state.isOver) { parts.append(try folder.table(reports, columns: columns).text) }
        text = parts.joined(separator: "\n\n") + "\n"
    }

    /// Why points failed: many often do for one reason.
    private static func failures(_ folder: SweepFolder, _ reports: [PointReport]) -> [String] {
        var points: [(reason: String, points: [Int])] = []
        for point in reports.indices where reports[point].state == .failed {
            let reason =
                reports[point].message?.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason given"
            if let place = points.firstIndex(where: { $0.reason == reason }) {
                points[place].points.append(point)
            } else {
                points.append((reason, [point]))
            }
        }
        return points.map { reason, points in
            let others = points.count > 1 ? " and \(points.count - 1) more" : ""
            return "\(folder.plan.names[points[0]])\(others) failed: \(reason.printable)"
        }
    }
}
