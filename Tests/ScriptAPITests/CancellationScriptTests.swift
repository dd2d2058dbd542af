import Experiments
import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// What Ctrl-C does, asked by the scripts themselves: `ctrl_c()` is the first one, where there is a prompt.
@Suite struct CancellationScriptTests {
    private func host<Result>(
        _ change: @escaping (inout ScriptOptions) -> Void = { _ in }, patience: Double = 3600,
        _ body: (ScriptHost, Laboratory) throws -> Result
    ) throws -> Result {
        let lab = try Laboratory()
        return try lab.host(change) { host in
            let press = DeclaredFunction(FunctionDeclaration("ctrl_c", "", rest: .optional("any", .any, ""))) {
                [interrupt = host.interrupt, cancellation = host.cancellation] _ in
                interrupt.requestPause(patience: patience)
                cancellation.request()
                return LuaResults()
            }
            try host.state.install(press)
            try host.state.run(smallRun.replacingOccurrences(of: "local run", with: "run"), name: "test.lua")
            return try body(host, lab)
        }
    }

    @Test(arguments: [
        "ctrl_c() run:hessian():top(2)", "ctrl_c() run:evaluate()", "ctrl_c() run:plot_spectrum('x.svg')",
        "ctrl_c() run:measure('batch_sharpness')", "ctrl_c() run:gradient()", "ctrl_c() run:hessian():trace()",
        "ctrl_c() run:hessian():solve(run:gradient(), { damping = 9 })",
        "ctrl_c() pcall(function() run:evaluate() end) print('never')",
        "ctrl_c() coroutine.wrap(function() run:hessian():top(1) end)() print('never')",
    ])
    func longWorkEndsItsLineAndTheSessionLives(line: String) throws {
        try host { host, lab in
            #expect(host.evaluate("before = { run.step, run.params, run:hessian():top(1).value }") == .done(nil))
            #expect(host.evaluate(line) == .stopped)
            #expect(lab.printed.isEmpty)
            #expect(host.interrupt.stopReason == nil && !host.interrupt.isPauseRequested)
            #expect(!host.cancellation.isRequested)
            let same = "before[1] == run.step and (before[2] - run.params):norm() == 0"
            #expect(host.evaluate("\(same) and before[3] == run:hessian():top(1).value") == .done("true"))
            #expect(host.evaluate("run:train{ steps = 2 }") == .done("\"step\""))
        }
    }

    /// Lua alone does not come to where a pause is answered: it is stopped, where somebody waits at a prompt.
    @Test func aLuaLoopEndsItsLine() throws {
        try host(patience: 0.05) { host, _ in
            #expect(host.evaluate("ctrl_c() while true do end") == .stopped)
            #expect(host.evaluate("ctrl_c() while true do pcall(error) end") == .stopped)
            #expect(host.evaluate("1 + 1") == .done("2"))
        }
    }

    /// The prompt comes before the measurement, which is made when the training goes on: a quantity of the script's own too.
    @Test(arguments: [
        "'lambda_max'",
        "'mine', { fn = function(r) presses = presses + 1 if presses == 3 then ctrl_c() end "
            + "return r:hessian():top(1).value end }",
    ])
    func aTrainingWhoseMeasurementIsInterruptedPausesBeforeIt(quantity: String) throws {
        func values(interrupted: Bool) throws -> [String] {
            var shown: [String] = []
            let change: (inout ScriptOptions) -> Void = {
                $0.pause = { host in
                    shown.append("\(host.evaluate("run.step"))")
                    return .goOn
                }
            }
            return try host(change) { host, _ in
                _ = host.evaluate("presses = \(interrupted ? 0 : 10)")
                #expect(host.evaluate("run:track(\(quantity))") == .done(nil))
                if interrupted, !quantity.contains("mine") { _ = host.evaluate("run:at(2, ctrl_c)") }
                #expect(host.evaluate("run:train{ to = 6 }") == .done("\"step\""))
                #expect(shown.isEmpty != interrupted)
                let name = quantity.contains("mine") ? "mine" : "lambda_max"
                return ["\(host.evaluate("table.concat(run:series('\(name)').values:totable(), ' ')"))"]
            }
        }
        #expect(try values(interrupted: true) == values(interrupted: false))
    }

