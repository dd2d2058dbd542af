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
    /// - Throws: `OutputFileError`; what was at `path` is then untouched, and nothing is left beside it.
    public static func write(_ data: Data, to path: String) throws(OutputFileError) {
        func failure() -> OutputFileError { OutputFileError(path: path, reason: String(cString: strerror(errno))) }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw OutputFileError(path: path, reason: "it is a folder")
        }
        var template = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw failure() }
        let temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do throws(OutputFileError) {
            guard writeAll(data, to: descriptor) else { throw failure() }
            // mkstemp lets nobody else read; a result is for sharing, as the user's umask allows.
            let mask = umask(0)
            umask(mask)
            guard fchmod(descriptor, 0o666 & ~mask) == 0, fsync(descriptor) == 0 else { throw failure() }
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
