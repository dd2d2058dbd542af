import Foundation
import Testing

@testable import LuaBridge

/// Invariant 5: ways out of the sandbox. Each is a script that returns true if it is out.
///
/// An attempt that fails by a slip of its own proves nothing. So each escape is also made with the whole library of Lua, where it
/// must succeed: it fails in the sandbox by the sandbox alone. What succeeds in no Lua (`futile`) says why. In all of them `ROOT`
/// is the folder in which the script's folder lies beside a secret, and `BYTECODE` the name of a compiled function.
@Suite struct SandboxTests {
    private static let embedded = ["embedded": LuaModule(source: "return 'embedded'", name: "embedded.lua")]

    /// Names that must not be there.
    static let absent = [
        "io", "debug", "dofile", "loadfile", "package", "warn", "os.execute", "os.exit", "os.getenv", "os.remove",
        "os.rename", "os.tmpname", "os.setlocale", "string.dump", "_G.io", "_G.debug", "_ENV.io", "_G._G.package",
    ].map { "return \($0) ~= nil" }

    static let loading = [
        // bytecode, in every way there is to hand it over
        "return load(BYTECODE) ~= nil", "return load(BYTECODE, 'x', 'b') ~= nil",
        "return load(BYTECODE, 'x', 'bt') ~= nil",
        "local n = 0 return load(function() n = n + 1 return ({ BYTECODE:sub(1, 1), BYTECODE:sub(2) })[n] end) ~= nil",
        "local n = 0 return load(function() n = n + 1 return ({ BYTECODE:sub(1, 4), BYTECODE:sub(5) })[n] end, 'x', 'bt') ~= nil",
        "local co = coroutine.wrap(function() coroutine.yield(BYTECODE) end) return load(co, 'x', 'b') ~= nil",
        "return load(string.dump(function() end)) ~= nil", "return ('').dump(function() end) ~= nil",
        "return require('bytecode') ~= nil",
        // what is loaded sees the same globals
        "return load('return io')() ~= nil",
        "return load('return debug', 'x', 't', setmetatable({}, { __index = _G }))() ~= nil",
        "local _ENV = { outer = _ENV } return outer.io ~= nil",
        "local _ENV = setmetatable({}, { __index = function(_, k) return _G and _G[k] end }) return io ~= nil",
        "return coroutine.wrap(function() return io or debug or package end)() ~= nil",
        "local ok, library = pcall(function() return io end) return ok and library ~= nil",
        "for k in pairs(_G) do if k == 'io' or k == 'debug' or k == 'package' then return true end end",
        "for k, v in next, _G do if type(v) == 'table' and (v.open or v.sethook or v.loadlib) then return true end end",
        "for k, v in pairs(os) do if not ({ time = 1, date = 1, clock = 1, difftime = 1 })[k] then return true end end",
    ]

    static let requiring = [
        "return require('io') ~= nil", "return require('debug') ~= nil", "return require('package') ~= nil",
        "return require('os').execute ~= nil",
        "return require('../secret') ~= nil", "return require('folder/../../secret') ~= nil",
        "return require('/etc/passwd') ~= nil", "return require('ROOT/secret') ~= nil",
        "return require('secret') ~= nil",
        "return require('link') ~= nil", "return require('linked.secret') ~= nil", "return require('chain') ~= nil",
        "return require('~root') ~= nil", "return require('*') ~= nil", "return require('inside;rm') ~= nil",
        "package = package or {} package.path = 'ROOT/?.lua' return require('secret') ~= nil",
    ]

