import Experiments
import Foundation

/// A folder of run files.
public struct RunFolder: Sendable {
    public let url: URL

    public init(_ url: URL) { self.url = url }

    /// The run files in it, by name; not those of folders in it.
    /// - Parameter includesPoints: also those of the points of a sweep, which have folders of their own.
    /// - Throws: `RunFileError.cannotRead` where the folder cannot be read.
    public func files(includesPoints: Bool = false) throws -> [URL] {
        guard let folder = opendir(url.path) else {
            throw RunFileError.cannotRead(path: url.path, reason: String(cString: strerror(errno)))
        }
        closedir(folder)
        let all = try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)
        let isSweep = includesPoints && all.contains { $0.lastPathComponent == "sweep.json" }
        guard isSweep else { return Self.sorted(all) }
        let points = all.sorted { $0.path.localizedStandardCompare($1.path) == .orderedAscending }
        return Self.sorted(all) + points.flatMap { Self.sorted(Self.contents(of: $0)) }
    }

    private static func contents(of folder: URL) -> [URL] {
        (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    }

    private static func sorted(_ files: [URL]) -> [URL] {
        files.filter { $0.pathExtension == "eoss" }
            .map { (file: $0, name: $0.deletingPathExtension().lastPathComponent) }
            .sorted { $0.name.localizedStandardCompare($1.name) == .orderedAscending }
            .map(\.file)
    }

    /// Every run file in it, by name; one that cannot be read is there with the reason.
    /// - Throws: where the folder itself cannot be read.
    public func runs(includesPoints: Bool = false) throws -> [ListedRun] {
        Self.runs(try files(includesPoints: includesPoints))
    }

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
