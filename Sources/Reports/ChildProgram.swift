import Foundation

/// A program that is run to its end, with three streams and no other descriptor of ours.
///
/// (Foundation's `Process` fails under a low limit of open files, with "Bad file descriptor", and needs a thread and sockets.)
package struct ChildProgram {
    package enum Failure: Error {
        /// The system's error number.
        case notStarted(Int32)
        case tooSlow
    }

    var path: String
    var arguments: [String]
    /// `NAME=value`.
    var environment: [String]
    /// The descriptors of its standard input, output and error. Those of this process are closed in it as they say themselves
    /// (`O_CLOEXEC`).
    var streams: [Int32]

    package init(path: String, arguments: [String], environment: [String], streams: [Int32]) {
        (self.path, self.arguments, self.environment, self.streams) = (path, arguments, environment, streams)
    }

    /// Returns its exit status, or the number of the signal that ended it.
    /// - Throws: ``Failure/tooSlow`` after `timeout` seconds; it is then ended.
    func run(timeout: Double) throws(Failure) -> Int32 {
        let child = try start()
        let deadline = DispatchTime.now() + timeout
        var status: Int32 = 0
        var pause: UInt32 = 1000
        while waitpid(child, &status, WNOHANG) != child {
            guard DispatchTime.now() < deadline else {
                kill(child, SIGKILL)
                while waitpid(child, &status, 0) < 0 && errno == EINTR {}
                throw .tooSlow
            }
            usleep(pause)
            pause = min(2 * pause, 10_000)
        }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : signal
    }

    /// A pipe for this process and those alone that get an end of it as one of their streams. Nil where the system has none left.
    package static func openPipe() -> (reading: Int32, writing: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Starts it; whoever does waits for it.
    package func start() throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (standard, stream) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, stream, Int32(standard))
        }
        // A group of its own: Ctrl-C is for this program, which ends the other when it wants to.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        posix_spawnattr_setsigmask(&attributes, &unblocked)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var child = pid_t()
        var code = posix_spawn(&child, path, &actions, &attributes, words, variables)
        // A program that was just written is busy while a process that another thread starts still has it open.
        for _ in 0..<50 where code == ETXTBSY {
            usleep(10_000)
            code = posix_spawn(&child, path, &actions, &attributes, words, variables)
        }
        guard code == 0 else { throw .notStarted(code) }
        return child
    }
}
