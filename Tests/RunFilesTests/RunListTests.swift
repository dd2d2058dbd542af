import Experiments
import Foundation
import RunFiles
import Testing

/// Run files at a glance: each file is a row, whatever is in it.
@Suite struct RunListTests {
    @Test func aSummarySaysWhatTheFileHas() throws {
        let folder = try TemporaryFolder()
        let parent = RunParent(uuid: UUID(), name: "base", step: 3)
        let file = try RunFile.create(name: "a", in: folder.url, header: RunHeader(parent: parent))
        try file.addScript(path: "dir/a.lua", source: "return 1")
        try file.addScript(path: "m.lua", source: "return 2")
        try file.setParameters(["lr": 0.1])
        for step in 0..<3000 { try file.record("loss", step: step, value: Double(step)) }
        try file.record("sharpness", step: 10, value: 5, standardError: 0.5)
        // A series whose last value has nothing beside it, and one before has.
        try file.record("mixed", step: 1, value: 1, standardError: 1)
        try file.record("mixed", step: 2, value: 2)
        file.note(step: 3000, alert: "late")
        try file.commit()
        let living = try #require(try RunFolder(folder.url).runs().first?.run)
        #expect(living.state == "running" && living.closed == nil && living.step == 3000 && living.alert == "late")
        try file.close()
        let listed = try #require(try RunFolder(folder.url).runs().first)
        let run = try #require(listed.run)
        #expect(listed.name == "a" && run.name == "a" && run.script == "dir/a.lua" && run.parent == parent)
        #expect(run.state == "done" && run.closed != nil && run.parameters == ["lr": 0.1])
        #expect(run.last.map(\.name) == ["loss", "sharpness", "mixed"])
        #expect(run.last.map(\.value.value) == [2999, 5, 2] && run.last.map(\.value.step) == [2999, 10, 2])
        #expect(run.last[1].value.standardError == 0.5)
        #expect(run.written >= run.created)
    }

