import Experiments
import Foundation

/// One execution of one point, in this process: begins it, or goes on where it was.
public final class PointExecution {
    private let folder: SweepFolder
    private let point: Int
    private let lock: PointLock
    /// Where its output goes.
    public let directory: URL
    /// The run file that it goes on with; nil: it begins.
    public let resumed: URL?

    /// Nil where the point is over already.
    /// - Throws: ``SweepError`` for no such point, and for one that another process works at.
    public init?(_ folder: SweepFolder, point: Int) throws(SweepError) {
        guard folder.plan.points.indices.contains(point) else {
            throw SweepError(
                "the sweep in '\(folder.url.path)' has no point \(point): its points are 0 to \(folder.plan.points.count - 1)"
            )
        }
        (self.folder, self.point) = (folder, point)
        directory = folder.folder(of: point)
        guard mkdir(directory.path, 0o777) == 0 || errno == EEXIST else {
            throw SweepError("cannot make the folder '\(directory.path)': \(String(cString: strerror(errno)))")
        }
        guard folder.isOwn(directory, S_IFDIR) else {
            throw SweepError("'\(directory.path)' is no folder of the sweep's own: remove it, and begin again")
        }
        lock = try PointLock(folder.log(of: point))
        let outcome = directory.appendingPathComponent(SweepFolder.outcomeName)
        if let before = PointOutcome.read(outcome), before.state.isOver { return nil }
        unlink(outcome.path)
        Self.removeEmptyFiles(directory)
        resumed = folder.runFiles(of: point).first { $0.session != nil }?.url
        lock.takeOutput()
    }

    /// A process that is killed before its first commit leaves an empty file, and the run shall have its name.
    private static func removeEmptyFiles(_ directory: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        for name in names where name.hasSuffix(".eoss") {
            let path = directory.appendingPathComponent(name).path
            var status = stat()
            if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size == 0 { unlink(path) }
        }
    }

    /// What `eoss run` is called with, but for what the script may do.
    public var arguments: [String] {
        let settings = folder.plan.points[point].settings.flatMap { ["--set", "\($0.name)=\($0.value)"] }
        let resuming = resumed.map { ["--resume", $0.path] } ?? []
        return [folder.manifest.script, "--out", directory.path] + settings + resuming
    }

    /// Writes down how it ended.
    /// - Parameters:
    ///   - status: the exit status.
    ///   - message: what it said last.
    public func end(status: Int32, message: String?) {
        let outcome = folder.outcome(of: point, status: status, message: message)
        // Where that cannot be written the point counts as killed, and can go on.
        try? outcome.write(to: directory.appendingPathComponent(SweepFolder.outcomeName))
    }
}

extension SweepFolder {
    /// - Throws: ``SweepError`` where the script is not there, or is not the one that the sweep was begun with.
    public func checkScript() throws(SweepError) {
        let now = try Self.digest(of: manifest.script)
        guard now == manifest.sha256 else {
            throw SweepError(
                "the script '\(manifest.script.printable)' has changed since the sweep began: --force goes on with it as it is now, "
                    + "--out DIR begins another sweep")
        }
    }

    /// The SHA-256 of a script.
    public static func digest(of script: String) throws(SweepError) -> String {
        do {
            return RunScript(path: script, source: try SmallFile.contents(of: URL(fileURLWithPath: script))).sha256
        } catch { throw SweepError("cannot read the script '\(script.printable)': \(error)") }
    }
}
