import Experiments
import Foundation
import RunFiles

/// What pages show of a run file, which another process may be writing: read once, however many look at it.
///
/// A look is a few short transactions, once a second at most, and only where the file has changed; what is read is what is new. So the
/// writer does not wait. Nobody's news are kept for them: who is too slow gets everything anew, in as few points.
final class RunWatch: @unchecked Sendable {
    // @unchecked: everything but `file` is used on the reading thread alone.

    /// Series, and events, that are shown at most: a stranger's file may have any number.
    static let (seriesLimit, eventLimit) = (200, 500)
    /// Bytes of news that are kept for those who have seen almost everything.
    private static let keptNews = 2_000_000

    let file: URL
    private let thread: ReadingThread
    private var limit: LookLimit
    private var reader: RunFileReader?
    private var stamp: FileStamp?
    private var changes: Int?
    private var version = 0
    private var news: [(version: Int, text: String)] = []
    private var whole: (version: Int, text: String)?

    private var summary: RunSummary?
    private var state = ""
    private var curves: [LiveCurve] = []
    private var newest: [Experiments.Measurement?] = []
    private var seriesCount = 0
    private var events: [RunEvent] = []
    /// The series with the edge of each curvature.
    private var edges: [String: String]?
    private var figures: [StoredFigure] = []
    private var failure: String?

    init(_ file: URL, on thread: ReadingThread, every interval: Double = 1) {
        (self.file, self.thread) = (file, thread)
        limit = LookLimit(every: interval)
    }

    /// What has happened since a version, nil for nothing; with no version, everything.
    func message(after seen: Int?) async -> PageMessage? {
        await thread.run { [self] in
            if limit.isDue() { look() }
            guard let seen else { return PageMessage(version: version, parts: [wholeText()]) }
            if seen == version { return nil }
            guard let place = news.firstIndex(where: { $0.version == seen + 1 }) else {
                return PageMessage(version: version, parts: [wholeText()])
            }
            return PageMessage(version: version, parts: news[place...].map(\.text))
        }
    }

    private func look() {
        do throws(RunFileError) {
            let now = FileStamp(file.path)
            if reader == nil || !(now?.isSameFile(stamp) ?? false) { try open(now) }
            try update()
        } catch {
            if error.mayPass, failure == nil, changes != nil, FileStamp(file.path) != nil {
                // Another program has it for itself for a moment. What is known stays, and some of it may have been read just now.
                (version, news) = (version + 1, [])
                return
            }
            reader = nil
            if failure != error.reason {
                failure = error.reason
                tell("\"error\":\(JSONValue.string(error.reason.short(400)).line)")
            }
        }
    }

    private func open(_ now: FileStamp?) throws(RunFileError) {
        (reader, stamp, changes, summary) = (nil, now, nil, nil)
        (curves, newest, events, figures, news) = ([], [], [], [], [])
        edges = nil
        reader = try RunFileReader(file, patience: 0.5)
    }

    private func update() throws(RunFileError) {
        guard let reader else { return }
        let count = try reader.changeCount()
        if count == changes {
            // A process may have gone without a word.
            guard let summary, let words = summary.status?.words, words != state else { return }
            state = words
            tell(runText(summary))
            try openAgain()
            return
        }
        let overview = try reader.overview(last: 1)
        let summary = RunSummary(reader, overview)
        seriesCount = overview.series.count
        let events = try reader.events()
        let names = overview.series.prefix(Self.seriesLimit).map(\.name)
        let known = edges
        // Changes of settings are events; they say which edges are whose.
        if edges == nil || events != self.events || names.count != curves.count {
            let history = try reader.history()
            edges = names.reduce(into: [:]) { $0[$1] = history.edgeName(for: $1, among: names) }
        }
        var parts: [String] = []
        for (place, series) in overview.series.prefix(Self.seriesLimit).enumerated() {
            if place == curves.count {
                curves.append(LiveCurve(name: series.name))
                newest.append(nil)
            } else if curves[place].name != series.name || known?[series.name] != edges?[series.name] {
                curves[place] = LiveCurve(name: series.name)
            }
            newest[place] = series.tail.last
            let text = try curves[place].catchUp(
                reader, newest: series.tail.last, place: place, edge: edges?[series.name])
            if let text { parts.append(text) }
        }
        var text = runText(summary)
        if !parts.isEmpty { text += ",\"series\":[\(parts.joined(separator: ","))]" }
        let hasEnded = self.summary?.status?.isAlive == true && summary.status?.isAlive == false
        let figures = try reader.figures()
        if events != self.events { text += "," + Self.eventsText(events) }
        if figures != self.figures { text += "," + Self.figuresText(figures) }
        (self.events, self.figures, self.summary, failure) = (events, figures, summary, nil)
        (changes, state) = (count, summary.state)
        tell(text)
        if hasEnded { try openAgain() }
    }

