import Foundation
import Testing

@testable import Compute

@Suite struct OutputFiles {
    let folder = NSTemporaryDirectory() + "eoss-output-\(getpid())-\(UInt64.random(in: 0...UInt64.max))/"

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

    @Test func aFileIsReplacedAsAWhole() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for text in ["first", "", "second"] {
            try OutputFile.write(Data(text.utf8), to: folder + "x.svg")
            #expect(try String(contentsOfFile: folder + "x.svg", encoding: .utf8) == text)
        }
        #expect(try names() == ["x.svg"])
        var status = stat()
        #expect(stat(folder + "x.svg", &status) == 0)
        let mask = umask(0)
        umask(mask)
        #expect(status.st_mode & 0o777 == 0o666 & ~mask)
    }

    @Test func aPlaceThatCannotBeWrittenIsNamed() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: OutputFileError(path: folder + "no/x.svg", reason: "No such file or directory")) {
            try OutputFile.write(Data("x".utf8), to: folder + "no/x.svg")
        }
        #expect(throws: OutputFileError(path: folder, reason: "it is a folder")) {
            try OutputFile.write(Data("x".utf8), to: folder)
        }
        #expect(try names() == [])
    }

    @Test(arguments: ["mine.eoss", "mine.EOSS", "mine.eoss-journal", "mine.eoss-spill"])
    func theNamesOfRunFilesAreKeptForRuns(name: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: OutputFileError.self) { try OutputFile.write(Data("x".utf8), to: folder + name) }
        #expect(try names() == [])
    }

    /// By its first bytes, or, where looking at them would drop locks of this process, by what it is.
    @Test(arguments: ["itself", "symlink", "hard link"], [true, false])
    func aDatabaseIsReplacedUnderNoName(spelling: String, isOpenHere: Bool) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = folder + "renamed.npy"
        let contents = Data(((isOpenHere ? "" : "SQLite format 3\0") + "and more").utf8)
        try contents.write(to: URL(fileURLWithPath: database))
        let identity = try #require(FileIdentity(path: database))
        if isOpenHere { ProtectedFiles.shared.insert(identity) }
        let target = spelling == "itself" ? database : folder + "x.svg"
        if spelling == "symlink" { #expect(symlink(database, target) == 0) }
        if spelling == "hard link" { #expect(link(database, target) == 0) }
        let before = try names()
        #expect(throws: OutputFileError.self) { try OutputFile.write(Data("x".utf8), to: target) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: database)) == contents)
        #expect(try names() == before)
        ProtectedFiles.shared.remove(identity)
        if isOpenHere { try OutputFile.write(Data("x".utf8), to: target) }
    }

    @Test func aPipeOrADeviceIsNotReplacedByAFile() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(mkfifo(folder + "x.svg", 0o600) == 0)
        for path in [folder + "x.svg", "/dev/null"] {
            #expect(throws: OutputFileError(path: path, reason: "it is a device or a pipe, not a file")) {
                try OutputFile.write(Data("x".utf8), to: path)
            }
        }
    }

    /// Linux's /dev/full takes no byte, as a full disk.
    @Test(.enabled(if: access("/dev/full", W_OK) == 0)) func aFullDiskIsAFailedWrite() {
        let descriptor = open("/dev/full", O_WRONLY)
        defer { close(descriptor) }
        #expect(!OutputFile.writeAll(Data("x".utf8), to: descriptor))
        #expect(errno == ENOSPC)
    }
}