    /// `get` and `set` are the functions for metatables that know no lock, where they are to be had.
    static let metatables = [
        "return type(getmetatable('')) == 'table'", "return getmetatable('').__index ~= nil",
        "getmetatable('').__index = nil return true", "return pcall(set, '', {})",
        "return rawset(getmetatable('x'), '__index', {}) ~= nil",
        "return type(get(lab)) == 'table'", "return pcall(set, lab, {})", "return type(get(lab.nn)) == 'table'",
        "pcall(set, lab, nil) lab.add = nil return lab.add == nil",
        "local nn = lab.nn pcall(set, nn, nil) nn.mlp = print return lab.nn.mlp == print",
        "pcall(set, lab, nil) lab.nn = {} return next(lab.nn) == nil",
        "return type(get(lab.run{})) == 'table'", "return pcall(set, lab.run{}, {})",
        "return get(lab.run{}).__index ~= nil", "return get(lab.run{}).__gc ~= nil",
        "local r = lab.run{} get(r).__index = print return true",
        "local ok, e = pcall(lab.fail) return type(get(e)) == 'table'",
        "local ok, e = pcall(lab.fail) get(e).__newindex = function() end e.message = 'x' return true",
        "return get(setmetatable({}, { __metatable = 1 })) ~= 1",
        "return pcall(set, setmetatable({}, { __metatable = 1 }), {})",
        "return setmetatable({}, { __gc = function() end }) ~= nil",
        "return setmetatable({}, { __gc = true }) ~= nil",
        "local mt = {} mt.__gc = function() ran = true end ran = false local t = setmetatable({}, mt) t = nil "
            + "collectgarbage() collectgarbage() return ran",
        "return setmetatable(setmetatable({}, { __index = function() return print end }), { __gc = print }) ~= nil",
        "for k in next, get(lab) do if k:sub(1, 2) == '__' then return true end end",
        "set(print, {}) return get(print) ~= nil", "set(1, {}) return get(2) ~= nil",
        "set(nil, {}) return get(nil) ~= nil",
    ].map { attempt in
        "local d = rawget(_G, 'debug') or {} local get, set = d.getmetatable or getmetatable, d.setmetatable or setmetatable "
            + attempt
    }

    static var escapes: [String] { absent + loading + requiring + metatables }

    /// Names of other versions of Lua, of other hosts: this version's library has none of them, a sandbox might by mistake.
    static let foreign = [
        "loadstring", "module", "setfenv", "getfenv", "newproxy", "os.popen", "coroutine.debug", "ffi", "jit", "bit32",
    ].map { "return \($0) ~= nil" }

    /// What Lua itself refuses: the beginning of bytecode is not bytecode, text is none, an empty piece ends a chunk; `require` takes
    /// strings, makes slashes of dots, reads no folders, and waits for who writes into a pipe; userdata have no fields of their own,
    /// and a finalizer that comes after the metatable was set does not count.
    static let refused = [
        "return load('\\27Lua') ~= nil", "return load('\\27LuaS\\0\\25\\147\\r\\n\\26\\n') ~= nil",
        "return load('return 1', 'x', 'b') ~= nil",
        "local n = 0 return load(function() n = n + 1 return ({ '', BYTECODE })[n] end, 'x', 'b') ~= nil",
        "return require('..secret') ~= nil", "return require('...secret') ~= nil",
        "return require('folder...secret') ~= nil",
        "return require('inside\\0') ~= nil", "return require('\\0') ~= nil", "return require('') ~= nil",
        "return require('.') ~= nil", "return require('folder') ~= nil", "return require('pipe') ~= nil",
        "return require(('a.'):rep(5000) .. 'a') ~= nil", "return require({}) ~= nil",
        "return require(setmetatable({}, { __tostring = function() return '../secret' end })) ~= nil",
        "string.gsub = function() return '../secret' end return require('inside.secret') ~= nil",
        "local r = lab.run{} return rawget(r, 'lr') ~= nil", "local r = lab.run{} return rawset(r, 'lr', 1) ~= nil",
        "local r = lab.run{} return next(r) ~= nil",
        "local mt = {} local t = setmetatable({}, mt) ran = false mt.__gc = function() ran = true end t = nil "
            + "collectgarbage() collectgarbage() return ran",
    ]

    /// Formats and dates that there are not.
    static let dates = [
        "return os.date('%Q') ~= nil", "return os.date('%') ~= nil", "return os.date('%E') ~= nil",
        "return os.date('%Ez') ~= nil", "return os.date('%O') ~= nil", "return os.date('%n%s') ~= nil",
        "return os.date('%5d') ~= nil", "return os.date('%-d') ~= nil", "return os.date('%\\0') ~= nil",
        "return os.date(('%c'):rep(1e6 // 1 | 0)) ~= nil", "return os.date('*t', 2^60 // 1 | 0) ~= nil",
        "return os.date('%c', math.maxinteger) ~= nil",
        "return os.time({ year = 1e18 // 1 | 0, month = 1, day = 1 }) ~= nil",
    ]

