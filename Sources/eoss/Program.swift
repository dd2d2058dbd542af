import ArgumentParser
import Experiments
import Foundation
import LuaBridge

/// The program: parses the command line, runs the command, says what went wrong, returns the exit status.
enum Program {
    /// Names and values in other bytes than UTF-8 would be read as others than they are: two files would become one.
    static func refusal() -> ExitStatus? {
        func isText(_ bytes: UnsafePointer<CChar>) -> Bool { String(validatingCString: bytes) != nil }
        for place in 1..<max(1, Int(CommandLine.argc)) {
            guard let bytes = CommandLine.unsafeArgv[place], !isText(bytes) else { continue }
            complain(
                "eoss: argument \(place), '\(String(cString: bytes).printable)', is not UTF-8, in which eoss reads names and values: "
                    + "rename the file, or write the value otherwise")
            return .usage
        }
        if let folder = getcwd(nil, 0) {
            defer { free(folder) }
            if !isText(folder) {
                complain(
                    "eoss: the name of the folder '\(String(cString: folder).printable)' is not UTF-8, in which eoss reads names: "
                        + "rename it, or work in another one")
                return .failed
            }
        }
        return nil
    }

    static func run(_ arguments: [String]) -> ExitStatus {
        var status = execute(arguments)
        // A script may keep a run open to its end.
        for failure in RunFile.commitAll() where !Console.hasSaid("\(failure)") {
            complain("eoss: \(failure)")
            if status == .done { status = .failed }
        }
        waitForLocks()
        let failure = Console.outputFailure
        if failure != 0, status == .done {
            complain("eoss: cannot write to standard output: \(String(cString: strerror(failure)))")
            status = .failed
        }
        return status
    }

    /// Another program may have a lock on a run file to the end. What was measured is on the disk, in the spill file, so from
    /// here on Ctrl-C may end the program at once.
    private static func waitForLocks() {
        let locked = RunFile.locked
        guard !locked.isEmpty else { return }
        let files = locked.map { "'\($0.path)'" }.joined(separator: ", ")
        let spills = locked.map { "'\($0.spill)'" }.joined(separator: ", ")
        Interrupts.shared.ending()
        complain(
            "eoss: waiting for another program to give up its lock on \(files); Ctrl-C ends without it: the last "
                + "measurements stay in \(spills) and come into the run file when it is next opened")
        RunFile.waitForLocks()
    }

    private static func execute(_ arguments: [String]) -> ExitStatus {
        if let unknown = unknownCommand(in: arguments) {
            complain("eoss: \(unknown)")
            return .usage
        }
        var command: any ParsableCommand
        do {
            command = try Eoss.parseAsRoot(PagePort.spelledOut(arguments))
        } catch {
            return tell(error, failure: .usage)
        }
        do {
            try command.run()
            return .done
        } catch let code as ExitCode {
            return ExitStatus(rawValue: code.rawValue) ?? .failed
        } catch {
            return tell(error, failure: .failed)
        }
    }

    /// Help and the version are asked for by what is thrown, too.
    private static func tell(_ error: any Error, failure: ExitStatus) -> ExitStatus {
        if Eoss.exitCode(for: error) == .success {
            Console.writeOutput(Eoss.fullMessage(for: error) + "\n")
            return .done
        }
        complain(failure == .usage ? Eoss.fullMessage(for: error) : "eoss: \(Console.harmless(words(for: error)))")
        return failure
    }

    /// A first word that is no command: what is wrong with it, and what was probably meant.
    static func unknownCommand(in arguments: [String]) -> String? {
        guard let first = arguments.first, !first.hasPrefix("-") else { return nil }
        let known = Eoss.configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        if known.contains(first) { return nil }
        let wrong = "unknown command '\(first)'"
        if first.hasSuffix(".lua") { return wrong + ": did you mean 'eoss run \(first)'?" }
        guard let near = nearestName(to: first, among: known) else { return wrong + "; 'eoss --help' lists them" }
        return wrong + ": did you mean 'eoss \(near)'?"
    }

    private static func complain(_ text: String) { Console.complain(text) }
}
