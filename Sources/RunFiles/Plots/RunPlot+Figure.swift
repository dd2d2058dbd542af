import Dynamics
import Experiments
import Reports

extension RunPlot {
    /// The figure.
    /// - Throws: for a series that a run does not have, and an x axis that it does not tell.
    public func figure() throws -> Figure {
        guard !parts.isEmpty else {
            throw ReportError(
                groups.isEmpty
                    ? "there is nothing to draw: name a run, or give x and y"
                    : "there is nothing to draw: nothing was measured")
        }
        var maker = PanelMaker(plot: self)
        var panels: [Panel] = []
        for part in gathered() {
            switch part {
            case .panel(let group): panels.append(try maker.panel(group))
            case .made(let panel): panels.append(adjusted(panel))
            case .item: break
            }
        }
        shareAxes(&panels)
        var figure = Figure(title: title ?? (groups.count == 1 ? groups[0].name : ""), panels: panels, columns: columns)
        figure.notes += maker.notes
        if !unshown.isEmpty { figure.notes.append("also measured: \(unshown.joined(separator: ", "))") }
        if let width { figure.set(to: width, height: height) }
        return figure
    }

    /// A panel that was made elsewhere, as the options have it.
    private func adjusted(_ panel: Panel) -> Panel {
        var panel = panel
        if let log, panel.surface == nil { panel.yScale = log ? .log : .linear }
        panel.xRange = xRange ?? panel.xRange
        panel.yRange = yRange ?? panel.yRange
        panel.references += references
        panel.verticals += verticals
        return panel
    }

    /// With items of one kind in one panel, where the first of them stands.
    private func gathered() -> [Part] {
        var (result, places) = ([Part](), [SeriesKind?: Int]())
        for part in parts {
            guard case .item(let item) = part else {
                result.append(part)
                continue
            }
            let kind: SeriesKind? =
                switch item {
                case .name(let name): groups.kind(of: name)
                case .series(let series): SeriesKind(series.name)
                case .own: nil
                }
            if let place = places[kind], case .panel(var group) = result[place] {
                group.items.append(item)
                result[place] = .panel(group)
            } else {
                places[kind] = result.count
                result.append(.panel(Group([item])))
            }
        }
        return result
    }

    /// One above the other, a step has the same place in all panels, however far their series go; it is named below the last one.
    private func shareAxes(_ panels: inout [Panel]) {
        let labels = Set(panels.map(\.xLabel))
        guard labels.count == 1, columns == 1, panels.count > 1, panels.allSatisfy({ $0.surface == nil }) else {
            return
        }
        for i in panels.indices.dropLast() { panels[i].xLabel = "" }
        // What was changed is named above the first.
        let named = Set(panels[0].marks.map(\.name))
        for i in panels.indices.dropFirst() {
            for m in panels[i].marks.indices where named.contains(panels[i].marks[m].name) {
                panels[i].marks[m].name = ""
            }
        }
        guard panels.allSatisfy({ $0.xRange == nil }) else { return }
        let places = panels.flatMap(\.series).flatMap { [$0.x.min(), $0.x.max()].compactMap { $0 } }.filter(\.isFinite)
        if let first = places.min(), let last = places.max(), first < last {
            for i in panels.indices { panels[i].xRange = first...last }
        }
    }
}

/// Makes the panels of a plot one after the other, in the colours that belong to its runs.
private struct PanelMaker {
    let plot: RunPlot
    /// Of series, where there is one run: each has its colour in all panels.
    private var colours: [String: Int] = [:]
    private var nextColour: Int
    /// For the foot of the figure.
    private(set) var notes: [String] = []

    init(plot: RunPlot) {
        self.plot = plot
        nextColour = plot.groups.count > 1 ? plot.groups.count : 0
    }

    private var isCompared: Bool { plot.groups.count > 1 }

    mutating func panel(_ group: RunPlot.Group) throws -> Panel {
        let axis = group.x ?? plot.x
        var panel = Panel(title: group.title, xLabel: group.xLabel ?? axis.label)
        panel.xRange = group.xRange ?? plot.xRange
        panel.yRange = group.yRange ?? plot.yRange
        panel.xScale = group.logX ?? plot.logX ? .log : .linear
        var (names, kinds) = ([String](), [SeriesKind]())
        for item in group.items {
            switch item {
            case .name(let name):
                kinds.append(plot.groups.kind(of: name))
                panel.series += try series(name, axis, order: names.count)
                names.append(name)
            case .series(let series):
                kinds.append(SeriesKind(series.name))
                var drawn = drawn(series)
                // The same quantity of another run.
                let alike = panel.series.filter { $0.name.hasPrefix(series.name) }.count
                if alike > 0 { drawn.name += " (\(alike + 1))" }
                drawn.colour = takeColour(drawn.name)
                panel.series.append(drawn)
            case .own(var own):
                own.colour = own.colour ?? takeColour(own.name)
                if group.xLabel == nil, group.items.allSatisfy(\.isOwn), group.x == nil { panel.xLabel = "" }
                panel.series.append(own)
            }
        }
        try dress(&panel, group, kinds, names, axis)
        return panel
    }

