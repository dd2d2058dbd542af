import Glibc
import Testing

@testable import LuaBridge

/// Invariant 4: a stop ends the script, whatever the script does.
@Suite(.serialized) struct StopTests {
    /// A large table on its way to Swift: the copy asks.
    @Test func copiesOfTablesAreStopped() throws {
        let state = try LuaState()
        let interrupt = state.interrupt
        var isCopied = false
        try state.install(
            DeclaredFunction(
                FunctionDeclaration("take", "Takes a table.", parameters: [Parameter("t", .any, "The table.")])
            ) { call in
                interrupt.requestStop()
                _ = try call.value("t")
                isCopied = true
                return LuaResults()
            })
        let message = failure(of: "local t = {} for i = 1, 20000 do t[i] = { i } end take(t)", in: state)
        #expect(message.hasSuffix("stopped") && !isCopied, "\(message)")
    }

    /// Scripts that never end by themselves and try to outlive a stop. Each prints "survived" where it would have.
    static let survivors: [String] = [
        // catching
        "while true do end",
        "pcall(function() while true do end end) print 'survived'",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(error) end",
        "xpcall(function() while true do end end, function() print 'survived' while true do end end) print 'survived'",
        "xpcall(error, function() while true do end end) print 'survived'",
        "xpcall(error, function() pcall(function() while true do end end) print 'survived' end) print 'survived'",
        "pcall(pcall, pcall, function() while true do end end) print 'survived'",
        "local function f() pcall(f) pcall(f) end while true do f() end",
        "local function f() return f() end pcall(f) print 'survived'",
        "repeat local ok = pcall(string.rep) until ok",
        "select(2, pcall(load('while true do end'))) print 'survived'",
        // coroutines
        "coroutine.resume(coroutine.create(function() while true do end end)) print 'survived'",
        "pcall(coroutine.wrap(function() while true do end end)) print 'survived'",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
        "local function spin() coroutine.wrap(spin)() end while true do pcall(spin) end",
        """
        local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() while true do end end })
            coroutine.yield() end)
        coroutine.resume(co) coroutine.close(co) print 'survived'
        """,
        // made before the stop, and running when it comes
        """
        local ready = {}
        for i = 1, 50 do ready[i] = coroutine.wrap(function() while true do coroutine.yield() for j = 1, 1000 do end end end) end
        while true do for i = 1, 50 do pcall(ready[i]) end end
        """,
        """
        local a = coroutine.create(function() pcall(coroutine.yield) while true do end end)
        coroutine.resume(a) coroutine.resume(a) print 'survived'
        """,
        // to-be-closed variables
        """
        pcall(function() local x <close> = setmetatable({}, { __close = function() print 'survived' while true do end end })
            while true do end end) print 'survived'
        """,
        """
        local mt = {} mt.__close = function() local a <close> = setmetatable({}, mt) local b <close> = setmetatable({}, mt) end
        pcall(function() local x <close> = setmetatable({}, mt) while true do end end) print 'survived'
        """,
        """
        for _ in function() return 1 end, nil, nil, setmetatable({}, { __close = function() while true do end end }) do end
        """,
        // metamethods
        "local t = setmetatable({}, { __index = function() while true do end end }) pcall(function() return t.x end) print 'survived'",
        "local t = setmetatable({}, { __tostring = function() while true do end end }) pcall(tostring, t) print 'survived'",
        "local t = setmetatable({}, { __eq = function() while true do end end }) return t == setmetatable({}, getmetatable(t))",
        "local t = setmetatable({}, { __pairs = function() while true do end end }) pcall(pairs, t) print 'survived'",
        "pcall(error, setmetatable({}, { __tostring = function() while true do end end })) while true do end",
        // loops in C
        "table.sort({ 3, 2, 1, 4, 5 }, function() while true do end end)",
        "while true do pcall(table.sort, { 3, 2, 1 }, error) end",
        "while true do table.sort(setmetatable({}, { __len = function() return 4000000 end }), rawequal) end",
        "table.insert(setmetatable({}, { __len = function() return math.maxinteger - 1 end }), 1, 'x')",
        "table.remove(setmetatable({}, { __len = function() return math.maxinteger - 1 end }), 1)",
        "table.move({}, 1, math.maxinteger - 1, 2)",
        "table.move({}, 1, math.maxinteger - 1, 1, {})",
        "table.concat(setmetatable({}, { __index = tostring }), '', 1, math.maxinteger) ",
        "return (('a'):rep(60):find(('a*'):rep(30) .. 'b'))",
        "return (('a'):rep(100000):match('.-.-.-.-b'))",
        "return (('a'):rep(60):gsub(('a?'):rep(60) .. ('a*'):rep(20) .. 'b', ''))",
        "for _ in ('a'):rep(60):gmatch(('a*'):rep(30) .. 'b') do end",
        "('x'):rep(9e6):gsub('x', function() while true do end end)",
        "('x'):rep(9e6):gsub('', function() pcall(function() while true do end end) end)",
        "load(function() while true do end end)",
        "load(coroutine.wrap(function() while true do coroutine.yield(' ') end end))",
        // instructions that take long
        "local s = ('y'):rep(60000000) while true do s = s .. 'y' end",
        "local s = ('y'):rep(60000000) while true do pcall(function() s = s .. 'y' end) end",
        // through the host
        "lab.apply(function() while true do end end)",
        "pcall(lab.apply, pcall, function() while true do end end) print 'survived'",
        "pcall(lab.apply, function() lab.apply(function() while true do end end) end) print 'survived'",
        "local run = lab.run{} run:at(1, function() while true do end end) pcall(run.train, run) print 'survived'",
        "while true do pcall(lab.fail) end",
        "while true do pcall(lab.add, 1, 2) end",
        "for step in lab.run{}:steps(1e9 // 1 | 0) do end",
        "local ok, e = pcall(lab.fail) while true do pcall(tostring, e) end",
        // the collector
        "while true do collectgarbage() end",
        "local t = {} while true do t[#t % 1000 + 1] = setmetatable({}, { __mode = 'k' }) end",
    ]

