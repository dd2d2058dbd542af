import Experiments
import Foundation

/// What `eoss run --resume FILE` goes on from: the run files of one execution of a script.
///
/// The script is executed again from its beginning. A run that it makes takes the file of that name which the execution had made, and
/// goes on at the last checkpoint there (``Run/resume(from:called:forced:)``).
public final class Resumption {
    /// Whether a script that differs is no error.
    public let isForced: Bool
    /// The folder of the files.
    public let folder: URL
    let session: UUID
    /// The script, then the modules that it required.
    let scripts: [RunScript]
    let parameters: [String: JSONValue]
    private var waiting: [RunFileReader]
    /// At which step the run of each file goes on.
    private let steps: [UUID: Int]

    /// At which points of sweeps runs were made.
    private let points: [UUID: String]

    /// Opens a run file and those of the same execution beside it.
    /// - Parameter isShared: whether other processes of this program go on with the same execution at this moment.
    /// - Throws: `RunFileError` where it cannot be read, is still being written, or knows no checkpoints.
    public init(_ file: URL, forced: Bool, isShared: Bool = false) throws {
        let reader = try RunFile.open(file)
        guard let session = reader.session, let status = try reader.status() else {
            throw RunFileError.olderFormat(path: reader.url.path, version: 2)
        }
        if status.isAlive, !isShared {
            throw RunFileError.inUse(
                path: reader.url.path, process: Int(status.process.number), host: status.process.host)
        }
        isForced = forced
        folder = reader.url.deletingLastPathComponent()
        self.session = session
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".eoss") }
        // Others of the folder may be damaged or anything else: they are nobody's concern here.
        let directory = folder
        let others = names.sorted().map { directory.appendingPathComponent($0).standardizedFileURL }
            .filter { $0 != reader.url }
            .compactMap { try? RunFile.open($0) }.filter { [session] in $0.session == session }
        waiting = ([reader] + others).sorted { ($0.created, $0.url.path) < ($1.created, $1.url.path) }
        steps = try Self.steps(waiting)
        points = try Self.points(waiting)
        // All were made by one script; one that was killed at its very beginning may not have it yet.
        let complete = try waiting.first { try !$0.scripts().isEmpty } ?? reader
        scripts = try complete.scripts()
        parameters = try complete.parameters()
    }

    /// At which step the run of a file goes on: that of its last checkpoint, but for runs that went in lockstep, which go on at the last
    /// step of which all of them have one. Nil: there is none.
    func step(of reader: RunFileReader) -> Int? { steps[reader.uuid] }

    private static func steps(_ readers: [RunFileReader]) throws -> [UUID: Int] {
        var known: [UUID: [Int]] = [:]
        var together: [UUID: [Int: [UUID]]] = [:]
        for reader in readers {
            known[reader.uuid] = try reader.checkpointSteps().sorted()
            for event in try reader.events() where event.kind == "lockstep" {
                guard case .array(let files)? = event.data?["files"] else { continue }
                together[reader.uuid, default: [:]][event.step] = files.compactMap { value in
                    if case .string(let text) = value { UUID(uuidString: text) } else { nil }
                }
            }
        }
        // Steps only ever fall, so this ends.
        while true {
            let chosen = known.compactMapValues(\.last)
            var changed = false
            for (file, step) in chosen {
                guard let others = together[file]?[step] else { continue }
                if others.allSatisfy({ known[$0]?.contains(step) ?? false }) {
                    for other in others where known[other]?.last != step {
                        known[other]?.removeAll { $0 > step }
                        changed = true
                    }
                } else {
                    known[file]?.removeAll { $0 >= step }
                    changed = true
                }
            }
            if !changed { return chosen }
        }
    }

    private static func points(_ readers: [RunFileReader]) throws -> [UUID: String] {
        var points: [UUID: String] = [:]
        for reader in readers {
            guard let event = try reader.events().first(where: { $0.kind == ScriptHost.pointEvent }),
                case .string(let path)? = event.data?["point"]
            else { continue }
            points[reader.uuid] = path
        }
        return points
    }

    /// The script as it was.
    var script: RunScript? { scripts.first }

    /// Where the script was, if it still is there.
    public var scriptFile: URL? {
        guard let path = script?.path, FileManager.default.fileExists(atPath: path) else { return nil }
        return URL(fileURLWithPath: path)
    }

    /// The path by which the script was run.
    public var scriptPath: String { script?.path ?? "" }

    /// The file of the run that the script makes next by this name.
    /// - Parameters:
    ///   - parent: of a fork: the run that it left.
    ///   - point: the path of the point at which the run is made, nil outside of sweeps.
    func take(
        _ name: String, parent: UUID?, point: String?, having condition: (RunFileReader) throws -> Bool
    ) rethrows -> RunFileReader? {
        let place = try waiting.firstIndex {
            try $0.givenName == name && $0.parent?.uuid == parent && points[$0.uuid] == point && condition($0)
        }
        guard let place else { return nil }
        return waiting.remove(at: place)
    }

    /// Compares a script, or a module, with the one that the execution had.
    /// - Throws: `ScriptFailure` that says where they differ first.
    func check(_ script: RunScript, isMain: Bool) throws(ScriptFailure) {
        guard !isForced else { return }
        let known = isMain ? scripts.first : scripts.dropFirst().first { $0.path == script.path }
        guard let known, known.sha256 != script.sha256 else { return }
        let (then, now) = (Self.lines(known.source), Self.lines(script.source))
        let place = zip(then, now).enumerated().first { $1.0 != $1.1 }?.offset ?? min(then.count, now.count)
        func line(_ lines: [Substring]) -> String { place < lines.count ? "'\(lines[place])'" : "nothing" }
        throw .failed(
            "'\(script.path)' has changed since: line \(place + 1) was \(line(then)), now is \(line(now)); --force resumes with it "
                + "as it is now")
    }

    private static func lines(_ source: Data) -> [Substring] {
        String(decoding: source, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }
}
