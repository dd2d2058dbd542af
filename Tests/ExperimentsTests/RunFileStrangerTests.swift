import Foundation
import GRDB
import Testing

@testable import Experiments

/// Files that are not ours, or no longer: each is one error that says what is wrong, none a trap.
@Suite struct RunFileStrangerTests {
    /// A file with something in every table.
    func sample(in folder: borrowing TemporaryFolder) throws -> URL {
        let parent = RunParent(uuid: UUID(), name: "base", step: 10)
        let file = try RunFile.create(name: "sample", in: folder.url, header: RunHeader(parent: parent))
        for step in 0..<120 {
            try file.record("loss", step: step, value: 1 / Double(step + 1))
            try file.record("batch_sharpness", step: step, value: .nan, standardError: 0.5, samples: 64, products: 3)
            if step % 10 == 0 {
                let numbers = (0..<200).map { Double($0 + step) }
                try file.record(
                    "sketch", Measurement(step: step, value: 1, arrays: ["numbers": numbers, "few": [0.5]]))
            }
        }
        for step in 0..<1100 {
            try file.record("plain", step: step * step, value: Double(step))
            if step % 500 == 499 { try file.commit() }
        }
        try file.setParameters(["lr": 0.05, "hidden": [200, 200]])
        try file.addScript(path: "a.lua", source: String(repeating: "print('x')\n", count: 1000))
        try file.addEvent(step: 3, kind: "lr", message: "0.1")
        try file.addCheckpoint(step: 5, bytes: Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0) }))
        try file.addNote("a note")
        try file.addFigure(name: "edge.svg", mime: "image/svg+xml", bytes: Data(count: 6000))
        try file.close()
        return file.url
    }

    /// Reads everything there is; returns how many values.
    @discardableResult
    func readAll(_ url: URL) throws(RunFileError) -> Int {
        let reader = try RunFile.open(url)
        var count = try reader.environment().count + reader.parameters().count + reader.scripts().count
        for name in try reader.seriesNames() {
            count += try reader.series(name).count
            count += try reader.values(of: name).count + reader.arrays("numbers", of: name).count
            var start = Int.min
            while let end = try reader.lastStep(ofPageOf: name, from: start, count: 40), end < .max { start = end + 1 }
        }
        for (_, tail) in try reader.overview(last: 1024).series { count += tail.count }
        count += try reader.seriesCounts().count + reader.checkpoints().count + reader.figures().count
        count += try reader.eventTimes().count
        count += try reader.events().count + reader.notes().count + reader.costs().count
        _ = try reader.times().count + reader.data(limit: 1 << 20).count
        for step in try reader.checkpointSteps() { count += try reader.checkpoint(step: step).count }
        for name in try reader.figureNames() { count += try reader.figure(name).bytes.count }
        return count
    }

    func write(_ bytes: Data, _ name: String, in folder: borrowing TemporaryFolder) throws -> URL {
        let url = folder.url.appendingPathComponent(name)
        try bytes.write(to: url)
        return url
    }

    /// Changes a file by SQL, with every guard of SQLite taken away.
    func tamper(_ url: URL, _ sql: String) throws {
        let queue = try DatabaseQueue(path: url.path)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA writable_schema = ON")
            try db.execute(sql: sql)
        }
        try queue.close()
    }

    @Test func whatIsNoRunFileIsToldFromWhatIsDamaged() throws {
        let folder = try TemporaryFolder()
        let good = try Data(contentsOf: try sample(in: folder))
        #expect(throws: RunFileError.cannotRead(path: folder.url.path + "/none", reason: "No such file or directory")) {
            try RunFile.open(folder.url.appendingPathComponent("none"))
        }
        #expect(throws: RunFileError.cannotRead(path: folder.url.path, reason: "it is a folder")) {
            try RunFile.open(folder.url)
        }
        #expect(throws: RunFileError.cannotRead(path: "/dev/null", reason: "it is no file")) {
            try RunFile.open(URL(fileURLWithPath: "/dev/null"))
        }
        let text = try write(Data("print('hello')".utf8), "text", in: folder)
        #expect(throws: RunFileError.notARunFile(path: text.path, reason: "it is not an SQLite database")) {
            try RunFile.open(text)
        }
        let empty = try write(Data(), "empty", in: folder)
        #expect(throws: RunFileError.self) { try RunFile.open(empty) }
        let header = try write(good.prefix(64), "header", in: folder)
        #expect(throws: RunFileError.damaged(path: header.path, reason: "it is cut off in its header")) {
            try RunFile.open(header)
        }
        let half = try write(good.prefix(good.count / 2), "half", in: folder)
        #expect(
            throws: RunFileError.damaged(
                path: half.path, reason: "it is cut off, \(good.count - good.count / 2) bytes are missing")
        ) { try RunFile.open(half) }
    }

    @Test(arguments: [
        ("PRAGMA application_id = 7", "another program"),
        ("PRAGMA user_version = 4", "newer eoss"),
        ("PRAGMA user_version = 1", "is not the one that eoss makes"),
        ("UPDATE run SET state = 'asleep'", "how the run stands"),
        ("UPDATE run SET process = 'nobody'", "how the run stands"),
        ("UPDATE run SET heartbeat = 'now'", "how the run stands"),
        ("UPDATE run SET session = 'none'", "UUID"),
        ("UPDATE event SET data = '[1'", "the data of an event"),
        ("UPDATE checkpoint SET size = 7", "longer than it says"),
        ("UPDATE checkpoint SET size = 70000", "of its 70000 bytes"),
        ("DELETE FROM checkpoint_part", "has 0 of its"),
        ("PRAGMA user_version = 0", "its format is number 0"),
        ("PRAGMA user_version = -1", "its format is number -1"),
        ("DROP TABLE array", "'array'"),
        ("UPDATE measurement SET low = 2, high = 1", "an interval ends before it begins"),
        (
            "UPDATE array SET numbers = x'000102' WHERE name = 'numbers'",
            "the list 'numbers' of the series 'sketch' has 3 bytes"
        ),
        ("UPDATE chunk SET numbers = x'000102'", "values and has 3 bytes"),
        ("UPDATE chunk SET count = 1000000000000000000", "claims 1000000000000000000 values"),
        ("UPDATE chunk SET count = 0, numbers = x''", "claims 0 values"),
        ("UPDATE chunk SET count = -1", "claims -1 values"),
        ("UPDATE chunk SET last = last - 1", "steps that are not in order"),
        ("UPDATE chunk SET first = -9223372036854775808, last = 9223372036854775807", "not in order"),
        ("UPDATE chunk SET first = 9, last = 9", "not in order"),
        ("UPDATE chunk SET steps = x'00'", "not as many steps"),
        ("UPDATE chunk SET steps = zeroblob(length(numbers))", "not in order"),
        ("UPDATE chunk SET operations = x'0000'", "not as many operations"),
        (
            """
            INSERT INTO chunk (series, first, last, count, numbers) SELECT series, last, last + 1, 2, zeroblob(16) FROM chunk
            WHERE id = 1
            """, "overlap at step 119"
        ),
        (
            "INSERT INTO measurement (series, step, value) SELECT series, first, 1.0 FROM chunk WHERE id = 1",
            "the series 'loss' has two values at step 0"
        ),
        ("CREATE TABLE extra (a)", "'extra'"),
        ("CREATE VIEW extra AS SELECT * FROM run", "'extra'"),
        ("CREATE TRIGGER extra AFTER INSERT ON note BEGIN DELETE FROM run; END", "'extra'"),
        ("DROP TABLE note", "'note'"),
        ("DROP INDEX measurement_by_step", "'measurement_by_step'"),
        ("UPDATE sqlite_schema SET sql = replace(sql, 'text TEXT', 'text ANY') WHERE name = 'note'", "'note'"),
        ("DELETE FROM run", "no header"),
        ("UPDATE run SET uuid = 'none'", "UUID"),
        ("UPDATE run SET created = 'yesterday'", "date"),
        ("UPDATE parameters SET json = '[1'", "JSON"),
        ("UPDATE parameters SET json = '" + String(repeating: "[", count: 100_000) + "'", "JSON"),
        ("PRAGMA journal_mode = WAL", "write-ahead log"),
    ])
    func aFileThatEossWouldNotMakeIsRefused(sql: String, message: String) throws {
        let folder = try TemporaryFolder()
        let url = try sample(in: folder)
        try tamper(url, sql)
        do {
            try readAll(url)
            Issue.record("it was read")
        } catch {
            #expect("\(error)".contains(message) && "\(error)".contains(url.path), "\(error)")
        }
    }

    @Test func readingChangesNothing() throws {
        let folder = try TemporaryFolder()
        let url = try sample(in: folder)
        let before = try Data(contentsOf: url)
        try readAll(url)
        #expect(try Data(contentsOf: url) == before)
        #expect(try folder.names == ["sample.eoss"])
    }

    /// Every length that a cut-off copy can have, page by page and within pages.
    @Test func aCutOffFileIsAnErrorAtEveryLength() throws {
        let folder = try TemporaryFolder()
        let good = try Data(contentsOf: try sample(in: folder))
        for length in stride(from: 1, to: good.count, by: 509) {
            let url = try write(good.prefix(length), "cut", in: folder)
            #expect(throws: RunFileError.self, "cut to \(length) bytes") { try readAll(url) }
        }
    }

    /// Flipped bits, overwritten stretches and swapped pages: whatever comes of it is a value or a `RunFileError`
    /// (`readAll` can throw nothing else), and the process lives.
    @Test func noMutationTrapsTheReader() throws {
        let folder = try TemporaryFolder()
        let good = try Data(contentsOf: try sample(in: folder))
        var generator = SplitMix(state: 2026)
        var refused = 0
        let rounds = 900
        for round in 0..<rounds {
            var bytes = good
            switch round % 3 {
            case 0:
                for _ in 0..<(1 + round % 7) {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^=
                        1 << UInt8.random(in: 0..<8, using: &generator)
                }
            case 1:
                // The first bytes of a page hold its type, its cell count and its cell pointers: there it hurts.
                let page = Int.random(in: 0..<bytes.count / 4096, using: &generator) * 4096
                let start = page + Int.random(in: 0..<200, using: &generator)
                for offset in start..<min(start + 16, bytes.count) {
                    bytes[offset] = .random(in: 0...255, using: &generator)
                }
            default:
                let a = Int.random(in: 0..<bytes.count / 4096, using: &generator) * 4096
                let b = Int.random(in: 0..<bytes.count / 4096, using: &generator) * 4096
                bytes.replaceSubrange(a..<a + 4096, with: good[b..<b + 4096])
            }
            let url = try write(bytes, "mutant", in: folder)
            do throws(RunFileError) {
                try readAll(url)
            } catch {
                refused += 1
                #expect(error.description.contains(url.path))
            }
        }
        #expect(refused > rounds / 10, "the mutations hit something")
    }
}

/// Steele, Lea and Flood's SplitMix64: the same mutations each time.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
