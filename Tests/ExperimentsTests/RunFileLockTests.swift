import Compute
import Foundation
import GRDB
import Synchronization
import Testing

@testable import Experiments

/// A forgotten `SELECT`: a second connection to a run file, with the shared lock of a transaction that does not end.
private final class ForgottenReader {
    private let queue: DatabaseQueue

    init(_ file: URL) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.allowsUnsafeTransactions = true
        // The writer may just note that it lives.
        configuration.busyMode = .timeout(10)
        queue = try DatabaseQueue(path: file.path, configuration: configuration)
        try queue.inDatabase { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM measurement")
        }
    }

    func letGo() throws { try queue.close() }
}

/// What a file's writer warns of, from any thread.
private final class Warnings: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// What a run file does while another program has a lock on it: it goes on, beside it.
@Suite struct RunFileLockTests {
    /// Locks are met at once, and a queue of eight holds far less than what is recorded.
    private static var impatient: RunFileWriter.Limits {
        var limits = RunFileWriter.Limits()
        (limits.samples, limits.delay, limits.patience, limits.retry) = (8, 0, 0.01, 0.01)
        return limits
    }

    private static func file(in folder: URL, _ warnings: Warnings = Warnings()) throws -> RunFile {
        try RunFile(name: "a", directory: folder, header: RunHeader(), limits: impatient) { warnings.add($0) }
    }

    @Test func aReaderThatKeepsItsLockStopsNothing() throws {
        let folder = try TemporaryFolder()
        let warnings = Warnings()
        let file = try Self.file(in: folder.url, warnings)
        try file.addScript(path: "a.lua", source: "return 1")
        try file.record("loss", step: 0, value: 0)
        try file.addFigure(name: "edge.svg", mime: "image/svg+xml", bytes: Data("before".utf8))
        try file.commit()
        let reader = try ForgottenReader(file.url)
        for step in 1...300 { try file.record("loss", step: step, value: Double(step)) }
        try file.record("sketch", Measurement(step: 7, value: .nan, arrays: ["s": [1, 2, 3]]))
        try file.addFigure(name: "edge.svg", mime: "image/svg+xml", bytes: Data("after".utf8))
        try file.addScript(path: "module.lua", source: "return 2")
        try file.addEvent(step: 7, kind: "lr", message: "halved")
        try file.addNote("a note")
        try file.addCheckpoint(step: 7, bytes: Data([1]))
        try file.setParameters(["lr": 0.5])
        try file.commit()
        #expect(RunFile.locked.contains { $0.path == file.url.path && $0.spill == file.url.path + "-spill" })
        #expect(FileManager.default.fileExists(atPath: file.url.path + "-spill"))
        #expect(warnings.all.count == 1 && warnings.all[0].contains("lock on the run file '\(file.url.path)'"))
        try reader.letGo()
        file.writer.waitForLock()
        try file.record("loss", step: 301, value: 301)
        try file.close()
        #expect(try folder.names == ["a.eoss"])
        #expect(warnings.all.count == 2 && warnings.all[1].contains("is gone"))
        let read = try RunFile.open(file.url)
        #expect(read.spillLeft == nil && read.closed != nil)
        #expect(try read.series("loss").map(\.value) == (0...301).map(Double.init))
        #expect(try read.series("sketch")[0].arrays == ["s": [1, 2, 3]])
        #expect(try read.series("sketch")[0].value.isNaN)
        #expect(try read.figure("edge.svg").bytes == Data("after".utf8))
        #expect(try read.scripts().map(\.path) == ["a.lua", "module.lua"])
        #expect(try read.events().map(\.message) == ["halved"] && read.notes() == ["a note"])
        #expect(try read.checkpointSteps() == [7] && read.parameters() == ["lr": 0.5])
    }

