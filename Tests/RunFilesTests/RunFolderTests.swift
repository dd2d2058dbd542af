import Foundation
import RunFiles
import Testing

@Suite struct RunFolderTests {
    @Test func aSweepHasAFolderForEachPoint() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for point in ["lr=0.1", "lr=0.2"] {
            let inner = folder.appendingPathComponent(point)
            try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
            try Data().write(to: inner.appendingPathComponent("run.eoss"))
        }
        #expect(try RunFolder(folder).files(includesPoints: true).isEmpty)
        try Data("{}".utf8).write(to: folder.appendingPathComponent("sweep.json"))
        #expect(try RunFolder(folder).files().isEmpty)
        #expect(
            try RunFolder(folder).files(includesPoints: true).map { $0.deletingLastPathComponent().lastPathComponent }
                == [
                    "lr=0.1", "lr=0.2",
                ])
    }

    @Test func filesAreInTheOrderOfTheirNumbers() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["run-10.eoss", "run-2.eoss", "run.eoss", "notes.txt"] {
            try Data().write(to: folder.appendingPathComponent(name))
        }
        let names = try RunFolder(folder).files().map(\.lastPathComponent)
        #expect(names.count == 3 && names.firstIndex(of: "run-2.eoss")! < names.firstIndex(of: "run-10.eoss")!)
    }
}
