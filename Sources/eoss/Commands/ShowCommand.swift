import ArgumentParser
import Compute
import Experiments
import Foundation
import RunFiles

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what is in a run file.",
        usage: """
            eoss show <file> [--json]
            eoss show <file> --script | --events [--json] | --series <name> | --figure <name> [-o <file>]
            """)

    @Argument(help: ArgumentHelp("The run file.", valueName: "file"), completion: .file(extensions: ["eoss"]))
    var file: String

    @Flag(help: "For other programs: one object; with --events an array.")
    var json = false

    @Flag(help: "The text of the script alone.")
    var script = false

    @Flag(help: "Everything that happened, a line each.")
    var events = false

    @Option(help: ArgumentHelp("The values of this series, in columns that tabs separate.", valueName: "name"))
    var series: String?

    @Option(help: ArgumentHelp("The bytes of this figure.", valueName: "name"))
    var figure: String?

    @Option(name: .customShort("o"), help: ArgumentHelp("Where the figure goes.", valueName: "file"))
    var output: String?

    func validate() throws {
        let wishes = [script, events, series != nil, figure != nil].filter { $0 }.count
        if wishes > 1 { throw ValidationError("ask for one of --script, --events, --series and --figure") }
        if json, script || series != nil || figure != nil {
            throw ValidationError("--json goes with --events, or alone")
        }
        if output != nil, figure == nil { throw ValidationError("-o belongs to --figure") }
        if let output, let figure { try FileEnding.check(output, isThatOf: figure) }
    }

    func run() throws {
        let reader = try RunFile.open(URL(fileURLWithPath: file))
        if let reason = reader.spillLeft { Console.tell(reason.printable) }
        if script { return try showScript(of: reader) }
        if let series { return try showSeries(series, of: reader) }
        if let figure { return try writeFigure(figure, of: reader) }
        if events { return try showEvents(of: reader) }
        let details = try RunDetails(reader, withValues: !json)
        if json {
            Console.writeOutput(try details.json.text())
        } else {
            Console.write(RunPage(details).lines(.standard))
        }
    }

    /// As it is, but for a terminal, on which its control characters could act.
    private func showScript(of reader: RunFileReader) throws {
        guard let script = try reader.scripts().first else {
            throw RunFileError.missing(path: reader.url.path, what: "script")
        }
        let console = Console(quiet: true)
        if OutputStyle.standard.isTerminal {
            let text = String(decoding: script.source, as: UTF8.self)
            Console.write(
                text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                    line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).printable }
                        .joined(separator: "\t")
                })
        } else {
            console.output(bytes: Array(script.source))
        }
    }

    private func showEvents(of reader: RunFileReader) throws {
        let details = try RunDetails(reader)
        if json {
            _ = Console.writeOutput(try JSONValue.array(details.events.map(\.json)).text())
            return
        }
        var table = TextTable([.init("STEP"), .init("TIME", .left), .init("KIND", .left), .init("", .left)])
        for event in details.events {
            table.add([
                event.event.step.grouped, event.time?.timestamp ?? "", event.event.kind.label(40),
                event.event.message.printable,
            ])
        }
        Console.write(table.lines())
    }

    /// Columns that nothing is in are left out.
    private func showSeries(_ name: String, of reader: RunFileReader) throws {
        let names = try reader.seriesNames()
        guard names.contains(name) else {
            throw ExperimentError.unknownSeries(
                name.label(80), run: reader.name.label(), known: names.map { $0.label(80) })
        }
        let measured = try reader.series(name)
        let columns: [(String, (Experiments.Measurement) -> String?)] = [
            ("stderr", { $0.standardError?.exact }), ("low", { $0.interval?.lowerBound.exact }),
            ("high", { $0.interval?.upperBound.exact }), ("samples", { $0.samples.map(String.init) }),
            ("products", { $0.products.map(String.init) }), ("residual", { $0.residual?.exact }),
        ]
        let used = columns.filter { column in measured.contains { column.1($0) != nil } }
        var text = (["step", "value"] + used.map(\.0)).joined(separator: "\t") + "\n"
        for measurement in measured {
            text += "\(measurement.step)\t\(measurement.value.exact)"
            for column in used { text += "\t" + (column.1(measurement) ?? "") }
            text += "\n"
            guard text.utf8.count > 1 << 20 else { continue }
            if Console.writeOutput(text) != 0 { return }
            text = ""
        }
        Console.writeOutput(text)
    }

    private func writeFigure(_ name: String, of reader: RunFileReader) throws {
        let names = try reader.figureNames()
        guard names.contains(name) else {
            let known = names.isEmpty ? "it has none" : "it has \(names.map { $0.label(80) }.joined(separator: ", "))"
            throw RunFileError.missing(path: reader.url.path, what: "figure '\(name.label(80))' (\(known))")
        }
        let figure = try reader.figure(name)
        if let output {
            try OutputFile.write(figure.bytes, to: output)
        } else if OutputStyle.standard.isTerminal {
            Console.tell("where does the figure go? Name a file with -o FILE")
            throw ExitCode(ExitStatus.usage.rawValue)
        } else {
            Console(quiet: true).output(bytes: Array(figure.bytes))
        }
    }
}

extension Double {
    /// With all its digits.
    fileprivate var exact: String { isFinite ? "\(self)" : short }
}
