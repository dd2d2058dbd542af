import ArgumentParser
import Compute
import Experiments
import Foundation
import Reports
import RunFiles

struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draw series of run files.",
        usage: """
            eoss plot <run file> ... [<series> ...] [-o <figure>] [<options>]
            """,
        discussion: """
            Without series, what is worth seeing; without -o, in the terminal.

              eoss plot runs/quickstart.eoss
              eoss plot runs/*.eoss loss batch_sharpness --x epoch -o figure.svg
              eoss plot runs/seed-*.eoss batch_sharpness --band --over-edge --ylim 0:2
            """)

    @Argument(
        help: ArgumentHelp(
            "Run files, which end in .eoss, and names of series.", valueName: "run file or series"),
        completion: .file(extensions: ["eoss"]))
    var words: [String]

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The figure: .svg, .pdf, .png or .txt.", valueName: "figure"),
        completion: .file(extensions: ["svg", "pdf", "png", "txt"]))
    var output: String?

    @Option(help: ArgumentHelp("The x axis: step, epoch, time, or the name of a series.", valueName: "axis"))
    var x = "step"

    @Flag(inversion: .prefixedNo, help: "Logarithmic y axes; by default those of losses.")
    var log: Bool?

    @Flag(help: "A logarithmic x axis.")
    var logX = false

    @Flag(help: "Curvatures divided by the edge at their step.")
    var overEdge = false

    @Option(
        help: ArgumentHelp(
            "What is shown of the x axis, in its units; either end may be left out.", valueName: "from:to"))
    var xlim: AxisLimits?

    @Option(help: ArgumentHelp("The same of the y axes.", valueName: "from:to"))
    var ylim: AxisLimits?

    @Option(help: ArgumentHelp("From this step on.", valueName: "step"))
    var from: Int?

    @Option(help: ArgumentHelp("Up to this step.", valueName: "step"))
    var to: Int?

    @Flag(help: "Files that differ in their seed alone as their median, with a band between the quartiles.")
    var band = false

    @Flag(help: "Do not mark where settings were changed.")
    var noChanges = false

    @Option(help: ArgumentHelp("Above the figure.", valueName: "text"))
    var title: String?

    @Option(help: ArgumentHelp("For print: column (86 mm), page (178 mm), or millimetres.", valueName: "width"))
    var width: PrintedWidth?

    func validate() throws {
        let files = words.filter(Self.isFile)
        if files.isEmpty {
            throw ValidationError("which run file? Its name ends in .eoss, as in 'eoss plot runs/run.eoss'")
        }
        if let output {
            do { _ = try FigureFormat(path: output) } catch { throw ValidationError("\(error)") }
        }
    }

    private static func isFile(_ word: String) -> Bool { word.hasSuffix(".eoss") || word.contains("/") }

    func run() throws {
        let files = words.filter(Self.isFile)
        let names = words.filter { !Self.isFile($0) }
        // Whatever it is, a wrong name is told before the files are read.
        if let output { try OutputFile.check(output) }
        let readers = try files.map { try RunFile.open(URL(fileURLWithPath: $0)) }
        var groups = try band ? RunGroups.bySeed(readers) : readers.map { PlottedGroup(try PlottedRun($0)) }
        RunGroups.tellApart(&groups, files)
        var plot = names.isEmpty ? RunPlot(of: groups) : RunPlot(names.map { .item(.name($0)) }, of: groups)
        plot.title = title
        (plot.from, plot.to) = (from, to)
        plot.x = RunPlot.Axis(x)
        (plot.log, plot.logX, plot.isOverEdge) = (log, logX, overEdge)
        (plot.xRange, plot.yRange) = (xlim?.range, ylim?.range)
        plot.band = band ? .seeds : nil
        plot.showsChanges = !noChanges
        plot.width = width?.width
        let figure = try plot.figure()
        if let output {
            try figure.write(to: output)
        } else {
            Console.writeOutput(String(decoding: try figure.drawn(as: TerminalPicture.format()), as: UTF8.self))
        }
    }
}

/// `--ylim 0:2`, `--ylim :2`.
struct AxisLimits: ExpressibleByArgument {
    let range: ClosedRange<Double>

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { return nil }
        let from = parts[0].isEmpty ? -Double.infinity : Double(parts[0])
        let to = parts[1].isEmpty ? Double.infinity : Double(parts[1])
        guard let from, let to, from < to else { return nil }
        range = from...to
    }
}

/// `--width column`, `--width 120`.
struct PrintedWidth: ExpressibleByArgument {
    let width: Figure.Width

    init?(argument: String) {
        switch argument {
        case "column": width = .column
        case "page": width = .page
        default:
            guard let millimetres = Double(argument), (30...1000).contains(millimetres) else { return nil }
            width = .millimetres(millimetres)
        }
    }
}
