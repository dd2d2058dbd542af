import Testing

@testable import LuaBridge

/// Strings are bytes: what a script gives arrives as it was given, and names are the same where their bytes are.
@Suite struct ByteTests {
    @Test func printGivesTheBytesItWasGiven() throws {
        var printed: [LuaBytes] = []
        let state = try makeState { $0.print = { printed.append($0) } }
        try state.run(#"print("\xff\0a", "é") print("e\u{301}")"#, name: "test.lua")
        #expect(printed == [LuaBytes([0xFF, 0, 0x61, 9, 0xC3, 0xA9]), LuaBytes([0x65, 0xCC, 0x81])])
    }

    @Test func aScriptIsBytes() throws {
        let state = try makeState()
        let source = LuaBytes(
            Array("#!shebang \n-- caf".utf8) + [0xE9] + Array("\nreturn #'".utf8) + [0xE9, 0xFF] + Array("', '".utf8)
                + [0xE9] + Array("'".utf8))
        let results = try state.run(source, name: "latin1.lua")
        #expect(Int.read(results[0]) == 2)
        #expect(LuaBytes.read(results[1]) == LuaBytes([0xE9]))
        #expect(String.read(results[1]) == nil)
        try state.installModules { _ in
            LuaModule(source: LuaBytes(Array("return '".utf8) + [0xFF] + Array("'".utf8)), name: "m.lua")
        }
        #expect(LuaBytes.read(try state.run("return require 'm'", name: "test.lua")[0]) == LuaBytes([0xFF]))
    }

    @Test func namesOfTheSameTextInOtherBytesAreNotMerged() throws {
        let state = try makeState()
        let value = try state.run(
            #"return { ["é"] = 1, ["e\u{301}"] = 2, ["\xff"] = 3, ["\xfe"] = 4 }"#, name: "test.lua")[0]
        guard case .table(let table) = value else {
            Issue.record("\(value)")
            return
        }
        #expect(table.fields.count == 4)
        // and back, entry by entry
        try state.setGlobal("back", to: table)
        try state.run(
            #"assert(back["é"] == 1 and back["e\u{301}"] == 2 and back["\xff"] == 3 and back["\xfe"] == 4)"#,
            name: "test.lua")
        // Where names become text, that is an error, not a loss.
        #expect([String: Int].read(value) == nil)
        #expect(throws: ArgumentError.self) { try table.fields.named(in: "here") }
        #expect(
            try table.fields.filter { $0.key.text != nil && $0.key != "é" }.named(in: "here").map(\.name) == [
                "e\u{301}"
            ])
    }

    @Test func whatMustBeTextSaysSo() throws {
        let lab = Namespace("texts", "For this test.")
        lab.function("echo", "", parameters: [Parameter("text", .string, "Text.")]) { call in
            try call.get("text", as: String.self)
        }
        lab.function("count", "", parameters: [Parameter("names", .map(of: .integer), "Names.")]) { call in
            try call.get("names", as: [String: Int].self).count
        }
        let state = try makeState()
        try state.install(lab)
        func message(_ script: String) -> String {
            do { try state.run(script, name: "test.lua") } catch { return "\(error)" }
            return ""
        }
        #expect(
            message(#"texts.echo("a\xff")"#)
                == "test.lua:1: argument 1 'text' of texts.echo: expected a string, got 'a\\255' (a string that is not UTF-8)"
        )
        #expect(message(#"assert(texts.echo("é\0") == "é\0" and texts.count{ a = 1, b = 2 } == 2)"#).isEmpty)
        #expect(
            message(#"texts.count({ ["é"] = 1, ["e\u{301}"] = 2 })"#).contains(
                "is given twice, in different bytes of the same text"))
        #expect(message(#"texts.count({ ["\xff"] = 1 })"#).contains("not UTF-8"))
    }

    /// What nobody catches is shown; what goes through Swift is caught as it was raised.
    @Test func errorsKeepTheirBytes() throws {
        let lab = Namespace("calls", "For this test.")
        lab.function("back", "", parameters: [Parameter("f", .function(), "Called.")]) { call in
            try call.get("f", as: LuaFunction.self).call().first ?? .nil
        }
        let state = try makeState()
        try state.install(lab)
        try state.run(
            #"""
            local ok, message = pcall(calls.back, function() error("é\xff\xc3", 0) end)
            assert(not ok and message == "é\xff\xc3")
            local ok, message = pcall(calls.back, function() error("\xfe") end)
            assert(message == "test.lua:3: \xfe")
            """#, name: "test.lua")
        let error = try #require(throws: LuaError.self) {
            try state.run(#"calls.back(function() error("é\xff\xc3€\xe2\x82") end)"#, name: "test.lua")
        }
        #expect("\(error)" == #"test.lua:1: é\255\195€\226\130"#)
    }

    @Test func aPromptShowsBytesAsLuaWritesThem() throws {
        let state = try makeState()
        #expect(try state.evaluate(#""a\xff\n""#) == .values([#""a\255\n""#]))
        #expect(try state.evaluate(#""é""#) == .values([#""é""#]))
    }
}
