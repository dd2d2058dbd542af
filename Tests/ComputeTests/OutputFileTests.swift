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

    /// Linux's /dev/full takes no byte, as a full disk.
    @Test(.enabled(if: access("/dev/full", W_OK) == 0)) func aFullDiskIsAFailedWrite() {
        let descriptor = open("/dev/full", O_WRONLY)
        defer { close(descriptor) }
        #expect(!OutputFile.writeAll(Data("x".utf8), to: descriptor))
        #expect(errno == ENOSPC)
    }
}
