import Foundation
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
                var limits = RunFileWriter.Limits()
                limits.delay = 0
                let file = try RunFile(
                    name: "a", directory: URL(fileURLWithPath: path), header: RunHeader(), limits: limits)
                try file.record("loss", step: 0, value: 0)
                try file.commit()
                let killer = Thread {
                    usleep(UInt32(5000 + 2711 * round))
                    kill(getpid(), SIGKILL)
                }
                killer.start()
                for step in 1... { try file.record("loss", step: step, value: Double(step)) }
            }
            let read = try RunFile.open(folder.url.appendingPathComponent("a.eoss"))
            let steps = try read.series("loss").map(\.step)
            #expect(steps == Array(0..<steps.count) && !steps.isEmpty)
        }
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

    @Test func aFullDiskIsSaidAndNothingRecordedIsLostOnceThereIsRoomAgain() async throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        try file.record("loss", step: 0, value: 0)
        try file.commit()
        // RLIMIT_FSIZE would raise a signal; a tiny disk is a file system of its own, which only root can mount.
        guard geteuid() == 0, let disk = TinyDisk(at: folder.url.appendingPathComponent("disk"), bytes: 1 << 20) else {
            try file.close()
            return
        }
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
        try file.close()
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

    @Test func aFileThatVanishedOrBecameReadOnlyIsAnError() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        try file.record("loss", step: 0, value: 0)
        try file.commit()
        try FileManager.default.removeItem(at: file.url)
        try file.record("loss", step: 1, value: 1)
        #expect(throws: RunFileError.self) { try file.commit() }
    }
}

/// A file system in memory, of a few pages, for a full disk. Needs root.
final class TinyDisk {
    let url: URL

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
