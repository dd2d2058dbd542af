import Experiments
import LuaBridge
import Reports
import RunFiles

/// Reads what a figure is to show from the arguments of a script.
struct PlotReader {
    static let run = LuaType.object("run").or(.object("runfile"))
    static let item = LuaType.string.or(.object("series")).or(.object("run")).or(.object("runfile")).or(
        .object("slice")
    )
    .or(.object("density")).or(.table)
    private static let limits = LuaType.list(of: .number, count: 2)

    static let options: [Parameter] = [
        .optional("title", .string, "Above the figure."),
        .optional("from", .integer, unit: "steps", "From this step on."),
        .optional("to", .integer, unit: "steps", "Up to this step."),
        Parameter(
            "x", .string, default: "step", "What is on the x axis: 'step', 'epoch', 'time', or the name of a series."),
        .optional("log", .boolean, "Logarithmic y axes; by default those of losses that are positive."),
        Parameter("log_x", .boolean, default: false, "A logarithmic x axis."),
        Parameter("over_edge", .boolean, default: false, "Curvatures divided by the edge at their step."),
        .optional(
            "xlim", limits, "What is shown of the x axis, { from, to }; an end of ±math.huge is left to the values."),
        .optional(
            "ylim", limits,
            "The same of the y axes; by default all values, but a few that would make a flat line of the rest are marked at the border."
        ),
        .optional(
            "band", .boolean.or(.choice(RunPlot.Band.allCases.map(\.rawValue))),
            "Runs that belong together as their median, with a band between the quartiles ('seeds', true) or from the smallest to the largest value ('range'): the lists in 'runs', or all runs."
        ),
        .optional(
            "lines", .list(of: .number.or(.table)),
            "Lines to compare with: a value y, { y = …, name = … }, { x = …, name = … }, or values that hold from each x on, { x = {…}, y = {…} }."
        ),
        Parameter("changes", .boolean, default: true, "Whether it is marked where a setting was changed."),
        .optional("labels", .list(of: .string), "What the legend calls the runs, in their order."),
        Parameter("columns", .integer(.between(1, 12)), default: 1, "Panels side by side."),
        .optional(
            "width", .choice("column", "page").or(.number(.between(30, 1000))), unit: "millimetres",
            "For print, with letters of 8 points: a column of a journal, 86 mm, both, 178 mm, or a number of millimetres."
        ),
        .optional("height", .number(.between(20, 1000)), unit: "millimetres", "Of all panels, with a width."),
    ]

    private let function: String
    private var parts: [RunPlot.Part] = []
    private var groups: [PlottedGroup] = []
    private var listsRuns = false
    /// The runs that are no files.
    private(set) var live: [Run] = []

    /// - Parameter function: what messages call it.
    init(_ function: String) { self.function = function }

    // MARK: - What is drawn

    mutating func add(_ value: LuaValue) throws {
        if let run = try plotted(value) {
            groups.append(PlottedGroup(run))
            return
        }
        switch value {
        case .string(let name): parts.append(.item(.name(name)))
        case .table(let table):
            if let runs = try listed(table) {
                groups.append(runs)
                listsRuns = true
            } else if Self.isOwn(table) {
                parts.append(.item(.own(try own(table))))
            } else {
                parts.append(.panel(try panel(table)))
            }
        case .object(let object as SeriesObject): parts.append(.item(.series(object.series)))
        case .object(let object as SliceObject):
            for panel in SliceFigure(title: nil, isLog: nil).drawing(object).panels { parts.append(.made(panel)) }
        case .object(let object as DensityObject):
            for panel in try SpectrumFigure().drawing(object).panels { parts.append(.made(panel)) }
        default: throw ArgumentError("\(function) cannot draw this: \(value.typeName)")
        }
    }

    private mutating func plotted(_ value: LuaValue) throws -> PlottedRun? {
        if let run = Run.read(value) {
            live.append(run)
            return PlottedRun(run)
        }
        return try RunFileObject.read(value).map { try PlottedRun($0.reader) }
    }

    /// A list of runs alone.
    private mutating func listed(_ table: LuaTable) throws -> PlottedGroup? {
        guard !table.array.isEmpty, table.fields.isEmpty,
            table.array.allSatisfy({ Run.read($0) != nil || RunFileObject.read($0) != nil })
        else { return nil }
        let runs = try table.array.compactMap { try plotted($0) }
        return PlottedGroup(name: Self.commonName(runs.map(\.name)), runs: runs)
    }

