import Testing

@testable import LuaBridge

/// Invariants 2 and 3: how long objects live, and what may happen inside a callback.
@Suite struct LifetimeTests {
    @Test func aThousandRunsThatTheirCallbacksCaptureAreFreed() throws {
        let tally = Tally()
        let state = try makeState(tally: tally)
        try state.run(
            """
            for i = 1, 1000 do
                local run = lab.run{ name = "run " .. i }
                run:at(1, function(r) assert(r == run); run.lr = i; last = i end)
                run:train{}
            end
            """, name: "test.lua")
        state.collectGarbage()
        #expect(tally.alive == 0)
        #expect(Int.read(try state.run("return last", name: "test.lua")[0]) == 1000)
    }

    @Test func aMillionCallsLeakNothing() throws {
        let state = try makeState()
        func use() -> (Int, Int) {
            state.collectGarbage()
            state.collectGarbage()
            return (state.memory.used, state.memory.liveObjects)
        }
        let calls = """
            local n, run = ..., lab.run{}
            local s, p = 0, lab.pair(1, 2)
            for i = 1, n do
                s = lab.add(s, i)
                if i % 10 == 0 then p = p + p; run.lr = i; pcall(lab.fail, i); lab.echo{ i, "x" } end
            end
            return s
            """
        try state.run("warm = function(...) \(calls) end warm(100000)", name: "test.lua")
        let before = use()
        #expect(Double.read(try state.run("return warm(1000000)", name: "test.lua")[0]) == 500_000_500_000)
        let after = use()
        #expect(after.1 == before.1)
        // The string table and other hash parts may be larger by now; a leak of one byte a call would be 10⁶ bytes.
        #expect(after.0 - before.0 < 16 << 10, "\(before) \(after)")
    }

    @Test func callbacksMayDoAnything() throws {
        let state = try makeState()
        try state.run(
            """
            local run = lab.run{}
            local log = {}
            run:at(1, function(r)
                collectgarbage()
                r.lr = r.lr * 2
                lab.run{}:train{ steps = 2 }
                if r.step == 1 then
                    r:at(2, function() log[#log + 1] = r.step end)   -- while the list of callbacks is walked
                    r:train{ steps = 1 }                             -- the same method, inside of itself
                end
                coroutine.wrap(function() r.lr = r.lr + lab.add(1, 1) end)()
            end)
            run:train{ steps = 3 }
            assert(run.step == 4, run.step)
            assert(table.concat(log, ",") == "2,3,4", table.concat(log, ","))
            """, name: "test.lua")
    }

    @Test func aCallbackIsGoneWithItsOwner() throws {
        let state = try makeState()
        var held: Run?
        try state.install(
            DeclaredFunction(
                FunctionDeclaration("hold", "Holds a run.", parameters: [Parameter("run", .object("run"), "It.")])
            ) { call in
                held = try call.get("run")
                return LuaResults()
            })
        try state.run("local r = lab.run{}; r:at(1, function() end); hold(r); held = r", name: "test.lua")
        let run = try #require(held)
        try run.callbacks[0].call(run)
        try state.run("held = nil", name: "test.lua")
        state.collectGarbage()
        #expect(throws: LuaError.self) { try run.callbacks[0].call() }
        // The object itself is as good as before, and may come back.
        try state.setGlobal("again", to: run)
        #expect(Int.read(try state.run("return again.step", name: "test.lua")[0]) == 0)
    }

    @Test func whatAnObjectKeepsLivesAsLong() throws {
        let state = try makeState()
        try state.run("run = lab.run{}; run:keep(lab.pair(1, 2))", name: "test.lua")
        let live = state.memory.liveObjects
        state.collectGarbage()
        #expect(state.memory.liveObjects == live)
        try state.run("run = nil", name: "test.lua")
        state.collectGarbage()
        #expect(state.memory.liveObjects == live - 2)
    }

    @Test func aFunctionArgumentEndsWithItsCall() throws {
        let state = try makeState()
        var stolen: LuaFunction?
        try state.install(
            DeclaredFunction(
                FunctionDeclaration("steal", "Keeps a function.", parameters: [Parameter("fn", .function(), "It.")])
            ) { call in
                stolen = try call.get("fn", as: LuaFunction.self)
                return LuaResults()
            })
        try state.run("steal(function() end) steal(print)", name: "test.lua")
        let function = try #require(stolen)
        #expect(throws: LuaError.self) { try function.call() }
    }

    /// A buffer outside of Lua, of which Lua sees a few bytes.
    final class Block: LuaObject {
        let tally: Tally

