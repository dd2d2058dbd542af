import Experiments
import Foundation

/// The folder of a sweep: its manifest, and a folder for each point, with the point's run files, figures and log.
public struct SweepFolder: Sendable {
    public let url: URL
    public private(set) var manifest: SweepManifest
    public let plan: SweepPlan

    /// In a sweep's folder.
    static let manifestName = "sweep.json"
    /// In a point's folder: what its scripts print and what is said of them.
    static let logName = "log.txt"
    /// In a point's folder: how its last execution ended.
    static let outcomeName = "outcome.json"

    /// Begins a sweep in a folder, which is made if need be.
    /// - Throws: ``SweepError`` where that cannot be done: there is a sweep already, or a folder that one of its points would have.
    public init(beginning manifest: SweepManifest, at url: URL) throws(SweepError) {
        plan = try manifest.plan()
        self.url = url.standardizedFileURL
        self.manifest = manifest
        let path = self.url.path
        try Self.checkIsFree(self.url)
        let failure = RunFileName.makeFolder(path)
        guard failure == 0 else {
            throw SweepError(
                "cannot make the folder '\(path)': \(String(cString: strerror(failure))); choose another with --out DIR"
            )
        }
        if let taken = plan.names.first(where: { access("\(path)/\($0)", F_OK) == 0 }) {
            throw SweepError("'\(path)' has a '\(taken)' already, of no sweep: choose another folder with --out DIR")
        }
        let file = self.url.appendingPathComponent(Self.manifestName).path
        // Of two sweeps that begin at the same moment one finds the other's.
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            if errno == EEXIST { throw Self.taken(path) }
            throw SweepError("cannot write '\(file)': \(String(cString: strerror(errno)))")
        }
        close(descriptor)
        do {
            try write()
        } catch {
            unlink(file)
            throw error
        }
    }

    /// - Throws: ``SweepError`` where a folder has a sweep.
    public static func checkIsFree(_ url: URL) throws(SweepError) {
        let url = url.standardizedFileURL
        if access(url.appendingPathComponent(manifestName).path, F_OK) == 0 { throw taken(url.path) }
    }

    private static func taken(_ path: String) -> SweepError {
        SweepError(
            "there is a sweep in '\(path)' already: --resume goes on with it, --out DIR begins another one elsewhere")
    }

    /// Opens the folder of a sweep that was begun.
    /// - Throws: ``SweepError`` where there is none, or it is damaged.
    public init(opening url: URL) throws(SweepError) {
        self.url = url.standardizedFileURL
        let file = self.url.appendingPathComponent(Self.manifestName)
        guard access(file.path, F_OK) == 0 else {
            throw SweepError("there is no sweep in '\(self.url.path)': it has no \(Self.manifestName)")
        }
        let json: Data
        do { json = try SmallFile.contents(of: file) } catch {
            throw SweepError("cannot read '\(file.path)': \(error)")
        }
        manifest = try SweepManifest(json: json, path: file.path)
        do { plan = try manifest.plan() } catch {
            throw SweepError("'\(file.path)' does not describe a sweep: \(error.description)")
        }
    }

    /// Changes the manifest, in the file too.
    public mutating func change(_ change: (inout SweepManifest) -> Void) throws(SweepError) {
        change(&manifest)
        try write()
    }

    /// Its old text or its new one is there at any moment.
    private func write() throws(SweepError) {
        let file = url.appendingPathComponent(Self.manifestName)
        do { try manifest.json().write(to: file, options: .atomic) } catch {
            throw SweepError("cannot write '\(file.path)': \(words(for: error))")
        }
    }

    /// The folder of a point, which is there once it has begun.
    public func folder(of point: Int) -> URL { url.appendingPathComponent(plan.names[point]) }

    public func log(of point: Int) -> URL { folder(of: point).appendingPathComponent(Self.logName) }

    /// Whether there is a file of this kind, and no link that leads elsewhere: a folder may come from a stranger.
    func isOwn(_ url: URL, _ kind: mode_t) -> Bool {
        var status = stat()
        return lstat(url.path, &status) == 0 && status.st_mode & S_IFMT == kind
    }

    /// Run files of a point that can be read, the first made first; what cannot be read is none.
    func runFiles(of point: Int) -> [RunFileReader] {
        let folder = folder(of: point)
        guard isOwn(folder, S_IFDIR) else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".eoss") }.sorted()
            .map { folder.appendingPathComponent($0) }.filter { isOwn($0, S_IFREG) }
            .compactMap { try? RunFile.open($0) }
            .sorted { ($0.created, $0.url.path) < ($1.created, $1.url.path) }
    }
}
