import CLuaSystem
import LuaBridge

/// What crossing the bridge costs, and what the sandbox costs a script that does not cross it. The yardstick is a plain Lua state
/// with a C function registered by hand, as no state of ours has.
final class BridgeBench {
    private let state: LuaState
    private let plain: OpaquePointer
    private var callback: LuaCallback?

    private final class Thing: LuaObject {}

    /// Functions that do something `n` times; `add` is Swift's in one state and C's in the other.
    private static let loops = """
        function empty(n) for i = 1, n do local s = i end end
        function call(n) for i = 1, n do local s = add(i, 2.5) end end
        function arithmetic(n) local s = 0 for i = 1, n do s = s + i % 7 end end
        local function next(i) return i + 1 end
        function calls(n) local s = 0 for i = 1, n do s = next(s) end end
        """

    init() throws {
        state = try LuaState()
        guard let plain = luaL_newstate() else { throw LuaError(.memory, "no memory for a Lua state") }
        self.plain = plain
        luaL_openlibs(plain)
        lua_pushcclosure(
            plain,
            { lua in
                lua_pushnumber(lua, luaL_checknumber(lua, 1) + luaL_checknumber(lua, 2))
                return 1
            }, 0)
        lua_setglobal(plain, "add")
        try runPlainly(Self.loops)
        let bench = Namespace("bench", "What is measured.")
        bench.function(
            "add", "A sum.", parameters: [Parameter("a", .number, "One."), Parameter("b", .number, "Other.")]
        ) {
            try $0.number(at: 0) + $0.number(at: 1)
        }
        bench.function("thing", "An object.") { _ in Thing() }
        let things = ObjectClass<Thing>("thing", "An object.")
        things.procedure("on", "Takes a function.", parameters: [Parameter("fn", .function(), "The function.")]) {
            [unowned self] in
            callback = try $1.capture("fn", in: $0)
        }
        things.iterator("steps", "Steps.", parameters: [Parameter("n", .integer, "How many.")], results: []) {
            thing, call in
            var left: Int = try call.get("n")
            return LuaLoop {
                left -= 1
                return left < 0 ? nil : LuaResults(left, thing)
            }
        }
        try state.install(things)
        try state.install(bench)
        try state.run(
            """
            add = bench.add
            thing = bench.thing()
            thing:on(function(t) end)
            function iterate(n) for i, t in thing:steps(n) do end end
            \(Self.loops)
            """, name: "bench.lua")
    }

    deinit { lua_close(plain) }

    private func runPlainly(_ text: String) throws {
        guard luaL_loadstring(plain, text) == LUA_OK, lua_pcallk(plain, 0, 0, 0, 0, nil) == LUA_OK else {
            throw LuaError(.script, String(cString: lua_tolstring(plain, -1, nil)))
        }
    }

    /// Prints medians of rounds in which what is compared is interleaved.
    func run(calls: Int = 200_000, rounds: Int = 7) throws {
        let works: [(name: String, body: () throws -> Void)] =
            ["empty", "call", "iterate", "arithmetic", "calls"].map { name in
                (name, { try self.state.run("\(name)(\(calls))", name: "bench.lua") })
            }
            + ["empty", "call", "arithmetic", "calls"].map { name in
                ("plain " + name, { try self.runPlainly("\(name)(\(calls))") })
            } + [("callback", { for _ in 0..<calls { try self.callback?.call() } })]
        var seconds: [String: [Double]] = [:]
        for _ in 0..<rounds {
            for work in works { seconds[work.name, default: []].append(try Clock.seconds(work.body)) }
        }
        func of(_ name: String) -> Double { (seconds[name]?.median ?? .nan) / Double(calls) }
        let bridge = of("call") - of("empty")
        let byHand = of("plain call") - of("plain empty")
        print(
            """
            Lua to Swift with two numbers: \(spelled(bridge)), a C function by hand: \(spelled(byHand)), \
            difference \(spelled(bridge - byHand)); Swift to Lua: \(spelled(of("callback"))); \
            an iterator's step: \(spelled(of("iterate") - of("empty")))
            Lua alone, against a plain state: arithmetic \(Self.ratio(of("arithmetic"), of("plain arithmetic"))), \
            calls \(Self.ratio(of("calls"), of("plain calls")))
            """)
    }

    private static func ratio(_ seconds: Double, _ plain: Double) -> String {
        "\(spelled(seconds)) (× \((seconds / plain).rounded(toPlaces: 2)))"
    }
}
