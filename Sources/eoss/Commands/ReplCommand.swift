import ArgumentParser
import Experiments
import Foundation
import RunFiles

struct ReplCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repl",
        abstract: "Show a Lua prompt, after running a script if one is given.",
        usage: "eoss repl [<file>] [--set <name=value>] ... [<options>]")

    @Argument(
        help: ArgumentHelp("A script to run first; what it leaves is there at the prompt.", valueName: "file"),
        completion: .file(extensions: ["lua"]))
    var file: String?

    @OptionGroup var options: ScriptArguments

    func run() throws {
        let archive = try file.flatMap { file in
            try ScriptArchive.isRunFile(file) ? ScriptArchive(RunFile.open(URL(fileURLWithPath: file))) : nil
        }
        let session = try Session(options, interactive: true, archive: archive)
        try session.run(file)
    }
}
