import Datasets
import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// What scripts give and get is what it was: bytes, names by their bytes, whole numbers.
@Suite struct ByteScriptTests {
    @Test func namesOfTheSameTextAreNotSavedOneOverTheOther() throws {
        let laboratory = try Laboratory()
        let message = try laboratory.failure(
            of: #"eoss.arrays.save("x.safetensors", { ["é"] = { 1 }, ["e\u{301}"] = { 2 } })"#)
        #expect(
            message?.contains("is given twice, in different bytes of the same text") == true, "\(message ?? "saved")")
        #expect(!FileManager.default.fileExists(atPath: laboratory.output.appendingPathComponent("x.safetensors").path))
        let bytes = try laboratory.failure(of: #"eoss.arrays.save("x.safetensors", { ["\xff"] = { 1 } })"#)
        #expect(bytes?.contains("is not UTF-8") == true, "\(bytes ?? "saved")")
        let path = try laboratory.failure(of: #"eoss.arrays.save("\xff.safetensors", { a = { 1 } })"#)
        #expect(path?.contains("a string that is not UTF-8") == true, "\(path ?? "saved")")
        let parameters = try laboratory.failure(of: #"eoss.params{ name = "\xff" }"#)
        #expect(parameters?.contains("is not UTF-8") == true, "\(parameters ?? "declared")")
        try laboratory.run(
            #"""
            eoss.arrays.save("x.safetensors", { ["e\u{301}"] = { 2 } })
            assert(eoss.arrays.load("x.safetensors")["e\u{301}"][1] == 2)
            """#)
    }

    /// 2⁵³ + 1 is the first integer that a double does not hold.
    @Test func aLargeIntegerStaysWhole() throws {
        let laboratory = try Laboratory()
        let large: [Int64] = [1 << 53 + 1, (1 << 53) + 1, .max, .min, -(1 << 53) - 1, 7]
        let array = try NDArray(large, shape: [2, 3])
        #expect((0..<6).map { array.integer(flat: $0) } == large.map { Int($0) })
        try FileManager.default.createDirectory(at: laboratory.output, withIntermediateDirectories: true)
        try ArrayFile.safetensors(["x": array]).write(to: laboratory.output.appendingPathComponent("x.safetensors"))
        try laboratory.run(
            """
            local x = eoss.arrays.load("x.safetensors").x
            assert(x.dtype == "i64")
            assert(x:get(1, 2) == 9007199254740993 and math.type(x:get(1, 2)) == "integer")
            assert(x:get(1, 3) == math.maxinteger and x:get(2, 1) == math.mininteger)
            local t = x:totable()
            assert(t[1][2] == 9007199254740993 and t[1][3] == math.maxinteger and t[2][2] == -9007199254740993 and t[2][3] == 7)
            assert(x[1][2] == 9007199254740993)
            assert(tostring(x):find("9007199254740993", 1, true))
            """)
    }

    @Test func aScriptAndWhatItPrintsAreBytes() throws {
        let laboratory = try Laboratory()
        var printed: [LuaBytes] = []
        let script = laboratory.folder.appendingPathComponent("latin1.lua")
        let bytes = Array("\u{FEFF}print('".utf8) + [0xE9, 0xFF] + Array("')".utf8)
        try Data(bytes).write(to: script)
        func setting(_ options: inout ScriptOptions) { options.print = { printed.append($0) } }
        try laboratory.host(setting) { host in
            try host.run(file: script)
            #expect(host.scripts.first?.source == Data(bytes))
        }
        #expect(printed == [LuaBytes([0xE9, 0xFF])])
    }

    @Test func aLinkedScriptFindsTheModulesBesideTheFile() throws {
        let laboratory = try Laboratory()
        let files = laboratory.folder.appendingPathComponent("project")
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
        try laboratory.write("print(require('beside').name)", to: "project/real.lua")
        try laboratory.write("return { name = 'beside the file' }", to: "project/beside.lua")
        try laboratory.write("return { name = 'beside the link' }", to: "beside.lua")
        let link = laboratory.folder.appendingPathComponent("link.lua")
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "project/real.lua")
        for trusted in [false, true] {
            func setting(_ options: inout ScriptOptions) { options.isTrusted = trusted }
            try laboratory.host(setting) { try $0.run(file: link) }
        }
        #expect(laboratory.printed == ["beside the file", "beside the file"])
    }

    @Test func tableFunctionsTakeVectorsAndArrays() throws {
        try Laboratory().run(
            """
            local a = eoss.arrays.from{ 3, 1, 2 }
            assert(table.concat(a, ", ") == "3.0, 1.0, 2.0", table.concat(a, ", "))
            assert(table.concat(a:tovector(), ", ") == "3.0, 1.0, 2.0")
            local t = table.move(a, 1, #a, 1, {})
            table.sort(t)
            assert(table.concat(t, " ") == "1.0 2.0 3.0")
            assert(not pcall(table.sort, a) and not pcall(table.insert, a, 1))
            """)
    }

    @Test func aSuggestionCostsNothing() throws {
        let laboratory = try Laboratory()
        for script in [
            "return run:series(('x'):rep(3000000))", "run:track(('x'):rep(3000000))",
            "run:track('loss', { [('x'):rep(3000000)] = 1 })",
            "return run[('x'):rep(3000000)]", "return run:hessian{ block = ('x'):rep(3000000) }",
        ] {
            let message = try #require(try laboratory.failure(of: smallRun + script), "\(script)")
            #expect(message.utf8.count < 20_000, "\(script)")
        }
        #expect(try laboratory.failure(of: smallRun + "run:track('los')")?.contains("did you mean 'loss'?") == true)
    }
}
