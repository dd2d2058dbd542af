import ArgumentParser
import Compute
import Foundation
import ScriptAPI

struct DocCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doc",
        abstract: "Say what a function, a method, an object or a quantity is.",
        discussion: """
            'eoss doc eoss.run', 'eoss doc run:track', 'eoss doc batch_sharpness', 'eoss doc --find trace'. The prompt has the \
            same: help(eoss.run).
            """)

    @Argument(help: ArgumentHelp("The name; without one, what can be asked for.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("List what mentions this.", valueName: "word"))
    var find: String?

    @Option(
        help: ArgumentHelp("Write the whole reference, in Markdown, into this folder.", valueName: "folder"),
        completion: .directory)
    var reference: String?

    @Option(help: ArgumentHelp("Write declarations for editors (LuaCATS) into this file.", valueName: "file"))
    var stubs: String?

    @Flag(help: .hidden) var names = false

    func run() throws {
        var options = ScriptOptions()
        options.width = { Console.outputWidth }
        let host = try ScriptHost(options)
        if let reference { return try host.writeReference(to: URL(fileURLWithPath: reference)) }
        if let stubs { return try OutputFile.write(Data(host.stubs.utf8), to: stubs) }
        if names {
            for name in host.names { Console.writeOutput(name + "\n") }
            return
        }
        do {
            Console.writeOutput(try find.map { host.found($0) } ?? host.help(named: name ?? "") + "\n")
            if find != nil { Console.writeOutput("\n") }
        } catch {
            Console.write("eoss: \(error)\n", to: STDERR_FILENO)
            throw ExitCode(ExitStatus.failed.rawValue)
        }
    }
}