    /// A writer of its own, too: another program in the middle of a transaction.
    @Test func anotherWriterStopsNothing() throws {
        let folder = try TemporaryFolder()
        let file = try Self.file(in: folder.url)
        try file.record("loss", step: 0, value: 0)
        try file.commit()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: file.url.path, configuration: configuration)
        try other.inDatabase { db in try db.execute(sql: "BEGIN EXCLUSIVE") }
        for step in 1..<50 { try file.record("loss", step: step, value: 0) }
        try file.close()
        try other.close()
        file.writer.waitForLock()
        #expect(try RunFile.open(file.url).series("loss").map(\.step) == Array(0..<50))
    }

    /// Older values of a run lie in its file alone. Who reads them while another program has it for itself waits, and may be stopped.
    @Test func valuesInALockedFileAreWaitedFor() throws {
        let folder = try TemporaryFolder()
        let file = try Self.file(in: folder.url)
        for step in 0..<10 { try file.record("loss", step: step, value: Double(step)) }
        try file.close()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: file.url.path, configuration: configuration)
        try other.inDatabase { db in try db.execute(sql: "BEGIN EXCLUSIVE") }
        let stored = StoredSeries("loss", in: file.url)
        let cancellation = Cancellation()
        let asking = Thread {
            usleep(300_000)
            cancellation.request()
        }
        asking.start()
        Cancellation.$current.withValue(cancellation) {
            #expect(throws: Cancelled.self) { try stored.values(from: 2, to: 5) }
        }
        let release = Thread {
            usleep(500_000)
            try? other.inDatabase { db in try db.execute(sql: "COMMIT") }
        }
        release.start()
        #expect(try stored.values(from: 2, to: 5).steps == [2, 3, 4, 5])
        try other.close()
    }

    /// Closing does not wait for a lock: the data are safe, and the end of the run is noted with them.
    @Test func aLockedFileIsClosedAndFinishedLater() throws {
        let folder = try TemporaryFolder()
        let file = try Self.file(in: folder.url)
        try file.record("loss", step: 0, value: 0)
        try file.commit()
        let reader = try ForgottenReader(file.url)
        try file.record("loss", step: 1, value: 1)
        try file.close()
        #expect(throws: RunFileError.closed(path: file.url.path)) { try file.record("loss", step: 2, value: 2) }
        // Who looks meanwhile sees what is in the file, and is told of the rest.
        let early = try RunFile.open(file.url)
        #expect(try early.series("loss").map(\.step) == [0] && early.closed == nil)
        #expect(early.spillLeft?.contains("a.eoss-spill") == true, "\(early.spillLeft ?? "")")
        try reader.letGo()
        RunFile.waitForLocks()
        #expect(try folder.names == ["a.eoss"])
        let read = try RunFile.open(file.url)
        #expect(try read.series("loss").map(\.step) == [0, 1] && read.closed != nil && read.spillLeft == nil)
    }

    @Test func whatAKilledProcessSpilledComesIntoTheFileWhenItIsOpened() async throws {
        let folder = try TemporaryFolder()
        let path = folder.url.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let file = try Self.file(in: URL(fileURLWithPath: path))
            try file.record("loss", step: 0, value: 0)
            try file.commit()
            let reader = try ForgottenReader(file.url)
            for step in 1..<1000 { try file.record("loss", step: step, value: Double(step)) }
            try file.commit()
            withExtendedLifetime(reader) { _ = kill(getpid(), SIGKILL) }
        }
        let url = folder.url.appendingPathComponent("a.eoss")
        let spill = URL(fileURLWithPath: url.path + "-spill")
        #expect(try folder.names.contains("a.eoss-spill"))
        // A new run of the same name leaves both alone.
        let other = try RunFile.create(name: "a", in: folder.url)
        #expect(other.name == "a-2")
        try other.close()
        let copy = try Data(contentsOf: spill)
        for round in 0..<2 {
            let read = try RunFile.open(url)
            #expect(try read.series("loss").map(\.step) == Array(0..<1000) && read.spillLeft == nil)
            #expect(try folder.names == ["a-2.eoss", "a.eoss"])
            // As if the process that brought it in had been killed before it removed it: nothing is there twice.
            if round == 0 { try copy.write(to: spill) }
        }
        // One that belongs to another run stays where it is.
        try Data(contentsOf: other.url).write(to: spill)
        #expect(try RunFile.open(url).spillLeft?.contains("belongs to another run") == true)
        #expect(try folder.names.contains("a.eoss-spill"))
        try FileManager.default.removeItem(at: url)
        let next = try RunFile.create(name: "a", in: folder.url)
        #expect(next.name == "a-3")
        try next.close()
    }

    /// A process that is killed again and again while it spills: at any moment the file and its spill file together hold a
    /// beginning of what was recorded.
    @Test func aProcessKilledWhileItSpillsLosesNothingCommitted() async throws {
        for round in 0..<6 {
            let folder = try TemporaryFolder()
            let path = folder.url.path
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
                let file = try Self.file(in: URL(fileURLWithPath: path))
                try file.record("loss", step: 0, value: 0)
                try file.commit()
                let reader = try ForgottenReader(file.url)
                try file.record("loss", step: 1, value: 1)
                try file.commit()
                killThisProcess(after: 3000 + 2711 * round)
                for step in 2... { try file.record("loss", step: step, value: Double(step)) }
                try reader.letGo()
            }
            let read = try RunFile.open(folder.url.appendingPathComponent("a.eoss"))
            let steps = try read.series("loss").map(\.step)
            #expect(steps == Array(0..<steps.count) && steps.count >= 2 && read.spillLeft == nil)
            #expect(try folder.names == ["a.eoss"])
        }
    }

    @Test(.enabled(if: TinyDisk.isPossible, "only root can mount a tiny disk"))
    func aDiskThatFillsWhileAReaderHasItsLockIsSaid() throws {
        let folder = try TemporaryFolder()
        let disk = try #require(TinyDisk(at: folder.url.appendingPathComponent("disk"), bytes: 1 << 20))
        let file = try Self.file(in: disk.url)
        try file.record("loss", step: 0, value: 0)
        try file.commit()
        let reader = try ForgottenReader(file.url)
        try file.addCheckpoint(step: 0, bytes: Data(count: 2 << 20))
        #expect(throws: RunFileError.diskFull(path: file.url.path + "-spill")) { try file.commit() }
        try reader.letGo()
    }
}

