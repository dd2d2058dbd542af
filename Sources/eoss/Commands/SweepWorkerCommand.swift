import ArgumentParser
import Experiments
import Foundation
import RunFiles
import ScriptAPI
import Sweeps

/// One point of an `eoss.sweep` with several jobs: what that starts, and tells the point by standard input.
struct SweepWorkerCommand: ParsableCommand {
    /// By which `eoss.sweep` calls it, before all else.
    static let name = "sweep-worker"

    /// Whether a program with these arguments, its own name among them, is one.
    static func isCalled(by arguments: [String]) -> Bool { arguments.dropFirst().first == name }

    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Execute a script up to a sweep, and work at one point there.",
        shouldDisplay: false)

    @Argument(help: ArgumentHelp("The script, or a run file.", valueName: "file")) var file: String
    @OptionGroup var options: ScriptArguments
    @Option(name: .customLong("resume"), help: ArgumentHelp("Go on with this execution.", valueName: "run file"))
    var resumed: String?
    @Flag(help: "Resume although the script, or the data, are not what they were.") var force = false

    func run() throws {
        let channel = try WorkerChannel()
        let worker = try SweepWorker(channel)
        channel.endWithParent()
        do {
            let resumption = try resumed.map {
                try Resumption(URL(fileURLWithPath: $0), forced: force, isShared: true)
            }
            let archive =
                try ScriptArchive.isRunFile(file) ? ScriptArchive(RunFile.open(URL(fileURLWithPath: file))) : nil
            try Session(options, interactive: false, resumption: resumption, archive: archive, worker: worker).run(file)
        } catch let status as ExitCode {
            throw status
        } catch {
            worker.tell(failure: words(for: error))
            throw ExitCode(ExitStatus.failed.rawValue)
        }
        if !worker.hasTold { worker.tell(failure: "executed anew, the script ended before it came to the sweep") }
    }
}
