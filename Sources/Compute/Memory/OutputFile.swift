import Foundation

/// Why a file could not be written, with its path and the system's reason.
public struct OutputFileError: Error, Hashable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public init(path: String, reason: String) {
        (self.path, self.reason) = (path, reason)
    }

    public var description: String { "cannot write \(path): \(reason)" }
}

/// Writes whole files: a reader finds what was there before or all of the new contents, also after a crash or a full disk.
public enum OutputFile {
    /// Writes the bytes to a new file beside `path`, forces them to the disk and gives the file its name. An existing file
    /// is replaced.
    /// - Throws: `OutputFileError`, also for a place that ``check(_:)`` refuses; what was at `path` is then untouched, and
    ///   nothing is left beside it.
    public static func write(_ data: Data, to path: String) throws(OutputFileError) {
        func failure() -> OutputFileError { OutputFileError(path: path, reason: String(cString: strerror(errno))) }
        try check(path)
        guard let (descriptor, temporary) = makeFile(beside: path) else { throw failure() }
        do throws(OutputFileError) {
            guard writeAll(data, to: descriptor), fchmod(descriptor, sharedMode) == 0, fsync(descriptor) == 0 else {
                throw failure()
            }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        guard close(descriptor) == 0, rename(temporary, path) == 0 else {
            let error = failure()
            unlink(temporary)
            throw error
        }
    }

    /// A new file beside `path`, in which what is to have that name is written first; nil, with the reason in `errno`, where there can be
    /// none. Only its owner can read it.
    package static func makeFile(beside path: String) -> (descriptor: Int32, path: String)? {
        var template = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { return nil }
        return (descriptor, String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// What a finished file is allowed, for a result is for sharing: as the user's umask has it.
    package static var sharedMode: mode_t {
        let mask = umask(0)
        umask(mask)
        return 0o666 & ~mask
    }

    /// Refuses a place that no output may take: a folder or a device, and a run file under any name that leads to it. Asked
    /// before a long computation, it spares its loss.
    ///
    /// A run file is an SQLite database, and is known as one by its first bytes; what this process has open itself is
    /// known by ``ProtectedFiles``, since opening and closing it here would drop the locks that SQLite holds on it.
    /// Names that end in `.eoss`, or in the endings of the files that stand beside a run file, are kept for runs.
    public static func check(_ path: String) throws(OutputFileError) {
        func refuse(_ reason: String) -> OutputFileError { OutputFileError(path: path, reason: reason) }
        if (path as NSString).pathExtension.lowercased().hasPrefix("eoss") {
            throw refuse("names in .eoss are kept for run files, which runs alone write; choose another name")
        }
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw refuse("it is a folder")
        default: throw refuse("it is a device or a pipe, not a file")
        }
        let runFile = "it is a run file or another SQLite database, which no output replaces; choose another name"
        if ProtectedFiles.shared.contains(FileIdentity(status)) { throw refuse(runFile) }
        let magic = Array("SQLite format 3\0".utf8)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw refuse("what is there cannot be looked at before it is replaced: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var start = [UInt8](repeating: 0, count: magic.count)
        if pread(descriptor, &start, magic.count, 0) == magic.count, start == magic { throw refuse(runFile) }
    }

    /// False, with the reason in `errno`, when not all bytes could be written.
    static func writeAll(_ data: Data, to descriptor: Int32) -> Bool {
        data.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let wrote = Foundation.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                if wrote < 0 && errno == EINTR { continue }
                guard wrote > 0 else { return false }
                done += wrote
            }
            return true
        }
    }
}
