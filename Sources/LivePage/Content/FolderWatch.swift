import Experiments
import Foundation
import RunFiles

/// The list of the runs in a folder and in those inside of it. A file is read again when it has changed, and while its process lives.
final class FolderWatch: @unchecked Sendable {
    // @unchecked: everything but `folder` is used on the reading thread alone.

    /// Files that are shown at most, the newest.
    static let rowLimit = 2000
    /// Values of a run's sparkline, and series whose last value is shown.
    private static let (sparkLength, lastLimit) = (60, 6)

    let folder: URL
    private let thread: ReadingThread
    private var limit: LookLimit
    private var rows: [String: Row] = [:]
    private var version = 0
    /// Rows that have gone, with the version since when, of the last versions.
    private var gone: [(version: Int, name: String)] = []
    private var goneSince = 0
    private var failure: String?
    private var whole: (version: Int, text: String)?

    private struct Row {
        var stamp: FileStamp?
        var isLive: Bool
        var text: String
        var version: Int
    }

    init(_ folder: URL, on thread: ReadingThread, every interval: Double = 1) {
        (self.folder, self.thread) = (folder, thread)
        limit = LookLimit(every: interval)
    }

    /// What has happened since a version, nil for nothing; with no version, everything.
    func message(after seen: Int?) async -> PageMessage? {
        await thread.run { [self] in
            if limit.isDue() { look() }
            if seen == version { return nil }
            return PageMessage(version: version, parts: [text(after: seen)])
        }
    }

    private func text(after seen: Int?) -> String {
        let isFull = seen.map { $0 < goneSince } ?? true
        if isFull, let whole, whole.version == version { return whole.text }
        let since = isFull ? -1 : seen ?? -1
        let changed = rows.values.filter { $0.version > since }.map(\.text).joined(separator: ",")
        let names = isFull ? [] : gone.filter { $0.version > since }.map { JSONValue.string($0.name) }
        let text = """
            {"version":\(version),"full":\(isFull),"folder":\(JSONValue.string(folder.lastPathComponent.short(200)).line),\
            "error":\(failure.map { JSONValue.string($0.short(400)).line } ?? "null"),"runs":[\(changed)],\
            "gone":\(JSONValue.array(names).line)}
            """
        if isFull { whole = (version, text) }
        return text
    }

    private func look() {
        do {
            update(try RunFolder(folder).filesBelow())
            tell(nil)
        } catch {
            tell((error as? RunFileError)?.reason ?? error.localizedDescription)
        }
    }

    private func tell(_ failure: String?) {
        if failure == self.failure { return }
        (self.failure, version) = (failure, version + 1)
    }

    private func update(_ files: [(file: URL, name: String)]) {
        var found: [(file: URL, name: String, stamp: FileStamp?)] = files.map {
            ($0.file, $0.name, FileStamp($0.file.path))
        }
        if found.count > Self.rowLimit {
            found.sort { ($0.stamp?.modified ?? []).lexicographicallyPrecedes($1.stamp?.modified ?? []) }
            found = found.suffix(Self.rowLimit)
        }
        let stale = found.filter { entry in
            rows[entry.name].map { $0.isLive || $0.stamp != entry.stamp } ?? true
        }
        let names = Set(found.map(\.name))
        let lost = rows.keys.filter { !names.contains($0) }
        var hasChanged = !lost.isEmpty
        for entry in stale {
            // Another program has the file for itself for a moment: what is known stays.
            guard
                let row = Self.row(of: entry.file, entry.name, in: folder)
                    ?? (rows[entry.name] == nil ? Self.unreadable(entry.name) : nil)
            else { continue }
            let isNews = rows[entry.name]?.text != row.text
            let since = isNews ? version + 1 : rows[entry.name]?.version ?? version + 1
            rows[entry.name] = Row(stamp: entry.stamp, isLive: row.isLive, text: row.text, version: since)
            hasChanged = hasChanged || isNews
        }
        guard hasChanged else { return }
        version += 1
        for name in lost {
            rows[name] = nil
            gone.append((version, name))
        }
        if gone.count > 1000 {
            goneSince = gone[gone.count - 501].version
            gone.removeFirst(gone.count - 500)
        }
    }

    // MARK: - A row

    /// Nil where another program has the file for itself.
    private static func row(of file: URL, _ name: String, in folder: URL) -> (isLive: Bool, text: String)? {
        do throws(RunFileError) {
            guard PageLibrary.isInside(file, folder) else {
                throw .cannotRead(path: file.path, reason: "it is a link that leads out of the folder")
            }
            let reader = try RunFileReader(file, patience: 0.2)
            let overview = try reader.overview(last: sparkLength)
            let summary = RunSummary(reader, overview)
            return (summary.status?.isAlive ?? false, text(name, summary, overview))
        } catch {
            if case .locked = error { return nil }
            return (false, text(name, error.reason))
        }
    }

    private static func unreadable(_ name: String) -> (isLive: Bool, text: String) {
        // Live: it is looked at again.
        (true, text(name, "cannot be read: another program has it for itself"))
    }

    private static func text(_ name: String, _ reason: String) -> String {
        JSONValue.object(["name": .string(name), "error": .string(reason.short(400))]).line
    }

    private static func text(_ name: String, _ summary: RunSummary, _ overview: RunOverview) -> String {
        var fields = summary.json
        (fields["parameters"], fields["parent"]) = (nil, nil)
        fields["name"] = .string(name)
        for key in ["run", "script", "alert"] {
            if case .string(let text)? = fields[key] { fields[key] = .string(text.short(200)) }
        }
        fields["last"] = .array(
            summary.last.prefix(lastLimit).map { .array([.string($0.name.short(80)), $0.value.shortJSON]) })
        let named = overview.series.filter { !$0.tail.isEmpty }
        let headline =
            named.first { $0.name == "loss" } ?? named.first { $0.name.hasSuffix("_loss") } ?? named.first
        fields["spark"] = .array(headline?.tail.map { .number($0.value) } ?? [])
        return JSONValue.object(fields).line
    }
}