    /// Wrong receivers, endless values: what the bridge itself refuses, whoever asks.
    static let objects = [
        "return lab.run{}.train(lab.pair(1, 2)) ~= nil", "return lab.run{}.train({}) ~= nil",
        "return lab.run{}.train(nil) ~= nil", "return lab.run{}.train() ~= nil",
        "local ok, e = pcall(lab.fail) return lab.run{}.train(e) ~= nil",
        "return lab.run{}.steps(coroutine.create(print), 1) ~= nil", "return lab.pair(1, 2) + lab.run{} ~= nil",
        "return lab.pair(1, 2) == lab.run{}", "return lab.echo(coroutine.create(print)) ~= nil and false",
        "local t = {} t.t = t return lab.echo(t) ~= nil",
        "local t = {} for i = 1, 300 do t = { t } end return lab.echo(t) ~= nil",
        "local t = {} for i = 1, 40 do t = { t, t } end return lab.echo(t) ~= nil",
        "local t = setmetatable({}, { __index = function() return 1 end, __len = function() return 3 end }) return lab.sum(t) ~= 0",
        "return lab.range(1e18 // 1 | 0) ~= nil",
        // a length of 2^62 with 63 elements
        "local t = {} for i = 0, 62 do t[1 << i] = 1 end return lab.sum(t) ~= nil",
        "local t = {} for i = 0, 62 do t[1 << i] = 1 end return #lab.echo(t) > 2",
        "local t = {} for i = 0, 62 do t[1 << i] = 1 end return lab.run{ hidden = t } ~= nil",
    ]

    /// What has brought interpreters of this version down, or could. These pass if the process is still there.
    static let crashes = [
        "return load(('('):rep(100000)) ~= nil", "return load(('a = {'):rep(100000)) ~= nil",
        "return load('local a <const> = ' .. ('-'):rep(1000) .. '1') == 0", "return load(('do '):rep(100000)) ~= nil",
        "return load('local _ENV <const> = {} x = 1 return x')() ~= 1",
        "return load('return ' .. ('x.'):rep(100000) .. 'x') == 0",
        "return load('x = ' .. ('\"a\" .. '):rep(300) .. '1') == 0",
        "return load('local ' .. ('a,'):rep(300) .. 'a') ~= nil",
        "return load('return function(' .. ('a,'):rep(300) .. 'a) end') ~= nil",
        "local function f() return f() + 1 end return (pcall(f))",
        "local function f() return tostring(setmetatable({}, { __tostring = f })) end return (pcall(f))",
        "local t = setmetatable({}, {}) getmetatable(t).__index = t return pcall(function() return t.x end)",
        "local t = {} for i = 1, 100 do t = setmetatable({}, { __index = t }) end return t.x ~= nil",
        "local function f() return coroutine.wrap(f)() end return (pcall(f))",
        "local co co = coroutine.create(function() return coroutine.close(co) end) return (select(2, coroutine.resume(co)))",
        "local co co = coroutine.wrap(function() return co() end) return (pcall(co))",
        """
        local function nest(n) local co = coroutine.create(function()
            local x <close> = setmetatable({}, { __close = function() if n > 0 then coroutine.close(nest(n - 1)) end end })
            coroutine.yield() end) coroutine.resume(co) return co end
        coroutine.close(nest(5000)) return false
        """,
        "return string.rep('x', 1e18 // 1 | 0) ~= nil", "return string.rep('', 1e18 // 1 | 0) ~= ''",
        "return ('x'):rep(2^31 // 1 | 0, ('y'):rep(1e6 // 1 | 0)) ~= nil",
        "return string.format('%99999d', 1) ~= nil",
        "return string.format('%s', setmetatable({}, { __tostring = function() return {} end })) ~= nil",
        "return string.format('%.99f', 2^1023):len() > 500", "return string.format('%') ~= nil",
        "return string.pack('s1', ('x'):rep(300)) ~= nil", "return string.pack('i17', 1) ~= nil",
        "return string.unpack('z', 'no end') ~= nil", "return string.unpack('<I8', '') ~= nil",
        "return string.unpack('c1000000000', 'x') ~= nil", "return string.packsize('c2147483647c2147483647') ~= nil",
        "return table.unpack({}, 1, 1e8 // 1 | 0) ~= nil",
        "return table.unpack({}, math.mininteger, math.maxinteger) ~= nil",
        "return select(math.mininteger, 1) ~= nil", "return utf8.char(0x80000000) ~= nil",
        "return utf8.codepoint('\\xff') ~= nil",
        "return table.concat({}, 'x', 1, 1) ~= nil",
        "return table.concat({}, 'x', math.maxinteger, math.mininteger) ~= ''",
        "return table.move({}, math.mininteger, math.maxinteger, 1) ~= nil", "return table.insert({}, 5, 1) == 0",
        "return ('x'):find(('('):rep(100)) ~= nil", "return ('x'):find('%') ~= nil", "return ('x'):find('[') ~= nil",
        "return ('x'):find('[a') ~= nil", "return ('x'):find('[%') ~= nil", "return ('x'):find('%b') ~= nil",
        "return ('x'):find('%f') ~= nil", "return ('x'):find('(()') ~= nil", "return ('x'):find(')') ~= nil",
        "return ('x'):find('%1') ~= nil", "return ('x'):find('(%1)') ~= nil", "return ('x'):gsub('x', '%2') ~= nil",
        "return ('x'):gsub('x', '%') ~= nil", "return ('x'):find(('a?'):rep(50000)) == 0",
        "return (('x'):rep(300000):find(('x-'):rep(250) .. 'y'))",
        "return table.sort({ 3, 1, 'x' }) == 0",
        "return (pcall(table.sort, { 1, 2, 3, 4 }, function() return true end)) == 0",
        "local t = { 1, 2, 3 } table.sort(t, function(a, b) t[1], t[2], t[3] = nil return a < b end) return #t ~= 3",
        "local t = {} for i = 1, 100 do t[i] = i end for k in pairs(t) do t[k] = nil t[k + 1000] = 1 end return false",
        "return math.tointeger('x') ~= nil", "return 1 // 0 ~= nil", "return math.mininteger // -1 ~= math.mininteger",
        "return math.random(math.mininteger, math.maxinteger) == nil",
        "for i = math.maxinteger - 1, math.maxinteger do end return false",
    ]

