import CSignals
import Compute
import Experiments
import Foundation
import LuaBridge
import Objectives
import ScriptAPI
import Synchronization

/// What a signal leads to. A value, so that its rules can be tested without signals.
///
/// Where there is a prompt, the first Ctrl-C pauses a training and ends other work; a second within two seconds stops whatever
/// runs. A third, or the first after a stop that is not answered, warns; one more leaves the program, the live runs with it. At a
/// prompt that waits for a line Ctrl-C ends nothing: a session ends by Ctrl-D or Ctrl-\. Without a prompt the first stops, the
/// second leaves. SIGTERM and SIGHUP stop, and end the session; SIGQUIT (Ctrl-\) leaves.
struct InterruptPolicy: Sendable {
    enum Action: Equatable {
        case nothing
        /// Pause at the next step boundary, or end other work, and show the prompt.
        case pause
        /// End what runs, at the next step boundary or Lua instruction.
        case stop
        /// Say that the next one leaves.
        case warn
        /// Commit the run files, and exit.
        case leave
    }

    /// Who gives the lines of the prompt.
    enum Prompt: Equatable {
        case none
        case file
        case terminal
    }

    /// Seconds within which a second Ctrl-C adds to the first.
    static let patience = 2.0

    /// What a pause leads to.
    var prompt = Prompt.none
    /// Whether something runs that can be asked to stop.
    var running = false
    /// Whether the session is to end once what runs has stopped.
    private(set) var ends = false
    /// Whether the program has nothing left to do but to wait: any signal ends it.
    var ending = false
    private var presses = 0
    private var lastPress = -Double.infinity
    /// The presses that have stopped, and warned.
    private static let (stopping, warning) = (2, 3)

    /// What to do about a signal that came at `time`, in seconds.
    /// - Parameter isLate: it came before what runs now began, or before the prompt that now waits.
    mutating func received(_ signal: Int32, at time: Double, isLate: Bool = false) -> Action {
        guard signal != SIGQUIT, !ending else { return .leave }
        // What a Ctrl-C was meant for is over: it is not one of the next line.
        if isLate && signal == SIGINT && prompt == .terminal { return .nothing }
        guard running else { return signal == SIGINT && prompt == .terminal ? .nothing : .leave }
        guard signal == SIGINT else {
            ends = true
            return .stop
        }
        // Whoever waits for a stop to be answered may wait for long.
        let adds = time - lastPress <= Self.patience || presses >= Self.stopping && prompt != .none
        presses = adds ? presses + 1 : 1
        lastPress = time
        guard prompt != .none else { return presses == 1 ? .stop : .leave }
        switch presses {
        case 1: return .pause
        case Self.stopping: return .stop
        case Self.warning: return .warn
        default: return .leave
        }
    }

    /// A stop was not answered in time. Returns what to do about it.
    mutating func unanswered() -> Action {
        if prompt == .none || ends { return .leave }
        if presses >= Self.warning { return .nothing }
        presses = Self.warning
        return .warn
    }

    /// Everything stands still: the next Ctrl-C is a first one.
    mutating func answered() { presses = 0 }
}

/// Signals, on the main thread, where nothing else runs.
final class Interrupts: Sendable {
    static let shared = Interrupts()

    private struct State {
        var policy = InterruptPolicy()
        /// Counts what began to run, and the prompts between.
        var task: UInt8 = 0
        var host: HostRequests?
        var watchdog: Watchdog?
        /// What a stop is for where no script runs in this process.
        var stopping: (@Sendable () -> Void)?
        /// Whether why this process ends is for another to say.
        var isWorker = false
    }

    private let state = Mutex(State())

    /// Where requests go.
    private struct HostRequests {
        let interrupt: Interrupt
        let cancellation: Cancellation
    }

    /// Seconds that Lua may take to come to where a pause is answered: then it is stopped. Less than a person waits for.
    private static let pausePatience = 0.2

