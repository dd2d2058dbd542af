import Experiments
import Foundation

/// A folder of run files.
public struct RunFolder: Sendable {
    public let url: URL

    public init(_ url: URL) { self.url = url }

    /// The run files in it, by name; not those of folders in it.
    /// - Throws: `RunFileError.cannotRead` where the folder cannot be read.
    public func files() throws -> [URL] {
        guard let folder = opendir(url.path) else {
            throw RunFileError.cannotRead(path: url.path, reason: String(cString: strerror(errno)))
        }
        closedir(folder)
        return try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "eoss" }
            .map { (file: $0, name: $0.deletingPathExtension().lastPathComponent) }
            .sorted { $0.name.localizedStandardCompare($1.name) == .orderedAscending }
            .map(\.file)
    }

    /// Every run file in it, by name; one that cannot be read is there with the reason.
    /// - Throws: where the folder itself cannot be read.
    public func runs() throws -> [ListedRun] { Self.runs(try files()) }

    /// The same of any files. Several are read at a time.
    public static func runs(_ files: [URL]) -> [ListedRun] {
        let found = Gathered(count: files.count)
        DispatchQueue.concurrentPerform(iterations: files.count) { found.set(ListedRun(files[$0]), at: $0) }
        return found.all
    }
}

/// What several threads have found, in order.
private final class Gathered: @unchecked Sendable {
    // @unchecked: each use is under the lock.
    private let lock = NSLock()
    private var runs: [ListedRun?]

    init(count: Int) { runs = Array(repeating: nil, count: count) }

    func set(_ run: ListedRun, at place: Int) { lock.withLock { runs[place] = run } }

    var all: [ListedRun] { lock.withLock { runs.compactMap { $0 } } }
}