    private mutating func takeColour(_ name: String) -> Int {
        if let colour = colours[name] { return colour }
        // Without a name nothing is the same as anything else.
        if !name.isEmpty { colours[name] = nextColour }
        nextColour += 1
        return nextColour - 1
    }

    // MARK: - Series

    /// Of all runs that have it. Of the others a note says that they do not.
    /// - Throws: `ExperimentError.unknownSeries` where nobody has it.
    private mutating func series(_ name: String, _ axis: RunPlot.Axis, order: Int) throws -> [PlottedSeries] {
        var (drawn, without, unknown) = ([PlottedSeries](), [String: [String]](), (any Error)?.none)
        for (number, group) in plot.groups.enumerated() {
            var curves: [PlottedSeries] = []
            for run in group.runs {
                do {
                    curves.append(try curve(name, of: run, axis))
                } catch ExperimentError.unknownSeries(let missing, let owner, let known) {
                    unknown = unknown ?? ExperimentError.unknownSeries(missing, run: owner, known: known)
                    without[missing, default: []].append(run.name.printable)
                }
            }
            if !curves.isEmpty { drawn += labelled(name, curves, of: group, number, order: order) }
        }
        if let unknown, drawn.isEmpty { throw unknown }
        for (missing, runs) in without.sorted(by: { $0.key < $1.key }) {
            let note = "without \(missing.printable): \(runs.joined(separator: ", "))"
            if !notes.contains(note) { notes.append(note) }
        }
        return drawn
    }

    private mutating func labelled(
        _ name: String, _ curves: [PlottedSeries], of group: PlottedGroup, _ number: Int, order: Int
    ) -> [PlottedSeries] {
        let colour = isCompared ? number : takeColour(name)
        let single = plot.parts.count == 1 && isCompared
        let label = !isCompared ? name : single ? group.name : "\(name), \(group.name)"
        var curves = curves
        if let band = plot.band, curves.count > 1 {
            let merged = SeedBand(curves.map { ($0.x, $0.y) }, band)
            let words = band == .seeds ? "median and quartiles" : "median and range"
            return [
                PlottedSeries(
                    name: "\(label) (\(words) of \(curves.count) runs)", x: merged.x, y: merged.median,
                    band: (merged.low, merged.high), colour: colour, dashes: isCompared ? order : 0)
            ]
        }
        for i in curves.indices {
            (curves[i].colour, curves[i].dashes) = (colour, isCompared ? order : 0)
            // Of runs that belong together one stands for all in the legend.
            curves[i].name = i == 0 ? label + curves[i].name : ""
        }
        return curves
    }

    /// Its name is what the legend adds to that of the series.
    private func curve(_ name: String, of run: PlottedRun, _ axis: RunPlot.Axis) throws -> PlottedSeries {
        var series = try run.series(name, from: plot.from, to: plot.to)
        var words = ""
        if run.kind(of: name).hasEdges, plot.isOverEdge {
            let rule = run.history.rule?.name ?? "these settings"
            // Without an edge of its own a curvature over another's would be a number without a meaning: it is none, and the
            // legend says why.
            if let edge = try run.knownEdge(for: name) {
                series = series.over(edge)
                if edge.last?.isNaN == true { words = " (at the end no edge under \(rule))" }
            } else {
                series = Series(name: name, steps: series.steps, values: series.values.map { _ in .nan })
                words = " (no edge under \(rule))"
            }
        }
        let hasErrors = series.errors.contains { $0 > 0 }
        var drawn = PlottedSeries(
            name: words, x: [], y: series.values, errors: hasErrors ? series.standardErrors : nil)
        if case .series(let other) = axis {
            let pairs = series.along(try run.series(other, from: nil, to: plot.to))
            (drawn.x, drawn.y, drawn.errors) = (pairs.x, pairs.y, hasErrors ? pairs.errors : nil)
            drawn.style = .points
        } else {
            drawn.x = try places(of: series.stepList, in: run, axis)
        }
        return drawn
    }

    private func drawn(_ series: Series) -> PlottedSeries {
        let hasErrors = series.errors.contains { $0 > 0 }
        return PlottedSeries(
            name: series.name, x: series.stepList.map(Double.init), y: series.values,
            errors: hasErrors ? series.standardErrors : nil)
    }

