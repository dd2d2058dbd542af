import Experiments
import Foundation

/// A run file at a glance: what a list of many shows.
public struct RunSummary: Sendable {
    /// The name that the run was recorded under; the file may have been renamed since.
    public let name: String
    /// The path by which the script was run; nil where the file has none.
    public let script: String?
    public let created: Date
    /// When the run ended; nil while it goes on, and where its process was killed.
    public let closed: Date?
    public let parent: RunParent?
    /// How the run stands; nil in files before version 3.
    public let status: RunStatus?
    /// ``RunStatus/words`` when it was read, with what can be known of older files.
    public let state: String
    public let parameters: [String: JSONValue]
    /// The last value of each series that has one, in the order in which the series began.
    public let last: [(name: String, value: Experiments.Measurement)]

    public init(_ reader: RunFileReader) throws(RunFileError) { self.init(reader, try reader.overview()) }

    package init(_ reader: RunFileReader, _ overview: RunOverview) {
        name = reader.name
        (script, created, closed, parent) = (overview.script, reader.created, reader.closed, reader.parent)
        (status, parameters) = (overview.status, overview.parameters)
        state = overview.status?.words ?? (reader.closed == nil ? Self.unknownState : RunStatus.State.done.rawValue)
        last = overview.series.compactMap { series in series.tail.last.map { (series.name, $0) } }
    }

    static let unknownState = "unknown"
    /// Every state that there is.
    public static let states = RunStatus.State.allCases.map(\.rawValue) + ["killed", unknownState]

    /// Steps taken; of a file before version 3 the step of the last value.
    public var step: Int? { status?.step ?? last.map(\.value.step).max() }

    /// When the file was last written.
    public var written: Date { status?.heartbeat ?? closed ?? created }

    public var alert: String? { status?.alert }

    /// For other programs.
    public var json: [String: JSONValue] {
        [
            "run": .string(name), "script": script.map { .string($0) } ?? .null, "state": .string(state),
            "step": step.map { .integer($0) } ?? .null, "created": .string(created.timestamp),
            "closed": closed.map { .string($0.timestamp) } ?? .null, "written": .string(written.timestamp),
            "alert": alert.map { .string($0) } ?? .null, "parent": parent?.json ?? .null,
            "parameters": .object(parameters),
            "last": .object(Dictionary(last.map { ($0.name, $0.value.shortJSON) }) { $1 }),
        ]
    }
}

/// A file of a list: a run, or why it cannot be read.
public struct ListedRun: Sendable {
    public let file: URL
    public let summary: Result<RunSummary, RunFileError>

    /// Reads no more than a list shows, and waits a second at most for another program that has the file for itself.
    public init(_ file: URL) {
        self.file = file
        do throws(RunFileError) {
            summary = .success(try RunSummary(RunFileReader(file, patience: 1)))
        } catch {
            summary = .failure(error)
        }
    }

    /// A file that is not opened, for a reason.
    public init(_ file: URL, refused reason: String) {
        self.file = file
        summary = .failure(.cannotRead(path: file.path, reason: reason))
    }

    /// That of the file, by which one opens it.
    public var name: String { file.deletingPathExtension().lastPathComponent }

    /// Nil where the file cannot be read.
    public var run: RunSummary? { try? summary.get() }

    public var json: JSONValue {
        let own: [String: JSONValue] = ["file": .string(file.path), "name": .string(name)]
        switch summary {
        case .success(let run): return .object(run.json.merging(own) { $1 })
        case .failure(let error): return .object(own.merging(["error": .string(error.reason)]) { $1 })
        }
    }
}

extension RunFileError {
    /// Whether a later look may find the file as it should be.
    package var mayPass: Bool {
        switch self {
        case .cannotRead, .locked: true
        default: false
        }
    }

    /// Without the path, where that is known already.
    package var reason: String {
        switch self {
        case .cannotRead(_, let reason): "cannot be read: \(reason)"
        case .locked: "cannot be read: \(Self.otherProgram)"
        case .notARunFile(_, let reason): "not a run file: \(reason)"
        case .newerFormat(_, let version, let ours):
            "written by a newer eoss (file format \(version), this one reads \(ours))"
        case .damaged(_, let reason): "damaged: \(reason)"
        default: description
        }
    }
}

extension RunParent {
    package var json: JSONValue { ["name": .string(name), "uuid": .string(uuid.uuidString), "step": .integer(step)] }
}

extension Experiments.Measurement {
    /// Step, value and error bar, for other programs.
    package var shortJSON: JSONValue {
        var fields: [String: JSONValue] = ["step": .integer(step), "value": .number(value)]
        if let standardError { fields["stderr"] = .number(standardError) }
        return .object(fields)
    }
}
