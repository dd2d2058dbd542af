import Foundation
import GRDB
import Testing

@testable import Experiments

/// What version 2 of the schema added, and the files of version 1 that there are.
@Suite struct RunFileVersions {
    @Test func listsKeepTheirBitsAndTheirOrder() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        let lists = (0..<5).map { step in [Double(step), .nan, -0.0, .infinity] }
        // Written out of order, as a fork's or another thread's may be.
        for step in [3, 0, 4, 1, 2] {
            try file.record("sketch", Measurement(step: step, value: 1, arrays: ["numbers": lists[step]]))
            try file.record("loss", step: step, value: 0)
        }
        try file.record("sketch", step: 5, value: 2)
        try file.close()
        let read = try RunFile.open(file.url)
        let found = try read.arrays("numbers", of: "sketch", from: 1)
        #expect(found.map(\.step) == [1, 2, 3, 4])
        for (step, numbers) in found { #expect(numbers.map(\.bitPattern) == lists[step].map(\.bitPattern)) }
        #expect(try read.series("sketch", from: 4).map { $0.arrays?["numbers"]?.count } == [4, nil])
        #expect(try read.series("loss").allSatisfy { $0.arrays == nil })
        #expect(try read.arrays("others", of: "sketch").isEmpty)
        #expect(throws: RunFileError.missing(path: file.url.path, what: "series 'none'")) {
            try read.arrays("numbers", of: "none")
        }
    }

    /// The layout that other programs may rely on: IEEE 754 doubles, low byte first.
    @Test func listsAreStoredLowByteFirst() throws {
        #expect(Data(littleEndian: [1, -2]) == Data([0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0]))
        #expect([Double](littleEndian: Data([9, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]).dropFirst()) == [1])
        #expect([Double](littleEndian: Data([1, 2, 3])) == nil)
    }

    @Test func operationsThatAreNoNumberAreKept() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        for (step, operations) in [Double.nan, .infinity, 0].enumerated() {
            try file.record("loss", Measurement(step: step, value: 1, operations: operations))
        }
        try file.record("loss", step: 3, value: 1)
        try file.close()
        let read = try RunFile.open(file.url).series("loss").map(\.operations)
        #expect(read[0]?.isNaN == true && read[1] == .infinity && read[2] == 0 && read[3] == nil)
    }

    /// The queue holds 32,768 measurements, nearly all of which have no list: what they carry is counted in words.
    @Test func aMeasurementIsAFewWords() {
        #expect(MemoryLayout<Experiments.Measurement>.stride <= 20 * 8)
    }

    /// A queue of 1,000 bytes takes lists of 800 one at a time.
    @Test func listsCountAgainstTheQueuesLimit() throws {
        let folder = try TemporaryFolder()
        var limits = RunFileWriter.Limits()
        limits.bytes = 1000
        limits.delay = 3600
        let file = try RunFile(name: "a", directory: folder.url, header: RunHeader(), limits: limits)
        for step in 0..<20 {
            let numbers = [Double](repeating: Double(step), count: 100)
            try file.record("sketch", Measurement(step: step, value: 1, arrays: ["numbers": numbers]))
        }
        // With an hour's delay only a full queue has been written: all but the last lists are there.
        #expect(try RunFile.open(file.url).arrays("numbers", of: "sketch").count >= 18)
        try file.close()
        #expect(try RunFile.open(file.url).arrays("numbers", of: "sketch").count == 20)
    }

    @Test func aListTooLongForSQLiteIsRefused() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        // Zero pages of the system: 1 GB that is never touched.
        let huge = [Double](unsafeUninitializedCapacity: RunFile.largestBlob / 8 + 1) { _, count in
            count = RunFile.largestBlob / 8 + 1
        }
        let error = #expect(throws: RunFileError.self) {
            try file.record("sketch", Measurement(step: 0, value: 1, arrays: ["numbers": huge]))
        }
        #expect("\(try #require(error))".contains("the list 'numbers' of the series 'sketch'"))
        try file.close()
    }

    /// A list is written in the transaction of its measurement: whenever the process dies, none has lost the other.
    @Test func aKilledProcessLeavesNoMeasurementWithoutItsList() async throws {
        for round in 0..<4 {
            let folder = try TemporaryFolder()
            let path = folder.url.path
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
                let file = try restlessFile(in: path)
                try file.record("sketch", Measurement(step: 0, value: 0, arrays: ["numbers": [0, 0]]))
                try file.commit()
                killThisProcess(after: 4000 + 3517 * round)
                for step in 1... {
                    let numbers = [Double](repeating: Double(step), count: 300)
                    try file.record("sketch", Measurement(step: step, value: 0, arrays: ["numbers": numbers]))
                }
            }
            let read = try RunFile.open(folder.url.appendingPathComponent("a.eoss")).series("sketch")
            #expect(read.map(\.step) == Array(0..<read.count) && !read.isEmpty)
            for measured in read { #expect(measured.arrays?["numbers"]?.first == Double(measured.step)) }
        }
    }

    /// A file as the first version of the format made it.
    private func firstVersion(in folder: borrowing TemporaryFolder) throws -> URL {
        let file = try RunFile.create(name: "old", in: folder.url)
        try file.record("loss", step: 0, value: 0.25)
        try file.close()
        let queue = try DatabaseQueue(path: file.url.path)
        let old = RunSchema.objects(of: 1)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA writable_schema = OFF")
            for object in RunSchema.objects where object.type == "table" {
                try db.execute(sql: "DROP TABLE \(object.name)")
            }
            for object in old { try db.execute(sql: object.sql) }
            try db.execute(
                sql: """
                    INSERT INTO run (id, name, uuid, created, closed, eoss_version)
                    VALUES (1, 'old', '\(UUID().uuidString)', '2026-11-01T10:00:00.000Z', NULL, '0.1.0');
                    INSERT INTO series (id, name) VALUES (1, 'loss');
                    INSERT INTO event (step, kind, message) VALUES (3, 'lr', '0.1 to 0.2');
                    INSERT INTO checkpoint (step, created, bytes) VALUES (5, '2026-11-01T10:00:00.000Z', x'0102');
                    """)
            try db.execute(
                sql: """
                    INSERT INTO measurement (series, step, value, standard_error, samples, products, residual, seconds,
                    nan, extra) VALUES (1, 7, NULL, 0.5, 3, 4, 1e-3, 2.5, 1, '{}')
                    """)
            try db.execute(sql: "PRAGMA user_version = 1")
        }
        try queue.close()
        return file.url
    }

    @Test func aFileOfTheFirstVersionIsStillRead() throws {
        let folder = try TemporaryFolder()
        let read = try RunFile.open(try firstVersion(in: folder))
        let measured = try #require(try read.series("loss").first)
        #expect(measured.step == 7 && measured.value.isNaN && measured.standardError == 0.5 && measured.seconds == 2.5)
        #expect(
            measured.operations == nil && measured.interval == nil && measured.arrays == nil && measured.extra == "{}")
        #expect(try read.arrays("numbers", of: "loss").isEmpty)
        #expect(try read.status() == nil && read.session == nil && read.givenName == "old")
        #expect(try read.events() == [RunEvent(step: 3, kind: "lr", message: "0.1 to 0.2")])
        #expect(try read.checkpoint(step: 5) == Data([1, 2]) && read.lastCheckpointStep() == 5)
        let overview = try read.overview()
        #expect(overview.status == nil && overview.series.map(\.name) == ["loss"] && overview.script == nil)
        #expect(overview.series[0].tail.map(\.step) == [7] && overview.parameters.isEmpty)
        #expect(try read.seriesCounts().map(\.count) == [1] && read.eventTimes() == [nil] && read.figures().isEmpty)
        #expect(try read.checkpoints() == [StoredCheckpoint(step: 5, size: 2, isPinned: false)])
        #expect(throws: RunFileError.olderFormat(path: read.url.path, version: 1)) { try RunFile.reopen(read.url) }
    }

    /// What version 3 added: how a run stands, data of events, checkpoints in parts of which the last ones are kept.
    @Test func aRunSaysHowItStands() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        let other = try RunFile.create(name: "a", in: folder.url)
        try other.close()
        #expect(try RunFile.open(other.url).givenName == "a" && RunFile.open(other.url).name == "a-2")
        file.note(step: 12, state: .paused, alert: "too slow")
        try file.addEvent(step: 3, kind: "lr", message: "halved", data: ["from": 0.5, "to": 0.25])
        try file.commit()
        let read = try RunFile.open(file.url)
        let status = try #require(try read.status())
        #expect(status.state == .paused && status.step == 12 && status.alert == "too slow" && status.isAlive)
        #expect(try read.events().last?.data == ["from": 0.5, "to": 0.25])
        #expect(throws: RunFileError.inUse(path: file.url.path, process: Int(getpid()), host: status.process.host)) {
            try RunFile.reopen(file.url)
        }
        var gone = status
        gone.process.start = "1"
        #expect(gone.words == "killed")
        gone.process.host = "elsewhere"
        #expect(gone.words == "paused")
        gone.heartbeat = Date(timeIntervalSinceNow: -3600)
        #expect(gone.words == "killed")
    }

    @Test func theLastCheckpointsAreKept() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        let mebibyte = Data((0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 >> 10) })
        var big = Data(capacity: 150 << 20)
        for _ in 0..<150 { big.append(mebibyte) }
        try file.addCheckpoint(step: 1, bytes: big, keep: 2)
        try file.commit()
        #expect(try RunFile.open(file.url).checkpoint(step: 1) == big)
        let size = try FileManager.default.attributesOfItem(atPath: file.url.path)[.size] as? Int ?? 0
        try file.addCheckpoint(step: 2, bytes: Data([2]), isPinned: true, keep: 2)
        for step in [3, 4, 4] { try file.addCheckpoint(step: step, bytes: Data([UInt8(step)]), keep: 2) }
        try file.close()
        #expect(try RunFile.open(file.url).checkpointSteps() == [2, 3, 4])
        // What was removed makes the file smaller.
        let now = try FileManager.default.attributesOfItem(atPath: file.url.path)[.size] as? Int ?? 0
        #expect(size > 150 << 20 && now < 1 << 20)
    }

    /// A file that is gone on with: what is measured again takes the place of what was there, lists included.
    @Test func whatIsMeasuredAgainTakesThePlace() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        for step in 0..<6 {
            try file.record(
                "s", Measurement(step: step, value: 0, arrays: ["numbers": [Double](repeating: 0, count: step)]))
            try file.addCheckpoint(step: step, bytes: Data([UInt8(step)]))
        }
        try file.close()
        #expect(try RunFile.open(file.url).status()?.state == .done)
        let again = try RunFile.reopen(file.url)
        try again.cut(after: 3)
        #expect(try RunFile.open(file.url).closed == nil && RunFile.open(file.url).checkpointSteps() == [0, 1, 2, 3])
        for step in 4..<8 { try again.record("s", Measurement(step: step, value: 1, arrays: ["numbers": [1]])) }
        try again.record("t", step: 4, value: 2)
        try again.close()
        let read = try RunFile.open(file.url)
        #expect(try read.series("s").map(\.value) == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(try read.series("s").map { $0.arrays?["numbers"]?.count } == [0, 1, 2, 3, 1, 1, 1, 1])
        #expect(try read.seriesNames() == ["s", "t"])
        #expect(try read.arrays("numbers", of: "s").count == 8)
    }

    /// The statements of version 1, word for word: files with this schema exist.
    @Test func theFirstVersionsSchemaIsWhatItWas() throws {
        let old = RunSchema.objects(of: 1)
        #expect(old.count == 11)
        #expect(
            old.first { $0.name == "measurement" }?.sql == """
                CREATE TABLE measurement (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, step INTEGER NOT NULL, \
                value REAL, standard_error REAL, samples INTEGER, products INTEGER, residual REAL, seconds REAL, \
                nan INTEGER, extra TEXT) STRICT
                """)
    }
}
