import Experiments
import Foundation
import LuaBridge
import Objectives
import Testing

@testable import ScriptAPI

@Suite struct HostTests {
    // MARK: - Lifetimes

    /// A run whose callbacks refer to it is a cycle through Lua and Swift: the collector must see it whole.
    @Test func aThousandRunsWhoseCallbacksCaptureThemLeaveNoneAlive() throws {
        let lab = try Laboratory()
        let alive = try lab.host { host -> [Int] in
            host.state.collectGarbage()
            let before = host.state.memory.liveObjects
            try host.state.run(
                """
                local data = eoss.data.chebyshev{ degree = 3, n = 4 }
                local net = eoss.nn.mlp{ inputs = 1, outputs = 1 }
                for i = 1, 1000 do
                  local run = eoss.run{ name = "r", model = net, data = data, loss = "mse",
                                        optimizer = eoss.optim.sgd{ lr = 0.1 } }
                  run:at(5, function() return run.step end)
                  run:track("x", { fn = function(r) return run.loss + r.step end })
                end
                """, name: "test.lua")
            host.state.collectGarbage()
            return [before, host.state.memory.liveObjects]
        }
        #expect(alive[0] == alive[1])
    }

    @Test func aCollectedRunLeavesItsFileWhole() throws {
        let lab = try Laboratory()
        try lab.run(
            """
            local function train()
              \(smallRun)
              run:track("loss"); run:train{ to = 3 }
            end
            train(); collectgarbage()
            """)
        let file = try RunFile.open(lab.output.appendingPathComponent("small.eoss"))
        #expect(try file.series("loss").map(\.step) == [0, 1, 2, 3])
    }

    // MARK: - Run files

    @Test func theRunFileHoldsScriptModulesParametersAndMeasurements() throws {
        let lab = try Laboratory()
        try lab.write("return { lr = 0.01 }", to: "settings.lua")
        let source =
            "local p = eoss.params{ steps = 4, tag = 'a' }\nlocal settings = require 'settings'\n" + smallRun + """
                run.lr = settings.lr
                run:track("loss", { every = 2 }); run:track("batch_sharpness", { every = 4, max_samples = 20 })
                run:at(2, function(r) r.batch_size = 2 end)
                run:train{ to = p.steps }
                run:plot("loss.svg", "loss")
                """
        try lab.run(source) { $0.settings = [.init("tag", "b")] }
        let file = try RunFile.open(lab.output.appendingPathComponent("small.eoss"))
        #expect(try file.scripts().map { ($0.path as NSString).lastPathComponent } == ["test.lua", "settings.lua"])
        #expect(try file.scripts().first?.source == Data(source.utf8))
        #expect(try file.parameters() == ["steps": 4, "tag": "b"])
        #expect(try file.series("loss").map(\.step) == [0, 2, 4])
        #expect(try file.series("batch_sharpness").allSatisfy { $0.samples == 20 && $0.standardError != nil })
        #expect(try file.events().map(\.kind).contains("batch_size"))
        #expect(try file.figure("loss.svg").mime == "image/svg+xml")
        #expect(try file.environment().keys.contains("kernels"))
        #expect(file.closed != nil)
        #expect(lab.messages.count == 1 && lab.messages[0].hasSuffix("small.eoss"))
    }

    @Test func aSecondRunOfTheSameNameTakesTheNextFile() throws {
        let lab = try Laboratory()
        let source = smallRun + "run:track('loss'); run:train{ to = 1 }"
        try lab.run(source)
        try lab.run(source)
        let names = try FileManager.default.contentsOfDirectory(atPath: lab.output.path)
        #expect(Set(names) == ["small.eoss", "small-2.eoss"])
    }

