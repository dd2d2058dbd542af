import Experiments
import Foundation
import RunFiles

/// What `eoss show` prints: a run on a page.
struct RunPage {
    private let details: RunDetails
    private let now: Date

    /// Events that are shown: the first of them and the last.
    private static let (firstEvents, lastEvents) = (3, 6)

    init(_ details: RunDetails, now: Date = Date()) { (self.details, self.now) = (details, now) }

    func lines(_ style: OutputStyle) -> [String] {
        let width = style.width
        let parts: [[String]] = [
            head(style), pairs("parameters", parameters, width), pairs("settings", settings, width),
            pairs("environment", environment, width), series(width), events(width), checkpoints(width), figures(width),
            notes(width),
        ]
        return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    private func head(_ style: OutputStyle) -> [String] {
        let run = details.summary
        let (status, colour) = (run.status, OutputStyle.colour(of: run.state))
        let steps = run.step.map { " at step \($0.grouped)" } ?? ""
        var rows: [(String, String)] = [("file", "\(details.file.path.label(400)), \(details.size.byteSize)")]
        if run.name != details.file.deletingPathExtension().lastPathComponent {
            rows.append(("recorded as", run.name.label()))
        } else if details.givenName != run.name {
            rows.append(("name given", details.givenName.label()))
        }
        if let script = details.scripts.first {
            let modules = details.scripts.dropFirst().map { $0.path.label(80) }.joined(separator: ", ")
            rows.append(
                ("script", "\(script.path.label(400)), \(script.size.byteSize), sha256 \(script.sha256.label(12))"))
            if !modules.isEmpty { rows.append(("modules", modules)) }
        }
        if let parent = run.parent {
            rows.append(("fork of", "\(parent.name.label()) at step \(parent.step.grouped)"))
        }
        rows.append(("began", time(run.created)))
        if let closed = run.closed { rows.append(("ended", time(closed))) }
        if let status, run.closed == nil {
            let process = "process \(status.process.number) of \(status.process.host.label(80))"
            rows.append(
                (status.isAlive ? "written by" : "was written by", "\(process), last \(time(status.heartbeat))"))
        }
        rows.append(("eoss", details.eossVersion.label(40)))
        if let alert = run.alert { rows.append(("alert", alert.label())) }
        if let reason = details.spillLeft { rows.append(("not all", reason.label(400))) }
        let title = style.coloured(run.state, colour)
        return ["\(details.file.deletingPathExtension().lastPathComponent.label())  \(title)\(steps)", ""]
            + table(rows, style.width)
    }

    private func time(_ date: Date) -> String {
        "\(date.formatted(.iso8601.dateSeparator(.dash).dateTimeSeparator(.space).timeSeparator(.colon))) (\(now.timeIntervalSince(date).age) ago)"
    }

    private var parameters: [(String, String)] {
        details.summary.parameters.sorted { $0.key < $1.key }.map { ($0.key.label(60), $0.value.label) }
    }

    private var settings: [(String, String)] { details.settings.map { ($0.name, $0.value.label()) } }

    private var environment: [(String, String)] {
        details.environment.sorted { $0.key < $1.key }.map { ($0.key.label(60), $0.value.label()) }
    }

    private func pairs(_ title: String, _ rows: [(String, String)], _ width: Int?) -> [String] {
        rows.isEmpty ? [] : [title] + table(rows, width)
    }

    private func table(_ rows: [(String, String)], _ width: Int?) -> [String] {
        var table = TextTable([.init("", .left), .init("", .left, least: 20)])
        for (name, value) in rows { table.add(["  " + name, value]) }
        return table.lines(width: width, hasTitle: false)
    }

    private func series(_ width: Int?) -> [String] {
        if details.series.isEmpty { return ["series  none"] }
        var table = TextTable([
            .init("series", .left, least: 16), .init("values"), .init("from"), .init("to"), .init("last"),
            .init("", .left, isOptional: true),
        ])
        for series in details.series {
            let error = series.last?.standardError.map { " ± \($0.short)" } ?? ""
            table.add([
                "  " + series.name.label(60), series.count.grouped, series.first?.grouped ?? "",
                series.last?.step.grouped ?? "", (series.last?.value.short ?? "") + error,
                Sparkline.text(series.values),
            ])
        }
        return table.lines(width: width)
    }

    private func events(_ width: Int?) -> [String] {
        let events = details.events
        if events.isEmpty { return [] }
        var (counts, kinds): ([String: Int], [String]) = ([:], [])
        for kind in events.map(\.event.kind) {
            if counts[kind] == nil { kinds.append(kind) }
            counts[kind, default: 0] += 1
        }
        let glance = kinds.prefix(20).map { kind in
            let count = counts[kind] ?? 0
            return kind.label(40) + (count > 1 ? " \(count)" : "")
        }
        let all = events.map(\.event).filter { $0.kind != "start" }
        let shown =
            all.count <= Self.firstEvents + Self.lastEvents
            ? all : Array(all.prefix(Self.firstEvents) + all.suffix(Self.lastEvents))
        var table = TextTable([.init(""), .init("", .left), .init("", .left, least: 20)])
        for event in shown { table.add(["  " + event.step.grouped, event.kind.label(20), event.message.label(400)]) }
        var lines = table.lines(width: width, hasTitle: false)
        if shown.count < all.count {
            lines.insert("  … \(all.count - shown.count) more: --events", at: Self.firstEvents)
        }
        return ["events  \(glance.joined(separator: ", "))".cut(to: width ?? .max)] + lines
    }

    private func checkpoints(_ width: Int?) -> [String] {
        let all = details.checkpoints
        guard !all.isEmpty else { return [] }
        let steps = all.map { $0.step.grouped + ($0.isPinned ? " (stays)" : "") }
        // A stranger's sizes may be anything.
        let size = all.reduce(0.0) { $0 + Double($1.size) }
        let bytes = Int(exactly: size.rounded())?.byteSize ?? "\(size.short) B"
        return ["checkpoints  at step \(steps.joined(separator: "; ")), \(bytes)".cut(to: width ?? .max)]
    }

    private func figures(_ width: Int?) -> [String] {
        pairs("figures", details.figures.map { ($0.name.label(), "\($0.mime.label(60)), \($0.size.byteSize)") }, width)
    }

    private func notes(_ width: Int?) -> [String] {
        guard !details.notes.isEmpty else { return [] }
        return ["notes"]
            + details.notes.flatMap { note in
                note.split(separator: "\n", omittingEmptySubsequences: false).map {
                    ("  " + String($0).label(1000)).cut(to: width ?? .max)
                }
            }
    }
}
