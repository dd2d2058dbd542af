import Experiments
import Foundation

/// Everything that a run file has to say of its run, but for the values, the texts and the bytes in it.
public struct RunDetails: Sendable {
    /// A measured quantity.
    public struct Quantity: Sendable {
        public let name: String
        /// How many values.
        public let count: Int
        public let first: Int?
        public let last: Experiments.Measurement?
        /// The values, where they were asked for.
        public let values: [Double]
    }

    /// Something that happened.
    public struct Event: Sendable {
        public let event: RunEvent
        /// Nil in files before version 3.
        public let time: Date?
    }

    public let file: URL
    /// Bytes.
    public let size: Int
    public let summary: RunSummary
    public let uuid: UUID
    /// The name that the script gave; another where that was taken.
    public let givenName: String
    /// The execution of a program that it belongs to; nil in files before version 3.
    public let session: UUID?
    public let eossVersion: String
    public let environment: [String: String]
    /// The script, then its modules, without their texts.
    public let scripts: [Script]
    /// What the run was made of, as its beginning says: model, data, loss, optimizer, batch_size, seed.
    public let settings: [RunSetting]
    public let series: [Quantity]
    public let events: [Event]
    public let checkpoints: [StoredCheckpoint]
    public let figures: [StoredFigure]
    public let notes: [String]
    /// Why measurements are still in the spill file beside it; nil where none are.
    public let spillLeft: String?

    public struct Script: Sendable {
        public let path: String
        /// Bytes.
        public let size: Int
        public let sha256: String
    }

    /// - Parameter withValues: whether the values of the series are read, too.
    public init(_ reader: RunFileReader, withValues: Bool = false) throws(RunFileError) {
        file = reader.url
        let attributes = try? FileManager.default.attributesOfItem(atPath: reader.url.path)
        size = attributes?[.size] as? Int ?? 0
        summary = try RunSummary(reader)
        (uuid, givenName, session, eossVersion) = (reader.uuid, reader.givenName, reader.session, reader.eossVersion)
        environment = try reader.environment()
        scripts = try reader.scripts().map { Script(path: $0.path, size: $0.source.count, sha256: $0.sha256) }
        let times = try reader.eventTimes()
        events = try reader.events().enumerated().map { place, event in
            // What happened between the two readings has no time here.
            Event(event: event, time: place < times.count ? times[place] : nil)
        }
        settings = RunSetting.all(in: events.lazy.map(\.event))
        var series: [Quantity] = []
        let last = Dictionary(summary.last.map { ($0.name, $0.value) }) { $1 }
        for (name, count) in try reader.seriesCounts() {
            let values = withValues && count > 0 ? try reader.values(of: name) : nil
            series.append(
                Quantity(
                    name: name, count: count, first: values?.stepList.first, last: last[name],
                    values: values?.values ?? []))
        }
        self.series = series
        (checkpoints, figures, notes) = (try reader.checkpoints(), try reader.figures(), try reader.notes())
        spillLeft = reader.spillLeft
    }

    /// For other programs.
    public var json: JSONValue {
        var fields = summary.json
        fields["file"] = .string(file.path)
        fields["size"] = .integer(size)
        fields["uuid"] = .string(uuid.uuidString)
        fields["given_name"] = .string(givenName)
        fields["session"] = session.map { .string($0.uuidString) } ?? .null
        fields["eoss_version"] = .string(eossVersion)
        fields["process"] = summary.status?.process.json ?? .null
        fields["environment"] = .object(environment.mapValues { .string($0) })
        fields["scripts"] = .array(scripts.map(\.json))
        fields["settings"] = .object(Dictionary(settings.map { ($0.name, .string($0.value)) }) { $1 })
        fields["series"] = .array(series.map { ["name": .string($0.name), "count": .integer($0.count)] })
        fields["events"] = .array(events.map(\.json))
        fields["checkpoints"] = .array(checkpoints.map(\.json))
        fields["figures"] = .array(figures.map(\.json))
        fields["notes"] = .array(notes.map { .string($0) })
        fields["spill_left"] = spillLeft.map { .string($0) } ?? .null
        return .object(fields)
    }
}

extension RunProcess {
    fileprivate var json: JSONValue { ["host": .string(host), "number": .integer(Int(number))] }
}

extension RunDetails.Script {
    fileprivate var json: JSONValue {
        ["path": .string(path), "size": .integer(size), "sha256": .string(sha256)]
    }
}

extension StoredCheckpoint {
    fileprivate var json: JSONValue {
        ["step": .integer(step), "size": .integer(size), "pinned": .bool(isPinned)]
    }
}

extension StoredFigure {
    fileprivate var json: JSONValue { ["name": .string(name), "mime": .string(mime), "size": .integer(size)] }
}

extension RunDetails.Event {
    public var json: JSONValue {
        [
            "step": .integer(event.step), "time": time.map { .string($0.timestamp) } ?? .null,
            "kind": .string(event.kind), "message": .string(event.message),
            "data": event.data.map { .object($0) } ?? .null,
        ]
    }
}

/// A thing that a run was made of.
public struct RunSetting: Sendable, Hashable {
    public let name: String
    public let value: String

    /// What the run of a file was made of.
    public static func all(of reader: RunFileReader) throws(RunFileError) -> [RunSetting] {
        all(in: try reader.events())
    }

    /// Those that the event `start` names, in its words: `model: mlp 1-8-1; loss: mse`.
    package static func all(in events: some Sequence<RunEvent>) -> [RunSetting] {
        guard let start = events.first(where: { $0.kind == "start" })?.message else { return [] }
        let marks = Array(start.matches(of: #/(?:^|; )([a-z_]+): /#))
        return marks.enumerated().map { place, mark in
            let end = place + 1 < marks.count ? marks[place + 1].range.lowerBound : start.endIndex
            return RunSetting(name: String(mark.output.1), value: String(start[mark.range.upperBound..<end]))
        }
    }
}
