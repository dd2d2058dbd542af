import CStdlib
import Foundation
import Testing

@Suite struct CommandLineStdlibTests {
    /// The files of stdlib/ stand in the program, each under the name by which it is required.
    @Test func theStandardLibraryIsBuiltIntoTheProgram() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("stdlib")
        var files: [String: Data] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        where name.hasSuffix(".lua") {
            files[String(name.dropLast(4))] = try Data(contentsOf: folder.appendingPathComponent(name))
        }
        var built: [String: Data] = [:]
        var names: [String] = []
        var module = try #require(eoss_stdlib_modules())
        while let name = module.pointee.name {
            names.append(String(cString: name))
            built[String(cString: name)] = Data(
                bytes: try #require(module.pointee.source), count: module.pointee.length)
            module += 1
        }
        #expect(built == files)
        #expect(names == names.sorted())
    }
}
