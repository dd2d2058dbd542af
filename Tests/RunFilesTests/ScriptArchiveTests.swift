import Experiments
import Foundation
import GRDB
import Testing

@testable import RunFiles

/// What a stranger's file says it holds.
@Suite struct ScriptArchiveTests {
    @Test func theScriptIsCalledByItsNameAloneAndModulesByTheirPaths() throws {
        let place = try Workplace()
        let archive = try ScriptArchive(
            place.runFile { file in
                for path in ["lib/a.lua", "lib/b/init.lua", "stdlib/levels.lua"] {
                    try file.addScript(path: path, source: "return '\(path)'")
                }
            })
        #expect(archive.script.path == "edge.lua")
        for (name, path) in [
            ("m", "m.lua"), ("lib.a", "lib/a.lua"), ("lib.b", "lib/b/init.lua"), ("levels", "stdlib/levels.lua"),
        ] { #expect(archive.module(name)?.path == path) }
        for name in ["edge.lua", "lib", "../m", "init", ""] { #expect(archive.module(name) == nil) }
    }

    @Test(arguments: [
        "../evil.lua", "/etc/cron.d/evil.lua", "a/../../evil.lua", "a//b.lua", ".bashrc", "a/.ssh/config",
        "a\u{1B}[2J.lua", "", "a/", String(repeating: "x", count: 300),
    ])
    func aModuleThatIsNoPathBelowTheScriptsFolderIsRefused(path: String) throws {
        let place = try Workplace()
        let reader = try place.tamper(place.runFile(), "UPDATE script SET path = ? WHERE path = 'm.lua'", [path])
        do {
            _ = try ScriptArchive(reader)
            Issue.record("it was taken")
        } catch {
            #expect("\(error)".contains("no path below the script's folder"), "\(error)")
            #expect(!"\(error)".unicodeScalars.contains { $0.properties.generalCategory == .control })
        }
    }

    @Test(arguments: ["..", "/home/a/.profile", "evil\u{1B}]0;x\u{7}.lua"])
    func aScriptOfAHiddenOrOddNameIsRefused(path: String) throws {
        let place = try Workplace()
        let reader = try place.tamper(place.runFile(), "UPDATE script SET path = ? WHERE id = 1", [path])
        do {
            _ = try ScriptArchive(reader)
            Issue.record("it was taken")
        } catch { #expect("\(error)".contains("its script is called"), "\(error)") }
    }

    @Test func aTextThatIsNotTheOneOfItsDigestIsRefused() throws {
        let place = try Workplace()
        let reader = try place.tamper(place.runFile(), "UPDATE script SET source = 'os.exit()' WHERE id = 1")
        do {
            _ = try ScriptArchive(reader)
            Issue.record("it was taken")
        } catch { #expect("\(error)".contains("is not the one of its digest"), "\(error)") }
    }

    @Test func oversizedScriptsAndDataAreRefused() throws {
        let place = try Workplace()
        let long = try place.tamper(
            place.runFile("long"),
            "UPDATE script SET source = zeroblob(\(ScriptArchive.longestScript + 1)) WHERE id = 1")
        #expect(throws: RunFileError.self) { try ScriptArchive(long) }
        let data = try place.tamper(
            place.runFile("data"),
            "INSERT INTO figure (name, mime, created, bytes) VALUES ('x.npz', 'application/x-eoss-data', '', zeroblob(3000000))"
        )
        #expect(try data.data(limit: 3_000_000).map(\.path) == ["x.npz"])
        #expect(throws: RunFileError.self) { try data.data(limit: 2_999_999) }
    }

    @Test func aFileWithoutAScriptSaysSo() throws {
        let place = try Workplace()
        let reader = try place.tamper(place.runFile(), "DELETE FROM script")
        #expect(throws: RunFileError.missing(path: reader.url.path, what: "script")) { try ScriptArchive(reader) }
    }

    // MARK: - Into a folder

    @Test func theFolderHasWhatTheScriptNeedsToRun() throws {
        let place = try Workplace()
        let reader = try place.runFile { file in
            try file.addScript(path: "lib/a.lua", source: "return 2")
            try file.addScript(path: "stdlib/levels.lua", source: "return 3")
            try file.addScript(path: "stdlib/m.lua", source: "return 4")
        }
        let folder = URL(fileURLWithPath: place.path("out"))
        let written = try ScriptFolder(folder, replacing: false).write(ScriptArchive(reader))
        #expect(
            written.map { String($0.dropFirst(folder.path.count + 1)) } == [
                "edge.lua", "m.lua", "lib/a.lua", "levels.lua",
            ])
        #expect(try String(contentsOf: folder.appendingPathComponent("m.lua"), encoding: .utf8) == "return 1\n")
        // Again: nothing is replaced, and nothing else is written either.
        try FileManager.default.removeItem(at: folder.appendingPathComponent("edge.lua"))
        #expect(throws: ExportError.self) { try ScriptFolder(folder, replacing: false).write(ScriptArchive(reader)) }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/edge.lua"))
        #expect(try ScriptFolder(folder, replacing: true).write(ScriptArchive(reader)).count == 4)
    }

    @Test func dataOfAnOddNameAreNotWritten() throws {
        let place = try Workplace()
        let reader = try place.tamper(
            place.runFile(),
            "INSERT INTO figure (name, mime, created, bytes) VALUES ('../x.npz', 'application/x-eoss-data', '', x'00')")
        #expect(throws: ExportError.self) {
            try ScriptFolder(URL(fileURLWithPath: place.path("out")), replacing: false).write(ScriptArchive(reader))
        }
        #expect(try place.names == ["edge.eoss"])
    }
}
