import ArgumentParser
import Experiments
import Foundation
import RunFiles

struct ScriptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "script",
        abstract: "Write the script of a run file, its modules and the data inside into a folder.",
        discussion: "'eoss run FILE.eoss' runs the script without that.")

    @Argument(help: ArgumentHelp("The run file.", valueName: "run file"), completion: .file(extensions: ["eoss"]))
    var file: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Write into this folder.", valueName: "folder"), completion: .directory)
    var output: String

    @Flag(help: "Replace files that are there already.")
    var force = false

    func run() throws {
        let archive = try ScriptArchive(RunFile.open(URL(fileURLWithPath: file)))
        let written = try ScriptFolder(URL(fileURLWithPath: output), replacing: force).write(archive)
        for path in written { Console.complain("written: \(path)") }
    }
}
