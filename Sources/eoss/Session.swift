import ArgumentParser
import Foundation

/// One run of the program: a script, a prompt, or one after the other.
final class Session {
    private let console: Console
    /// Nil where nobody wants one.
    private let prompt: Prompt?
    private let host: any ScriptHosting

    init(_ options: ScriptOptions, interactive: Bool) throws {
        let console = Console(quiet: options.quiet)
        self.console = console
        let prompt = interactive ? Prompt(lines: Self.lines(), console: console) : nil
        self.prompt = prompt
        host = try makeHost(
            HostOptions(
                settings: options.settings, trust: options.trust, threads: options.threads,
                memory: options.memory?.bytes, outputFolder: URL(fileURLWithPath: options.outputFolder),
                readFolders: options.readFolders.map { URL(fileURLWithPath: $0) },
                print: { console.output($0) }, message: { console.message($0) }, progress: { console.progress($0) },
                pause: prompt.map { prompt in { prompt.run(on: $0) } }))
        Interrupts.shared.attach(interactive: interactive, host.request)
    }

    /// A history belongs to what is typed; lines that come from a file or a pipe have none.
    private static func lines() -> any LineSource {
        TerminalLines(history: PromptHistory.standard()) ?? PlainLines()
    }

    /// Runs a script, if one is given, then the prompt, if one is wanted.
    func run(_ file: String?) throws {
        var status = ExitStatus.done
        if let file { status = report { () throws(ScriptFailure) in try host.run(file: URL(fileURLWithPath: file)) } }
        // Who leaves the prompt of a paused script leaves the program.
        if let prompt, !prompt.wasLeft {
            _ = prompt.run(on: host)
            // A mistyped line at a terminal is no failure.
            if prompt.hasFailed && prompt.lines is PlainLines { status = .failed }
        }
        if status != .done { throw ExitCode(status.rawValue) }
    }

    /// Prints the parameters that a script declares.
    func showParameters(of file: String) throws {
        var parameters: [DeclaredParameter] = []
        let status = report { () throws(ScriptFailure) in
            parameters = try host.parameters(of: URL(fileURLWithPath: file))
        }
        if status != .done { throw ExitCode(status.rawValue) }
        console.output(ParameterHelp.text(file: file, parameters: parameters))
    }

    private func report(_ body: () throws(ScriptFailure) -> Void) -> ExitStatus {
        Interrupts.shared.running(true)
        defer {
            Interrupts.shared.running(false)
            console.clear()
        }
        do {
            try body()
            return .done
        } catch {
            switch error {
            case .failed(let message):
                console.message("eoss: \(message)")
                return .failed
            case .interrupted:
                console.message("eoss: interrupted")
                return .interrupted
            }
        }
    }
}

/// What `eoss run FILE --help` prints.
enum ParameterHelp {
    static func text(file: String, parameters: [DeclaredParameter]) -> String {
        guard !parameters.isEmpty else { return "\(file) declares no parameters by eoss.params.\n" }
        let width = parameters.map(\.name.count).max() ?? 0
        let rows = parameters.map { parameter in
            "  \(parameter.name)\(String(repeating: " ", count: width - parameter.name.count)) = \(parameter.value)\n"
        }
        return "Parameters of \(file), with their defaults; change them by --set name=value:\n" + rows.joined()
    }
}
