import Compute
import Foundation

/// The one file that a run lives in while it is being made: an SQLite database with the script, the parameters, the
/// environment and every measurement.
///
/// Recording puts the value into a bounded queue (well under a microsecond; it waits only when the disk cannot keep up)
/// and a thread commits within a second. A process that is killed loses at most what came after the last commit. Any thread
/// may use it. A file that is let go without ``close()`` still writes what it was given.
///
/// While another program holds a lock on the file (a reader in the middle of a query is enough), commits go to a spill file
/// beside it, `name.eoss-spill`, and into the file when the lock is gone; if the process has ended by then, when the file is
/// next opened.
///
/// After a failed commit (a full disk) every call throws that failure, until ``commit()`` or ``close()``, which try
/// again, succeed. Nothing that was recorded before the failure is lost meanwhile.
public final class RunFile: Sendable {
    /// Where the file is.
    public let url: URL
    /// The name of the run: the file's name without `.eoss`, `lr-switch-2` where `lr-switch` was taken.
    public let name: String
    public let header: RunHeader

    let writer: RunFileWriter
    /// The file itself, which no figure or saved array may replace while the run lives.
    private let identity: FileIdentity?

    /// The largest text or blob that SQLite, as Debian builds it, holds in one value, less a margin for the row's rest.
    static let largestBlob = 1_000_000_000 - 4096

