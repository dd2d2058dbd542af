import CSignals
import Experiments
import Foundation
import Objectives
import ScriptAPI
import Synchronization

/// The terminal, shared by what scripts print, by messages and by the progress line, which must not mix.
///
/// Results go to standard output, everything else to standard error, and the progress line to a terminal only.
final class Console: Sendable {
    /// Whether progress is shown, and whether by a line that is drawn again in place.
    let showsProgress: Bool
    private let redraws: Bool
    /// Least seconds between two drawings of it.
    private let interval: Double
    /// The clock that it goes by, and where it and messages go.
    private let now: @Sendable () -> Double
    private let say: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        var lastDrawn = -Double.infinity
        var isDrawn = false
    }

    /// Seconds between two drawings on a terminal, and between two lines of a log.
    private static let (drawingInterval, lineInterval) = (0.1, 30.0)

    /// - Parameters:
    ///   - now: the clock, in seconds.
    ///   - say: takes the progress line, and messages.
    init(
        quiet: Bool, style: ProgressStyle = .auto, now: @escaping @Sendable () -> Double = { Stopwatch.now },
        say: @escaping @Sendable (String) -> Void = { Console.write($0, to: STDERR_FILENO) }
    ) {
        (self.now, self.say) = (now, say)
        showsProgress = !quiet && style != .off
        redraws = style == .auto && isatty(STDERR_FILENO) == 1
        interval = redraws ? Self.drawingInterval : Self.lineInterval
        // The first line of a log comes when there is something to say.
        if !redraws { state.withLock { $0.lastDrawn = now() } }
    }

    /// The system's number of the first error at writing to standard output, 0 where all went well: what was to be printed is
    /// then not all there, and the program has failed.
    private static let firstFailure = Mutex<Int32>(0)

    static var outputFailure: Int32 { firstFailure.withLock { $0 } }

    /// Writes to standard output as it stands. Returns 0, or the system's error number.
    @discardableResult
    func output(_ text: String) -> Int32 { output(bytes: Array(text.utf8)) }

    /// The same for bytes, which need not be text.
    @discardableResult
    func output(bytes: [UInt8]) -> Int32 {
        state.withLock { state in
            erase(&state)
            return Self.writeOutput(bytes)
        }
    }

    /// As ``output(_:)``, where there is no progress line.
    @discardableResult
    static func writeOutput(_ text: String) -> Int32 { writeOutput(Array(text.utf8)) }

    @discardableResult
    static func writeOutput(_ bytes: [UInt8]) -> Int32 {
        let failure = write(bytes: bytes, to: STDOUT_FILENO)
        if failure != 0 { firstFailure.withLock { if $0 == 0 { $0 = failure } } }
        return failure
    }

    /// Writes a line to standard error, where there is no progress line.
    static func complain(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    private static let lastMessage = Mutex("")

    /// Whether the last message said this: a full disk stops a script and fails again at the exit, and is told once.
    static func hasSaid(_ text: String) -> Bool { lastMessage.withLock { $0.contains(text) } }

    /// What the last message said.
    static var lastSaid: String { lastMessage.withLock { $0 } }

    /// Writes a line to standard error.
    func message(_ text: String) {
        Self.lastMessage.withLock { $0 = text }
        state.withLock { state in
            erase(&state)
            say(text + "\n")
        }
    }

    func progress(_ progress: TrainingSnapshot) {
        guard showsProgress else { return }
        let now = now()
        state.withLock { state in
            guard now - state.lastDrawn >= interval else { return }
            state.lastDrawn = now
            guard redraws else {
                say(progress.line(width: 200) + "\n")
                return
            }
            state.isDrawn = true
            // In the last column a terminal may already begin a new line.
            say("\r\u{1B}[K" + progress.line(width: Self.width - 1))
        }
    }

    /// Takes the progress line away: before a prompt, and at the end.
    func clear() { state.withLock { erase(&$0) } }

    private func erase(_ state: inout State) {
        guard state.isDrawn else { return }
        say("\r\u{1B}[K")
        state.isDrawn = false
    }

    /// Writes past the buffers of C's streams, so that the two outputs keep their order where both go to one place. Returns 0,
    /// or the system's error number: the disk is full, or the reader has gone (`eoss run … | head`).
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Int32 { write(bytes: Array(text.utf8), to: descriptor) }

    private static func write(bytes: [UInt8], to descriptor: Int32) -> Int32 {
        if descriptor == STDOUT_FILENO { eoss_flush_output() }
        return bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while let base = rest.baseAddress, rest.count > 0 {
                let count = Foundation.write(descriptor, base, rest.count)
                if count < 0 {
                    let failure = errno
                    guard failure == EINTR || failure == EAGAIN else { return failure }
                    // Somebody has made the terminal non-blocking, and it is full.
                    usleep(1000)
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[max(0, count)...])
            }
            return 0
        }
    }

    /// A message as it may go to a terminal: what it repeats of a file, or of a script, shall not act there. Lines and tabs stay.
    static func harmless(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).printable }.joined(
                separator: "\t")
        }.joined(separator: "\n")
    }

    /// Columns of the terminal behind standard output, 80 where there is none.
    static var outputWidth: Int { size(of: STDOUT_FILENO).columns }

    private static var width: Int { size.columns }

    /// Columns and rows of the terminal behind standard error.
    static var size: (columns: Int, rows: Int) { size(of: STDERR_FILENO) }

    /// 80 by 24 where it does not say.
    private static func size(of descriptor: Int32) -> (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return (80, 24) }
        return (size.ws_col > 0 ? Int(size.ws_col) : 80, size.ws_row > 0 ? Int(size.ws_row) : 24)
    }
}