/// More live runs than a process may have files open.
@Suite struct ManyRunFileTests {
    private static func limitDescriptors(to number: UInt) {
        var limit = rlimit(rlim_cur: rlim_t(number), rlim_max: rlim_t(number))
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    @Test func moreRunsLiveThanFilesMayBeOpen() async throws {
        let folder = try TemporaryFolder()
        let path = folder.url.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            Self.limitDescriptors(to: 64)
            var files: [RunFile] = []
            for number in 0..<150 {
                files.append(try RunFile.create(name: "r\(number)", in: URL(fileURLWithPath: path)))
            }
            for step in 0..<2 {
                for file in files { try file.record("loss", step: step, value: 0) }
                for file in files { try file.commit() }
            }
            for file in files { try file.close() }
        }
        for number in 0..<150 {
            let read = try RunFile.open(folder.url.appendingPathComponent("r\(number).eoss"))
            #expect(try read.series("loss").map(\.step) == [0, 1] && read.closed != nil)
        }
    }

    @Test func theWantOfDescriptorsIsSaid() async throws {
        let folder = try TemporaryFolder()
        let path = folder.url.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let file = try RunFile.create(name: "a", in: URL(fileURLWithPath: path))
            try file.record("loss", step: 0, value: 0)
            Self.limitDescriptors(to: 64)
            var taken: [Int32] = []
            while true {
                let descriptor = open("/dev/null", O_RDONLY)
                if descriptor < 0 { break }
                taken.append(descriptor)
            }
            #expect(throws: RunFileError.tooManyFiles(path: file.url.path)) { try file.commit() }
            #expect(throws: RunFileError.tooManyFiles(path: path + "/b.eoss")) {
                try RunFile.create(name: "b", in: URL(fileURLWithPath: path))
            }
            // SQLite's journal and its folder need three more.
            for descriptor in taken.prefix(8) { close(descriptor) }
            try file.close()
        }
        #expect(try RunFile.open(folder.url.appendingPathComponent("a.eoss")).series("loss").count == 1)
    }
}
