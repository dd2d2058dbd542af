import Foundation
import RunFiles

/// A script as it was read: a file, or what comes through a pipe or standard input.
struct ScriptFile {
    /// What messages and run files call it: its path, `stdin` for standard input.
    let name: String
    let bytes: Data
    /// Where `require` looks for modules, and `eoss.arrays.load` for files: the folder of the script, of the real one where the
    /// path is a symbolic link; the working directory for one that is no file.
    let folder: String
    /// Whether another process can read the same again.
    let isPlain: Bool

    /// A script is text that a person wrote; a pipe that never ends shall not fill the memory.
    private static let longest = 64 << 20

    /// The script in a run file; it reads files of the folder where that lies.
    init(_ archive: ScriptArchive) {
        (name, bytes) = (archive.script.path, archive.script.source)
        folder = archive.url.resolvingSymlinksInPath().deletingLastPathComponent().path
        isPlain = true
    }

    /// Reads the script to its end.
    /// - Throws: `ScriptFailure.failed` with the reason.
    init(_ file: URL) throws {
        let path = file.path
        let number = Self.descriptorNumber(path)
        name = number == STDIN_FILENO ? "stdin" : ScriptHost.shortPath(file)
        // What is open already is read where it stands: a socket or another user's terminal cannot be opened again.
        let descriptor = number.map { fcntl($0, F_DUPFD_CLOEXEC, 0) } ?? open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(name, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(name, errno) }
        bytes = try Self.read(descriptor, name)
        isPlain = status.st_mode & S_IFMT == S_IFREG && number == nil
        folder =
            isPlain
            ? file.resolvingSymlinksInPath().deletingLastPathComponent().path
            : FileManager.default.currentDirectoryPath
    }

    /// The descriptor that a path such as `/dev/stdin` or, from a shell's `<(…)`, `/dev/fd/63` stands for.
    private static func descriptorNumber(_ path: String) -> Int32? {
        if path == "/dev/stdin" { return STDIN_FILENO }
        for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
            return Int32(path.dropFirst(folder.count))
        }
        return nil
    }

    private static func read(_ descriptor: Int32, _ name: String) throws -> Data {
        var bytes = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Foundation.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(name, errno)
            }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= longest else {
                throw ScriptFailure.failed("cannot read the script '\(name)': it is longer than \(longest >> 20) MiB")
            }
        }
    }

    private static func failure(_ name: String, _ number: Int32) -> ScriptFailure {
        let reason =
            switch number {
            case ENOENT: "there is no such file"
            case EISDIR: "it is a folder"
            case EACCES: "permission denied"
            default: String(cString: strerror(number))
            }
        return .failed("cannot read the script '\(name)': \(reason)")
    }
}
