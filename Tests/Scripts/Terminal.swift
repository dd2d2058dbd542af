import Foundation

/// The program at a terminal of its own, typed at by a test.
final class Terminal {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Longer than anything here takes on a busy machine: a test that waits so long has failed.
    private static let patience = 120.0

    /// TIOCSPTLCK, TIOCGPTN and POSIX_SPAWN_SETSID of <asm-generic/ioctls.h> and <spawn.h>.
    private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    private static let newSession: Int16 = 0x80

    private let master: Int32
    private let process: pid_t
    private var hasEnded = false
    /// What the program wrote, and how much of it was expected already.
    private var shown: [UInt8] = []
    private var seen = 0

    /// - Parameters:
    ///   - program: another one than eoss.
    ///   - size: columns, rows, and pixels across; by default the terminal does not tell.
    init(
        _ arguments: [String], program: String? = nil, environment given: [String: String] = [:],
        size: (columns: UInt16, rows: UInt16, pixels: UInt16)? = nil
    ) throws {
        // posix_openpt, unlockpt and ptsname, which Glibc's module does not show, as Linux does them.
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (unlocked, number): (Int32, UInt32) = (0, 0)
        guard master >= 0, ioctl(master, Self.setLock, &unlocked) == 0, ioctl(master, Self.getNumber, &number) == 0
        else { throw Failure(description: "no pseudo-terminal: \(String(cString: strerror(errno)))") }
        if let size {
            var window = winsize(
                ws_row: size.rows, ws_col: size.columns, ws_xpixel: size.pixels, ws_ypixel: size.pixels / 2)
            _ = ioctl(master, UInt(TIOCSWINSZ), &window)
        }
        let name = "/dev/pts/\(number)"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that the leader of a session opens is the one that its signals come from.
        posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Self.newSession)
        let environment = ProcessInfo.processInfo.environment.merging([
            "TERM": "xterm", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "NO_COLOR": "",
        ]) { $1 }.merging(given) { $1 }
        let path = program ?? EossProgram.executable.path
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var child: pid_t = 0
        let failed = posix_spawn(&child, path, &actions, &attributes, &words, &variables)
        guard failed == 0 else { throw Failure(description: "\(path): \(String(cString: strerror(failed)))") }
        process = child
    }

    deinit {
        close(master)
        // Its number may be another's by then.
        guard !hasEnded else { return }
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    /// Types keys: `\u{3}` is Ctrl-C.
    func type(_ keys: String) throws {
        let bytes = Array(keys.utf8)
        guard write(master, bytes, bytes.count) == bytes.count else { throw failure("cannot type '\(keys)'") }
    }

    /// Types a line and Enter.
    func enter(_ line: String) throws { try type(line + "\r") }

    /// Waits until the program has written this, after what was expected before.
    func expect(_ text: String) throws {
        let wanted = Array(text.utf8)
        let end = Date().addingTimeInterval(Self.patience)
        while true {
            if let place = firstPlace(of: wanted) {
                seen = place + wanted.count
                return
            }
            guard try read(until: end) else { throw failure("expected '\(text)'") }
        }
    }

    /// The text between two marks that the program writes.
    func text(between first: String, and last: String) throws -> String {
        try expect(first)
        let start = seen
        try expect(last)
        return String(decoding: shown[start..<seen - last.utf8.count], as: UTF8.self)
    }

    /// All that comes before a mark.
    func text(before mark: String) throws -> String {
        let start = seen
        try expect(mark)
        return String(decoding: shown[start..<seen - mark.utf8.count], as: UTF8.self)
    }

    /// Waits for the end of the program; its exit status, nil where a signal ended it.
    func end() throws -> Int32? {
        let end = Date().addingTimeInterval(Self.patience)
        while true {
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process {
                hasEnded = true
                return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
            }
            _ = try? read(until: Date().addingTimeInterval(0.05))
            if Date() > end { throw failure("the program did not end") }
        }
    }

    private func firstPlace(of wanted: [UInt8]) -> Int? {
        guard shown.count - seen >= wanted.count else { return nil }
        return (seen...(shown.count - wanted.count)).first { shown[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }

    /// False where nothing came until then; throws where the program has gone.
    private func read(until end: Date) throws -> Bool {
        let milliseconds = Int32(max(0, min(end.timeIntervalSinceNow, 1000) * 1000))
        var ready = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, milliseconds) > 0 else { return end.timeIntervalSinceNow > 0 }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Foundation.read(master, &bytes, bytes.count)
        guard count > 0 else { throw failure("the program has gone") }
        shown += bytes[..<count]
        return true
    }

    private func failure(_ message: String) -> Failure {
        let last = String(decoding: shown.suffix(1500), as: UTF8.self)
        return Failure(description: "\(message); the terminal shows: …\(last.debugDescription)")
    }
}
