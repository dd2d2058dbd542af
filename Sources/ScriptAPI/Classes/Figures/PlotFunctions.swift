import Experiments
import LuaBridge
import Reports
import RunFiles

/// `eoss.plot`, `run:plot` and `runfile:plot`: one function, which differs in where its runs are named.
extension ScriptHost {
    private static let drawn = Parameter.optional(
        "names", LuaType.string.or(.list(of: PlotReader.item)),
        "What is drawn: names of series, series, lists of one's own { x = …, y = … }, panels { …, title = … }, spectra, slices; what is worth seeing by default."
    )
    private static let items = Parameter(
        "names", PlotReader.item, "The same in one table with the options: eoss.plot{ run, \"loss\", log = true }.")
    private static let summary = "curvatures against the moving edge, losses, anything over anything else"

    func addPlot(to eoss: Namespace) {
        eoss.function(
            "plot", "Draws series of runs, and numbers of one's own, into one figure: \(Self.summary).",
            parameters: [
                .figureFile,
                .optional(
                    "runs", .list(of: PlotReader.run.or(.list(of: PlotReader.run))),
                    "The runs, live or opened by eoss.open; a list of runs in it are one experiment with several seeds."
                ),
                Self.drawn,
            ], options: PlotReader.options, items: Self.items, results: [.figurePath]
        ) { [unowned self] call in try plot("eoss.plot", call, call.value("runs").elements) }
    }

    func addPlot(to runs: ObjectClass<Run>) {
        runs.method(
            "plot",
            "Draws series of the run into the output folder and the run file, or without a file here: \(Self.summary).",
            parameters: [.figureFile, Self.drawn], options: PlotReader.options, items: Self.items,
            results: [.figurePath]
        ) { [unowned self] run, call in try plot("run:plot", call, [.object(run)]) }
    }

    func addPlot(to files: ObjectClass<RunFileObject>) {
        files.method(
            "plot", "Draws series of the file into the output folder, or without a file here: \(Self.summary).",
            parameters: [.figureFile, Self.drawn], options: PlotReader.options, items: Self.items,
            results: [.figurePath]
        ) { [unowned self] file, call in try plot("runfile:plot", call, [.object(file)]) }
    }

    private func plot(_ function: String, _ call: borrowing LuaCall, _ runs: [LuaValue]) throws -> LuaResults {
        var reader = PlotReader(function)
        for run in runs { try reader.add(run) }
        let names = try call.value("names")
        let listed: [LuaValue] = try (names.isNil ? [] : names.elements) + call.items()
        for item in listed { try reader.add(item) }
        if let name: String = try call.get("file"), !name.contains(".") {
            throw ArgumentError(
                "\(function): '\(shortened(name))' is no file, whose name ends in .svg, .pdf, .png or .txt; the series of that name is drawn by \(function){ \"\(shortened(name))\" }"
            )
        }
        let file = try figureFile(call)
        for run in reader.live { try run.custody?.check() }
        let figure = try reader.plot(call).figure()
        return try show(figure, of: reader.live, in: file)
    }
}

extension LuaValue {
    /// The elements of a list; of anything else itself.
    var elements: [LuaValue] {
        switch self {
        case .nil: []
        case .table(let table): table.array
        default: [self]
        }
    }
}
