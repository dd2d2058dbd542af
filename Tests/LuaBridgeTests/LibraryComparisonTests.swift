import CLuaSystem
import Testing

@testable import LuaBridge

/// What our library replaces agrees with Lua's own in results, error messages and the metamethods it calls: the same program runs
/// over both, call by call.
@Suite struct LibraryComparisonTests {
    /// What a program returns over Lua's own libraries, in a state of their own.
    private func plainly(_ program: String) throws -> [Substring] {
        let lua = try #require(luaL_newstate())
        defer { lua_close(lua) }
        luaL_openlibs(lua)
        let status = luaL_loadbufferx(lua, program, program.utf8.count, "@program", nil)
        try #require(status == LUA_OK && lua_pcallk(lua, 0, 1, 0, 0, nil) == LUA_OK, "\(text(lua))")
        return text(lua).split(separator: "\n", omittingEmptySubsequences: false)
    }

    private func text(_ lua: OpaquePointer) -> String {
        var length = 0
        guard let bytes = lua_tolstring(lua, -1, &length) else { return "" }
        return bytes.withMemoryRebound(to: UInt8.self, capacity: length) {
            LuaBytes(UnsafeBufferPointer(start: $0, count: length)).description
        }
    }

    private func ours(_ program: String, trusted: Bool) throws -> [Substring] {
        let state = try makeState { $0.isTrusted = trusted }
        try state.installModules { _ in nil }
        let result = try state.run(program, name: "program")
        let bytes = try #require(result.first.flatMap { LuaBytes.read($0) })
        return bytes.description.split(separator: "\n", omittingEmptySubsequences: false)
    }

    private func compare(_ body: String, count: Int, atLeast calls: Int) throws {
        for seed in 1...2 {
            let program = LibraryPrograms.program(body, seed: seed, count: count)
            let expected = try plainly(program)
            #expect(expected.count >= calls)
            for trusted in [false, true] {
                let got = try LuaThread.run { try ours(program, trusted: trusted) }
                #expect(got.count == expected.count)
                for (line, wanted) in zip(got, expected) where line != wanted {
                    Issue.record("trusted \(trusted), seed \(seed): \(line), in Lua's own library \(wanted)")
                    break
                }
            }
        }
    }

    @Test func patternsAgree() throws { try compare(LibraryPrograms.strings, count: 8000, atLeast: 10000) }

    @Test func tableFunctionsAgree() throws { try compare(LibraryPrograms.tables, count: 5000, atLeast: 10000) }

    @Test func theBaseLibraryAgrees() throws { try compare(LibraryPrograms.base, count: 1, atLeast: 150) }

    @Test func nestingAndItsLimitsAgree() throws { try compare(LibraryPrograms.nesting, count: 1, atLeast: 70) }

    /// An order function that is none is an error of the library, as in Lua, never an access out of bounds.
    @Test func anInvalidOrderFunctionIsNamed() throws {
        let state = try makeState()
        try state.run(
            """
            local t = {} for i = 1, 100 do t[i] = i end
            local ok, e = pcall(table.sort, t, function() return true end)
            assert(not ok and e == "invalid order function for sorting", e)
            """, name: "sort.lua")
    }

    @Test func aYieldAcrossACallbackSaysWhatMayNotBeDoneAndWhere() throws {
        let state = try makeState()
        try state.run(
            """
            local run = lab.run{ name = "a" }
            run:at(1, function() coroutine.yield() end)
            local co = coroutine.create(function()
                run:train{ steps = 1 }
            end)
            local ok, e = coroutine.resume(co)
            e = tostring(e)
            assert(not ok and e:find("attempt to yield across a C-call boundary", 1, true), e)
            assert(e:find("'train', called at yield.lua:4, must return before the coroutine that called it can yield", 1, true), e)
            local ok, e = pcall(coroutine.yield)
            assert(e == "attempt to yield from outside a coroutine", e)
            -- a coroutine of the callback's own may
            local got
            run:at(1, function() got = coroutine.wrap(function() coroutine.yield(7) end)() end)
            pcall(run.train, run, { steps = 1 })
            """, name: "yield.lua")
    }