    static var futile: [String] { foreign + refused + dates + objects + crashes }

    /// With what the placeholders stand for.
    private static func script(_ attempt: String, _ folders: Folders) -> String {
        attempt.replacingOccurrences(of: "ROOT", with: folders.root).replacingOccurrences(of: "BYTECODE", with: "bytes")
    }

    /// A compiled function, as `string.dump` gives it.
    private static func bytecode() throws -> LuaBytes {
        let state = try makeState { $0.isTrusted = true }
        return try #require(
            LuaBytes.read(try state.run("return string.dump(function() return 1 end)", name: "dump.lua")[0]))
    }

    /// A folder with the compiled function among the modules, and modules with names that a shell would not take for such.
    private static func folders() throws -> Folders {
        let folders = try Folders()
        try Data(bytecode().bytes).write(to: URL(fileURLWithPath: folders.script + "/bytecode.lua"))
        for name in ["~root", "*", "inside;rm"] { try folders.write("\(name).lua", "return 'odd'") }
        return folders
    }

    @Test func noWayOutOfTheSandboxWorks() throws {
        let folders = try Self.folders()
        defer { folders.remove() }
        let bytecode = try Self.bytecode()
        let attempts = Self.escapes + Self.futile
        #expect(attempts.count >= 200)
        try LuaThread.run {
            for attempt in attempts {
                let state = try makeState { $0.patience = 5 }
                let finder = ModuleFinder(scriptFolder: folders.script, embedded: Self.embedded)
                try state.installModules(find: finder.find)
                try state.setGlobal("bytes", to: bytecode)
                do {
                    let results = try state.run(Self.script(attempt, folders), name: "escape.lua")
                    if case .boolean(true)? = results.first { Issue.record("it works: \(attempt)") }
                } catch let error as LuaError {
                    // Of its own an attempt has no syntax error; a module may have one.
                    let kinds: [LuaError.Kind] = [.script, .host, .memory]
                    #expect(
                        kinds.contains(error.kind) || error.kind == .syntax && attempt.contains("require("),
                        "\(attempt): \(error)")
                }
                state.interrupt.clearStop()
                #expect(Int.read(try state.run("return #'abc' + 1", name: "after.lua")[0]) == 4, "after \(attempt)")
            }
        }
        print(
            "ways out of the sandbox tried: \(attempts.count), \(Self.escapes.count) of which lead out where there is none"
        )
    }

    /// With the whole library, and a searcher that takes names for paths, each of the escapes does what it attempts.
    @Test func everyEscapeSucceedsWithTheWholeLibrary() throws {
        let folders = try Self.folders()
        defer { folders.remove() }
        let bytecode = try Self.bytecode()
        try LuaThread.run {
            for attempt in Self.escapes {
                let state = try makeState { $0.isTrusted = true }
                try state.setGlobal("bytes", to: bytecode)
                try state.run(
                    """
                    package.path = "\(folders.script)/?.lua;\(folders.root)/?.lua"
                    table.insert(package.searchers, function(name)
                      for _, path in ipairs{ name, name .. ".lua", "\(folders.script)/" .. name .. ".lua" } do
                        local file = io.open(path)
                        if file then return function() return file:read("a") end end
                      end
                    end)
                    """, name: "trusted.lua")
                do {
                    let results = try state.run(Self.script(attempt, folders), name: "escape.lua")
                    guard case .boolean(true)? = results.first else {
                        Issue.record("it does not work: \(attempt)")
                        continue
                    }
                } catch { Issue.record("it fails by itself: \(attempt): \(error)") }
            }
        }
    }

    /// A script may do to the collector what it likes: where the limit is reached, Lua collects all the same.
    @Test func aStoppedCollectorStillKeepsTheMemoryLimit() throws {
        let state = try makeState { $0.memoryLimit = 8 << 20 }
        try state.run(
            """
            collectgarbage("stop")
            assert(not collectgarbage("isrunning"))
            for i = 1, 200 do local s = ("x"):rep(1000000 + i) end
            collectgarbage("restart")
            collectgarbage("generational")
            for i = 1, 200 do local s = ("y"):rep(1000000 + i) end
            """, name: "collector.lua")
        #expect(state.memory.peak <= 8 << 20)
    }

    @Test func modulesComeFromTheScriptsFolderAndTheLibrary() throws {
        let folders = try Folders()
        defer { folders.remove() }
        let state = try makeState()
        let finder = ModuleFinder(scriptFolder: folders.script, embedded: Self.embedded)
        try state.installModules(find: finder.find)
        try state.run(
            """
            assert(require("inside") == "inside" and require("embedded") == "embedded")
            assert(require("folder.inner") == "inner" and require("package_like") == "init")
            assert(rawequal(require("table_module"), require("table_module")))
            local ok, e = pcall(require, "circle")
            assert(tostring(e):find("modules require each other: circle → circle2 → circle", 1, true), tostring(e))
            local ok, e = pcall(require, "broken")
            assert(tostring(e) == "broken.lua:2: unexpected symbol near '='", tostring(e))
            """, name: "test.lua")
        #expect(
            failure(of: "require 'missing'", in: state)
                == "test.lua:1: no module 'missing' in the script's folder or the standard library")
    }

    @Test func pathsStayInTheirFolders() throws {
        let folders = try Folders()
        defer { folders.remove() }
        let policy = PathPolicy(
            outputFolder: folders.output, scriptFolder: folders.script, readFolders: [folders.allowed])
        let trusted = PathPolicy(outputFolder: folders.output, scriptFolder: folders.script, isTrusted: true)
        // Where a trusted script gets in, one that is not is refused; then what is a file for nobody.
        for path in [
            "/etc/passwd", "../secret.lua", "folder/../../secret.lua", "link.lua", "linked/secret.lua", "chain.lua",
            folders.root + "/secret.lua", "folder/./.././../secret.lua", "linkout/secret.lua",
        ] {
            #expect(throws: PathError.self, "\(path)") { try policy.readable(path) }
            #expect(throws: Never.self, "\(path)") { try trusted.readable(path) }
        }
        for path in ["", "missing.csv", "\0", "data.csv\0"] {
            #expect(throws: PathError.self, "\(path)") { try policy.readable(path) }
            #expect(throws: PathError.self, "\(path)") { try trusted.readable(path) }
        }
        for path in [
            "/tmp/x", "../x", "a/../../x", "linkout/x", "linkfile", "sub/../../x", folders.root + "/x",
        ] {
            #expect(throws: PathError.self, "\(path)") { try policy.writable(path) }
            #expect(throws: Never.self, "\(path)") { try trusted.writable(path) }
        }
        for path in ["", ".", "x\0", "a/", "\0"] {
            #expect(throws: PathError.self, "\(path)") { try policy.writable(path) }
            #expect(throws: PathError.self, "\(path)") { try trusted.writable(path) }
        }
        // Folders, or where a link leads to nothing: a trusted script learns that when it writes.
        for path in ["..", "a/..", "dangling"] {
            #expect(throws: PathError.self, "\(path)") { try policy.writable(path) }
        }
        #expect(try policy.readable("inside.lua") == folders.script + "/inside.lua")
        #expect(try policy.readable("data.csv") == folders.allowed + "/data.csv")
        #expect(try policy.readable("./folder/../inside.lua") == folders.script + "/inside.lua")
        #expect(try policy.writable("figures/new/edge.svg") == folders.output + "/figures/new/edge.svg")
        #expect(resolved(folders.output + "/figures/new") != nil)
        #expect(try policy.writable("edge.svg") == folders.output + "/edge.svg")
        let told = PathPolicy(
            outputFolder: folders.output, scriptFolder: folders.script,
            remedies: PathPolicy.Remedies(reading: "ask for more", absolutePaths: "the host may lift this"))
        for (path, remedy) in [("../secret.lua", "; ask for more"), ("/etc/passwd", " (the host may lift this)")] {
            let errors = [policy, told].map { policy in
                #expect(throws: PathError.self) { try policy.readable(path) }?.description
            }
            #expect(errors[1] == (errors[0] ?? "") + remedy)
        }
        #expect(try trusted.readable("/etc/passwd") == "/etc/passwd")
        #expect(try trusted.readable("../secret.lua") == folders.root + "/secret.lua")
        #expect(try trusted.writable("/tmp/x.svg") == "/tmp/x.svg")
    }
}

