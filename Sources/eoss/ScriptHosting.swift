import Foundation

/// What the command line asks of the one who runs scripts. `HostAdapter.swift` alone knows who that is.
///
/// Called on one thread, whose stack is large.
protocol ScriptHosting: AnyObject {
    /// Runs a script to its end.
    func run(file: URL) throws(ScriptFailure)

    /// Runs a script up to its `eoss.params`, and returns what it declares there; nothing when it never gets there.
    func parameters(of file: URL) throws(ScriptFailure) -> [DeclaredParameter]

    /// Runs what was typed at the prompt, on the state that the script left or was paused in.
    func evaluate(_ source: String) -> Evaluation

    /// Asks for a pause or a stop; where nothing trains that could be paused, a pause is a stop. Called on another thread,
    /// at any time; returns at once.
    var request: @Sendable (Interruption) -> Void { get }
}

/// How a script ended, when not well.
enum ScriptFailure: Error {
    /// One message for the user: file and line, what was expected, what came.
    case failed(String)
    /// It was stopped as ``Interruption/stop`` asked.
    case interrupted
}

enum Interruption: Sendable, Equatable {
    /// Pause at the next step boundary, and show the prompt.
    case pause
    /// End what runs, at the next step boundary or Lua instruction.
    case stop
}

/// A parameter that a script declares by `eoss.params`.
struct DeclaredParameter: Sendable, Equatable {
    var name: String
    /// Its default, as Lua would write it.
    var value: String
}

/// What came of a chunk typed at the prompt.
enum Evaluation: Sendable, Equatable {
    /// It may go on: another line is wanted.
    case incomplete
    /// It ran. What it returned is shown, if anything.
    case done(String?)
    case failed(String)
    /// It was stopped by ``Interruption/stop``.
    case interrupted
    /// It called `continue()`: the prompt ends, and the paused script goes on.
    case goOn
}

/// How a prompt ended.
enum PromptEnd: Sendable, Equatable {
    /// The paused script goes on.
    case goOn
    /// The user leaves: the paused script is to stop.
    case leave
}

/// What a host is told, and whom it tells.
struct HostOptions {
    /// `--set`: names and values as they were typed.
    var settings: [Setting] = []
    var trust = false
    /// Nil: as many as there are cores.
    var threads: Int?
    /// Bytes; nil: half of the machine's.
    var memory: Int?
    var outputFolder = URL(fileURLWithPath: "runs")
    /// `--allow-read`.
    var readFolders: [URL] = []
    /// What scripts print.
    var print: (String) -> Void
    /// A line for the user: which run file was taken, say.
    var message: (String) -> Void
    /// How far a training is. Called as often as the host likes.
    var progress: (TrainingProgress) -> Void
    /// A training is paused as ``Interruption/pause`` asked: shows the prompt until the user leaves it. Nil where there is
    /// none, and so none after the script either.
    var pause: ((any ScriptHosting) -> PromptEnd)?
}
