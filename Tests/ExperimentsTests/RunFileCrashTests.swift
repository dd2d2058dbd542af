import Foundation
import GRDB
import Testing

@testable import Experiments

/// What a run file does when its process, its disk or its folder fails.
@Suite struct RunFileCrashTests {
    @Test func aKilledProcessLosesOnlyWhatCameAfterTheLastCommit() async throws {
        let folder = try TemporaryFolder()
        let path = folder.url.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let file = try RunFile.create(name: "a", in: URL(fileURLWithPath: path))
            for step in 0..<1000 { try file.record("loss", step: step, value: Double(step)) }
            try file.commit()
            for step in 1000..<1100 { try file.record("loss", step: step, value: Double(step)) }
            kill(getpid(), SIGKILL)
        }
        let read = try RunFile.open(folder.url.appendingPathComponent("a.eoss"))
        let steps = try read.series("loss").map(\.step)
        #expect(steps.starts(with: 0..<1000))
        #expect(steps == Array(0..<steps.count))
        #expect(read.closed == nil)
    }

    /// Kills at many moments, some of them in the middle of a commit, which leaves a journal behind.
    @Test func aProcessKilledAtAnyMomentLeavesAReadableFile() async throws {
        for round in 0..<12 {
            let folder = try TemporaryFolder()
            let path = folder.url.path
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
                let file = try restlessFile(in: path)
                try file.record("loss", step: 0, value: 0)
                try file.commit()
                killThisProcess(after: 5000 + 2711 * round)
                for step in 1... { try file.record("loss", step: step, value: Double(step)) }
            }
            let read = try RunFile.open(folder.url.appendingPathComponent("a.eoss"))
            let steps = try read.series("loss").map(\.step)
            #expect(steps == Array(0..<steps.count) && !steps.isEmpty)
        }
    }

    /// A complete file of 2,000 values, as another program may open it.
    private static func closedFile(in folder: String) throws -> DatabaseQueue {
        let file = try RunFile.create(name: "a", in: URL(fileURLWithPath: folder))
        // With an error each has a row of its own.
        for step in 0..<2000 { try file.record("loss", step: step, value: Double(step), standardError: 0.5) }
        try file.close()
        return try DatabaseQueue(path: file.url.path)
    }

    /// The moment that matters: pages of the file are overwritten already, and the commit has not come.
    @Test func aCommitCutOffInItsMiddleIsRolledBackAtTheNextOpening() async throws {
        let folder = try TemporaryFolder()
        let path = folder.url.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            try Self.closedFile(in: path).writeWithoutTransaction { db in
                // A cache of a few pages makes SQLite write to the file before the commit.
                try db.execute(sql: "PRAGMA cache_size = 5; PRAGMA synchronous = FULL; BEGIN IMMEDIATE")
                try db.execute(sql: "UPDATE measurement SET value = -1; DELETE FROM measurement WHERE id % 3 = 0")
                kill(getpid(), SIGKILL)
            }
        }
        #expect(try folder.names == ["a.eoss", "a.eoss-journal"])
        let read = try RunFile.open(folder.url.appendingPathComponent("a.eoss"))
        #expect(try read.series("loss").map(\.value) == (0..<2000).map(Double.init))
        #expect(try folder.names == ["a.eoss"])
    }

    /// A journal that names a super-journal would have SQLite delete a file of that name.
    @Test func aStrangersJournalIsNotObeyed() async throws {
        let folder = try TemporaryFolder()
        let path = folder.url.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            try Self.closedFile(in: path).writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA cache_size = 5; BEGIN IMMEDIATE; UPDATE measurement SET value = -1")
                kill(getpid(), SIGKILL)
            }
        }
        let journal = folder.url.appendingPathComponent("a.eoss-journal")
        let handle = try FileHandle(forWritingTo: journal)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]))
        try handle.close()
        #expect(throws: RunFileError.self) { try RunFile.open(folder.url.appendingPathComponent("a.eoss")) }
        #expect(FileManager.default.fileExists(atPath: journal.path))
    }

    @Test func processesThatRaceForANameGetDifferentFiles() async throws {
        let folder = try TemporaryFolder()
        let path = folder.url.path
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    await #expect(processExitsWith: .success) { [path = path as String] in
                        for _ in 0..<10 {
                            let file = try RunFile.create(name: "a", in: URL(fileURLWithPath: path))
                            try file.addNote(file.url.lastPathComponent)
                            try file.close()
                        }
                    }
                }
            }
        }
        let names = try folder.names
        #expect(names.count == 30)
        for name in names {
            #expect(try RunFile.open(folder.url.appendingPathComponent(name)).notes() == [name])
        }
    }

    @Test(.enabled(if: TinyDisk.isPossible, "only root can mount a tiny disk"))
    func aFullDiskIsSaidAndNothingRecordedIsLostOnceThereIsRoomAgain() async throws {
        let folder = try TemporaryFolder()
        let disk = try #require(TinyDisk(at: folder.url.appendingPathComponent("disk"), bytes: 1 << 20))
        let full = try RunFile.create(name: "b", in: disk.url)
        try full.record("loss", step: 0, value: 0)
        try full.commit()
        let ballast = disk.url.appendingPathComponent("ballast")
        try? Data(count: 1 << 20).write(to: ballast)
        _ = FileManager.default.createFile(atPath: ballast.path, contents: nil)
        if let handle = try? FileHandle(forWritingTo: ballast) {
            while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
            try? handle.close()
        }
        try full.record("loss", step: 1, value: 1)
        #expect(throws: RunFileError.diskFull(path: full.url.path)) { try full.commit() }
        #expect(throws: RunFileError.diskFull(path: full.url.path)) { try full.record("loss", step: 2, value: 2) }
        #expect(try RunFile.open(full.url).series("loss").map(\.step) == [0])
        #expect(throws: RunFileError.cannotCreate(path: disk.url.path + "/c.eoss", reason: "the disk is full")) {
            try RunFile.create(name: "c", in: disk.url)
        }
        try FileManager.default.removeItem(at: ballast)
        try full.commit()
        try full.record("loss", step: 2, value: 2)
        try full.close()
        #expect(try RunFile.open(full.url).series("loss").map(\.step) == [0, 1, 2])
        #expect(try disk.names == ["b.eoss"], "a file that could not be made leaves nothing behind")
    }

    @Test(arguments: ["/dev/null/runs", "/proc/runs"])
    func aFolderThatCannotBeWrittenIsNamedWithTheRemedy(folder: String) {
        do {
            _ = try RunFile.create(name: "a", in: URL(fileURLWithPath: folder))
            Issue.record("a file was made in \(folder)")
        } catch {
            #expect("\(error)".contains(folder + "/a.eoss") && "\(error)".contains("--out DIR"), "\(error)")
        }
    }

    @Test func aFileThatVanishedIsAnErrorThatSaysSo() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        try file.record("loss", step: 0, value: 0)
        try file.commit()
        try FileManager.default.removeItem(at: file.url)
        try file.record("loss", step: 1, value: 1)
        #expect(throws: RunFileError.cannotWrite(path: file.url.path, reason: "it was moved or deleted; put it back")) {
            try file.commit()
        }
    }
}

/// A file system in memory, of a few pages, for a full disk. Needs root.
final class TinyDisk {
    let url: URL

    static var isPossible: Bool {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        return TinyDisk(at: url, bytes: 1 << 20) != nil
    }

    init?(at url: URL, bytes: Int) {
        self.url = url
        try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        guard mount("eoss-test", url.path, "tmpfs", 0, "size=\(bytes)") == 0 else { return nil }
    }

    deinit { umount2(url.path, Int32(MNT_DETACH)) }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }
}
