import ArgumentParser
import Experiments
import Foundation
import RunFiles

struct FollowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow",
        abstract: "Show the newest values of a run that another process is writing, until it ends.",
        discussion: """
            On a terminal a table that is drawn anew; else a line for each look that finds new values. The run never waits for it. \
            Ctrl-C ends it, not the run.
            """)

    @Argument(help: ArgumentHelp("The run file.", valueName: "file"), completion: .file(extensions: ["eoss"]))
    var file: String

    @Option(help: ArgumentHelp("Look so often.", valueName: "seconds"))
    var every = 1.0

    func validate() throws {
        guard every >= 0.1, every <= 3600 else {
            throw ValidationError("--every is \(every), and should be from 0.1 to 3600 seconds")
        }
    }

    func run() throws {
        let follower = try RunFollower(URL(fileURLWithPath: file))
        let table = FollowedTable(name: follower.name, style: .standard)
        var told: String?
        while true {
            try table.show(follower.look())
            if follower.isOver { break }
            if let obstacle = follower.obstacle, obstacle != told {
                Console.tell("waiting: \(obstacle)")
                table.leave()
            }
            told = follower.obstacle
            usleep(UInt32(every * 1e6))
        }
        let end = try follower.end()
        try table.show(end)
        let step = end.step.map { " at step \($0.grouped)" } ?? ""
        Console.tell("run '\(follower.name.label())' has ended: \(end.state)\(step)")
    }
}

/// The newest values as `eoss follow` shows them.
private final class FollowedTable {
    private let name: String
    private let style: OutputStyle
    /// Lines on the terminal that the next drawing replaces.
    private var drawn = 0
    private var newest: RunFollower.Snapshot?

    init(name: String, style: OutputStyle) { (self.name, self.style) = (name, style) }

    /// Somebody else has written to the terminal: the table is drawn below that.
    func leave() { drawn = 0 }

    /// - Parameter news: nil for none; the time since the last ones is drawn anew.
    func show(_ news: RunFollower.Snapshot?) throws {
        newest = news ?? newest
        let text: String
        if style.isTerminal {
            guard let newest else { return }
            let lines = table(newest)
            let up = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
            text = up + lines.map { "\r\u{1B}[K\($0)\n" }.joined() + "\u{1B}[J"
            drawn = lines.count
        } else {
            guard let news, news.hasNewValues, !news.series.isEmpty else { return }
            text = line(news) + "\n"
        }
        let failure = Console.writeOutput(text)
        // Whoever read this has gone: `eoss follow … | head`.
        if failure == EPIPE { throw ExitCode(ExitStatus.failed.rawValue) }
        if failure != 0 { throw ExportError("cannot write to standard output: \(String(cString: strerror(failure)))") }
    }

    private func line(_ news: RunFollower.Snapshot) -> String {
        let step = news.series.compactMap { $0.tail.last?.step }.max() ?? 0
        let values = news.series.map { "\($0.name.label(60)) \(($0.tail.last?.value ?? .nan).short)" }
        return (["step \(step)"] + values).joined(separator: "  ")
    }

    private func table(_ news: RunFollower.Snapshot) -> [String] {
        // In the last column a terminal may already begin a new line.
        let width = (style.width ?? 80) - 1
        let step = news.step.map { " at step \($0.grouped)" } ?? ""
        let age = Date().timeIntervalSince(news.written).age
        let title = "\(name.label(40))  \(news.state)\(step), written \(age) ago".cut(to: width)
        var table = TextTable([
            .init("SERIES", .left, least: 12), .init("STEP"), .init("VALUE"), .init("±", isOptional: true),
            .init("", .left, isOptional: true),
        ])
        // The title, an alert, the table's own title, what is left out, and the line of the cursor.
        let room = max(1, style.height - 5)
        for (name, tail) in news.series.prefix(room) {
            guard let last = tail.last else { continue }
            table.add([
                name.label(60), last.step.grouped, last.value.short, last.standardError?.short ?? "",
                Sparkline.text(tail.map(\.value)),
            ])
        }
        var lines = [title]
        if let alert = news.alert { lines.append(style.coloured("! \(alert.label())".cut(to: width), .yellow)) }
        lines += table.lines(width: width)
        if news.series.count > room { lines.append("… \(news.series.count - room) more series".cut(to: width)) }
        return lines
    }
}