    @Test func whatWasMeasuredBeforeAnErrorIsKeptAndTheErrorNoted() throws {
        let lab = try Laboratory()
        #expect(throws: ScriptFailure.self) {
            try lab.run(smallRun + "run:track('loss'); run:train{ to = 5 }; error('enough')")
        }
        let file = try RunFile.open(lab.output.appendingPathComponent("small.eoss"))
        #expect(try file.series("loss").count == 6)
        #expect(try file.events().contains { $0.kind == "error" && $0.step == 5 && $0.message.contains("enough") })
    }

    // MARK: - Pauses and stops

    @Test func aStopEndsTheTrainingBetweenTwoStepsWithEverythingSaved() throws {
        let lab = try Laboratory()
        let source =
            smallRun + """
                run:track("loss")
                run:at(7, function() stop() end)
                pcall(function() run:train{ to = 1000000 } end)
                print("never")
                """
        try lab.write(source, to: "test.lua")
        try lab.host { host in
            let stop = DeclaredFunction(FunctionDeclaration("stop", "")) { [interrupt = host.interrupt] _ in
                interrupt.requestStop()
                return LuaResults()
            }
            try host.state.install(stop)
            #expect(throws: ScriptFailure.stopped) { try host.run(file: lab.folder.appendingPathComponent("test.lua")) }
            #expect(host.interrupt.stopReason == nil)
        }
        #expect(lab.printed.isEmpty)
        let file = try RunFile.open(lab.output.appendingPathComponent("small.eoss"))
        let steps = try file.series("loss").map(\.step)
        #expect(steps.last == 7 || steps.last == 8)
    }

    /// At the prompt of a paused training the run is live; continue() goes on with it.
    @Test func aPauseGivesAPromptInTheMiddleOfTheTraining() throws {
        let lab = try Laboratory()
        var seen: [PromptResult] = []
        var pauses = 0
        let source =
            smallRun + """
                live = run
                run:track("loss", { every = 5 })
                run:at(3, function() pause() end)
                run:train{ to = 9 }
                print(run.step, run.lr)
                """
        try lab.write(source, to: "test.lua")
        let change: (inout ScriptOptions) -> Void = { options in
            options.pause = { host in
                pauses += 1
                for line in [
                    "live.step", "for i = 1, 2 do", "live.lr = 0.5", "live:train{ steps = 2 }", "live.stp",
                    "continue()",
                ] { seen.append(host.evaluate(line)) }
                return .goOn
            }
        }
        try lab.host(change) { host in
            let pause = DeclaredFunction(FunctionDeclaration("pause", "")) { [interrupt = host.interrupt] _ in
                interrupt.requestPause()
                return LuaResults()
            }
            try host.state.install(pause)
            try host.run(file: lab.folder.appendingPathComponent("test.lua"))
        }
        #expect(pauses == 1)
        #expect(lab.printed == ["9\t0.5"])
        #expect(seen.count == 6)
        #expect(seen[1] == .incomplete && seen[2] == .done(nil) && seen[3] == .done("\"step\"") && seen[5] == .goOn)
        #expect(seen[0] == .done("4") || seen[0] == .done("3"))
        #expect(seen[4] == .failed("prompt:1: unknown property 'stp' of run: did you mean 'step'?"))
        let file = try RunFile.open(lab.output.appendingPathComponent("small.eoss"))
        #expect(try file.events().contains { $0.kind == "prompt" && $0.message == "live.lr = 0.5" })
    }

    @Test func leavingThePromptStopsTheScript() throws {
        let lab = try Laboratory()
        try lab.write(smallRun + "run:at(1, pause); run:train{ to = 9 }; print('never')", to: "test.lua")
        let leaves: (inout ScriptOptions) -> Void = { $0.pause = { _ in .stop } }
        try lab.host(leaves) { host in
            let pause = DeclaredFunction(
                FunctionDeclaration("pause", "", rest: .optional("any", .any, ""))
            ) { [interrupt = host.interrupt] _ in
                interrupt.requestPause()
                return LuaResults()
            }
            try host.state.install(pause)
            #expect(throws: ScriptFailure.stopped) { try host.run(file: lab.folder.appendingPathComponent("test.lua")) }
        }
        #expect(lab.printed.isEmpty)
    }

    /// Callbacks may change, measure, track, save and train their own run.
    @Test func callbacksMayDoAnythingWithTheirRun() throws {
        let failure = try Laboratory().failure(
            of: smallRun + """
                local order = {}
                run:at(2, function(r)
                  collectgarbage()
                  r.lr, r.batch_size, r.params = 0.01, 2, 0.5 * r.params
                  r:track("accuracy"); r:at(2, function() order[#order + 1] = "same step" end)
                  r:measure("lambda_max"); r:save("inside.safetensors"); r:train{ steps = 3 }
                  order[#order + 1] = r.step
                end)
                run:track("nested", { every = 2, fn = function(r)
                  local ok, message = pcall(r.train, r, { steps = 1 })
                  assert(not ok and tostring(message):find("within a probe"))
                  return r:measure("batch_sharpness", { max_samples = 16 }).value + r:hessian():trace{ samples = 4 }.value
                end })
                run:train{ to = 8 }
                assert(order[1] == "same step" and order[2] == 5 and run.step == 8 and #run:series("nested") == 5)
                """)
        #expect(failure == nil)
    }

    @Test func progressIsToldWithTheTrackedValuesAgainstTheirEdge() throws {
        let lab = try Laboratory()
        var snapshots: [TrainingSnapshot] = []
        try lab.run(
            smallRun + """
                run:track({ "loss", "lambda_max", "edge", "weight_norm" }, { every = 10 })
                local start = eoss.clock()
                run:at(20, function() repeat until eoss.clock() > start + 0.25 end)
                run:train{ to = 400 }
                """
        ) { $0.progress = { snapshots.append($0) } }
        let last = try #require(snapshots.last)
        #expect(last.run == "small" && last.lastStep == 400 && last.loss != nil && last.stepsPerSecond != nil)
        #expect(last.tracked.map(\.name) == ["lambda_max", "weight_norm"])
        #expect(last.tracked[0].edge == 100 && last.tracked[1].edge == nil)
    }
}
