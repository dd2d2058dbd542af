import CSignals
import Experiments
import Foundation
import LuaBridge
import Synchronization

/// What a signal leads to. A value, so that its rules can be tested without signals.
///
/// Ctrl-C at a training that someone watches at a prompt pauses it; a second within two seconds stops whatever runs, a third
/// leaves the program. Without a prompt the first stops, the second leaves. SIGTERM and SIGHUP stop. (A stop that nobody
/// answers is the watchdog's matter.)
struct InterruptPolicy: Sendable {
    enum Action: Equatable {
        /// Pause at the next step boundary, and show the prompt.
        case pause
        /// End what runs, at the next step boundary or Lua instruction.
        case stop
        /// Commit the run files, and exit.
        case leave
    }

    /// Seconds within which a second Ctrl-C adds to the first.
    static let patience = 2.0

    /// Whether a pause leads to a prompt.
    var interactive = false
    /// Whether something runs that can be asked to stop; a prompt that waits for a line is left at once.
    var running = false
    /// Whether the program has nothing left to do but to wait: any signal ends it.
    var ending = false
    private var presses = 0
    private var lastPress = -Double.infinity

    /// What to do about a signal that came at `time`, in seconds.
    mutating func received(_ signal: Int32, at time: Double) -> Action {
        guard running, !ending else { return .leave }
        guard signal == SIGINT else { return .stop }
        presses = time - lastPress <= Self.patience ? presses + 1 : 1
        lastPress = time
        switch (presses, interactive) {
        case (1, true): return .pause
        case (2, true), (1, false): return .stop
        default: return .leave
        }
    }

    /// Everything stands still: the next Ctrl-C is a first one.
    mutating func answered() { presses = 0 }
}

/// Signals, on the main thread, where nothing else runs.
final class Interrupts: Sendable {
    static let shared = Interrupts()

    private struct State {
        var policy = InterruptPolicy()
        var interrupt: Interrupt?
        var watchdog: Watchdog?
    }

    private let state = Mutex(State())

    /// From now on signals are for the script behind `interrupt`. One that does not answer a stop within two seconds is left.
    func attach(_ interrupt: Interrupt, interactive: Bool) {
        let watchdog = Watchdog(interrupt) { Self.leave("no answer to the stop within 2 s") }
        state.withLock { state in
            state.interrupt = interrupt
            state.watchdog = watchdog
            state.policy.interactive = interactive
        }
    }

    /// Something begins to run, or everything stands still again.
    func running(_ running: Bool) {
        state.withLock { state in
            state.policy.running = running
            // A pause that came too late for the training is not one of the next.
            state.interrupt?.clearPause()
            if !running { state.policy.answered() }
        }
    }

    /// From now on any signal ends the program.
    func ending() { state.withLock { $0.policy.ending = true } }

    /// Waits for signals for ever.
    func serve() -> Never {
        while true {
            let signal = eoss_signals_wait()
            let (action, interrupt) = state.withLock { ($0.policy.received(signal, at: Self.now), $0.interrupt) }
            switch action {
            case .pause: interrupt?.requestPause()
            case .stop: interrupt?.requestStop()
            case .leave: Self.leave("interrupted")
            }
        }
    }

    /// The last deed. No lock of the program's own is taken but those of the run files: whoever holds another may be
    /// the one that hangs.
    private static func leave(_ reason: String) -> Never {
        // Should a commit hang as well, the next Ctrl-C ends the program.
        signal(SIGINT, SIG_DFL)
        let failures = RunFile.commitAll()
        TerminalMode.restore()
        let spilled = RunFile.locked.map { file in
            "the last measurements of '\(file.path)', on which another program has a lock, are in '\(file.spill)' and come into "
                + "it when it is next opened"
        }
        let message = ([reason] + failures.map(\.description) + spilled).map { "\neoss: \($0)" }.joined() + "\n"
        _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        _exit(ExitStatus.interrupted.rawValue)
    }

    private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }
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
