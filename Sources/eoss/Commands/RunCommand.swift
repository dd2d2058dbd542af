import ArgumentParser
import Experiments
import Foundation
import RunFiles
import ScriptAPI

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run an experiment: a Lua script, or the one inside of a run file.",
        usage: """
            eoss run <file> [--set <name=value>] ... [<options>]
            eoss run <run file> [--set <name=value>] ... [<options>]
            eoss run --resume <run file> [--set <name=value>] ... [<options>]
            """,
        discussion: """
            'eoss run FILE --help' shows the parameters that the script itself declares. Of a run file (.eoss) the script inside is run, \
            with the modules and the parameters that it has there.
            """,
        // Help belongs to the script when there is one.
        helpNames: [])

    @Argument(
        help: ArgumentHelp("The script, or a run file; - is standard input.", valueName: "file"),
        completion: .file(extensions: ["lua", "eoss"]))
    var file: String?

    @OptionGroup var options: ScriptArguments

    @Option(
        name: .customLong("resume"),
        help: ArgumentHelp(
            "Go on with the run of this file, and with those made beside it: its script is executed again.",
            valueName: "run file"),
        completion: .file(extensions: ["eoss"]))
    var resumed: String?

    @Flag(help: "Resume although the script, or the data, are not what they were.")
    var force = false

    @Flag(name: .shortAndLong, help: "Show a prompt when the script has ended, or when Ctrl-C pauses it.")
    var interactive = false

    @Option(
        help: ArgumentHelp(
            "Show the output folder on a live page in the browser, on this machine alone, until the run ends; the port may be left out.",
            valueName: "port"))
    var serve: PagePort?

    @Flag(name: .shortAndLong, help: "Show the parameters of the script; without a script, this help.")
    var help = false

    func validate() throws {
        if force, resumed == nil { throw ValidationError("--force belongs to --resume") }
        if file == nil, resumed == nil {
            throw help ? CleanExit.helpRequest(self) : ValidationError("which script? Call 'eoss run FILE'")
        }
    }

    func run() throws {
        let resumption = try resumed.map { try Resumption(URL(fileURLWithPath: $0), forced: force) }
        guard let file = file ?? resumption?.scriptFile?.path else {
            throw ValidationError(
                "the script '\(resumption?.scriptPath ?? "")' of '\(resumed ?? "")' is not there any more: name it, as in "
                    + "'eoss run FILE --resume \(resumed ?? "")'")
        }
        let archive = try ScriptArchive.isRunFile(file) ? ScriptArchive(RunFile.open(URL(fileURLWithPath: file))) : nil
        if let archive, !help {
            Console.complain("script: '\(archive.script.path)' of \(file), with the parameters that it has there")
        }
        let session = try Session(
            options, interactive: interactive, resumption: resumption, archive: archive, processes: processes(file))
        if let serve, !help {
            let folder = options.outputFolder ?? resumption?.folder.path ?? "runs"
            PageProcess.start(folder: folder, port: serve.number)
        }
        if help {
            try session.showParameters(of: file)
        } else {
            try session.run(file)
        }
    }

    /// Processes that execute the same script as this one, for the points of a sweep in it.
    private func processes(_ file: String) -> SweepProcesses {
        let resuming = resumed.map { ["--resume", $0] + (force ? ["--force"] : []) } ?? []
        return SweepProcesses(program: "/proc/self/exe") { jobs in
            [SweepWorkerCommand.name] + resuming + options.arguments(for: jobs) + ["--", file]
        }
    }
}