    /// What a process could only write beside the file comes into it when that is opened after its end.
    private func openAgain() throws(RunFileError) {
        reader = try RunFileReader(file, patience: 0.5)
        changes = nil
    }

    /// A new version, and what is new in it.
    private func tell(_ members: String) {
        version += 1
        news.append((version, "{\"version\":\(version),\(members)}"))
        var size = 0
        let kept = news.reversed().prefix { entry in
            size += entry.text.utf8.count
            return size <= Self.keptNews
        }
        news = kept.reversed()
    }

    // MARK: - As JSON

    /// Everything.
    private func wholeText() -> String {
        if let whole, whole.version == version { return whole.text }
        var members = ["\"version\":\(version)", "\"full\":true"]
        if let failure { members.append("\"error\":\(JSONValue.string(failure.short(400)).line)") }
        if let summary, let reader {
            let series = curves.enumerated().map { place, curve in
                curve.json(place: place, newest: newest[place], edge: edges?[curve.name])
            }
            members += [
                runText(summary), "\"series\":[\(series.joined(separator: ","))]", "\"series_count\":\(seriesCount)",
                Self.eventsText(events), Self.figuresText(figures), detailsText(reader),
            ]
        }
        let text = "{\(members.joined(separator: ","))}"
        whole = (version, text)
        return text
    }

    private func runText(_ summary: RunSummary) -> String {
        var fields = summary.json
        fields["last"] = nil
        fields["state"] = .string(summary.status?.words ?? summary.state)
        fields["parameters"] = nil
        return "\"run\":\(JSONValue.object(fields.mapValues { $0.shortened }).line)"
    }

    /// What does not change while a run goes on, or seldom.
    private func detailsText(_ reader: RunFileReader) -> String {
        func list(_ pairs: [(String, JSONValue)]) -> JSONValue {
            .array(pairs.prefix(200).map { .array([.string($0.short(120)), .string($1.label.short(400))]) })
        }
        let parameters = summary?.parameters.sorted { $0.key < $1.key } ?? []
        let settings = RunSetting.all(in: events).map { ($0.name, JSONValue.string($0.value)) }
        let environment = ((try? reader.environment()) ?? [:]).sorted { $0.key < $1.key }
            .map { ($0.key, JSONValue.string($0.value)) }
        let scripts = ((try? reader.scripts()) ?? []).prefix(100).map {
            JSONValue.object(["path": .string($0.path.short(400)), "size": .integer($0.source.count)])
        }
        let notes = ((try? reader.notes()) ?? []).prefix(100).map { JSONValue.string($0.short(2000)) }
        let details: JSONValue = [
            "parameters": list(parameters.map { ($0.key, $0.value) }), "settings": list(settings),
            "environment": list(environment), "scripts": .array(Array(scripts)), "notes": .array(Array(notes)),
        ]
        return "\"details\":\(details.line)"
    }

    /// The last events; those at the beginning say what the run is made of.
    private static func eventsText(_ events: [RunEvent]) -> String {
        let shown = events.suffix(eventLimit).map { event in
            JSONValue.array([.integer(event.step), .string(event.kind.short(40)), .string(event.message.short(1000))])
        }
        return "\"event_count\":\(events.count),\"events\":\(JSONValue.array(shown).line)"
    }

    private static func figuresText(_ figures: [StoredFigure]) -> String {
        let shown = figures.prefix(100).map { figure in
            JSONValue.object([
                "name": .string(figure.name), "size": .integer(figure.size),
                "image": .bool(ServedFigure.isImage(figure.mime)),
                "shown": .bool(ServedFigure.type(of: figure.mime) != nil && figure.size <= ServedFigure.largest),
            ])
        }
        return "\"figures\":\(JSONValue.array(Array(shown)).line)"
    }
}

extension JSONValue {
    /// Texts in it cut to what a page has room for.
    fileprivate var shortened: JSONValue {
        if case .string(let text) = self { .string(text.short(400)) } else { self }
    }
}