    /// What the names begin with.
    private static func commonName(_ names: [String]) -> String {
        let common = names.dropFirst().reduce(names[0]) { $0.commonPrefix(with: $1) }
        let trimmed = String(common.reversed().drop { !$0.isLetter && !$0.isNumber }.reversed())
        return trimmed.isEmpty ? names[0] : trimmed
    }

    // MARK: - The figure

    func plot(_ call: borrowing LuaCall) throws -> RunPlot {
        var groups = groups
        let band = try call.value("band")
        switch band {
        case .nil, .boolean(false): break
        default:
            let runs = groups.flatMap(\.runs)
            if !listsRuns, !runs.isEmpty {
                groups = [PlottedGroup(name: Self.commonName(runs.map(\.name)), runs: runs)]
            }
        }
        if let labels: [String] = try call.get("labels") {
            guard labels.count == groups.count else {
                throw ArgumentError("'labels' of \(function): \(labels.count) for \(groups.count) runs")
            }
            for (index, label) in labels.enumerated() { groups[index].name = label }
        }
        var plot = parts.isEmpty ? RunPlot(of: groups) : RunPlot(parts, of: groups)
        guard !groups.isEmpty || !parts.contains(where: Self.needsRuns) else {
            throw ArgumentError("\(function): a series has a name and no run: name the runs, as in runs = { a, b }")
        }
        plot.title = try call.get("title")
        plot.from = try call.get("from")
        plot.to = try call.get("to")
        plot.x = RunPlot.Axis(try call.get("x"))
        plot.log = try call.get("log")
        plot.logX = try call.get("log_x")
        plot.isOverEdge = try call.get("over_edge")
        plot.xRange = try range(call.value("xlim"), "xlim")
        plot.yRange = try range(call.value("ylim"), "ylim")
        switch band {
        case .boolean(true): plot.band = .seeds
        case .string(let name): plot.band = RunPlot.Band(rawValue: name)
        default: break
        }
        plot.showsChanges = try call.get("changes")
        plot.columns = try call.get("columns")
        for line in try call.value("lines").elements { try add(line, to: &plot.references, &plot.verticals) }
        switch try call.value("width") {
        case .string(let name): plot.width = name == "page" ? .page : .column
        case .nil: break
        case let number: plot.width = Double.read(number).map { .millimetres($0) }
        }
        plot.height = try call.get("height")
        if plot.height != nil, plot.width == nil {
            throw ArgumentError("'height' of \(function) belongs to a width, in millimetres")
        }
        return plot
    }

    private static func needsRuns(_ part: RunPlot.Part) -> Bool {
        func isName(_ item: RunPlot.Item) -> Bool { if case .name = item { true } else { false } }
        switch part {
        case .item(let item): return isName(item)
        case .panel(let group): return group.items.contains(where: isName)
        case .made: return false
        }
    }

    // MARK: - Tables

    private static let ownFields = ["x", "y", "error", "low", "high", "name", "style", "colour"]
    private static let panelFields = [
        "title", "xlabel", "ylabel", "x", "y", "log", "log_x", "xlim", "ylim", "lines",
    ]

    /// Whether a table is numbers of the user's own: it has some as `y`.
    private static func isOwn(_ table: LuaTable) -> Bool {
        switch table["y"] {
        case .nil, .string: false
        case .table(let list): !(list.array.first.flatMap(String.read) != nil)
        default: true
        }
    }

    private func check(_ table: LuaTable, _ known: [String], _ what: String) throws {
        for name in table.fields.keys.compactMap(\.text).sorted() where !known.contains(name) {
            throw ArgumentError(
                "\(function): unknown '\(shortened(name))' in \(what)" + nearestNameQuestion(to: name, among: known)
                    + "; it takes \(known.joined(separator: ", "))")
        }
    }