    /// Makes a run file called `name.eoss` in `directory`, or `name-2.eoss`, `name-3.eoss`, … when that is taken; makes the
    /// folder if need be. No existing file is touched, whatever other processes do at the same time.
    ///
    /// `warn` is told, on a thread of its own, when another program has a lock on the file, seldom while it has, and when it
    /// lets go.
    public static func create(
        name: String, in directory: URL, header: RunHeader = RunHeader(),
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(RunFileError) -> RunFile {
        try RunFile(name: name, directory: directory, header: header, limits: RunFileWriter.Limits(), warn: warn)
    }

    /// Throws where a run of this name could not have a file, before it comes to that.
    public static func check(name: String) throws(RunFileError) { try RunFileName.check(name) }

    init(
        name: String, directory: URL, header: RunHeader, limits: RunFileWriter.Limits,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(RunFileError) {
        let (path, freeName) = try RunFileName.take(name, in: directory)
        self.url = URL(fileURLWithPath: path)
        self.name = freeName
        self.header = header
        do {
            let store = try RunFileStore(
                creatingAt: path, name: freeName, given: name, header: header, patience: limits.patience)
            writer = RunFileWriter(store, limits: limits, warn: warn)
        } catch {
            unlink(path)
            switch RunFileError.writing(path, error) {
            case .diskFull: throw .cannotCreate(path: path, reason: "the disk is full")
            case .cannotWrite(_, let reason), .damaged(_, let reason): throw .cannotCreate(path: path, reason: reason)
            case let other: throw other
            }
        }
        identity = FileIdentity(path: path)
        if let identity { ProtectedFiles.shared.insert(identity) }
        OpenRunFiles.shared.add(self)
    }

    /// Opens the file of a run that has ended, to go on with it: what is measured again takes the place of what it has.
    /// ``cut(after:)`` removes what lies behind the step that it goes on from.
    ///
    /// - Throws: ``RunFileError/inUse(path:process:)`` where a process still writes to it, ``RunFileError/olderFormat(path:version:)``
    ///   for a file that knows no checkpoints of this kind.
    public static func reopen(
        _ url: URL, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(RunFileError) -> RunFile {
        try RunFile(reopening: RunFileReader(url), limits: RunFileWriter.Limits(), warn: warn)
    }

    init(
        reopening reader: RunFileReader, limits: RunFileWriter.Limits,
        warn: @escaping @Sendable (String) -> Void
    ) throws(RunFileError) {
        (url, name) = (reader.url, reader.name)
        let path = reader.url.path
        guard reader.version == RunSchema.version, let status = try reader.status() else {
            throw .olderFormat(path: path, version: Int(reader.version))
        }
        if status.isAlive { throw .inUse(path: path, process: Int(status.process.number), host: status.process.host) }
        if let reason = reader.spillLeft { throw .cannotWrite(path: path, reason: reason) }
        header = RunHeader(
            uuid: reader.uuid, session: reader.session ?? reader.uuid, created: reader.created, parent: reader.parent,
            environment: try reader.environment())
        let names = try reader.seriesNames()
        do {
            let store = try RunFileStore(reopening: reader, header: header, patience: limits.patience)
            writer = RunFileWriter(
                store, limits: limits, series: names, status: RunFileWriter.Status(step: status.step), warn: warn)
        } catch { throw RunFileError.writing(path, error) }
        identity = FileIdentity(path: path)
        if let identity { ProtectedFiles.shared.insert(identity) }
        OpenRunFiles.shared.add(self)
    }

    deinit {
        if let identity { ProtectedFiles.shared.remove(identity) }
        if writer.hasEnded { return }
        writer.abandon()
        OpenRunFiles.shared.add(ending: writer)
    }

    /// Records a value of a series at a step.
    public func record(
        _ series: String, step: Int, value: Double, standardError: Double? = nil, samples: Int? = nil,
        products: Int? = nil, residual: Double? = nil, seconds: Double? = nil
    ) throws {
        try writer.record(
            series,
            Measurement(
                step: step, value: value, standardError: standardError, samples: samples, products: products,
                residual: residual, seconds: seconds))
    }

    /// Records a measurement of a series.
    ///
    /// - Throws: ``RunFileError/tooLarge(what:bytes:limit:)`` for a list of more than 125 million numbers.
    public func record(_ series: String, _ measurement: Measurement) throws {
        if let arrays = measurement.arrays {
            for (name, numbers) in arrays where numbers.count > Self.largestBlob / 8 {
                throw RunFileError.tooLarge(
                    what: "the list '\(name)' of the series '\(series)'", bytes: 8 * numbers.count,
                    limit: Self.largestBlob)
            }
        }
        try writer.record(series, measurement)
    }

    /// Removes everything measured, and the checkpoints, of later steps than this: a run goes on from there. Commits first.
    ///
    /// - Throws: ``RunFileError`` where that cannot be done: another program has a lock on the file. Nothing is removed then.
    public func cut(after step: Int) throws { try writer.cut(after: step) }

    /// The last step before which everything recorded stands in the file itself, for a run whose steps ascend.
    var isCompleteBefore: Int { writer.fileIsCompleteBefore }

    /// The parameters of the experiment. A second call replaces the first.
    public func setParameters(_ parameters: [String: JSONValue]) throws {
        let json = try JSONValue.object(parameters).json()
        try add(.parameters(json: json), json.utf8.count, "the table of parameters")
    }

    /// Keeps a script, or a module that it required. The first one added is the experiment's own.
    public func addScript(path: String, source: String) throws {
        try addScript(RunScript(path: path, source: Data(source.utf8)))
    }

    /// Keeps a script whose bytes need not be UTF-8.
    public func addScript(_ script: RunScript) throws {
        try add(.script(script), script.source.count, "the script '\(script.path)'")
    }

    /// Keeps something that happened. `data` is for programs, what `message` is for people.
    public func addEvent(step: Int, kind: String, message: String, data: [String: JSONValue]? = nil) throws {
        try add(
            .event(RunEvent(step: step, kind: kind, message: message, data: data), time: Date().runTimestamp),
            message.utf8.count, "an event's message")
    }

    /// Keeps the whole state after `step` steps, as the bytes of a safetensors file; one of the same step takes the place of the one
    /// before.
    /// - Parameters:
    ///   - isPinned: whether it stays when later ones come.
    ///   - keep: how many of those that are not pinned are kept, the last ones.
    public func addCheckpoint(step: Int, bytes: Data, isPinned: Bool = false, keep: Int = .max) throws {
        let stored = RunFileBatch.StoredCheckpoint(step: step, bytes: bytes, isPinned: isPinned, keep: keep)
        // Parts are as small as need be, whatever the whole is.
        try writer.add(.checkpoint(stored, created: Date().runTimestamp), byteCount: bytes.count)
    }

    /// Notes how the run stands; it reaches the file with the next commit.
    public func note(step: Int, state: RunStatus.State? = nil, alert: String? = nil) {
        writer.note(step: step, state: state, alert: alert)
    }

    public func addNote(_ text: String) throws {
        try add(.note(created: Date().runTimestamp, text: text), text.utf8.count, "a note")
    }

    /// Keeps a figure; one of the same name takes the place of the one before.
    public func addFigure(name: String, mime: String, bytes: Data) throws {
        try add(
            .figure(RunFigure(name: name, mime: mime, bytes: bytes), created: Date().runTimestamp), bytes.count,
            "the figure '\(name)'")
    }

    /// Waits until everything recorded so far is on the disk, in the file or, where another program has a lock on that, in its
    /// spill file.
    public func commit() throws { try writer.commit() }

    /// Commits, writes down the end and lets the file go; where another program has a lock on it, what stands in the spill file
    /// comes into it later (``waitForLocks()``). Recording throws afterwards; closing again does nothing.
    public func close() throws { try writer.close() }

    /// Opens a run file for reading; see ``RunFileReader``.
    public static func open(_ url: URL) throws(RunFileError) -> RunFileReader { try RunFileReader(url) }

    /// Commits every run file that is open in this process, and waits for those let go that still write: the last deed before
    /// an exit. Returns what went wrong.
    @discardableResult
    public static func commitAll() -> [RunFileError] { OpenRunFiles.shared.commitAll() }

    /// The run files of this process that another program has a lock on, with the spill files that hold what is not in them.
    public static var locked: [(path: String, spill: String)] {
        OpenRunFiles.shared.locked.compactMap { writer in writer.spill.map { ($0.path, $0.spillPath) } }
    }

    /// Waits until no other program has a lock on a run file of this process, and everything is in the files.
    public static func waitForLocks() { for writer in OpenRunFiles.shared.locked { writer.waitForLock() } }

    private func add(_ row: RunFileBatch.Row, _ byteCount: Int, _ what: String) throws {
        guard byteCount <= Self.largestBlob else {
            throw RunFileError.tooLarge(what: what, bytes: byteCount, limit: Self.largestBlob)
        }
        try writer.add(row, byteCount: byteCount)
    }
}
