import ArgumentParser
import Compute
import Experiments
import Foundation
import RunFiles

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Make one page of one or several runs: curves, tables, events, figures, script, how to run it again.",
        discussion: "The page is one HTML file that needs nothing else: it can be mailed, printed, opened on a phone.")

    @Argument(help: ArgumentHelp("The run files.", valueName: "run file"), completion: .file(extensions: ["eoss"]))
    var files: [String]

    @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file.", valueName: "page.html"))
    var output: String

    @Flag(help: "Replace a file that is there already.")
    var force = false

    func run() throws {
        try FileEnding.check(output, of: "a page", ["html", "htm"])
        let readers = try files.map { try RunFile.open(URL(fileURLWithPath: $0)) }
        let sink = try ExportFile(output, replacing: force)
        try ReportPage(readers).write(to: sink)
        try sink.finish()
        Console.complain("written: \(output)")
    }
}