    /// From now on signals are for the script of this host.
    func attach(_ host: ScriptHost, prompt: InterruptPolicy.Prompt) {
        let watchdog = Watchdog(host.interrupt) { [self] in
            answer(state.withLock { $0.policy.unanswered() }, because: "no answer to the stop within 2 s")
        }
        state.withLock { state in
            state.host = HostRequests(interrupt: host.interrupt, cancellation: host.cancellation)
            state.watchdog = watchdog
            state.policy.prompt = prompt
        }
    }

    /// From now on a stop calls this, on the main thread.
    func attach(stopping: @escaping @Sendable () -> Void) { state.withLock { $0.stopping = stopping } }

    /// From now on a signal that ends this process is not spoken of: who has started it says what was stopped.
    func attachWorker() { state.withLock { $0.isWorker = true } }

    /// Whether the session is to end: whoever sent SIGTERM or SIGHUP wants no prompt.
    var ends: Bool { state.withLock { $0.policy.ends } }

    /// Something begins to run, or everything stands still again.
    func running(_ running: Bool) {
        state.withLock { state in
            state.policy.running = running
            state.task &+= 1
            eoss_signals_belong_to(state.task)
            // A pause that came too late for the training is not one of the next.
            state.host?.interrupt.clearPause()
            state.host?.cancellation.clear()
            if !running { state.policy.answered() }
        }
    }

    /// From now on any signal ends the program.
    func ending() { state.withLock { $0.policy.ending = true } }

    /// Waits for signals for ever.
    func serve() -> Never {
        while true {
            var task: UInt8 = 0
            let signal = eoss_signals_wait(&task)
            let action = state.withLock { state in
                state.policy.received(signal, at: Stopwatch.now, isLate: task != state.task)
            }
            answer(action, because: "interrupted")
        }
    }

    private func answer(_ action: InterruptPolicy.Action, because reason: String) {
        let (host, stopping, isWorker) = state.withLock { ($0.host, $0.stopping, $0.isWorker) }
        switch action {
        case .nothing: break
        case .pause:
            host?.interrupt.requestPause(patience: Self.pausePatience)
            host?.cancellation.request()
        case .stop:
            host?.interrupt.requestStop()
            host?.cancellation.request()
            stopping?()
        case .warn:
            // Past the console's lock, which may be what hangs.
            Console.write(
                "\neoss: what runs has not stopped yet; Ctrl-C once more ends the session and its live runs (the run files are "
                    + "saved first)\n", to: STDERR_FILENO)
        case .leave: Self.leave(isWorker ? nil : reason)
        }
    }

    /// The last deed. No lock of the program's own is taken but those of the run files: whoever holds another may be
    /// the one that hangs.
    private static func leave(_ reason: String?) -> Never {
        // Should a commit hang as well, the next Ctrl-C ends the program.
        signal(SIGINT, SIG_DFL)
        let failures = RunFile.commitAll()
        TerminalMode.restore()
        let spilled = RunFile.locked.map { file in
            "the last measurements of '\(file.path)', on which another program has a lock, are in '\(file.spill)' and come into "
                + "it when it is next opened"
        }
        let said = [reason].compactMap { $0 } + failures.map(\.description) + spilled
        let message = said.map { "\neoss: \($0)" }.joined() + (said.isEmpty ? "" : "\n")
        _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        _exit(ExitStatus.interrupted.rawValue)
    }
}

/// The terminal as it was when the program started: an exit in the middle of a line leaves it so.
enum TerminalMode {
    private static let atStart: termios? = {
        var mode = termios()
        return tcgetattr(STDIN_FILENO, &mode) == 0 ? mode : nil
    }()

    static func remember() { _ = atStart }

    static func restore() {
        guard var mode = atStart else { return }
        tcsetattr(STDIN_FILENO, TCSANOW, &mode)
    }
}

/// How the program ends.
enum ExitStatus: Int32 {
    case done = 0
    case failed = 1
    case usage = 2
    case interrupted = 130
}
