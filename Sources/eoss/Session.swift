import ArgumentParser
import Compute
import Foundation
import LuaBridge
import RunFiles
import ScriptAPI

/// One run of the program: a script, a prompt, or one after the other.
final class Session {
    private let console: Console
    /// Nil where nobody wants one.
    private let prompt: Prompt?
    private let host: ScriptHost

    /// - Parameters:
    ///   - archive: a run file whose script is to be run.
    ///   - processes: how points of `eoss.sweep` get processes of their own.
    ///   - worker: the point that this process is for.
    ///   - isSilent: whether what the script prints, and says of its files, is nobody's concern.
    init(
        _ arguments: ScriptArguments, interactive: Bool, resumption: Resumption? = nil, archive: ScriptArchive? = nil,
        processes: SweepProcesses? = nil, worker: SweepWorker? = nil, isSilent: Bool = false
    ) throws {
        if let threads = arguments.threads { Engine.shared.threads = threads }
        if let memory = arguments.memory { MemoryAccount.shared.limit = memory.bytes }
        let console = Console(quiet: arguments.quiet, style: arguments.progress)
        self.console = console
        let prompt = interactive ? Prompt(lines: Self.lines(), console: console) : nil
        self.prompt = prompt

        var options = ScriptOptions()
        options.settings = arguments.settings
        if let memory = arguments.luaMemory { options.luaMemory = memory.bytes }
        options.isTrusted = arguments.trust
        options.resumption = resumption
        options.archive = archive
        (options.processes, options.worker) = (processes, worker)
        options.outputFolder =
            arguments.outputFolder.map { URL(fileURLWithPath: $0) } ?? resumption?.folder
            ?? URL(fileURLWithPath: "runs")
        options.readFolders = arguments.readFolders.map { URL(fileURLWithPath: $0) }
        options.print = { line in
            if isSilent { return }
            if let worker { return try worker.print(line) }
            let failure = console.output(bytes: line.bytes + [UInt8(ascii: "\n")])
            if failure != 0 { throw OutputError(code: failure) }
        }
        options.printedFigure = { TerminalPicture.format() }
        options.message = { if !isSilent, worker?.isAtPoint ?? true { console.message($0) } }
        options.warning = { console.message("eoss: \(Console.harmless($0))") }
        if console.showsProgress { options.progress = { console.progress($0) } }
        options.width = { Console.outputWidth }
        if let prompt {
            options.pause = { prompt.run($0.evaluate, complete: $0.complete) }
        } else if isatty(STDIN_FILENO) == 1 {
            // For breakpoints alone: Ctrl-C ends a script that nobody asked to look into.
            options.prompt = { Prompt(lines: Self.lines(), console: console).run($0.evaluate, complete: $0.complete) }
        }
        host = try ScriptHost(options)
        if let limit = arguments.timeLimit { Self.stop(after: limit, console) }
        Interrupts.shared.attach(
            host, prompt: prompt.map { $0.lines is TerminalLines ? .terminal : .file } ?? InterruptPolicy.Prompt.none)
    }

    /// As a signal from outside would: what runs is stopped in order, with its checkpoint.
    private static func stop(after limit: TimeLimit, _ console: Console) {
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: limit.seconds)
            console.message("eoss: the time limit of \(limit.seconds.formatted()) s is over; --resume goes on")
            kill(getpid(), SIGTERM)
        }
    }

    /// A history belongs to what is typed; lines that come from a file or a pipe have none.
    private static func lines() -> any LineSource {
        TerminalLines(history: PromptHistory.standard()) ?? PlainLines()
    }

    /// Runs a script, if one is given, then the prompt, if one is wanted.
    func run(_ file: String?) throws {
        var status = ExitStatus.done
        if let file {
            status = report { () throws(ScriptFailure) in try host.run(file: Self.url(file)) }
        }
        // Who leaves the prompt of a paused script leaves the program.
        if let prompt, !prompt.wasLeft {
            _ = prompt.run(host.evaluate, complete: host.complete)
            // A mistyped line at a terminal is no failure.
            if prompt.hasFailed && prompt.lines is PlainLines { status = .failed }
        }
        if Interrupts.shared.ends { status = .interrupted }
        if status != .done { throw ExitCode(status.rawValue) }
    }

    /// Prints the parameters that a script declares.
    func showParameters(of file: String) throws {
        var parameters: [ScriptParameter] = []
        let status = report { () throws(ScriptFailure) in
            parameters = try host.parameters(of: Self.url(file))
        }
        if status != .done { throw ExitCode(status.rawValue) }
        console.output(
            ParameterHelp.text(
                file: file, parameters: parameters.map { ($0.name, $0.value) }, isRunFile: host.options.archive != nil))
    }

    /// The script; `-` is standard input.
    private static func url(_ file: String) -> URL { URL(fileURLWithPath: file == "-" ? "/dev/stdin" : file) }

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
            if let worker = host.options.worker { return answer(for: worker, error) }
            switch error {
            case .failed(let message):
                console.message("eoss: \(Console.harmless(message))")
                return .failed
            case .stopped:
                console.message("eoss: interrupted")
                return .interrupted
            }
        }
    }
}

/// What is said of a script that was executed for one point of a sweep: by the process that has started this one.
extension Session {
    fileprivate func answer(for worker: SweepWorker, _ failure: ScriptFailure) -> ExitStatus {
        if worker.hasTold { return .done }
        guard case .failed(let message) = failure else { return .interrupted }
        worker.tell(failure: message)
        return .failed
    }
}

/// What `eoss run FILE --help` prints.
enum ParameterHelp {
    static func text(file: String, parameters: [(name: String, value: String)], isRunFile: Bool = false) -> String {
        guard !parameters.isEmpty else { return "\(file) declares no parameters by eoss.params.\n" }
        let width = parameters.map(\.name.count).max() ?? 0
        let rows = parameters.map { parameter in
            "  \(parameter.name)\(String(repeating: " ", count: width - parameter.name.count)) = \(parameter.value)\n"
        }
        let values = isRunFile ? "as its run had them" : "with their defaults"
        return "Parameters of \(file), \(values); change them by --set name=value:\n" + rows.joined()
    }
}