    /// The tail of a series is the end of the series, in chunks, in rows and where they meet.
    @Test func tailsAreTheEndsOfSeries() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        for step in 0..<2500 {
            try file.record("plain", step: 3 * step, value: Double(step))
            let error = step % 3 == 0 || step > 2490 ? 0.5 : nil
            try file.record("mixed", step: step, value: Double(step), standardError: error)
            if step < 5 { try file.record("few", step: step, value: 1, standardError: 1) }
            if step % 600 == 0 { try file.commit() }
        }
        try file.close()
        let reader = try RunFile.open(file.url)
        for count in [1, 2, 7, 500, 1024] {
            for (name, tail) in try reader.overview(last: count).series {
                let all = try reader.series(name)
                #expect(tail.map(\.step) == all.suffix(count).map(\.step), "\(name), \(count)")
                #expect(tail.map(\.value) == all.suffix(count).map(\.value), "\(name), \(count)")
            }
        }
        #expect(try reader.seriesCounts().map(\.count) == [2500, 2500, 5])
    }

    @Test func aKilledProcessIsToldFromOneThatRuns() throws {
        let folder = try TemporaryFolder()
        let file = try folder.run("a")
        try change(file, "UPDATE run SET state = 'running', closed = NULL, process = process || 'x'")
        #expect(ListedRun(file).run?.state == "killed")
        // Of another machine one knows by its silence alone.
        try change(file, "UPDATE run SET process = 'elsewhere 1 2'")
        #expect(ListedRun(file).run?.state == "running")
        try change(file, "UPDATE run SET heartbeat = '2020-01-01T00:00:00.000Z'")
        #expect(ListedRun(file).run?.state == "killed")
    }

    @Test func aFileThatCannotBeReadIsARowThatSaysWhy() throws {
        let folder = try TemporaryFolder()
        let good = try folder.run("good", last: ["loss": 0.5])
        let bytes = try Data(contentsOf: good)
        _ = try folder.write(bytes.prefix(bytes.count / 2), "cut.eoss")
        _ = try folder.write(Data(), "empty.eoss")
        _ = try folder.write(Data("hello".utf8), "text.eoss")
        let newer = try folder.write(bytes, "newer.eoss")
        try change(newer, "PRAGMA user_version = 99")
        var noise = bytes
        noise.replaceSubrange(2 * 4096..<6 * 4096, with: Data(count: 4 * 4096))
        _ = try folder.write(noise, "noise.eoss")
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("folder.eoss"), withIntermediateDirectories: true)
        let runs = try RunFolder(folder.url).runs()
        #expect(runs.map(\.name) == ["cut", "empty", "folder", "good", "newer", "noise", "text"])
        let words = runs.map { run in
            if case .failure(let error) = run.summary { "\(run.name): \(error)" } else { "\(run.name): fine" }
        }
        let expected = [
            "is cut off", "it is empty", "it is a folder", "fine", "newer eoss", "damaged", "not a run file",
        ]
        for (word, part) in zip(words, expected) { #expect(word.contains(part), "\(word)") }
        #expect(try JSONValue.array(runs.map(\.json)).text().split(separator: "\n").count == runs.count + 2)
    }

    /// It waits for a second, and goes on.
    @Test func aLockedFileIsARowToo() throws {
        let folder = try TemporaryFolder()
        let locked = try folder.run("locked")
        try folder.run("free")
        let lock = try ExclusiveLock(locked)
        let runs = try RunFolder(folder.url).runs()
        try lock.letGo()
        #expect(runs[0].run != nil)
        guard case .failure(let error) = runs[1].summary else { throw CocoaError(.fileLocking) }
        #expect("\(error)".contains("another program has locked it"))
        #expect(ListedRun(locked).run != nil)
    }

    @Test func aFolderWithoutRunsHasNone() throws {
        let folder = try TemporaryFolder()
        #expect(try RunFolder(folder.url).runs().isEmpty)
        #expect(throws: (any Error).self) { try RunFolder(folder.url.appendingPathComponent("none")).runs() }
    }

    @Test func namesOfStrangersActOnNoTerminal() throws {
        let folder = try TemporaryFolder()
        let file = try folder.run("a", ["\u{1B}[2J": "\u{9B}31m"], last: ["loss": 1])
        try change(file, "UPDATE run SET alert = 'x' || char(27) || '[31m', name = 'n' || char(7)")
        let listed = ListedRun(file)
        #expect(listed.run?.alert == "x\u{1B}[31m")
        let json = try JSONValue.array([listed.json]).text()
        #expect(!json.unicodeScalars.contains { $0.value != 10 && $0.properties.generalCategory == .control })
        let read = try JSONDecoder().decode([JSONValue].self, from: Data(json.utf8))
        guard case .object(let fields)? = read.first else { throw CocoaError(.coderReadCorrupt) }
        #expect(fields["alert"] == "x\u{1B}[31m" && fields["parameters"] == ["\u{1B}[2J": "\u{9B}31m"])
    }

    @Test func detailsAreEverythingButTheBytes() throws {
        let folder = try TemporaryFolder()
        let file = try folder.run("a", last: ["loss": .infinity]) { file in
            try file.addEvent(
                step: 0, kind: "start",
                message: "model: mlp; of: two; data: x; y, 3 samples; loss: mse; batch_size: 4; seed: 1")
            try file.addScript(path: "m.lua", source: "12345")
            try file.addCheckpoint(step: 7, bytes: Data(count: 100), isPinned: true)
            try file.addFigure(name: "x.svg", mime: "image/svg+xml", bytes: Data(count: 10))
            try file.addNote("one\ntwo")
        }
        let details = try RunDetails(RunFile.open(file), withValues: true)
        #expect(
            details.settings.map { "\($0.name)=\($0.value)" } == [
                "model=mlp", "of=two", "data=x; y, 3 samples", "loss=mse", "batch_size=4", "seed=1",
            ])
        #expect(details.scripts.map(\.path) == ["scripts/a.lua", "m.lua"] && details.scripts[1].size == 5)
        #expect(
            details.series[0].count == 2 && details.series[0].first == 0 && details.series[0].values == [1, .infinity])
        #expect(details.events.count == 1 && details.events[0].time != nil && details.notes == ["one\ntwo"])
        #expect(details.checkpoints.map { "\($0.step) \($0.size) \($0.isPinned)" } == ["7 100 true"])
        #expect(details.figures.map { "\($0.name) \($0.mime) \($0.size)" } == ["x.svg image/svg+xml 10"])
        let json = try details.json.text()
        #expect(json.contains(#""value":"inf""#), "JSON has no word for it")
        #expect(throws: Never.self) { try JSONValue(json: json) }
    }
}
