import Testing

@testable import LuaBridge

/// Our versions of standard functions do what the manual of Lua 5.4 says. (They were also compared with liblua5.4's own on 60,000
/// random patterns and subjects: they differ in that a malformed pattern is always an error, even where matching would not reach it.)
@Suite struct LibraryTests {
    /// What is taken away is nil, not unknown; what never was stays an error.
    @Test func aPredefinedGlobalCanBeTakenAway() throws {
        let state = try makeState()
        try state.run(
            "print = nil; assert(print == nil) assert((lab or 1) ~= nil) lab = nil; assert(lab == nil)",
            name: "test.lua")
        #expect(failure(of: "return prin", in: state).contains("undefined global 'prin'"))
    }

    /// In Lua no comparison for equality is an error.
    @Test func objectsOfTwoKindsAreUnequal() throws {
        let state = try makeState()
        let result = try state.run(
            "local p, r = lab.pair(1, 2), lab.run{ name = 'a' }; return p == r, r == p, p ~= r, p == 1, p == lab.pair(1, 2)",
            name: "test.lua")
        #expect(
            result.map { "\($0)" }
                == [LuaValue.boolean(false), .boolean(false), .boolean(true), .boolean(false), .boolean(true)].map {
                    "\($0)"
                })
    }

    @Test func patternsMatchAsTheManualSays() throws {
        let state = try makeState()
        try state.run(
            """
            local function is(expected, ...) local got = table.concat({ ... }, "|") assert(got == expected, got) end
            is("1|1", ("abc"):find("a")) is("3|2", ("abc"):find("", 3)) is("4|3", ("abc"):find("", 4))
            assert(("abc"):find("", 5) == nil and ("abc"):find("d") == nil)
            is("2|3|b", ("abc"):find("(b)c")) is("2|4", ("a.+b"):find(".+b", 2, true)) is("2|3", ("abab"):find("ba"))
            is("key|value", ("key = value"):match("^(%w+)%s*=%s*(%w+)$")) is("2|b", ("abc"):match("()(b)"))
            is("abc", ("[[abc]]"):match("%[%[(.-)%]%]")) is("(a(b)c)", ("x(a(b)c)y"):match("%b()"))
            is("THE", ("THE (quick) fox"):match("%f[%a]%a+%f[%A]")) is("aa", ("baac"):match("(a)%1") .. "a")
            is("-12.5e3", ("x = -12.5e3"):match("[+-]?%d+%.?%d*[eE]?%d*")) is("]", ("a]b"):match("[]]")) is("^", ("^"):match("[%^]"))
            is("-", ("a-b"):match("[a-]", 2)) is("b", ("ab"):match("[^a-]")) is("\\0", ("a\\0b"):match("%z?%c"))
            is("hello hello|1", ("hello"):gsub("%w+", "%0 %0")) is("world hello|1", ("hello world"):gsub("(%w+) (%w+)", "%2 %1"))
            is("xbxcx|3", ("abac"):gsub("a?", "x"))
            is("-a-b-|3", ("ab"):gsub("", "-")) is("heLLo|2", ("hello"):gsub("l", string.upper)) is("A%|1", ("a%"):gsub("a", { a = "A" }))
            is("abc|3", ("abc"):gsub("%w", function() end)) is("x1|1", ("xa"):gsub("a", 1)) is("1a2a|2", ("aa"):gsub("()a", "%1a"))
            local words = {} for w in ("one two  three"):gmatch("%a+") do words[#words + 1] = w end is("one|two|three", table.unpack(words))
            local t = {} for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do t[#t + 1] = k .. v end is("a1|b2", table.unpack(t))
            local n = 0 for _ in ("abc"):gmatch("") do n = n + 1 end assert(n == 4)
            is("ab-ab-ab", ("ab"):rep(3, "-")) is("", ("ab"):rep(0)) is("ab", ("ab"):rep(1, "-")) is("", (""):rep(1 << 40))
            """, name: "test.lua")
    }

    @Test func tablesAreChangedAsTheManualSays() throws {
        let state = try makeState()
        try state.run(
            """
            local function is(expected, t, ...) local got = table.concat(t, ",") assert(got == expected, got) end
            local t = { 1, 2, 3 }
            table.insert(t, 4) is("1,2,3,4", t) table.insert(t, 1, 0) is("0,1,2,3,4", t) table.insert(t, 6, 5) is("0,1,2,3,4,5", t)
            assert(not pcall(table.insert, t, 8, 1) and not pcall(table.insert, t, 0, 1) and not pcall(table.insert, t))
            assert(table.remove(t) == 5 and table.remove(t, 1) == 0 and table.remove({}) == nil and table.remove(t, 5) == nil) is("1,2,3,4", t)
            is("1,1,2,3", table.move(t, 1, 3, 2)) is("2,3,3", table.move({ 1, 2, 3 }, 2, 3, 1)) is("7,8", table.move({ 7, 8 }, 1, 2, 1, {}))
            local s = { 5, 3, 9, 1, 1, 4 } table.sort(s) is("1,1,3,4,5,9", s) table.sort(s, function(a, b) return a > b end) is("9,5,4,3,1,1", s)
            assert(table.concat({}) == "" and table.concat({ 1, 2, 3 }, "-", 2, 3) == "2-3" and not pcall(table.concat, { {} }))
            """, name: "test.lua")
    }

    @Test func protectedCallsAndCoroutinesWorkAsEver() throws {
        let state = try makeState()
        try state.run(
            """
            -- yields go through pcall, xpcall and metamethods
            local co = coroutine.wrap(function()
                local ok, a, b = pcall(function() return 1, coroutine.yield("first") end)
                local ok2, e = xpcall(function() coroutine.yield("second") error("oops", 0) end, function(m) return m .. "!" end)
                return ok, a, b, ok2, e
            end)
            assert(co() == "first" and co("b") == "second")
            local ok, a, b, ok2, e = co()
            assert(ok and a == 1 and b == "b" and not ok2 and e == "oops!")
            assert(select("#", pcall(function() return nil, nil end)) == 3)
            assert(select(2, xpcall(function(...) return select("#", ...) end, print, 1, nil, nil)) == 3)
            -- errors in and of coroutines
            local ok, e = pcall(coroutine.wrap(function() error("inner") end))
            assert(not ok and e:find("inner", 1, true))
            local dead = coroutine.create(function() end) coroutine.resume(dead)
            local ok, e = coroutine.resume(dead) assert(not ok and e == "cannot resume dead coroutine")
            local ok, e = coroutine.resume(coroutine.running()) assert(not ok and e == "cannot resume non-suspended coroutine")
            local closed local c = coroutine.create(function()
                local x <close> = setmetatable({}, { __close = function() closed = true error("while closing", 0) end }) coroutine.yield() end)
            coroutine.resume(c)
            local ok, e = coroutine.close(c) assert(closed and not ok and e == "while closing" and coroutine.status(c) == "dead")
            -- load
            assert(load("return ...")(5) == 5 and load("return x", "n", "t", { x = 7 })() == 7)
            local parts = { "return ", "1 ", "+ 2" } local i = 0
            assert(load(function() i = i + 1 return parts[i] end)() == 3)
            local f, e = load("x = = 1", "=name") assert(f == nil and e == "name:1: unexpected symbol near '='")
            assert(type(os.time()) == "number" and os.date("!%Y-%m-%d", 0) == "1970-01-01" and os.date("!*t", 0).year == 1970)
            assert(type(collectgarbage("count")) == "number" and collectgarbage() == 0)
            """, name: "test.lua")
    }

    @Test func theTracebackShowsTheCoroutinesFrames() throws {
        let state = try makeState()
        do {
            try state.run(
                """
                local function inner() local x = nil; return x.y end
                local co = coroutine.wrap(function()
                    inner()
                end)
                co()
                """, name: "co.lua")
        } catch let error as LuaError {
            #expect(error.traceback.contains("co.lua:1: in upvalue 'inner'"), "\(error.traceback)")
            #expect(error.traceback.contains("co.lua:3: in "))
            #expect(error.traceback.contains("co.lua:5: in main chunk"))
        }
    }

    @Test func aCaughtErrorReadsLikeAString() throws {
        try makeState().run(
            """
            local ok, e = pcall(lab.fail, 3)
            assert(e:find("code 3", 1, true) and e:match("code (%d)") == "3" and e:upper():find("CODE") and #e:sub(1, 4) == 4)
            assert(not pcall(function() return e.massage end))
            """, name: "test.lua")
    }
}