    @Test func anUndefinedGlobalIsAnErrorThatNamesTheNearest() throws {
        let state = try makeState()
        func message(_ script: String) -> String? {
            do { try state.run(script, name: "script.lua") } catch let error as LuaError {
                return error.description
            } catch {}
            return nil
        }
        #expect(message("pritn(1)") == "script.lua:1: undefined global 'pritn': did you mean 'print'?")
        #expect(
            message("local net = 1\nlocal function f()\n return nett end f()")
                == "script.lua:3: undefined global 'nett': did you mean 'net'?")
        #expect(message("batch_size = 16 print(batchsize)") != nil)
        // Where nothing is near, too: an option of that value would silently be none.
        let stranger = "assign it first, or ask with rawget(_G, 'mu') whether it is there"
        #expect(message("return { lr = 1,\n momentum = mu }") == "script.lua:2: undefined global 'mu': \(stranger)")
        #expect(
            message("if zeitgeist then end")?.hasPrefix("script.lua:1: undefined global 'zeitgeist': assign it first")
                == true)
        #expect(
            message("local ok, e = pcall(function() return _G[('x'):rep(1e6)] end) assert(not ok and #e < 200, e)")
                == nil)
        #expect(message("local e = setmetatable({}, { __index = _G }) assert(e[1] == nil and _G[1] == nil)") == nil)
        // Whether something is there may be asked, of what another Lua has by its name alone.
        #expect(message("assert(rawget(_G, 'mu') == nil and io == nil and (loadstring or load) == load)") == nil)
        // A name that was assigned is defined, whatever its value.
        #expect(
            message("best = nil for x = 1, 3 do if not best or x > best then best = x end end assert(best == 3)") == nil
        )
        #expect(message("best = nil assert(best == nil) getmetatable(_G).__newindex({}, 1, 2)") == nil)
        #expect(message("getmetatable(_G).__newindex(1, 2, 3)") != nil)
        #expect(throws: LuaError.self) { try state.evaluate("wdith") }
        let trusted = try makeState { $0.isTrusted = true }
        try trusted.run("assert(pritn == nil and mu == nil)", name: "trusted.lua")
    }

    @Test func theNameOfALibraryMeansTheLibrary() throws {
        let folders = try Folders()
        defer { folders.remove() }
        try folders.write("string.lua", "return 'a file'")
        try folders.write("io.lua", "return 'a file'")
        let all =
            "for _, name in ipairs{ 'string', 'table', 'math', 'utf8', 'coroutine', 'os' } do assert(require(name) == _G[name]) end "
            + "assert(require '_G' == _G)"
        for trusted in [false, true] {
            let state = try makeState { $0.isTrusted = trusted }
            for _ in 1...2 { try state.installModules(find: ModuleFinder(scriptFolder: folders.script).find) }
            try state.run(all, name: "test.lua")
            try state.run(
                "local m, file = require 'inside' assert(m == 'inside' and file == 'inside.lua')", name: "test.lua")
        }
        let state = try makeState()
        try state.installModules(find: ModuleFinder(scriptFolder: folders.script).find)
        #expect(throws: LuaError.self) { try state.run("require 'io'", name: "test.lua") }
    }

    /// Under trust the library is Lua's in what the sandbox takes away, too.
    @Test func aTrustedStateHasLuasOwnLibrary() throws {
        let folders = try Folders()
        defer { folders.remove() }
        let state = try makeState { $0.isTrusted = true }
        try state.installModules(find: ModuleFinder(scriptFolder: folders.script).find)
        try state.run(
            """
            assert(load(string.dump(function(a) return a + 1 end), "chunk", "b")(2) == 3)
            assert(load(string.dump(function() return 7 end))() == 7)
            local f, e = load(string.dump(print ~= nil and function() end), "chunk", "t")
            assert(f == nil and e == "attempt to load a binary chunk (mode is 't')")
            assert(debug.gethook() == nil)
            coroutine.wrap(function() assert(debug.gethook() == nil) end)()
            local lines = 0
            debug.sethook(function() lines = lines + 1 end, "l")
            local x = 1
            x = x + 1
            debug.sethook()
            assert(lines >= 2 and debug.gethook() == nil)
            local strings = getmetatable("")
            strings.__add = function(a, b) return a .. b end
            strings.__index = function(s, k) return type(k) == "number" and s:sub(k, k) or string[k] end
            assert(("abc")[2] == "b" and ("abc"):upper() == "ABC")
            strings.__index = string
            assert(select(2, xpcall(function() error("e", 0) end, function(m) return debug.getinfo(2, "n").name end)) == "error")
            package.preload.made = function(name, where) return { name, where } end
            local made, where = require "made"
            assert(made[1] == "made" and where == ":preload:" and package.loaded.made == made)
            package.loaded.inside = "replaced"
            assert(require "inside" == "replaced")
            package.loaded.inside = nil
            assert(require "inside" == "inside" and package.loaded.inside == "inside")
            local ok, e = pcall(require, "nothing.there")
            assert(not ok and e:find("module 'nothing.there' not found", 1, true) and e:find("script's folder", 1, true), e)
            -- Whoever says where modules are gets the list of these places.
            package.path, package.cpath = "?.lua;?/?", "?.so"
            ok, e = pcall(require, "nothing")
            assert(e == "module 'nothing' not found:\\n\\tno field package.preload['nothing']\\n\\tno file 'nothing.lua'"
                .. "\\n\\tno file 'nothing/nothing'\\n\\tno file 'nothing.so'", e)
            for _, f in ipairs{ math.sin, math.tointeger, string.format, tonumber } do
                local info = debug.getinfo(f, "uS")
                assert(info.what == "C" and info.nups == 0 and info.isvararg)
            end
            """, name: "trusted.lua")
    }

    @Test func aSandboxedScriptLoadsNoBytecode() throws {
        let trusted = try makeState { $0.isTrusted = true }
        let dumped = try #require(
            LuaBytes.read(try trusted.run("return string.dump(function() return 7 end)", name: "dump.lua")[0]))
        let state = try makeState()
        try state.setGlobal("dumped", to: dumped)
        try state.run(
            """
            for _, mode in ipairs{ "b", "t", "bt" } do
                local f, e = load(dumped, "chunk", mode)
                assert(f == nil and e == "attempt to load a binary chunk (mode is 't')", e)
                local given = false
                local f, e = load(function() if not given then given = true return dumped end end, "chunk", mode)
                assert(f == nil and e == "attempt to load a binary chunk (mode is 't')", e)
                local i = 0
                local f, e = load(function() i = i + 1 return i <= #dumped and dumped:sub(i, i) or nil end, "chunk", mode)
                assert(f == nil, e)
            end
            """, name: "sandboxed.lua")
    }
}
