import ArgumentParser
import Foundation
import Sweeps

/// One point of a sweep, in a process of its own: what `eoss sweep` starts, and a task of Slurm.
struct SweepPointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep-point", abstract: "Run one point of a sweep, or go on with it.", shouldDisplay: false)

    @Argument(help: ArgumentHelp("The folder of the sweep.", valueName: "folder")) var folder: String
    @Argument(help: ArgumentHelp("The number of the point, from 0.", valueName: "point")) var point: Int
    @OptionGroup var limits: SweepLimits

    func run() throws {
        let sweep = try SweepFolder(opening: URL(fileURLWithPath: folder))
        guard let execution = try PointExecution(sweep, point: point) else { return }
        do {
            if !limits.force { try sweep.checkScript() }
            var arguments = execution.arguments + limits.arguments
            if limits.force, execution.resumed != nil { arguments.append("--force") }
            var command = try RunCommand.parseAsRoot(arguments)
            try command.run()
        } catch {
            let status = (error as? ExitCode)?.rawValue ?? ExitStatus.failed.rawValue
            execution.end(
                status: status, message: error is ExitCode ? Console.lastSaid : RunCommand.message(for: error))
            throw error
        }
        execution.end(status: ExitStatus.done.rawValue, message: nil)
    }
}

/// What the script of each point may do, and use.
struct SweepLimits: ParsableArguments {
    @Flag(help: "Lift the sandbox: the script may do what you may.")
    var trust = false

    @Option(help: ArgumentHelp("Compute each point with so many threads; the results are the same.", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("Refuse to use more memory than this for a point.", valueName: "size"))
    var memory: MemorySize?

    @Option(
        name: .customLong("allow-read"),
        help: ArgumentHelp("Let the script read files of this folder, too.", valueName: "folder"))
    var readFolders: [String] = []

    @Flag(help: "Go on although the script, or the data, are not what they were.")
    var force = false

    func validate() throws {
        if let threads, threads < 1 || threads > 64 {
            throw ValidationError("--threads is \(threads), and should be from 1 to 64")
        }
    }

    /// As `eoss run` takes them.
    var arguments: [String] {
        var arguments = trust ? ["--trust"] : []
        if let threads { arguments += ["--threads", "\(threads)"] }
        if let memory { arguments += ["--memory", "\(memory.bytes)"] }
        for folder in readFolders { arguments += ["--allow-read", URL(fileURLWithPath: folder).path] }
        return arguments
    }
}
