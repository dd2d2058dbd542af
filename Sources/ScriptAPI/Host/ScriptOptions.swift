import Experiments
import Foundation
import LuaBridge
import Reports
import RunFiles

/// What a host is told by the command line, and whom it tells.
public struct ScriptOptions {
    /// `--set name=value`.
    public struct Setting: Sendable, Hashable {
        public var name: String
        public var text: String

        public init(_ name: String, _ text: String) { (self.name, self.text) = (name, text) }
    }

    public var settings: [Setting] = []
    /// The execution that this one goes on with, if any.
    public var resumption: Resumption?
    /// The run file whose script is to be run, instead of one on the disk: script and modules come from it, parameters are those it has
    /// where they are not set.
    public var archive: ScriptArchive?
    /// Lifts the sandbox.
    public var isTrusted = false
    /// Where run files, figures and saved arrays go.
    public var outputFolder = URL(fileURLWithPath: "runs")
    /// Folders that scripts may read beside their own and the output folder.
    public var readFolders: [URL] = []
    /// Bytes of Lua memory; the buffers of the laboratory have an account of their own.
    public var luaMemory = 256 << 20
    /// Seconds of Lua without a call into the host after which a script is stopped as one that never ends.
    public var patience = 10.0
    /// Further entries for the environment that run files record.
    public var environment: [String: String] = [:]
    /// Takes one line of the script's `print`, without its newline: bytes, which need not be text. What it throws is an error in the
    /// script (`OutputError`).
    public var print: (LuaBytes) throws -> Void = LuaState.Configuration().print
    /// As what a figure is printed that goes into no file, asked for each: by default in characters, 80 in a line.
    public var printedFigure: () -> FigureFormat = { .text(columns: 80, rows: 20) }
    /// Takes a line for the user, such as which run file was made.
    public var message: (String) -> Void = { _ in }
    /// Takes a line about what is wrong with a run file, on any thread.
    public var warning: @Sendable (String) -> Void = { _ in }
    /// Takes how far a training is, about ten times a second.
    public var progress: ((TrainingSnapshot) -> Void)?
    /// Shows a prompt in a paused training until its user leaves it. Nil: a pause is a stop.
    public var pause: ((ScriptHost) -> PauseEnd)?
    /// The same for `breakpoint()`, where a pause is a stop.
    public var prompt: ((ScriptHost) -> PauseEnd)?
    /// How processes are started that work at points of `eoss.sweep`. Nil: points are worked at one after the other, whatever 'jobs' is.
    public var processes: SweepProcesses?
    /// The point that this process is for, if it is one of those.
    public var worker: SweepWorker?
    /// How many columns `help` has.
    public var width: () -> Int = { 80 }

    public init() {}
}

/// How the prompt of a paused training ended.
public enum PauseEnd: Sendable {
    /// The training goes on.
    case goOn
    /// The script is to stop.
    case stop
}

/// How a script ended, when not well.
public enum ScriptFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// One message for the user: file and line, what was expected, what came.
    case failed(String)
    /// It was stopped; what was measured is saved.
    case stopped

    public var description: String {
        switch self {
        case .failed(let message): message
        case .stopped: "stopped"
        }
    }
}

/// What came of a text typed at the prompt.
public enum PromptResult: Sendable, Hashable {
    /// It may go on: another line is wanted.
    case incomplete
    /// It ran; what it returned, if anything.
    case done(String?)
    case failed(String)
    /// It was stopped.
    case stopped
    /// It called `continue()`: the prompt ends, and the paused training goes on.
    case goOn
}

/// How far a training is, for a progress line.
public struct TrainingSnapshot: Sendable, Hashable {
    /// A tracked value, and its stability edge where it has one.
    public struct Tracked: Sendable, Hashable {
        public var name: String
        public var value: Double
        public var edge: Double?
    }

    /// The name of the run.
    public var run: String
    public var step: Int
    /// The step at which it is to end, if that is known.
    public var lastStep: Int?
    public var loss: Double?
    public var tracked: [Tracked]
    public var stepsPerSecond: Double?
    public var secondsLeft: Double?
}
