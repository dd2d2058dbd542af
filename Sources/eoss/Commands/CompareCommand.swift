import ArgumentParser
import Experiments
import Foundation
import RunFiles

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Say what differs between runs: script, parameters, settings, environment, then the curves.",
        discussion: "The first run is the one that the others are compared with.")

    @Argument(help: ArgumentHelp("Two or more run files.", valueName: "file"), completion: .file(extensions: ["eoss"]))
    var files: [String]

    @Flag(help: "For other programs: one object.")
    var json = false

    func validate() throws {
        if files.count < 2 { throw ValidationError("compare with what? Call 'eoss compare A.eoss B.eoss'") }
    }

    func run() throws {
        var readers: [RunFileReader] = []
        for file in files { readers.append(try RunFile.open(URL(fileURLWithPath: file))) }
        let comparison = try RunComparison(readers)
        if json {
            Console.writeOutput(try comparison.json.text())
        } else {
            Console.write(comparison.lines(width: OutputStyle.standard.width))
        }
    }
}
