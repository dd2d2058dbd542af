import Foundation
import RunFiles
import Testing

@Suite struct RunFolderTests {
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