        init(_ tally: Tally) {
            self.tally = tally
            tally.alive += 1
        }

        deinit { tally.alive -= 1 }
    }

    @Test func theCollectorFeelsLargeBuffers() throws {
        let state = try makeState()
        let tally = Tally()
        let blocks = ObjectClass<Block>("block", "16 MiB.")
        blocks.external { _ in 16 << 20 }
        try state.install(blocks)
        var most = 0
        try state.install(
            DeclaredFunction(FunctionDeclaration("block", "A block.")) { _ in
                most = max(most, tally.alive)
                return Block(tally)
            })
        // 16 GiB in all: a script that drops its blocks never holds more than a few.
        try state.run("for i = 1, 1000 do block() end", name: "test.lua")
        #expect(most <= 8, "alive at once: \(most)")
        #expect(state.memory.external <= 8 * 16 << 20)
    }

    /// A full collection goes through all that Lua holds: outside memory must not cause one for each few blocks.
    @Test func outsideMemoryBesideALargeHeapCausesFewCollections() throws {
        let state = try makeState { $0.isTrusted = true }
        let tally = Tally()
        let blocks = ObjectClass<Block>("block", "4 MiB.")
        blocks.external { _ in 4 << 20 }
        try state.install(blocks)
        try state.install(DeclaredFunction(FunctionDeclaration("block", "A block.")) { _ in Block(tally) })
        let cycles = try state.run(
            """
            local cycles, heap = -1, {}  -- the collection below is one
            local function watch() setmetatable({}, { __gc = function() cycles = cycles + 1; watch() end }) end
            for i = 1, 200000 do heap[i] = { i } end
            watch()
            collectgarbage()
            for i = 1, 300 do block() end
            return cycles
            """, name: "test.lua")
        // The heap holds 20 MB, and 1.2 GB come: one part in eight is 7.5 times the heap, and a pause lasts for once.
        #expect(try #require(Int.read(cycles[0])) <= 8)
        #expect(tally.alive < 300, "but some there are")
    }

    /// Who is short of memory collects at once, but only in a call from the script.
    @Test func whatIsShortOfMemoryCollectsInACallFromTheScript() throws {
        let state = try makeState()
        let tally = Tally()
        let blocks = ObjectClass<Block>("block", "1 MiB.")
        blocks.external { _ in 1 << 20 }
        try state.install(blocks)
        try state.install(DeclaredFunction(FunctionDeclaration("block", "A block.")) { _ in Block(tally) })
        var collects = false
        try state.install(
            DeclaredFunction(FunctionDeclaration("ask", "Asks for memory.")) { call in
                collects = call.state.collectGarbageIfCalled()
                return LuaResults()
            })
        try state.run(
            """
            heap = {}
            for i = 1, 100000 do heap[i] = { i } end
            collectgarbage()
            for i = 1, 20 do block() end
            """, name: "test.lua")
        #expect(tally.alive == 20, "too little for the collector to begin")
        #expect(!state.collectGarbageIfCalled())
        #expect(tally.alive == 20)
        try state.run("ask()", name: "test.lua")
        #expect(collects && tally.alive == 0)
    }

    /// An owner that Lua does not know yet, and what it has captured, outlive a collection in the call that makes it.
    @Test func aCollectionInTheCallThatCapturesLosesNothing() throws {
        let state = try makeState()
        try state.install(
            DeclaredFunction(
                FunctionDeclaration(
                    "listening", "A run with a callback.", parameters: [Parameter("fn", .function(), "Called.")])
            ) { call in
                let run = Run(name: "new", tally: Tally())
                run.callbacks.append(try call.capture("fn", in: run))
                call.state.collectGarbageIfCalled()
                return LuaResults(run)
            })
        #expect(
            failure(of: "local n = 0 listening(function() n = n + 1 end):train{} assert(n == 1)", in: state)
                == "no error")
    }

    @Test func closingTheStateReleasesEverything() throws {
        let tally = Tally()
        weak var weakState: LuaState?
        do {
            let state = try makeState(tally: tally)
            weakState = state
            try state.run(
                """
                runs = {}
                for i = 1, 10 do runs[i] = lab.run{}; runs[i]:at(1, function() return runs end) end
                co = coroutine.create(function() local r = lab.run{}; coroutine.yield(); return r end)
                coroutine.resume(co)
                """, name: "test.lua")
            #expect(tally.alive == 11)
        }
        #expect(tally.alive == 0)
        #expect(weakState == nil)
    }
}
