import ArgumentParser
import Experiments
import Foundation
import RunFiles

extension RunFileChanges.Checkpoints: ExpressibleByArgument {}

struct ShareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "share",
        abstract: "Make of a run file one for other people, who can look at it, run it again and verify it.",
        discussion: """
            It keeps script, modules, parameters, measurements, events, notes, figures and the digests of the data. It says what it \
            takes out: absolute paths, the names of machine and user.
            """)

    @Argument(help: ArgumentHelp("The run file.", valueName: "run file"), completion: .file(extensions: ["eoss"]))
    var file: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file.", valueName: "file.eoss"))
    var output: String

    @Option(help: ArgumentHelp("Which checkpoints to take along.", valueName: "which"))
    var checkpoints = RunFileChanges.Checkpoints.last

    @Flag(help: "Take along the files that the script reads by eoss.arrays.load and model:load.")
    var withData = false

    @Option(
        name: .customLong("data"),
        help: ArgumentHelp("Look for those files here, too.", valueName: "folder"), completion: .directory)
    var dataFolders: [String] = []

    @Option(help: ArgumentHelp("Take along no more of them than this, together.", valueName: "size"))
    var dataLimit = MemorySize(bytes: 64 << 20)

    @Flag(help: "Replace a file that is there already.")
    var force = false

    func validate() throws {
        if dataLimit.bytes > ScriptArchive.mostData {
            throw ValidationError("--data-limit: a run file takes \(ScriptArchive.mostData >> 30)G of data at most")
        }
    }

    func run() throws {
        var sharing = Sharing()
        sharing.checkpoints = checkpoints
        sharing.withData = withData
        sharing.dataFolders = dataFolders
        sharing.dataLimit = dataLimit.bytes
        sharing.isReplacing = force
        let report = try sharing.share(RunFile.open(URL(fileURLWithPath: file)), to: output)
        let size = (try? FileManager.default.attributesOfItem(atPath: output)[.size] as? Int) ?? 0
        Console.complain("written: \(output), \(size) bytes; taken out: \(report.stripped.joined(separator: ", "))")
        for data in report.data { Console.complain("inside: '\(data.path)', \(data.bytes.count) bytes") }
        for note in report.notes { Console.complain("note: \(note)") }
    }
}