    /// Where steps stand on the x axis.
    private func places(of steps: some Sequence<Int>, in run: PlottedRun, _ axis: RunPlot.Axis) throws -> [Double] {
        let known: [Double]? =
            switch axis {
            case .step, .series: steps.map(Double.init)
            case .epoch: run.history.epochs(after: steps)
            case .time: run.history.times(after: steps)
            }
        guard let known else {
            let what = axis == .epoch ? "epochs" : "time"
            throw ReportError(
                "the \(what) of run '\(run.name.printable)' cannot be told from its settings: track it, as in run:track(\"my_\(what)\", { every = 10, fn = function(r) return r.\(axis == .epoch ? "epoch" : "time") end }), and give x = \"my_\(what)\""
            )
        }
        return known
    }

    // MARK: - Axes, edges, changes

    private mutating func dress(
        _ panel: inout Panel, _ group: RunPlot.Group, _ kinds: [SeriesKind], _ names: [String], _ axis: RunPlot.Axis
    ) throws {
        let kind = Set(kinds).count == 1 ? kinds.first : nil
        let isLog = group.log ?? plot.log ?? (kind == .loss && Self.isPositive(panel.series))
        panel.yScale = isLog ? .log : .linear
        switch kind {
        case .curvature?: panel.yLabel = plot.isOverEdge ? "over the edge" : "curvature"
        case .effective?: panel.yLabel = plot.isOverEdge ? "over the edge" : "lr times curvature"
        case .loss?: panel.yLabel = "loss"
        case .accuracy?: panel.yLabel = "accuracy"
        case .other?: panel.yLabel = group.items.count == 1 ? names.first ?? "" : ""
        case nil: break
        }
        if let given = group.yLabel { panel.yLabel = given }
        if case .series = axis {
        } else {
            let own = names.filter { plot.groups.kind(of: $0).hasEdges }
            if !own.isEmpty { panel.references += try edges(for: own, axis) }
            if plot.showsChanges, !names.isEmpty { panel.marks = try changes(axis) }
        }
        panel.references += plot.references + group.references
        panel.verticals += plot.verticals + group.verticals
    }

    /// Whether losses go on a logarithmic axis by themselves: not where one is negative.
    private static func isPositive(_ series: [PlottedSeries]) -> Bool {
        let values = series.lazy.flatMap { $0.y.lazy.filter(\.isFinite) }
        return !values.contains { $0 < 0 } && values.contains { $0 > 0 }
    }

    private mutating func edges(for names: [String], _ axis: RunPlot.Axis) throws -> [ReferenceLine] {
        var lines: [ReferenceLine] = []
        if plot.isOverEdge { lines.append(ReferenceLine(name: "edge", value: 1)) }
        var found: [(group: Int, line: ReferenceLine)] = []
        for (number, group) in plot.groups.enumerated() {
            // Runs of a group are as one: they have the edge of the first.
            guard let run = group.runs.first else { continue }
            let own = try plot.isOverEdge ? EdgeLines.bands(of: run, for: names) : EdgeLines.edges(of: run, for: names)
            for line in own {
                var placed = line
                placed.x = try places(of: line.x.map { Int(exactly: $0.rounded()) ?? 1 << 53 }, in: run, axis)
                found.append((number, placed))
            }
        }
        // An edge that all have is nobody's own.
        let isShared =
            isCompared && found.count == plot.groups.count && found.allSatisfy { $0.line.isSame(as: found[0].line) }
        if isShared { return lines + [found[0].line] }
        return lines
            + found.map { number, line in
                var line = line
                if isCompared {
                    line.name += ", \(plot.groups[number].name)"
                    line.colour = number
                }
                return line
            }
    }

    /// Where something was changed, by runs that have changes.
    private func changes(_ axis: RunPlot.Axis) throws -> [PanelMark] {
        var marks: [PanelMark] = []
        for (number, group) in plot.groups.enumerated() {
            guard let run = group.runs.first else { continue }
            let all = run.history.changes.filter { $0.step > 0 }
            // What follows a function of the program's step by step would hide everything.
            guard all.count <= 40 else { continue }
            let places = try places(of: all.map(\.step), in: run, axis)
            for (change, place) in zip(all, places) {
                if let same = marks.firstIndex(where: { $0.x == place && $0.name == change.message }) {
                    marks[same].colour = nil
                } else {
                    marks.append(PanelMark(x: place, name: change.message, colour: isCompared ? number : nil))
                }
            }
        }
        return marks
    }
}

extension RunPlot.Item {
    var isOwn: Bool { if case .own = self { true } else { false } }
}
