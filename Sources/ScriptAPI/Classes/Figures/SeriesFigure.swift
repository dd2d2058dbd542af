import Dynamics
import Experiments
import LuaBridge
import Reports

/// Series of runs as panels: curvatures against the moving edges of theirs, losses on a logarithmic axis, accuracies, everything else.
struct SeriesFigure {
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
        switch EdgeQuantity(series: name) {
        case .effectiveSharpness?: return .effective
        // The sign of a rate, not a curvature.
        case .secondMomentContraction?: return .other
        case .some: return .curvature
        case nil: break
        }
        let isCurvature =
            name.contains("lambda_max") || name.hasSuffix("_sharpness")
            || ["edge", "fisher_max", "ntk_max"].contains(where: name.hasPrefix)
        if isCurvature { return .curvature }
        if name == "loss" || name.hasSuffix("_loss") { return .loss }
        return name == "accuracy" || name.hasSuffix("_accuracy") ? .accuracy : .other
    }

    private func series(
        _ name: String, _ kind: Kind, of run: Run, label: Bool, _ colours: inout [String: Int]
    ) throws -> PlottedSeries {
        var series = try run.series(name, from: from, to: to)
        var key = label ? "\(name), \(run.name)" : name
        if kind == .curvature || kind == .effective, isOverEdge {
            // Without an edge of its own a curvature over another's would be a number without a meaning: it is none, and the
            // legend says why.
            if let edge = try run.knownEdge(for: name) {
                series = series.over(edge)
                if edge.last?.isNaN == true { key += " (at the end no edge under \(run.rule.name))" }
            } else {
                series = Series(
                    name: name, steps: series.steps, values: series.values.map { _ in .nan })
                key += " (no edge under \(run.rule.name))"
            }
        }
        let colour = colours[key] ?? colours.count
        colours[key] = colour
        let hasErrors = series.errors.contains { $0 > 0 }
        return PlottedSeries(
            name: key, x: series.stepList.map(Double.init), y: series.values,
            errors: hasErrors ? series.standardErrors : nil, colour: colour)
    }

    private func dress(_ panel: inout Panel, _ kind: Kind, _ runs: [Run], _ names: [String]) {
        switch kind {
        case .curvature, .effective:
            panel.yScale = isLog ? .log : .linear
            if isOverEdge {
                panel.yLabel = "over the edge"
                panel.references.append(ReferenceLine(name: "edge", value: 1))
                for run in runs { panel.references += Self.bands(of: run, for: names, label: runs.count > 1) }
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

    /// The edges of the curvatures that these series belong to; edges that agree are one line, one that is an interval is a band.
    private static func edges(of run: Run, for names: [String], label: Bool) -> [ReferenceLine] {
        var lines: [(quantities: [EdgeQuantity], line: ReferenceLine)] = []
        for quantity in quantities(of: names) {
            let edges = run.edges(of: quantity)
            if edges.isEmpty { continue }
            let line = ReferenceLine(
                name: "", x: edges.map { Double($0.step) }, y: edges.map(\.value), upper: edges.map(\.upper))
            if let i = lines.firstIndex(where: { $0.line.isSame(as: line) }) {
                lines[i].quantities.append(quantity)
            } else {
                lines.append(([quantity], line))
            }
        }
        return lines.map { quantities, line in
            var line = line
            let edge = run.stabilityEdge(of: quantities[0])
            let isPlain = edge == StabilityEdge(2 / run.learningRate)
            line.name =
                isPlain
                ? "2/lr" : lines.count == 1 ? "edge" : "edge of \(quantities.map(\.rawValue).joined(separator: ", "))"
            if edge?.isInterval == true { line.name += ", an interval" }
            if label { line.name += ", \(run.name)" }
            return line
        }
    }

    /// Edges that are intervals, over their lower ends.
    private static func bands(of run: Run, for names: [String], label: Bool) -> [ReferenceLine] {
        quantities(of: names).compactMap { quantity in
            let edges = run.edges(of: quantity)
            guard edges.contains(where: { $0.upper > $0.value }) else { return nil }
            let name = "the edge of \(quantity.rawValue) is an interval"
            return ReferenceLine(
                name: label ? "\(name), \(run.name)" : name, x: edges.map { Double($0.step) }, y: edges.map { _ in 1 },
                upper: edges.map { $0.upper / $0.value })
        }
    }

    /// The curvatures with an edge that series belong to, each once.
    private static func quantities(of names: [String]) -> [EdgeQuantity] {
        names.compactMap { $0.hasPrefix("edge") ? nil : EdgeQuantity(series: $0) }.reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        }
    }
}

extension ReferenceLine {
    /// Whether both run along the same places; an end, which is not a number, is one.
    fileprivate func isSame(as other: ReferenceLine) -> Bool {
        func bits(_ line: ReferenceLine) -> [[UInt64]] {
            [line.x, line.y, line.upper ?? line.y].map { $0.map(\.bitPattern) }
        }
        return bits(self) == bits(other)
    }
}