    @Test func anUnfinishedEstimateSaysSoAndIsKept() throws {
        try host { host, _ in
            let interrupt = host.interrupt
            let cancellation = host.cancellation
            let thread = Thread {
                usleep(400_000)
                interrupt.requestPause()
                cancellation.request()
            }
            thread.start()
            guard
                case .done(let text?) = host.evaluate(
                    "m = run:measure('batch_sharpness', { max_samples = 1e9, rel_error = 0 }) return m")
            else {
                Issue.record("no value")
                return
            }
            #expect(text.contains("unfinished"), "\(text)")
            #expect(host.evaluate("m.finished") == .done("false"))
            #expect(host.evaluate("m.samples > 0 and m.value == m.value") == .done("true"))
            #expect(host.evaluate("run:measure('batch_sharpness').finished") == .done("true"))
        }
    }

    // MARK: - Words at the prompt

    @Test func aVariableCalledContinueLocksNobodyIn() throws {
        var results: [PromptResult] = []
        let change: (inout ScriptOptions) -> Void = {
            $0.pause = { host in
                for line in ["continue = 5", "continue", " continue ( ) ;"] { results.append(host.evaluate(line)) }
                return .goOn
            }
        }
        try host(change) { host, _ in
            #expect(host.evaluate("ctrl_c() return run:train{ steps = 1 }") == .done("\"step\""))
            #expect(results == [.done(nil), .done("5"), .goOn])
        }
    }

    @Test func helpAndRunAloneSayWhatCanBeTyped() throws {
        let lab = try Laboratory()
        try lab.host { host in
            guard case .done(let help?) = host.evaluate(" help "), case .done(let run?) = host.evaluate("run") else {
                Issue.record("nothing was said")
                return
            }
            #expect(help.contains("Ctrl-D") && help.contains("reload(\"module\")") && !help.contains("continue()"))
            #expect(run.contains("eoss.run{") && run.contains("no run has been made yet"))
            #expect(host.evaluate("run = 3") == .done(nil))
            #expect(host.evaluate("run") == .done("3"), "a variable of that name is shown")
            #expect(host.evaluate("help = nil; local run = 4 return run") == .done("4"))
        }
    }

    @Test func reloadReadsAModuleAgainForAllWhoHoldIt() throws {
        let lab = try Laboratory()
        try lab.write("return { a = 1, gone = true, f = function() return 'old' end, 10, 20 }", to: "mine.lua")
        try lab.write("m = require 'mine'", to: "test.lua")
        try lab.host { host in
            try host.run(file: lab.folder.appendingPathComponent("test.lua"))
            try lab.write("return { a = 2, f = function() return 'new' end, 30 }", to: "mine.lua")
            #expect(host.evaluate("m.a") == .done("1"))
            #expect(host.evaluate("reload('mine') == m and require('mine') == m") == .done("true"))
            #expect(host.evaluate("return m.a, m.f(), m.gone, #m, m[1]") == .done("2\t\"new\"\tnil\t1\t30"))
            try lab.write("error('no good')", to: "mine.lua")
            guard case .failed(let message) = host.evaluate("reload('mine')") else {
                Issue.record("it was read")
                return
            }
            #expect(message.contains("no good"))
            #expect(host.evaluate("return m.a, require('mine') == m") == .done("2\ttrue"))
            guard case .failed(let unknown) = host.evaluate("reload('other')") else {
                Issue.record("it was read")
                return
            }
            #expect(unknown.contains("no module 'other' has been loaded; require(\"other\") loads one"), "\(unknown)")
        }
    }
}
