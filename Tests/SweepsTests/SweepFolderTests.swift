import Experiments
import Foundation
import Testing

@testable import Sweeps

/// A folder that is gone when it is let go.
final class TemporaryFolder {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// A sweep of two rates for a script that is there.
    func sweep(_ name: String = "sweep") throws -> SweepFolder {
        let script = url.appendingPathComponent("script.lua")
        try Data("print(1)".utf8).write(to: script)
        let manifest = SweepManifest(
            script: script.path, sha256: try SweepFolder.digest(of: script.path), axes: [.init("lr", ["1", "2"])],
            repeats: 2, options: .init(threads: 2, memory: 1 << 30))
        return try SweepFolder(beginning: manifest, at: url.appendingPathComponent(name))
    }
}

@Suite struct SweepFolderTests {
    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch { return "\(error)" }
    }

    /// A run file of a point.
    private func makeRun(_ folder: SweepFolder, _ point: Int, events: [RunEvent] = [], state: RunStatus.State) throws {
        let file = try RunFile.create(name: "run", in: folder.folder(of: point))
        for step in 0...5000 { try file.record("loss", step: step, value: Double(step) / 2) }
        try file.record("late", step: 3, value: 7)
        for event in events { try file.addEvent(step: event.step, kind: event.kind, message: event.message) }
        file.note(step: 5000, state: state)
        try file.close()
    }

    @Test func aSweepIsWhatItsManifestSays() throws {
        let folder = try TemporaryFolder()
        var sweep = try folder.sweep()
        try sweep.change { $0.submissions.append(.init(job: "12", submitted: Date(timeIntervalSince1970: 1e9))) }
        let read = try SweepFolder(opening: sweep.url)
        #expect(read.plan == sweep.plan && read.manifest.submissions == sweep.manifest.submissions)
        #expect(read.manifest.options == .init(threads: 2, memory: 1 << 30))
        #expect(read.manifest.sha256 == sweep.manifest.sha256 && read.plan.names[3] == "lr=2-seed=2")
        #expect(read.reports() == Array(repeating: PointReport(state: .waiting), count: 4))
    }

    @Test func aSecondSweepInOneFolderIsRefusedWithTheRemedy() throws {
        let folder = try TemporaryFolder()
        _ = try folder.sweep()
        #expect(message { _ = try folder.sweep() }.contains("--resume goes on with it"))
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("other/lr=2-seed=1"), withIntermediateDirectories: true)
        #expect(message { _ = try folder.sweep("other") }.contains("has a 'lr=2-seed=1' already"))
    }

    @Test(arguments: [
        ("", "damaged"), ("{", "damaged"), ("[]", "damaged"), (#"{"format": 1, "eoss": "1"}"#, "damaged"),
        (#"{"format": 99, "eoss": "9.0"}"#, "was written by eoss 9.0: update"),
    ])
    func aManifestThatIsNoneIsOneMessage(text: String, expected: String) throws {
        let folder = try TemporaryFolder()
        let sweep = try folder.sweep()
        try Data(text.utf8).write(to: sweep.url.appendingPathComponent("sweep.json"))
        #expect(message { _ = try SweepFolder(opening: sweep.url) }.contains(expected))
        #expect(message { _ = try SweepFolder(opening: folder.url) }.contains("there is no sweep in"))
    }

    /// Reading a pipe waits for ever, and a device never ends.
    @Test func whatIsNoPlainFileIsNotRead() throws {
        let folder = try TemporaryFolder()
        let sweep = try folder.sweep()
        let file = sweep.url.appendingPathComponent("sweep.json")
        try FileManager.default.removeItem(at: file)
        #expect(mkfifo(file.path, 0o600) == 0)
        #expect(message { _ = try SweepFolder(opening: sweep.url) }.contains("it is no plain file"))
        #expect(message { _ = try SweepFolder.digest(of: "/dev/zero") }.contains("cannot read the script '/dev/zero'"))
    }

    @Test func aManifestOfTooManyPointsIsRefused() throws {
        let folder = try TemporaryFolder()
        let sweep = try folder.sweep()
        let file = sweep.url.appendingPathComponent("sweep.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        try Data(text.replacingOccurrences(of: "\"repeats\" : 2", with: "\"repeats\" : 9000000000000000000").utf8)
            .write(to: file)
        #expect(message { _ = try SweepFolder(opening: sweep.url) }.contains("may have 10000"))
    }

    @Test func aScriptThatHasChangedIsRefused() throws {
        let folder = try TemporaryFolder()
        let sweep = try folder.sweep()
        try sweep.checkScript()
        try Data("print(2)".utf8).write(to: folder.url.appendingPathComponent("script.lua"))
        #expect(message { try sweep.checkScript() }.contains("has changed since the sweep began"))
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("script.lua"))
        #expect(message { try sweep.checkScript() }.contains("cannot read the script"))
    }

    @Test func aPointStandsAsItsFilesSay() throws {
        let folder = try TemporaryFolder()
        let sweep = try folder.sweep()
        try makeRun(sweep, 0, state: .done)
        try makeRun(
            sweep, 1, events: [RunEvent(step: 5000, kind: "diverged", message: "inf")], state: .failed)
        try makeRun(sweep, 2, state: .stopped)
        // Without an outcome they were killed; with one it says how their programs ended.
        #expect(sweep.reports().map(\.state) == [.stopped, .stopped, .stopped, .waiting])
        #expect(sweep.outcome(of: 0, status: 0, message: nil).state == .done)
        #expect(sweep.outcome(of: 0, status: 1, message: "eoss: no").message == "no")
        #expect(sweep.outcome(of: 0, status: 1, message: nil).state == .failed)
        #expect(sweep.outcome(of: 1, status: 1, message: "inf").state == .diverged)
        #expect(sweep.outcome(of: 2, status: 130, message: nil).state == .stopped)
        #expect(sweep.outcome(of: 3, status: 0, message: nil).state == .done, "a script need not make a run")
        for point in 0..<2 {
            try sweep.outcome(of: point, status: Int32(point), message: nil)
                .write(to: sweep.folder(of: point).appendingPathComponent("outcome.json"))
        }
        #expect(sweep.reports().map(\.state) == [.done, .diverged, .stopped, .waiting])
        #expect(sweep.reports().map(\.step) == [5000, 5000, 5000, nil])
        let last = sweep.lastValues(of: 0)
        #expect(last.map(\.series) == ["loss", "late"] && last.map(\.value) == [2500, 7])
        let table = try sweep.table(sweep.reports())
        #expect(table.rows.count == 1 && table.rows[0].count == 2 && table.rows[0].diverged == 1)
        #expect(message { _ = try sweep.table(sweep.reports(), columns: ["lost"]) }.contains("(there are loss, late)"))
    }

    @Test func whatCannotBeReadIsNoResult() throws {
        let folder = try TemporaryFolder()
        let sweep = try folder.sweep()
        let point = sweep.folder(of: 0)
        try FileManager.default.createDirectory(at: point, withIntermediateDirectories: true)
        try Data("no".utf8).write(to: point.appendingPathComponent("run.eoss"))
        try Data("no".utf8).write(to: point.appendingPathComponent("outcome.json"))
        #expect(sweep.report(on: 0) == PointReport(state: .waiting) && sweep.lastValues(of: 0).isEmpty)
    }
}
