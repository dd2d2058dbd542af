import Testing

@testable import LuaBridge

@Suite struct EvaluationTests {
    @Test func aLineIsAnExpressionOrAStatement() throws {
        let state = try makeState()
        let cases: [(String, [String])] = [
            ("1 + 1", ["2"]), ("x = 3", []), ("x", ["3"]), ("x, 'a\\n\"'", ["3", "\"a\\n\\\"\""]), ("0.1", ["0.1"]),
            ("2^53", ["9.007199254741e+15"]), ("1e3", ["1000.0"]), ("-1/0", ["-inf"]), ("nil", ["nil"]), ("", []),
            ("{1, 2, x = {y = 1}, [3.5] = true}", ["{1, 2, [3.5] = true, x = {y = 1}}"]),
            ("lab.pair(1, 2)", ["(1.0, 2.0)"]), ("lab.add", ["function lab.add(a, b)"]), ("lab.nn", ["lab.nn"]),
            ("setmetatable({1}, {__tostring = function() error('never called') end, __index = error})", ["{1}"]),
            ("coroutine.create(print)", ["coroutine"]), ("for i = 1, 2 do x = x + i end", []), ("x", ["6"]),
        ]
        for (line, shown) in cases { #expect(try state.evaluate(line) == .values(shown), "\(line)") }
    }

    @Test(arguments: ["for i = 1, 2 do", "f(", "x = {", "function f()", "if x then", "[[text", "x ="])
    func anUnfinishedLineWaitsForMore(_ line: String) throws {
        #expect(try makeState().evaluate(line) == .incomplete)
    }

    @Test func errorsAtThePromptAreThrown() throws {
        let state = try makeState()
        #expect(throws: LuaError.self) { try state.evaluate("x = = 2") }
        do {
            _ = try state.evaluate("lab.fail(3)")
        } catch let error as LuaError {
            #expect("\(error)" == "prompt:1: broken with code 3")
            #expect(error.underlying as? Broken == Broken(code: 3))
        }
    }

    /// Invariant 7: the prompt is a nested loop inside the paused call.
    @Test func aPromptInsideAPausedCallSeesTheSameState() throws {
        var shown: [Evaluation] = []
        let state = try makeState { $0.patience = 0.1 }
        try state.install(
            DeclaredFunction(FunctionDeclaration("pause", "Opens the prompt.")) { call in
                shown.append(try call.state.evaluate("run.step"))
                _ = try call.state.evaluate("run.lr = 9")
                do { _ = try call.state.evaluate("while true do end") } catch let error as LuaError {
                    #expect(error.kind == .stopped(.runaway))
                    call.state.interrupt.clearStop()
                }
                return LuaResults()
            })
        let results = try state.run(
            "run = lab.run{}; run:at(1, function() pause() end); run:train{ steps = 2 }; return run.lr",
            name: "test.lua")
        #expect(Double.read(results[0]) == 9)
        #expect(shown == [.values(["1"]), .values(["2"])])
    }
}
