import Experiments
import Foundation
import Testing

@testable import RunFiles

@Suite struct SharingTests {
    private func share(_ reader: RunFileReader, _ path: String, _ change: (inout Sharing) -> Void = { _ in }) throws
        -> (
            file: RunFileReader, report: Sharing.Report
        )
    {
        var sharing = Sharing()
        change(&sharing)
        let report = try sharing.share(reader, to: path)
        return (try RunFile.open(URL(fileURLWithPath: path)), report)
    }

    @Test func allThatWasMeasuredIsInTheSharedFile() throws {
        let place = try Workplace()
        let reader = try place.runFile { file in
            for step in 0..<3000 { try file.record("long", step: 3 * step, value: Double(step)) }
            try file.record("sketch", Measurement(step: 1, value: 1, arrays: ["numbers": [1, 2]]))
            try file.addNote("a note")
        }
        let (shared, _) = try share(reader, place.path("out.eoss"))
        #expect(shared.uuid == reader.uuid && shared.name == "edge")
        #expect(try shared.seriesNames() == reader.seriesNames())
        for name in try reader.seriesNames() where name != "sharpness" {
            #expect(try shared.series(name) == reader.series(name))
        }
        #expect(try shared.series("sharpness").map(\.standardError) == [0.5, nil])
        #expect(try shared.parameters() == reader.parameters())
        #expect(try shared.scripts().map(\.source) == reader.scripts().map(\.source))
        #expect(try shared.events() == reader.events() && shared.notes() == ["a note"])
        #expect(try shared.figure("a.svg") == reader.figure("a.svg"))
    }

    @Test func whatIsPrivateStaysBehindAndIsNamed() throws {
        let place = try Workplace()
        let host = RunProcess.current.host
        let reader = try place.runFile(environment: ["node": "on \(host)", "cache": "/home/alice/.cache/x"]) { file in
            try file.addEvent(
                step: 3, kind: "error", message: "'/home/alice/secret plans/edge.lua':7: 2/lr of /home/alice, a/b",
                data: ["at": "/scratch/alice/run/3"])
            try file.addNote("see file:///home/alice/notes.txt")
        }
        let (shared, report) = try share(reader, place.path("out.eoss"))
        #expect(try shared.scripts().map(\.path) == ["edge.lua", "m.lua"])
        #expect(try shared.events().last?.message == "'…/edge.lua':7: 2/lr of …, a/b")
        #expect(try shared.events().last?.data == ["at": "…/3"])
        #expect(try shared.environment()["cache"] == "…/x")
        #expect(try shared.status()?.process.host == "shared")
        if host.count >= 3 { #expect(try shared.environment()["node"] == "on …") }
        #expect(report.stripped.contains("the folder of the script"))
        #expect(report.stripped.contains { $0.hasSuffix("absolute paths") })
        let bytes = try Data(contentsOf: shared.url)
        for secret in ["alice/", "secret plans"] { #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(secret)") }
    }

    @Test func aParameterThatIsAPathStaysAndIsNamed() throws {
        let place = try Workplace()
        let reader = try place.runFile { try $0.setParameters(["data": "/home/alice/x.npz"]) }
        let (shared, report) = try share(reader, place.path("out.eoss"))
        #expect(try shared.parameters() == ["data": "/home/alice/x.npz"])
        #expect(report.notes.contains { $0.contains("the parameter 'data' is the path '/home/alice/x.npz'") })
    }

    @Test(arguments: [(RunFileChanges.Checkpoints.none, []), (.last, [9]), (.all, [3, 9])])
    func checkpointsGoAlongAsAsked(which: RunFileChanges.Checkpoints, steps: [Int]) throws {
        let place = try Workplace()
        let reader = try place.runFile { file in
            for step in [3, 9] { try file.addCheckpoint(step: step, bytes: Data(repeating: UInt8(step), count: 5000)) }
        }
        let (shared, _) = try share(reader, place.path("out.eoss")) { $0.checkpoints = which }
        #expect(try shared.checkpointSteps() == steps)
        for step in steps { #expect(try shared.checkpoint(step: step) == reader.checkpoint(step: step)) }
    }

    @Test func dataTravelInsideOnlyWhereTheyStillAreThoseThatWereRead() throws {
        let place = try Workplace()
        let bytes = Data((0..<1000).map { UInt8(truncatingIfNeeded: $0) })
        for name in ["same.npz", "other.npz", "large.npz"] {
            try bytes.write(to: URL(fileURLWithPath: place.path(name)))
        }
        let reader = try place.runFile { file in
            for path in ["same.npz", "other.npz", "large.npz", "gone.npz", "../up.npz", "/etc/passwd"] {
                var read = ScriptArchive.FileRead(
                    path: path, sha256: RunData(path: path, bytes: bytes).sha256, bytes: 1000)
                if path == "other.npz" { read.sha256 = String(repeating: "0", count: 64) }
                if path == "large.npz" { read.bytes = 1 << 40 }
                try file.addEvent(step: 0, kind: "read", message: read.words, data: read.data)
            }
        }
        let without = try share(reader, place.path("without.eoss"))
        #expect(try ScriptArchive(without.file).data.isEmpty)
        #expect(without.report.notes.filter { $0.contains("--with-data takes it along") }.count == 6)
        let (shared, report) = try share(reader, place.path("out.eoss")) { $0.withData = true }
        #expect(try ScriptArchive(shared).data.mapValues(\.bytes) == ["same.npz": bytes])
        for (name, reason) in [
            ("other.npz", "another one by now"), ("gone.npz", "no such file"),
            ("large.npz", "--data-limit raises that"),
            ("../up.npz", "below the script's folder"), ("passwd", "below the script's folder"),
        ] {
            #expect(report.notes.contains { $0.contains(name) && $0.contains(reason) }, "\(name): \(report.notes)")
        }
        // They are no figures.
        #expect(try shared.figureNames() == ["a.svg"])
        // Of a shared file they go along to the next.
        #expect(try ScriptArchive(share(shared, place.path("again.eoss")).file).data.keys.sorted() == ["same.npz"])
    }

    @Test func noFileIsReplacedByMistake() throws {
        let place = try Workplace()
        let reader = try place.runFile()
        func failure(_ path: String, force: Bool) throws -> String {
            do {
                _ = try share(reader, path) { $0.isReplacing = force }
                return ""
            } catch { return "\(error)" }
        }
        #expect(try failure(reader.url.path, force: true).contains("is the run file itself"))
        #expect(try failure(place.path("out.txt"), force: false).contains("ends in .eoss"))
        #expect(try failure(place.path("out.eoss"), force: false) == "")
        #expect(try failure(place.path("out.eoss"), force: false).contains("--force replaces it"))
        #expect(try failure(place.path("out.eoss"), force: true) == "")
        #expect(try failure(place.path("none/out.eoss"), force: false).contains("No such file or directory"))
        #expect(try place.names == ["edge.eoss", "out.eoss"])
    }

    /// Somebody may share a run that still goes on: what was measured up to a moment.
    @Test func aRunThatGoesOnIsSharedAsOneThatWasStopped() throws {
        let place = try Workplace()
        let file = try RunFile.create(name: "going", in: place.url)
        try file.addScript(path: "a.lua", source: "")
        try file.record("loss", step: 1, value: 2)
        try file.commit()
        let (shared, _) = try share(RunFile.open(file.url), place.path("out.eoss"))
        try file.record("loss", step: 2, value: 1)
        try file.close()
        #expect(try shared.status()?.words == "stopped" && shared.series("loss").map(\.value) == [2])
        #expect(try RunFile.open(file.url).series("loss").map(\.value) == [2, 1])
    }
}
