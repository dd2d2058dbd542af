import Foundation

/// Whoever works at a point holds a lock on its log, so that no other process does the same work into the same files. It ends with
/// its process, however that ends, and is seen by other machines where the folder's file system has locks for them.
final class PointLock {
    private let descriptor: Int32

    /// Opens the log, to write at its end, and locks it. A link is none: a folder may come from a stranger.
    /// - Throws: ``SweepError`` where another process has the lock, or the file cannot be made.
    init(_ log: URL) throws(SweepError) {
        descriptor = open(log.path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw SweepError("cannot write '\(log.path)': \(String(cString: strerror(errno)))")
        }
        var whole = Self.wholeFile
        guard fcntl(descriptor, F_SETLK, &whole) == 0 else {
            let number = errno
            close(descriptor)
            guard number == EACCES || number == EAGAIN else {
                throw SweepError("cannot lock '\(log.path)': \(String(cString: strerror(number)))")
            }
            throw SweepError(
                "another process works at '\(log.deletingLastPathComponent().path)': wait for it, or end it first")
        }
    }

    deinit { close(descriptor) }

    /// Gives standard output and standard error to the log.
    func takeOutput() {
        dup2(descriptor, STDOUT_FILENO)
        dup2(descriptor, STDERR_FILENO)
    }

    /// Whether another process than this one has the lock.
    static func isHeld(_ log: URL) -> Bool {
        let descriptor = open(log.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var whole = wholeFile
        return fcntl(descriptor, F_GETLK, &whole) == 0 && whole.l_type != Int16(F_UNLCK)
    }

    private static var wholeFile: flock {
        flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    }
}