    @Test(arguments: survivors)
    func aStopCannotBeCaught(_ script: String) throws {
        try LuaThread.run {
            var printed: [String] = []
            let state = try makeState { $0.print = { printed.append($0.description) } }
            let stopper = try #require(Stopper(state.interrupt, after: 20_000))
            defer { stopper.wait() }
            do {
                try state.run(script, name: "test.lua")
                Issue.record("ended by itself")
            } catch let error as LuaError {
                #expect(error.kind == .stopped(.requested), "\(error)")
            }
            #expect(printed == [])
            // The state is as good as before once the stop is cleared.
            state.interrupt.clearStop()
            #expect(Int.read(try state.run("return 1", name: "test.lua")[0]) == 1)
        }
    }

    @Test(arguments: [
        "while true do end", "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()", "return (('a'):rep(60):find(('a*'):rep(30) .. 'b'))",
    ])
    func aScriptThatRunsAwayIsStopped(_ script: String) throws {
        let state = try makeState { $0.patience = 0.05 }
        #expect(
            failure(of: script, in: state)
                == "test.lua:1: stopped after 0.05 s of Lua without a call into the host (a loop without end?)")
        state.interrupt.clearStop()
        // Calls into the host, and time spent there, are no running away.
        state.interrupt.clearStop()
        try state.install(
            DeclaredFunction(FunctionDeclaration("wait", "Waits.")) { _ in
                usleep(20_000)
                return LuaResults()
            })
        #expect(failure(of: "for i = 1, 10 do wait() end", in: state) == "no error")
    }

    @Test func whoWaitsDoesNotRunAway() throws {
        let state = try makeState {
            $0.patience = 0.05
            $0.isTrusted = true
        }
        #expect(failure(of: "os.execute('sleep 0.3') for i = 1, 1000 do end", in: state) == "no error")
    }

    /// Lua leaves hooks off on a coroutine that an error in a hook has ended: nothing could stop its handlers.
    @Test func aCoroutineThatAStopHasEndedRunsNoHandlers() throws {
        try LuaThread.run {
            var printed: [String] = []
            let state = try makeState { $0.print = { printed.append($0.description) } }
            let stopper = try #require(Stopper(state.interrupt, after: 20_000))
            defer { stopper.wait() }
            let stopped = failure(
                of: """
                    co = coroutine.create(function()
                        local x <close> = setmetatable({}, { __close = function() print 'handler' while true do end end })
                        while true do end
                    end)
                    coroutine.resume(co)
                    """, in: state)
            #expect(stopped.hasSuffix("stopped"))
            state.interrupt.clearStop()
            #expect(
                failure(
                    of: "print(coroutine.status(co), coroutine.close(co)) print(coroutine.resume(co))", in: state)
                    == "no error")
            #expect(printed == ["dead\tfalse\tstopped", "false\tcannot resume dead coroutine"])
        }
    }

    /// A hook that stayed would slow down every instruction of that thread.
    @Test func noHookIsSetBeforeAStopAndNoneStaysAfterIt() throws {
        try LuaThread.run {
            var printed: [String] = []
            let state = try makeState {
                $0.isTrusted = true
                $0.print = { printed.append($0.description) }
            }
            let script = """
                suspended = suspended or coroutine.create(function() while true do coroutine.yield() end end)
                coroutine.resume(suspended)
                print(debug.gethook(), debug.gethook(suspended))
                """
            #expect(failure(of: script, in: state) == "no error")
            let stopper = try #require(Stopper(state.interrupt, after: 20_000))
            #expect(failure(of: "while true do coroutine.resume(suspended) end", in: state).hasSuffix("stopped"))
            stopper.wait()
            state.interrupt.clearStop()
            #expect(failure(of: script, in: state) == "no error")
            #expect(printed == ["nil\tnil", "nil\tnil"])
        }
    }

    /// A state that runs inside another's call, on the same thread, is stopped by its own interrupt and no other.
    @Test func eachStateHasItsOwnStop() throws {
        try LuaThread.run {
            let inner = try makeState()
            let outer = try makeState()
            var ended = ""
            try outer.install(
                DeclaredFunction(FunctionDeclaration("nested", "Runs another state.")) { _ in
                    ended = failure(of: "while true do end", in: inner)
                    return LuaResults()
                })
            let stopper = try #require(Stopper(inner.interrupt, after: 20_000))
            #expect(failure(of: "nested() for i = 1, 1000 do end", in: outer) == "no error")
            #expect(ended == "test.lua:1: stopped")
            stopper.wait()
            #expect(failure(of: "while true do end", in: inner) == "stopped")
            inner.interrupt.clearStop()
            let second = try #require(Stopper(outer.interrupt, after: 20_000))
            #expect(failure(of: "while true do end", in: outer) == "test.lua:1: stopped")
            second.wait()
        }
    }

    /// The thread is the one that calls, not the one that made the state.
    @Test func aStateIsStoppedOnWhateverThreadItRuns() throws {
        let state = try makeState()
        let stopper = try #require(Stopper(state.interrupt, after: 20_000))
        let ended = try LuaThread.run { failure(of: "while true do end", in: state) }
        #expect(ended == "test.lua:1: stopped")
        stopper.wait()
    }

    @Test(arguments: [
        "local t = {} for i = 1, math.huge do t[i] = ('x'):rep(1000) .. i end",
        "local s = 'x' while true do s = s .. s end",
        "return ('x'):rep(1e9 // 1 | 0)",
        "local t = {} while true do t = { t, t } end",
        "local function f(...) return (f(1, ...)) end f()",
        "return table.concat(setmetatable({}, { __index = function() return ('x'):rep(1e6 // 1 | 0) end }), '', 1, 1e6 // 1 | 0)",
        "return ('x'):rep(1e6 // 1 | 0):gsub('x', ('y'):rep(1000))",
        "return string.format('%99d', 1):rep(1e6 // 1 | 0)",
        "local co = {} for i = 1, math.huge do co[i] = coroutine.create(function() end) end",
    ])
    func aMemoryBombEndsInOneError(_ script: String) throws {
        try LuaThread.run {
            let state = try makeState { $0.memoryLimit = 32 << 20 }
            let message = failure(of: script, in: state)
            let isMemory = message.contains("not enough memory: the script held") && message.hasSuffix("32.0 MiB")
            #expect(isMemory || message.contains("stack overflow"), "\(message)")
            #expect(message.hasPrefix("test.lua:1: "), "\(message)")
            #expect(state.memory.peak <= 32 << 20)
            #expect(Int.read(try state.run("return 1", name: "test.lua")[0]) == 1)
        }
    }

    @Test func anUnansweredStopWakesTheWatchdog() throws {
        let interrupt = try #require(Interrupt())
        let fired = try #require(Interrupt())  // a flag that any thread may set
        let watchdog = Watchdog(interrupt, after: 0.2) { fired.requestStop() }
        interrupt.requestStop()
        usleep(600_000)
        #expect(fired.stopReason == .requested)
        withExtendedLifetime(watchdog) {}

        let state = try makeState()
        let quiet = try #require(Interrupt())
        let second = Watchdog(state.interrupt, after: 0.2) { quiet.requestStop() }
        state.interrupt.requestStop()
        #expect(failure(of: "while true do end", in: state) == "stopped")
        usleep(600_000)
        #expect(quiet.stopReason == nil, "the stop was answered")
        withExtendedLifetime(second) {}
    }
}

/// Requests a stop from another thread, some microseconds later.
final class Stopper {
    private let interrupt: Interrupt
    private let delay: UInt32
    private var thread = pthread_t()

    init?(_ interrupt: Interrupt, after delay: UInt32) {
        self.interrupt = interrupt
        self.delay = delay
        let code = pthread_create(
            &thread, nil,
            { stopper in
                guard let stopper else { return nil }
                let held = Unmanaged<Stopper>.fromOpaque(stopper).takeUnretainedValue()
                usleep(held.delay)
                held.interrupt.requestStop()
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        if code != 0 { return nil }
    }

    func wait() { pthread_join(thread, nil) }
}
