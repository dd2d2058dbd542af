import CLua
import Testing

@testable import LuaBridge

/// What a prompt sees of a script: its local variables, where they are.
@Suite struct PromptScopeTests {
    /// A state whose `pause()` evaluates these lines inside the paused call and notes what they show; `unseen` are names not visible there.
    private func pausing(
        _ lines: [String], unseen: [String] = [], _ script: String
    ) throws -> (shown: [Evaluation], state: LuaState) {
        var shown: [Evaluation] = []
        let state = try makeState()
        try state.install(
            DeclaredFunction(FunctionDeclaration("pause", "Opens the prompt.")) { call in
                for line in lines { shown.append(try call.state.evaluate(line)) }
                for name in unseen {
                    let error = #expect(throws: LuaError.self) { try call.state.evaluate(name) }
                    #expect(error?.message.hasPrefix("undefined global '\(name)'") == true)
                }
                return LuaResults()
            })
        try state.run(script, name: "script.lua", keepingLocals: true)
        return (shown, state)
    }

    @Test func localsOfAPausedScriptAreReadAndAssignedWhereTheyAre() throws {
        let (shown, state) = try pausing(
            ["x", "x = x + 1", "y", "print ~= nil"], unseen: ["hidden", "later"],
            """
            local x, y = 1, nil
            do local hidden = 5 end
            pause()
            local later = 3
            after = x
            """)
        #expect(
            shown == [
                .values(["1"]), .values([]), .values(["nil"]), .values(["true"]),
            ])
        #expect(try state.evaluate("after") == .values(["2"]))
    }

    @Test func theInnermostVariableOfANameIsMeantAndUpvaluesAreSeen() throws {
        let (shown, state) = try pausing(
            ["name", "outer", "outer = 'changed'", "argument"],
            """
            local name, outer = "script's", "first"
            local function inner(argument)
                local name = "inner's"
                local name = "inner's second"
                pause()
                return outer
            end
            inner(7)
            result = outer
            """)
        #expect(shown == [.values(["\"inner's second\""]), .values(["\"first\""]), .values([]), .values(["7"])])
        #expect(try state.evaluate("result") == .values(["\"changed\""]))
    }

    @Test func localsAreSeenFromACoroutine() throws {
        let (shown, _) = try pausing(
            ["mine", "script"],
            """
            local script = "below"
            coroutine.wrap(function() local mine = "here"; pause() end)()
            """)
        #expect(shown == [.values(["\"here\""]), .values(["\"below\""])])
    }

    @Test func localsOfAScriptThatHasEndedStay() throws {
        let state = try makeState()
        try state.run("local x, f = 4, function() return 5 end\ng = 6", name: "script.lua", keepingLocals: true)
        #expect(try state.evaluate("x, f(), g") == .values(["4", "5", "6"]))
        #expect(try state.evaluate("x = x * 2") == .values([]))
        #expect(try state.evaluate("new = x") == .values([]))
        #expect(try state.evaluate("new, x") == .values(["8", "8"]))
    }

    @Test(arguments: [
        ("local x = 1 if x then local y = 2 return x, y end", ["1", "2"]),
        ("local x, y = 1, 2 do return (function() return 5 end)() end", ["1", "2"]),
        ("#!/usr/bin/env eoss\nlocal x, y = 1, 2 -- and a comment that the text ends in", ["1", "2"]),
        ("local x <close> = setmetatable({}, { __close = function() end }) local y = 2", nil),
        ("local _ENV = { } local x, y = 1, 2", ["1", "2"]),
    ])
    func localsStayHoweverTheScriptReturns(_ script: String, _ shown: [String]?) throws {
        let state = try makeState()
        try state.run(script, name: "script.lua", keepingLocals: true)
        let evaluated = try state.evaluate("x, y")
        if let shown { #expect(evaluated == .values(shown)) }
        #expect(try state.evaluate("y") == .values(["2"]))
    }

    /// Keeping locals changes nothing that the script can see.
    @Test func aWatchedScriptIsTheScript() throws {
        let state = try makeState()
        let results = try state.run("return select('#', ...), _G == _ENV", name: "s.lua", keepingLocals: true)
        #expect(results.count == 2 && Int.read(results[0]) == 0 && Bool.read(results[1]) == true)
        for script in ["x = = 1", "\n\nlocal x = nothing.y", "error('here')", "for", "f()", "end", "return 1 end"] {
            let told = [true, false].map { keeping in
                #expect(throws: LuaError.self) {
                    try state.run(script, name: "s.lua", keepingLocals: keeping)
                }.map { $0.fullDescription }
            }
            #expect(told[0] == told[1])
        }
        // As many locals as Lua allows.
        let many = (1...200).map { "local v\($0) = \($0)" }.joined(separator: "\n")
        #expect(Int.read(try state.run(many + " return v200", name: "s.lua", keepingLocals: true)[0]) == 200)
    }

    @Test func localsOfAScriptThatFailedStay() throws {
        let state = try makeState()
        #expect(throws: LuaError.self) {
            try state.run(
                "local x = 4\nlocal function f() error('here') end\nf()", name: "script.lua", keepingLocals: true)
        }
        #expect(try state.evaluate("x") == .values(["4"]))
    }

    @Test func aScriptThatIsNotWatchedLeavesNothing() throws {
        let state = try makeState()
        try state.run("local x = 4", name: "script.lua")
        #expect(throws: LuaError.self) { try state.evaluate("x") }
    }

    /// Every allocation of a prompt inside a paused script fails once; each failure is an error, none a crash.
    @Test func aPromptSurvivesEveryFailedAllocation() throws {
        var failures = 0
        for n in 1...2000 {
            let state = try makeState()
            var refused: Int64 = 0
            try state.install(
                DeclaredFunction(FunctionDeclaration("pause", "Opens the prompt.")) { call in
                    clua_fail_allocations(call.state.context, Int64(n), 1)
                    _ = try? call.state.evaluate("x .. 'a', y")
                    refused = Int64(call.state.memory.refused)
                    clua_fail_allocations(call.state.context, 0, 0)
                    return LuaResults()
                })
            try state.run("local x = 'text'\npause()", name: "script.lua", keepingLocals: true)
            if refused == 0 { break }
            failures += 1
        }
        #expect(failures > 10 && failures < 2000)
    }
}
