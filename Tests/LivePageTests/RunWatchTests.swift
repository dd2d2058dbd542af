import Experiments
import Foundation
import Testing

@testable import LivePage

/// What pages are told of a run file.
@Suite struct RunWatchTests {
    private let thread = ReadingThread()

    @Test func whatIsNewIsToldOnce() async throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        try file.record("loss", step: 0, value: 4)
        try file.record("edge", step: 0, value: 20)
        try file.record("lambda_max", step: 0, value: 3)
        try file.commit()
        let watch = RunWatch(file.url, on: thread, every: 0)
        let first = try #require(await watch.message(after: nil))
        let whole = try object(first.parts.first)
        #expect(whole["full"] == true && whole["run"]?["state"] == "running" && whole["series"]?.list.count == 3)
        #expect(whole["series"]?.list.map { $0["edge"] ?? nil } == [.null, .null, "edge"])
        // Nothing is measured; that the writer is alive it says once a second.
        var seen = first.version
        for _ in 0..<3 {
            guard let message = await watch.message(after: seen) else { continue }
            #expect(message.parts.allSatisfy { !$0.contains("\"series\"") && !$0.contains("\"full\"") })
            seen = message.version
        }
        for step in 1...3 { try file.record("loss", step: step, value: Double(step) + 0.5) }
        try file.record("loss", step: 4, value: .nan)
        try file.addEvent(step: 4, kind: "lr", message: "0.1 to 0.05")
        try file.commit()
        let second = try #require(await watch.message(after: seen))
        // One commit, or the writer's own in between.
        let news = try second.parts.map { try object($0) }
        #expect(news.allSatisfy { $0["full"] == nil } && news.contains { $0["event_count"] == 1 })
        let losses = news.compactMap { $0["series"]?.list }
        #expect(!losses.isEmpty && losses.allSatisfy { $0.count == 1 && $0[0]["i"] == 0 && $0[0]["add"] == true })
        #expect(losses.flatMap { $0[0]["s"]?.list ?? [] } == [1, 2, 3, 4] && losses.last?[0]["count"] == 5)
        #expect(losses.flatMap { $0[0]["v"]?.list ?? [] } == [1.5, 2.5, 3.5, "nan"])
        try file.close()
        let last = try #require(await watch.message(after: second.version))
        #expect(try object(last.parts.last)["run"]?["state"] == "done")
        // Who comes late sees the same.
        let late = try object(try #require(await watch.message(after: nil)).parts.first)
        #expect(late["series"]?.list.first?["s"] == [0, 1, 2, 3, 4])
    }

    /// A curve has the edge of what it measures, whatever the program calls the two.
    @Test func edgesGoByProbes() async throws {
        let folder = try TemporaryFolder()
        let url = try folder.run("a") { file in
            for name in ["mine", "loss", "lambda_max", "edgewise"] { try file.record(name, step: 0, value: 1) }
            try file.addEvent(
                step: 0, kind: "series", message: "",
                data: ["series": ["mine": "batch_sharpness", "lambda_max": "loss", "edgewise": "edge"]])
        }
        let watch = RunWatch(url, on: thread, every: 0)
        let whole = try object(try #require(await watch.message(after: nil)).parts.first)
        #expect(whole["series"]?.list.map { $0["edge"] ?? nil } == ["edgewise", .null, .null, .null])
    }

    @Test func aMillionValuesAreToldInFewPoints() async throws {
        let folder = try TemporaryFolder()
        let url = try folder.run("long") { file in
            for step in 0..<1_000_000 { try file.record("loss", step: step, value: step == 654_321 ? 1e9 : 1) }
        }
        let watch = RunWatch(url, on: thread, every: 0)
        let text = try #require(await watch.message(after: nil)?.parts.first)
        let loss = try #require(try object(text)["series"]?.list.first)
        let steps = try #require(loss["s"]?.list)
        #expect(text.utf8.count < 100_000 && loss["count"] == 1_000_000)
        #expect(steps.first == 0 && steps.last == 999_999 && steps.contains(654_321))
        let library = PageLibrary(folder.url, on: thread)
        let part = try await library.series(url, "loss", 654_300...654_400).get()
        #expect(try object(String(decoding: part.bytes, as: UTF8.self))["s"]?.list.count == 101)
    }

    @Test func aCurveThatWasCutIsToldAnew() async throws {
        let folder = try TemporaryFolder()
        let url = try folder.run("a") { file in for step in 0...9 { try file.record("loss", step: step, value: 1) } }
        let reader = try RunFileReader(url)
        var curve = LiveCurve(name: "loss")
        let newest = Experiments.Measurement(step: 9, value: 1)
        #expect(try curve.catchUp(reader, newest: newest, place: 0, edge: nil)?.contains("\"count\":10") == true)
        #expect(try curve.catchUp(reader, newest: newest, place: 0, edge: nil) == nil)
        try FileManager.default.removeItem(at: url)
        let shorter = try folder.run("a") { file in
            for step in 0...4 { try file.record("loss", step: step, value: 2) }
        }
        let text = try curve.catchUp(
            RunFileReader(shorter), newest: Experiments.Measurement(step: 4, value: 2), place: 0, edge: nil)
        let whole = try object(text)
        #expect(whole["add"] == nil && whole["s"] == [0, 1, 2, 3, 4])
    }

    @Test func aStrangersWordsAreText() async throws {
        let folder = try TemporaryFolder()
        let name = "</script><img src=x onerror=alert(1)>\u{202E}"
        let url = try folder.run("evil") { file in
            try file.record(name, step: 0, value: 1)
            try file.record(String(repeating: "n", count: 10_000), step: 0, value: 1)
            try file.addEvent(step: 0, kind: "k", message: "\u{1B}[31m\n\ndata: x\u{2028}")
            try file.addFigure(name: "../../etc/passwd", mime: "text/html", bytes: Data("<script>".utf8))
        }
        let watch = RunWatch(url, on: thread, every: 0)
        let text = try #require(await watch.message(after: nil)?.parts.first)
        // A line break would end a server-sent event.
        #expect(!text.contains("\n") && !text.contains("\r") && text.utf8.count < 10_000)
        let whole = try object(text)
        #expect(whole["series"]?.list.first?["name"] == .string(name))
        #expect(whole["figures"]?.list.first?["shown"] == false)
    }

    @Test func aFileThatIsNoneSaysWhy() async throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("x.eoss")
        try Data("garbage".utf8).write(to: file)
        let watch = RunWatch(file, on: thread, every: 0)
        let message = try #require(await watch.message(after: nil))
        #expect(try object(message.parts.first)["error"] == "not a run file: it is not an SQLite database")
        #expect(await watch.message(after: message.version) == nil, "it is told once")
        try FileManager.default.removeItem(at: file)
        try folder.run("x") { try $0.record("loss", step: 0, value: 1) }
        let now = try object(await watch.message(after: message.version)?.parts.last)
        #expect(now["error"] == nil && now["series"]?.list.count == 1)
    }
}
