import Dynamics
import Experiments
import LuaBridge
import Reports

/// Series of runs as panels: curvatures against the moving edge, losses on a logarithmic axis, accuracies, everything else.
struct RunFigure {
    static let options: [Parameter] = [
        .optional("title", .string, "Above the figure."),
        .optional("from", .integer, unit: "steps", "From this step on."),
        .optional("to", .integer, unit: "steps", "Up to this step."),
        Parameter("log", .boolean, default: false, "Curvatures on a logarithmic axis."),
        Parameter("over_edge", .boolean, default: false, "Curvatures divided by the edge at their step."),
    ]

    private enum Kind: CaseIterable { case curvature, loss, accuracy, other }

    private let from: Int?
    private let to: Int?
    private let isLog: Bool
    private let isOverEdge: Bool
    private let title: String?

    /// Reads the options of a call.
    init(_ call: borrowing LuaCall) throws {
        title = try call.get("title")
        from = try call.get("from")
        to = try call.get("to")
        isLog = try call.get("log")
        isOverEdge = try call.get("over_edge")
    }

    /// - Throws: for a series that a run does not have.
    func drawing(_ runs: [Run], _ names: [String]) throws -> Figure {
        guard !names.isEmpty, !runs.isEmpty else { throw ArgumentError("plot: name at least one series and one run") }
        var panels: [Panel] = []
        var colours: [String: Int] = [:]
        for kind in Kind.allCases {
            let chosen = names.filter { Self.kind(of: $0) == kind }
            if chosen.isEmpty { continue }
            var panel = Panel()
            for run in runs {
                for name in chosen {
                    panel.series.append(try series(name, kind, of: run, label: runs.count > 1, &colours))
                }
            }
            dress(&panel, kind, runs)
            panels.append(panel)
        }
        panels[panels.count - 1].xLabel = "step"
        // One above the other, a step has the same place in all panels, however far their series go.
        let steps = panels.flatMap(\.series).flatMap(\.x)
        if let first = steps.min(), let last = steps.max(), first < last {
            for i in panels.indices { panels[i].xRange = first...last }
        }
        return Figure(title: title ?? (runs.count == 1 ? runs[0].name : ""), panels: panels)
    }

    private static func kind(of name: String) -> Kind {
        if EdgeQuantity(rawValue: name) != nil || name.hasPrefix("lambda_max") || name.hasSuffix("_sharpness") {
            return .curvature
        }
        if name == "loss" || name.hasSuffix("_loss") { return .loss }
        return name == "accuracy" || name.hasSuffix("_accuracy") ? .accuracy : .other
    }

    private func series(
        _ name: String, _ kind: Kind, of run: Run, label: Bool, _ colours: inout [String: Int]
    ) throws -> Reports.Series {
        var series = try run.series(name).between(from, to)
        if kind == .curvature, isOverEdge { series = series.over(Self.edge(of: run)) }
        let key = label ? "\(name), \(run.name)" : name
        let colour = colours[key] ?? colours.count
        colours[key] = colour
        let hasErrors = series.standardErrors.contains { $0 > 0 }
        return Reports.Series(
            name: key, x: series.steps.map(Double.init), y: series.values,
            errors: hasErrors ? series.standardErrors : nil, colour: colour)
    }

    private func dress(_ panel: inout Panel, _ kind: Kind, _ runs: [Run]) {
        switch kind {
        case .curvature:
            panel.yScale = isLog ? .log : .linear
            if isOverEdge {
                panel.yLabel = "over the edge"
                panel.references.append(ReferenceLine(name: "edge", value: 1))
            } else {
                for run in runs {
                    let edge = Self.edge(of: run)
                    guard edge.count > 0 else { continue }
                    let name = run.rule.name == "sgd" ? "2/lr" : "edge"
                    panel.references.append(
                        ReferenceLine(
                            name: runs.count > 1 ? "\(name), \(run.name)" : name, x: edge.steps.map(Double.init),
                            y: edge.values))
                }
            }
        case .loss:
            panel.yScale = .log
            panel.yLabel = "loss"
        case .accuracy: panel.yLabel = "accuracy"
        case .other: break
        }
    }

    /// The edge from each step on at which it changed.
    private static func edge(of run: Run) -> Experiments.Series {
        Experiments.Series(name: "edge", steps: run.edges.map(\.step), values: run.edges.map(\.value))
    }
}
