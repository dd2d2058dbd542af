import CSignals
import Experiments
import Foundation
import Synchronization

/// What a signal leads to. A value, so that its rules can be tested without signals.
///
/// Ctrl-C at a training that someone watches at a prompt pauses it; a second within two seconds stops whatever runs, a third
/// leaves the program. Without a prompt the first stops, the second leaves. SIGTERM and SIGHUP stop. A stop that was not
/// answered within two seconds leaves, too: the run files are committed first.
struct InterruptPolicy: Sendable {
    enum Action: Equatable {
        case request(Interruption)
        case leave
    }

    /// Seconds within which a second Ctrl-C adds to the first, and after which an unanswered stop is one no longer.
    static let patience = 2.0

    /// Whether a pause leads to a prompt.
    var interactive = false
    /// Whether something runs that can be asked to stop; a prompt that waits for a line is left at once.
    var running = false
    private var presses = 0
    private var lastPress = -Double.infinity
    /// When the program leaves if nobody has answered until then.
    private(set) var deadline: Double?

    /// What to do about a signal that came at `time`, in seconds.
    mutating func received(_ signal: Int32, at time: Double) -> Action {
        guard running else { return .leave }
        guard signal == SIGINT else { return stop(at: time) }
        presses = time - lastPress <= Self.patience ? presses + 1 : 1
        lastPress = time
        switch (presses, interactive) {
        case (1, true): return .request(.pause)
        case (2, true): return .request(.stop)
        case (1, false): return stop(at: time)
        default: return .leave
        }
    }

    private mutating func stop(at time: Double) -> Action {
        deadline = time + Self.patience
        return .request(.stop)
    }

    /// The request was answered: the script stands still, or has ended.
    mutating func answered() {
        presses = 0
        deadline = nil
    }
}

/// Signals, on the main thread, where nothing else runs.
final class Interrupts: Sendable {
    static let shared = Interrupts()

    private struct State {
        var policy = InterruptPolicy()
        var request: (@Sendable (Interruption) -> Void)?
    }

    private let state = Mutex(State())

    /// From now on requests go to a host.
    func attach(interactive: Bool, _ request: @escaping @Sendable (Interruption) -> Void) {
        state.withLock { state in
            state.request = request
            state.policy.interactive = interactive
        }
    }

    /// Something begins to run, or everything stands still again.
    func running(_ running: Bool) {
        state.withLock { state in
            state.policy.running = running
            if !running { state.policy.answered() }
        }
    }

    /// Waits for signals for ever.
    func serve() -> Never {
        while true {
            let now = Self.now
            let deadline = state.withLock { $0.policy.deadline }
            if let deadline, deadline <= now { leave("no answer to the stop within 2 s") }
            let milliseconds = deadline.map { Int32(($0 - now) * 1000) + 1 } ?? -1
            let signal = eoss_signals_wait(milliseconds)
            if signal != 0 { handle(signal) }
        }
    }

    private func handle(_ signal: Int32) {
        let (action, request) = state.withLock { ($0.policy.received(signal, at: Self.now), $0.request) }
        switch action {
        case .request(let interruption): request?(interruption)
        case .leave: leave("interrupted")
        }
    }

    /// The last deed. No lock of the program's own is taken but those of the run files: whoever holds another may be
    /// the one that hangs.
    private func leave(_ reason: String) -> Never {
        // Should a commit hang as well, the next Ctrl-C ends the program.
        signal(SIGINT, SIG_DFL)
        let failures = RunFile.commitAll()
        TerminalMode.restore()
        let message = "\neoss: \(reason)" + failures.map { "\neoss: \($0)" }.joined() + "\n"
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