    private func own(_ table: LuaTable) throws -> PlottedSeries {
        try check(table, Self.ownFields, "a list of numbers")
        let y = try numbers(table["y"], "y")
        var own = PlottedSeries(
            name: String.read(table["name"]) ?? "",
            x: table["x"].isNil ? y.indices.map { Double($0 + 1) } : try numbers(table["x"], "x"), y: y)
        if !table["error"].isNil { own.errors = try numbers(table["error"], "error") }
        if !table["low"].isNil || !table["high"].isNil {
            own.band = (try numbers(table["low"], "low"), try numbers(table["high"], "high"))
        }
        if let style = String.read(table["style"]) {
            let styles: [String: PlottedSeries.Style] = [
                "line": .line, "points": .points, "stems": .stems, "path": .path,
            ]
            guard let known = styles[style] else {
                throw ArgumentError(
                    "\(function): 'style' is '\(shortened(style))'"
                        + nearestNameQuestion(to: style, among: styles.keys.sorted())
                        + "; it is one of line, points, stems, path")
            }
            own.style = known
        }
        own.colour = Int.read(table["colour"]).map { $0 - 1 }
        return own
    }

    private func numbers(_ value: LuaValue, _ what: String) throws -> [Double] {
        switch value {
        case .numbers(let numbers): return numbers
        case .object(let object as ArrayObject): return (0..<object.array.count).map { object.array[flat: $0] }
        case .object(let object as VectorObject): return (0..<object.vector.count).map { object.vector[$0] }
        case .object(let object as SeriesObject): return object.series.values
        case .table(let table):
            return try table.array.enumerated().map { index, element in
                guard let number = Double.read(element) else {
                    throw ArgumentError(
                        "\(function): element \(index + 1) of '\(what)' is no number, but \(element.typeName)")
                }
                return number
            }
        default:
            throw ArgumentError(
                "\(function): '\(what)' is a list of numbers, an array or a vector, not \(value.typeName)")
        }
    }

    private func panel(_ table: LuaTable) throws -> RunPlot.Group {
        try check(table, Self.panelFields, "a panel")
        var inner = PlotReader(function)
        for element in table.array + table["y"].elements {
            guard Run.read(element) == nil, RunFileObject.read(element) == nil else {
                throw ArgumentError(
                    "\(function): a run stands in a panel; it belongs to the whole figure, as in runs = { a, b }")
            }
            try inner.add(element)
        }
        var group = RunPlot.Group()
        for part in inner.parts {
            guard case .item(let item) = part else {
                throw ArgumentError(
                    "\(function): a panel holds series and lists of numbers, not panels, spectra or slices")
            }
            group.items.append(item)
        }
        guard !group.items.isEmpty else { throw ArgumentError("\(function): a panel has nothing in it") }
        group.title = String.read(table["title"]) ?? ""
        group.xLabel = String.read(table["xlabel"])
        group.yLabel = String.read(table["ylabel"])
        group.x = String.read(table["x"]).map { RunPlot.Axis($0) }
        group.log = Bool.read(table["log"])
        group.logX = Bool.read(table["log_x"])
        group.xRange = try range(table["xlim"], "xlim")
        group.yRange = try range(table["ylim"], "ylim")
        for line in table["lines"].elements { try add(line, to: &group.references, &group.verticals) }
        return group
    }

    private func range(_ value: LuaValue, _ name: String) throws -> ClosedRange<Double>? {
        if value.isNil { return nil }
        guard let ends = [Double].read(value), ends.count == 2, ends[0] < ends[1] else {
            throw ArgumentError("'\(name)' of \(function) is { from, to }, from the smaller to the larger")
        }
        return ends[0]...ends[1]
    }

    private func add(
        _ line: LuaValue, to references: inout [ReferenceLine], _ verticals: inout [VerticalLine]
    ) throws {
        if let value = Double.read(line) {
            references.append(ReferenceLine(name: short(value), value: value))
            return
        }
        guard case .table(let table) = line else { throw ArgumentError("\(function): a line is a number or a table") }
        try check(table, ["x", "y", "name"], "a line")
        let name = String.read(table["name"])
        switch (Double.read(table["x"]), Double.read(table["y"])) {
        case (nil, let y?) where table["x"].isNil: references.append(ReferenceLine(name: name ?? short(y), value: y))
        case (let x?, nil) where table["y"].isNil: verticals.append(VerticalLine(name: name ?? short(x), x: x))
        default:
            references.append(
                ReferenceLine(name: name ?? "", x: try numbers(table["x"], "x"), y: try numbers(table["y"], "y")))
        }
    }
}
