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
        let points = all.sorted { NameOrder.precedes($0.path, $1.path) }
        return Self.sorted(all) + points.flatMap { Self.sorted(Self.contents(of: $0)) }
    }

    /// Folders inside of folders that are looked at: those of sweeps, and of their points.
    public static let depth = 2
    /// Of a folder of a stranger no more folders are looked at than this; a sweep has 10,000 points at most.
    private static let mostFolders = 20_000

    /// Its run files, and those of the folders in it. A folder that is a link, or hidden, is none of them.
    /// - Returns: each with its name in here, without its ending: `sweep/lr=0.1/net`.
    /// - Throws: `RunFileError.cannotRead` where the folder cannot be read; those in it that cannot are empty.
    public func filesBelow() throws -> [(file: URL, name: String)] {
        guard var found = Self.entries(of: url.path) else {
            throw RunFileError.cannotRead(path: url.path, reason: String(cString: strerror(errno)))
        }
        var (files, level, looked) = (found.files, found.folders, 0)
        for _ in 0..<Self.depth {
            var next: [String] = []
            for folder in level where looked < Self.mostFolders {
                looked += 1
                found = Self.entries(of: "\(url.path)/\(folder)") ?? ([], [])
                files += found.files.map { "\(folder)/\($0)" }
                next += found.folders.map { "\(folder)/\($0)" }
            }
            level = next
        }
        let ending = ".eoss"
        return files.map { (url.appendingPathComponent($0, isDirectory: false), String($0.dropLast(ending.count))) }
    }

    /// The names of run files and of folders; nil where it cannot be read.
    private static func entries(of path: String) -> (files: [String], folders: [String])? {
        guard let stream = opendir(path) else { return nil }
        defer { closedir(stream) }
        var (files, folders): ([String], [String]) = ([], [])
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let name, !name.hasPrefix(".") else { continue }
            if name.hasSuffix(".eoss") {
                files.append(name)
            } else if isFolder(entry.pointee, name, in: path) {
                folders.append(name)
            }
        }
        return (files, folders)
    }

    private static func isFolder(_ entry: dirent, _ name: String, in path: String) -> Bool {
        if Int(entry.d_type) != Int(DT_UNKNOWN) { return Int(entry.d_type) == Int(DT_DIR) }
        var status = stat()
        return lstat("\(path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func contents(of folder: URL) -> [URL] {
        (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    }

    private static func sorted(_ files: [URL]) -> [URL] {
        files.filter { $0.pathExtension == "eoss" }
            .map { (file: $0, name: $0.deletingPathExtension().lastPathComponent) }
            .sorted { NameOrder.precedes($0.name, $1.name) }
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
