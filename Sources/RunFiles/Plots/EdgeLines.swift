import Dynamics
import Experiments
import Reports

/// The stability edges of runs, as lines to compare with.
enum EdgeLines {
    /// The edges of the curvatures that these series belong to; edges that agree are one line, one that is an interval is a band. Their
    /// `x` are steps.
    static func edges(of run: PlottedRun, for names: [String]) throws -> [ReferenceLine] {
        var lines: [(quantities: [EdgeQuantity], line: ReferenceLine)] = []
        for quantity in quantities(of: names, in: run) {
            var line: ReferenceLine
            let edges = run.history.edges(of: quantity)
            if edges.isEmpty {
                // One that was tracked: its values hold from one to the next.
                guard let tracked = try run.knownEdge(for: quantity.rawValue), tracked.count > 0 else { continue }
                line = ReferenceLine(name: "", x: tracked.stepList.map(Double.init), y: tracked.values)
            } else {
                line = ReferenceLine(
                    name: "", x: edges.map { Double($0.step) }, y: edges.map(\.value), upper: edges.map(\.upper))
            }
            line.isAlwaysShown = false
            if let i = lines.firstIndex(where: { $0.line.isSame(as: line) }) {
                lines[i].quantities.append(quantity)
            } else {
                lines.append(([quantity], line))
            }
        }
        return lines.map { quantities, line in
            var line = line
            line.name =
                run.history.isPlain(quantities[0])
                ? "2/lr" : lines.count == 1 ? "edge" : "edge of \(quantities.map(\.rawValue).joined(separator: ", "))"
            if let upper = line.upper, zip(line.y, upper).contains(where: { $0 < $1 }) { line.name += ", an interval" }
            return line
        }
    }

    /// Edges that are intervals, over their lower ends.
    static func bands(of run: PlottedRun, for names: [String]) -> [ReferenceLine] {
        quantities(of: names, in: run).compactMap { quantity in
            let edges = run.history.edges(of: quantity)
            guard edges.contains(where: { $0.upper > $0.value }) else { return nil }
            return ReferenceLine(
                name: "the edge of \(quantity.rawValue) is an interval", x: edges.map { Double($0.step) },
                y: edges.map { _ in 1 }, upper: edges.map { $0.upper / $0.value })
        }
    }

    /// The curvatures with an edge that series belong to, each once.
    private static func quantities(of names: [String], in run: PlottedRun) -> [EdgeQuantity] {
        names.filter { !run.history.isEdge($0) }.compactMap {
            EdgeQuantity(series: run.history.catalogueName(of: $0))
        }.reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        }
    }
}

extension ReferenceLine {
    /// Whether both run along the same places; an end, which is not a number, is one.
    func isSame(as other: ReferenceLine) -> Bool {
        func bits(_ line: ReferenceLine) -> [[UInt64]] {
            [line.x, line.y, line.upper ?? line.y].map { $0.map(\.bitPattern) }
        }
        return bits(self) == bits(other)
    }
}