/// A script's folder, an output folder, and a secret beside them.
struct Folders {
    let root: String
    var script: String { root + "/script" }
    var output: String { root + "/output" }
    var allowed: String { root + "/allowed" }

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-sandbox-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        root = try #require(resolved(folder.path))
        for folder in ["script", "output", "allowed", "script/folder", "script/package_like"] {
            try #require(mkdir("\(root)/\(folder)", 0o755) == 0)
        }
        let texts = [
            "secret.lua": "return 'secret'", "script/inside.lua": "return 'inside'", "allowed/data.csv": "1,2",
            "script/folder/inner.lua": "return 'inner'", "script/package_like/init.lua": "return 'init'",
            "script/table_module.lua": "return {}", "script/circle.lua": "return require('circle2')",
            "script/circle2.lua": "return require('circle')", "script/broken.lua": "\nx = = 1",
            "script/bytecode.lua": "\u{1B}Lua",
        ]
        for (name, text) in texts {
            let file = try #require(fopen("\(root)/\(name)", "w"))
            fputs(text, file)
            fclose(file)
        }
        let links = [
            ("script/link.lua", "../secret.lua"), ("script/linked", ".."), ("script/chain.lua", "link.lua"),
            ("output/linkout", ".."), ("output/linkfile", "../secret.lua"), ("output/dangling", "/tmp/eoss-nowhere"),
        ]
        for (name, target) in links { try #require(symlink(target, "\(root)/\(name)") == 0) }
        try #require(mkfifo("\(root)/script/pipe.lua", 0o600) == 0)
    }

    func write(_ name: String, _ text: String) throws {
        let file = try #require(fopen("\(script)/\(name)", "w"))
        fputs(text, file)
        fclose(file)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: root)
    }
}
