import Dynamics

/// The edges of a run's rules along the run: of each curvature, and of the one that the rule is best known for.
struct EdgeHistory {
    /// An edge, and the first step whose probes see it.
    struct Entry {
        let step: Int
        /// Not a number where no edge is known any more.
        let edge: StabilityEdge
    }

    private var entries: [EdgeQuantity?: [Entry]] = [:]

    /// The changes of an edge; empty where there never was one.
    subscript(quantity: EdgeQuantity?) -> [Entry] { entries[quantity] ?? [] }

    mutating func code(_ coder: StateCoder) throws {
        for quantity in [nil] + EdgeQuantity.allCases {
            let name = quantity?.rawValue ?? "own"
            if coder.isReading, !coder.has("\(name).steps") {
                entries[quantity] = nil
                continue
            }
            let known = entries[quantity] ?? []
            if !coder.isReading, known.isEmpty { continue }
            try coder.group(name) {
                var (steps, lower, upper) = (known.map(\.step), known.map(\.edge.lower), known.map(\.edge.upper))
                try coder.code("steps", &steps)
                try coder.code("lower", &lower)
                try coder.code("upper", &upper)
                guard steps.count == lower.count, steps.count == upper.count else {
                    throw ExperimentError.invalid("the checkpoint is not complete: its edges are not")
                }
                entries[quantity] = steps.indices.map {
                    Entry(step: steps[$0], edge: StabilityEdge(from: lower[$0], to: upper[$0]))
                }
            }
        }
    }

    /// Takes note of what holds from now on.
    mutating func note(_ run: Run) {
        for quantity in [nil] + EdgeQuantity.allCases {
            var history = entries[quantity] ?? []
            let edge = run.stabilityEdge(of: quantity)
            func now() -> StabilityEdge? { history.last.flatMap { $0.edge.lower.isNaN ? nil : $0.edge } }
            if now() == edge { continue }
            let first = run.step == 0 ? 0 : run.step + 1
            if history.last?.step == first { history.removeLast() }
            // Before the first edge there is nothing to end, and what came back has not changed.
            if now() != edge { history.append(Entry(step: first, edge: edge ?? StabilityEdge(.nan))) }
            entries[quantity] = history
        }
    }
}

extension Run {
    /// `edge(of:)` along the run, for plots, each value with the first step whose probes see it: a change after step t and its
    /// probes counts from t + 1 on. `upper` is the other end of an interval. Not a number from where there was none; empty where
    /// there never was one.
    public func edges(of quantity: EdgeQuantity? = nil) -> [(step: Int, value: Double, upper: Double)] {
        let known = edgeHistory[quantity].map { ($0.step, $0.edge.lower, $0.edge.upper) }
        return isBehind ? known.filter { $0.0 <= programStep } : known
    }

    /// The edge that belongs to a series, from each step on at which it changed: of its own curvature, never of another one; of an
    /// interval the lower end. A quantity of the user's own has that which the rule is best known for. Nil where no rule of the run
    /// had such an edge.
    public func knownEdge(for series: String) -> Series? {
        let quantity = EdgeQuantity(series: series)
        guard quantity != nil || series == Edge.name(nil) || !ProbeCatalogue.has(series: series) else { return nil }
        let edges = edges(of: quantity)
        if edges.isEmpty { return nil }
        return Series(name: Edge.name(quantity), steps: edges.map(\.step), values: edges.map(\.value))
    }

    /// The same.
    /// - Throws: `ExperimentError.invalid`, which says why, where there is none.
    public func edge(for series: String) throws -> Series {
        guard let edge = knownEdge(for: series) else {
            throw ExperimentError.invalid("no edge of \(series) is known under \(rule.name)\(knownEdges)")
        }
        return edge
    }

    /// ", which has one of …", for messages.
    private var knownEdges: String {
        let known = EdgeQuantity.allCases.filter { rule.edge(of: $0, on: batchExtent) != nil }.map(\.rawValue)
        return known.isEmpty ? "" : ", which has one of \(known.joined(separator: ", "))"
    }

    /// The series `edge`, tracked, with the edges of all curvatures beside it (``Series/edges``).
    func withOwnEdges(_ series: Series) -> Series {
        var result = series
        result.edges = Dictionary(
            uniqueKeysWithValues: EdgeQuantity.allCases.map { quantity in
                let edges = edges(of: quantity)
                return (
                    quantity, Series(name: Edge.name(quantity), steps: edges.map(\.step), values: edges.map(\.value))
                )
            })
        return result
    }
}
