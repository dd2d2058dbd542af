import Datasets
import Experiments
import Foundation

/// What a run file holds of the program that made it: the script, its modules, its parameters, and data that travel inside.
///
/// The file may be a stranger's. Texts are taken as they are, for the sandbox will run them; what they are called is checked.
public struct ScriptArchive: Sendable {
    /// The run file.
    public let url: URL
    /// The script, called by the last part of its path.
    public let script: RunScript
    /// The modules that it required, by paths below the script's folder; `stdlib/…` for those of the program.
    public let modules: [RunScript]
    /// The parameters of the experiment as they were.
    public let parameters: [String: JSONValue]
    /// Data that travel inside, by the paths by which the script reads them.
    public let data: [String: RunData]
    /// The files that the script read.
    public let files: [FileRead]
    /// The name that the script gave the run of this file, and the name and the digest of the run's data.
    public let run: String
    public let dataName: String?
    public let digest: String?

    /// A file that a script read.
    public struct FileRead: Sendable, Hashable {
        /// As the script named it.
        public var path: String
        public var sha256: String
        public var bytes: Int

        public init(path: String, sha256: String, bytes: Int) {
            (self.path, self.sha256, self.bytes) = (path, sha256, bytes)
        }

        /// For a message: what must be where.
        public var words: String { "'\(path.printable)' (\(bytes) bytes, SHA-256 \(sha256.printable))" }
    }

    /// Bytes of a script, and of each of its modules: texts that a person wrote.
    public static let longestScript = 64 << 20
    /// Bytes of all data that travel inside.
    public static let mostData = 1 << 30

    /// - Throws: `RunFileError` for a file that cannot be read, and where script or modules are not what they should be.
    public init(_ reader: RunFileReader) throws {
        url = reader.url
        let path = reader.url.path
        let scripts = try reader.scripts()
        guard let first = scripts.first else { throw RunFileError.missing(path: path, what: "script") }
        for script in scripts {
            let name = script.path.printable
            guard script.source.count <= Self.longestScript else {
                throw RunFileError.damaged(
                    path: path, reason: "'\(name)' is longer than \(Self.longestScript >> 20) MiB")
            }
            guard script.source.first != 0x1B else {
                throw RunFileError.damaged(
                    path: path, reason: "'\(name)' is compiled Lua, which may do anything: scripts are text")
            }
            guard script.sha256 == RunScript(path: script.path, source: script.source).sha256 else {
                throw RunFileError.damaged(path: path, reason: "the text of '\(name)' is not the one of its digest")
            }
        }
        let name = (first.path as NSString).lastPathComponent
        guard Self.isPlainPath(name) else {
            throw RunFileError.damaged(path: path, reason: "its script is called '\(first.path.printable)'")
        }
        script = RunScript(path: name, source: first.source)
        modules = Array(scripts.dropFirst())
        if let odd = modules.first(where: { !Self.isPlainPath($0.path) }) {
            throw RunFileError.damaged(
                path: path,
                reason: "a module is called '\(odd.path.printable)', which is no path below the script's folder")
        }
        parameters = try reader.parameters()
        let inside = try reader.data(limit: Self.mostData)
        data = Dictionary(inside.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let events = try reader.events()
        files = events.filter { $0.kind == FileRead.eventKind }.compactMap { FileRead($0.data) }
        run = reader.givenName
        let ofData = events.last { $0.kind == "data" }?.data
        func text(_ key: String) -> String? { if case .string(let text)? = ofData?[key] { text } else { nil } }
        (dataName, digest) = (text("name"), text("digest"))
    }

    /// What its run's data are, where they are images that everybody has to get for themselves.
    public var images: ImageFacts? { ImageFacts.all.first { $0.name == dataName } }

    /// The module that `require(name)` means, as it was.
    public func module(_ name: String) -> RunScript? {
        let path = name.replacing(".", with: "/")
        for candidate in ["\(path).lua", "\(path)/init.lua", "stdlib/\(name).lua"] {
            if let module = modules.first(where: { $0.path == candidate }) { return module }
        }
        return nil
    }

    /// Whether a path names a run file, by its ending or its first bytes, rather than a script.
    public static func isRunFile(_ path: String) -> Bool {
        if (path as NSString).pathExtension == "eoss" { return true }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let handle = FileHandle(forReadingAtPath: path)
        else { return false }
        return (try? handle.read(upToCount: 16)) == Data("SQLite format 3\0".utf8)
    }

    /// Whether it names a file below a folder and nothing else: no absolute path, no `..`, no hidden file, no control character.
    static func isPlainPath(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return path == path.printable && path.utf8.count <= 1000
            && parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && $0.utf8.count <= 200 }
    }
}

extension ScriptArchive.FileRead {
    /// The kind of the event that says which file a script read.
    public static let eventKind = "read"

    /// Of a file on the disk.
    /// - Throws: where it cannot be read.
    public init(path: String, file: String) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file), options: .mappedIfSafe)
        self.init(path: path, sha256: bytes.sha256, bytes: bytes.count)
    }

    /// From an event's data, which may be anything.
    init?(_ data: [String: JSONValue]?) {
        guard case .string(let path)? = data?["path"], case .string(let digest)? = data?["sha256"],
            case .integer(let bytes)? = data?["bytes"]
        else { return nil }
        self.init(path: path, sha256: digest, bytes: bytes)
    }

    /// The event's data.
    public var data: [String: JSONValue] {
        ["path": .string(path), "sha256": .string(sha256), "bytes": .integer(bytes)]
    }
}
