import Dynamics
import Experiments
import LuaBridge
import Reports

/// Series of runs as panels: curvatures against the moving edges of theirs, losses on a logarithmic axis, accuracies, everything else.
struct RunFigure {
    static let options: [Parameter] = [
        .optional("title", .string, "Above the figure."),
        .optional("from", .integer, unit: "steps", "From this step on."),
        .optional("to", .integer, unit: "steps", "Up to this step."),
        Parameter("log", .boolean, default: false, "Curvatures on a logarithmic axis."),
        Parameter("over_edge", .boolean, default: false, "Curvatures divided by the edge at their step."),
    ]

    private enum Kind: CaseIterable { case curvature, effective, loss, accuracy, other }

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
            dress(&panel, kind, runs, chosen)
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
        let name = base(of: name)
        if name == EdgeQuantity.effectiveSharpness.rawValue { return .effective }
        let isCurvature =
            quantity(of: name) != nil || name.contains("lambda_max") || name.hasSuffix("_sharpness")
            || ["edge", "fisher_max", "ntk_max"].contains(name)
        if isCurvature { return .curvature }
        if name == "loss" || name.hasSuffix("_loss") { return .loss }
        return name == "accuracy" || name.hasSuffix("_accuracy") ? .accuracy : .other
    }

    /// The name without the number of an eigenvalue: lambda_max for lambda_max_3.
    private static func base(of name: String) -> String {
        guard let end = name.lastIndex(of: "_"), Int(name[name.index(after: end)...]) != nil else { return name }
        return String(name[..<end])
    }

    /// The curvature whose edge a series is compared with; nil where none is known.
    private static func quantity(of name: String) -> EdgeQuantity? {
        switch base(of: name) {
        case "hessian_norm", "lambda_max_gn": .lambdaMax
        case "step_sharpness", "step_sharpness_mean", "batch_sharpness_gn": .batchSharpness
        case let base: EdgeQuantity(rawValue: base)
        }
    }

    private func series(
        _ name: String, _ kind: Kind, of run: Run, label: Bool, _ colours: inout [String: Int]
    ) throws -> Reports.Series {
        var series = try run.series(name).between(from, to)
        if kind == .curvature || kind == .effective, isOverEdge { series = series.over(Self.edge(of: run, for: name)) }
        let key = label ? "\(name), \(run.name)" : name
        let colour = colours[key] ?? colours.count
        colours[key] = colour
        let hasErrors = series.standardErrors.contains { $0 > 0 }
        return Reports.Series(
            name: key, x: series.steps.map(Double.init), y: series.values,
            errors: hasErrors ? series.standardErrors : nil, colour: colour)
    }

    private func dress(_ panel: inout Panel, _ kind: Kind, _ runs: [Run], _ names: [String]) {
        switch kind {
        case .curvature, .effective:
            panel.yScale = isLog ? .log : .linear
            if isOverEdge {
                panel.yLabel = "over the edge"
                panel.references.append(ReferenceLine(name: "edge", value: 1))
            } else {
                panel.yLabel = kind == .effective ? "lr times curvature" : "curvature"
                for run in runs { panel.references += Self.edges(of: run, for: names, label: runs.count > 1) }
            }
        case .loss:
            panel.yScale = .log
            panel.yLabel = "loss"
        case .accuracy: panel.yLabel = "accuracy"
        case .other: break
        }
    }

    /// The edges of the curvatures that these series belong to; edges that agree are one line.
    private static func edges(of run: Run, for names: [String], label: Bool) -> [ReferenceLine] {
        var lines: [(quantities: [EdgeQuantity], edge: Experiments.Series)] = []
        for quantity in names.compactMap(quantity(of:))
        where !lines.contains(where: { $0.quantities.contains(quantity) }) {
            let edge = edge(of: run, quantity)
            if edge.count == 0 { continue }
            if let i = lines.firstIndex(where: { $0.edge.steps == edge.steps && $0.edge.values == edge.values }) {
                lines[i].quantities.append(quantity)
            } else {
                lines.append(([quantity], edge))
            }
        }
        return lines.map { quantities, edge in
            let isPlain = run.edge(of: quantities[0]) == 2 / run.learningRate
            let name =
                isPlain
                ? "2/lr" : lines.count == 1 ? "edge" : "edge of \(quantities.map(\.rawValue).joined(separator: ", "))"
            return ReferenceLine(
                name: label ? "\(name), \(run.name)" : name, x: edge.steps.map(Double.init), y: edge.values)
        }
    }

    /// The edge that a series is divided by: that of its curvature, or else the one the rule is best known for.
    private static func edge(of run: Run, for name: String) -> Experiments.Series {
        let own = quantity(of: name).map { edge(of: run, $0) }
        return own.flatMap { $0.count > 0 ? $0 : nil } ?? edge(of: run, nil)
    }

    /// An edge from each step on at which it changed.
    private static func edge(of run: Run, _ quantity: EdgeQuantity?) -> Experiments.Series {
        let edges = run.edges(of: quantity)
        return Experiments.Series(name: "edge", steps: edges.map(\.step), values: edges.map(\.value))
    }
}
