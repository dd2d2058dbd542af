import Testing

@testable import LuaBridge

/// Invariant 1: whichever allocation fails, the session ends in a Swift error or as if nothing had happened, and everything it
/// held is released.
@Suite struct FailingAllocationTests {
    /// How the allocations fail from the n-th on.
    enum Mode: Int64 {
        /// The n-th and the attempt that Lua makes after an emergency collection; then memory is there again.
        case once = 2
        /// All further ones.
        case forever = 0
    }

    /// A session that makes and drops every kind of object, requires a module, errors three levels deep both ways, runs
    /// coroutines, callbacks and finalizers, formats a traceback and closes the state.
    static let script = """
        local util = require("util")
        local run = lab.run{ name = "a", lr = 0.5, hidden = {1, 2} }
        run.lr = 0.25
        run:at(1, function(r) seen = r; collectgarbage() end)
        run:train{ steps = 2 }
        local n = 0
        for step, r in run:steps(3) do n = n + step end
        local p = lab.pair(1, 2) + 2 * lab.pair(3, 4)
        local text = tostring(p) .. p .. run .. #p .. p[1]
        local t = lab.echo{ 1, { x = { "y", 2.5, true } }, name = text }
        local co = coroutine.wrap(function(a)
            local b = coroutine.yield(lab.add(a, 1))
            local ok, e = pcall(lab.fail, b)
            coroutine.yield(tostring(e))
            error({ code = 3 })
        end)
        co(1) co(2)
        local closing = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() end }) coroutine.yield() end)
        coroutine.resume(closing)
        coroutine.close(closing)
        local ok, e = xpcall(lab.apply, function(m) return m end, function() lab.fail(3) end)
        local s = (("abc"):rep(20, ",")):gsub("(%w)b", "%1x"):match("a.(c)")
        table.sort({ 3, 1, 2 }, function(x, y) return x < y end)
        for word in ("a b c"):gmatch("%a") do s = s .. word end
        run:keep(p)
        run:keep(lab.pair(5, 6))
        local total = lab.sum(lab.range(40))
        local chunk = load("return function(...) return select('#', ...), ... end", "chunk", "t", { select = select })
        local many = { chunk()(1, "two", run, nil) }
        assert(not pcall(function() return run.stepp end))
        assert(not pcall(function() lab.run{ nam = "x" } end))
        assert(not pcall(require, "missing"))
        assert(load("x = = 1") == nil)
        local parts = table.concat({ 1, 2, 3 }, ", ")
        run:at(2, function() lab.apply(function() lab.apply(function() error("deep " .. util.name) end) end) end)
        print(parts, s, e)
        run:train{ steps = 1 }
        """

    /// Runs the session. What the script ends in is thrown.
    static func session(first: Int64, mode: Mode, tally: Tally) throws -> Int {
        var configuration = LuaState.Configuration()
        configuration.print = { _ in }
        configuration.firstFailure = first
        configuration.failureCount = mode.rawValue
        let state = try LuaState(configuration)
        try state.install(runClass())
        try state.install(pairClass())
        try state.install(labNamespace(tally))
        try state.installModules { name in
            name == "util" ? LuaModule(source: "return { name = ... }", name: "util.lua") : nil
        }
        guard try state.evaluate("1, {2, x = {}}, lab") == .values(["1", "{2, x = {}}", "lab"]) else { return 0 }
        guard try state.evaluate("for i = 1, 2 do") == .incomplete else { return 0 }
        var ended: LuaError?
        do { try state.run(script, name: "session.lua") } catch let error as LuaError { ended = error }
        let error = try #require(ended, "the session's script always ends in an error")
        _ = error.fullDescription
        if error.kind == .script, error.message == "deep util" { return state.memory.allocations }
        throw error
    }

    static func failEvery(_ mode: Mode) throws -> (failed: Int64, endings: [String: Int]) {
        let tally = Tally()
        let allocations = Int64(try session(first: 0, mode: .once, tally: tally))
        var endings: [String: Int] = [:]
        var n: Int64 = 0
        while n <= allocations {
            n += 1
            do {
                _ = try session(first: n, mode: mode, tally: tally)
                endings["unharmed", default: 0] += 1
            } catch let error as LuaError {
                if error.kind != .memory { Issue.record("allocation \(n): \(error.fullDescription)") }
                endings["\(error.kind)", default: 0] += 1
            }
            #expect(tally.alive == 0, "allocation \(n)")
        }
        return (n - 1, endings)
    }

    @Test(arguments: [Mode.once, .forever])
    func everyAllocationMayFail(_ mode: Mode) throws {
        let (failed, endings) = try LuaThread.run { try Self.failEvery(mode) }
        print("failed allocations (\(mode)): \(failed) sessions; endings: \(endings)")
        #expect(failed > 500)
        #expect(endings["memory", default: 0] > failed / 2)
    }
}
