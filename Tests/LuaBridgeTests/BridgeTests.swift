import Testing

@testable import LuaBridge

@Suite struct BridgeTests {
    @Test func valuesCrossBothWays() throws {
        let state = try makeState()
        let results = try state.run("return 1, 2.5, 'x', true, nil, {1, {2}, a = 'b'}", name: "test.lua")
        #expect(results.count == 6)
        #expect(Int.read(results[0]) == 1)
        #expect(Double.read(results[1]) == 2.5)
        #expect(Int.read(results[1]) == nil)
        #expect(String.read(results[2]) == "x")
        let table = try #require(LuaTable.read(results[5]))
        #expect([Int].read(table.array[1]) == [2])
        #expect(String.read(table["a"]) == "b")
        let echoed = try state.run("local t = lab.echo{ 1, x = { y = 2 } }; return t[1] + t.x.y", name: "test.lua")
        #expect(Int.read(echoed[0]) == 3)
    }

    @Test func objectsHaveOneIdentity() throws {
        let state = try makeState()
        try state.run(
            """
            local run = lab.run{ name = "a", lr = 0.5 }
            assert(run.lr == 0.5 and run.step == 0)
            run.lr = 2
            assert(run.lr == 2)
            local seen
            run:at(1, function(r) seen = r end)
            assert(run:train{ steps = 3 } == 3)
            assert(rawequal(seen, run))
            for step, r in run:steps(2) do assert(rawequal(r, run) and step == r.step) end
            assert(run.step == 5)
            assert(tostring(run) == "run 'a' at step 5")
            assert("<" .. run .. ">" == "<run 'a' at step 5>")
            """, name: "test.lua")
    }

    @Test func operatorsTakeWhatTheyDeclare() throws {
        let state = try makeState()
        try state.run(
            """
            local p = lab.pair(1, 2)
            local q = 2 * p + p * 3
            assert(q.x == 5 and q[2] == 10 and q[3] == nil and #q == 2)
            assert(-p == lab.pair(-1, -2))
            """, name: "test.lua")
        #expect(
            failure(of: "return lab.pair(1, 2) * 'x'", in: state)
                == "test.lua:1: '*' cannot be applied to a pair and 'x' (a string) "
                + "(it takes: number * pair, pair * number)")
    }

    @Test func errorsNameThePlaceAndTheRemedy() throws {
        let state = try makeState()
        let cases = [
            ("lab.run{ batchsize = 3 }", "unknown option 'batchsize' for lab.run: did you mean 'batch_size'?"),
            ("lab.run{ lr = -1 }", "option 'lr' of lab.run: expected a number > 0, got -1"),
            ("lab.run{ lr = 'x' }", "option 'lr' of lab.run: expected a number > 0, got 'x' (a string)"),
            (
                "lab.run{ batch_size = 'ful' }",
                "option 'batch_size' of lab.run: expected an integer > 0 or 'full', got 'ful' (a string)"
            ),
            (
                "lab.run{ hidden = {200, -1} }",
                "option 'hidden' of lab.run: element 2: expected an integer > 0, got -1"
            ),
            ("lab.run(5)", "lab.run takes a table of options here, got 5"),
            ("lab.add(1)", "argument 2 'b' of lab.add is missing: expected a number"),
            ("lab.add(1, 2, 3)", "lab.add takes at most 2 arguments, got 3: lab.add(a, b)"),
            ("lab.nn.mpl(1)", "unknown name 'mpl' in lab.nn: did you mean 'mlp'?"),
            ("lab.nn.mlp = 1", "lab.nn cannot be changed: 'mlp' was assigned to"),
            ("local r = lab.run{}; r.lrr = 1", "unknown property 'lrr' of run: did you mean 'lr'?"),
            ("local r = lab.run{}; print(r.stp)", "unknown property 'stp' of run: did you mean 'step'?"),
            ("local r = lab.run{}; r.step = 1", "'step' of run cannot be assigned"),
            ("local r = lab.run{}; r.lr = 0", "property 'lr' of run: expected a number > 0, got 0"),
            (
                "local r = lab.run{}; r.train{ steps = 1 }",
                "train of run was called on a table: write run:train(…) with a colon"
            ),
        ]
        for (source, message) in cases { #expect(failure(of: source, in: state) == "test.lua:1: " + message) }
        #expect(
            failure(of: "\n\nlocal x = nil + 1", in: state)
                == "test.lua:3: attempt to perform arithmetic on a nil value")
        #expect(failure(of: "x = = 1", in: state) == "test.lua:1: unexpected symbol near '='")
    }

    @Test func aSwiftErrorKeepsItsIdentityThroughThreeLevels() throws {
        let state = try makeState()
        let source = """
            local function deep() lab.fail(42) end
            local function middle() lab.apply(deep) end
            lab.apply(function() middle() end)
            """
        do {
            try state.run(source, name: "deep.lua")
            Issue.record("no error")
        } catch let error as LuaError {
            #expect(error.underlying as? Broken == Broken(code: 42))
            #expect(error.position == "deep.lua:1")
            #expect("\(error)" == "deep.lua:1: broken with code 42")
            #expect(error.traceback.contains("deep.lua:2: in upvalue 'middle'"))
            #expect(error.traceback.contains("deep.lua:3: in main chunk"))
        }
        let caught = try state.run(
            """
            local ok, e = pcall(function() lab.apply(function() lab.fail(7) end) end)
            assert(not ok and tostring(e) == "test.lua:1: broken with code 7", tostring(e))
            assert(e.message == "broken with code 7" and e.position == "test.lua:1")
            local ok, t = pcall(lab.apply, function() error({ code = 3 }) end)
            return "caught: " .. e, t.code
            """, name: "test.lua")
        #expect(String.read(caught[0]) == "caught: test.lua:1: broken with code 7")
        #expect(Int.read(caught[1]) == 3)
    }

    @Test func errorsCrossFiftyLevelsBothWays() throws {
        try LuaThread.run {
            let state = try makeState()
            do {
                try state.run(
                    """
                    local function down(n)
                        if n == 0 then lab.fail(50) end
                        lab.apply(down, n - 1)
                    end
                    down(50)
                    """, name: "deep.lua")
                Issue.record("no error")
            } catch let error as LuaError {
                #expect(error.underlying as? Broken == Broken(code: 50))
                #expect(error.position == "deep.lua:2")
            }
            // Caught and raised again at each level, on the way up.
            let results = try state.run(
                """
                local caught = 0
                local function down(n)
                    if n == 0 then lab.fail(1) end
                    local ok, e = pcall(lab.apply, down, n - 1)
                    caught = caught + 1
                    error(e, 0)
                end
                local ok, e = pcall(down, 40)
                return caught, tostring(e)
                """, name: "deep.lua")
            #expect(Int.read(results[0]) == 40)
            #expect(String.read(results[1]) == "deep.lua:3: broken with code 1")
        }
    }

    @Test(arguments: [
        "local function f() lab.apply(f) end f()", "local function f() pcall(lab.apply, f) error('x') end f()",
        "local r = lab.run{}; r:at(1, function() r:train() end); r:train()",
        "local function f() coroutine.wrap(function() lab.apply(f) end)() end f()",
        "local function f() return f() + 1 end f()",
    ])
    func endlessRecursionEndsInAnError(_ script: String) throws {
        try LuaThread.run(stackSize: 8 << 20) {
            let state = try makeState()
            let message = failure(of: script, in: state)
            #expect(message.contains("stack overflow") || message == "test.lua:1: x", "\(message)")
            #expect(Int.read(try state.run("return 1", name: "test.lua")[0]) == 1)
        }
    }
}
