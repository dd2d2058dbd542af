import Experiments
import Foundation
import Testing

@testable import ScriptAPI

/// `eoss.parallel` in scripts.
@Suite struct ParallelInScripts {
    /// Three branches with everything of the script's own: actions, conditions, quantities, schedules, rules, kept tables.
    private let branches =
        smallRun + """
            run:track({ "loss", "lambda_max" }, { every = 5 })
            run:track("half", { every = 4, fn = function(r) return r.loss / 2 end, when = function(r) return r.step > 5 end })
            run:at(12, function(r) r.lr = r.lr / 2; r.state.seen = r.name .. r.step end)
            run:every(5, function(r) r.state.sum = (r.state.sum or 0) + r.batch_loss end)
            run:when(function(r) return r.step == 17 end, function(r) r.batch_size = 5 end)
            run:train{ to = 10 }
            local a, b, c = run:fork{ name = "a" }, run:fork{ name = "b", lr = 0.04 }, run:fork{ name = "c" }
            a.lr = function(step, r) return 0.02 / (1 + step) end
            c.optimizer = eoss.optim.custom{ lr = 0.01, step = function(state, context)
              state.v = 0.5 * (state.v or 0 * context.params) + context:gradient()
              return context.params - context.lr * state.v
            end }
            local ends = TRAIN
            for i, r in ipairs{ run, a, b, c } do
              print(ends[i], r.step, r.lr, r.batch_size, r.state.seen, r.state.sum, r.loss, r.params:norm(), #r:series("half"), r:series("half"):last())
            end
            """
    private let together = "eoss.parallel({ run, { run = a, to = 25 }, b, c }, { steps = 20 })"
    private let alone =
        "{ run:train{ steps = 20 }, a:train{ to = 25 }, b:train{ steps = 20 }, c:train{ steps = 20 } }"

    @Test func theSameAsOneAfterTheOther() throws {
        let (one, other) = (try Laboratory(), try Laboratory())
        try one.run(branches.replacing("TRAIN", with: together))
        try other.run(branches.replacing("TRAIN", with: alone))
        #expect(one.printed == other.printed && one.printed.count == 4)
        for name in ["small", "a", "b", "c"] {
            let files = try [one, other].map { try RunFileReader($0.output.appendingPathComponent("\(name).eoss")) }
            for series in try files[1].seriesNames() {
                let values = try files.map { try $0.series(series).map { [Double($0.step), $0.value] } }
                #expect(values[0] == values[1], "\(name) \(series)")
            }
        }
    }

    /// Random numbers depend on no clock, and the script's own go on as if none had been drawn.
    @Test func randomNumbersOfTheirOwn() throws {
        let script =
            "math.randomseed(3)\n" + smallRun + """
                run:every(1, function(r) r.state.drawn = (r.state.drawn or 0) + math.random() end)
                local a, b = run:fork{ name = "a" }, run:fork{ name = "b" }
                eoss.parallel({ run, a, b }, { steps = 15 })
                print(run.state.drawn, a.state.drawn, b.state.drawn, math.random())
                """
        let laboratories = try (0..<3).map { _ in try Laboratory() }
        for laboratory in laboratories { try laboratory.run(script) }
        #expect(Set(laboratories.map(\.printed)).count == 1)
        let numbers = laboratories[0].printed[0].split(separator: "\t")
        #expect(Set(numbers).count == 4)
        let quiet = try Laboratory()
        try quiet.run("math.randomseed(3)\n print(math.random())")
        #expect(quiet.printed == [String(numbers[3])])
    }

    @Test func errors() throws {
        let fork = "local a = run:fork{ name = 'a' }\n"
        let messages = [
            ("eoss.parallel({ run, a }, {})", "eoss.parallel needs a goal"),
            ("eoss.parallel({}, { steps = 1 })", "there is no run to train"),
            ("eoss.parallel({ run, run }, { steps = 1 })", "'small' is in the list twice"),
            ("eoss.parallel({ run, 3 }, { steps = 1 })", "'runs'"),
            ("eoss.parallel({ { run = a, step = 3 } })", "unknown"),
            (
                "a:at(3, function(r) error('on purpose') end) eoss.parallel({ run, a }, { steps = 50 })",
                "test.lua:7: run 'a': on purpose"
            ),
            (
                "a:at(3, function(r) run.lr = 1 end) eoss.parallel({ run, a }, { steps = 50 })",
                "run 'small', which is trained beside others, cannot be used from here"
            ),
            (
                "local H = run:hessian() a:at(3, function(r) print(H * r.params) end) eoss.parallel({ run, a }, { steps = 50 })",
                "run 'small', which is trained beside others, cannot be used from here"
            ),
            (
                "a:at(3, function(r) print(r:distance(run)) end) eoss.parallel({ run, a }, { steps = 50 })",
                "run 'small', which is trained beside others, cannot be used from here"
            ),
            ("a.lr = 1e9 eoss.parallel({ run, a }, { steps = 500 })", "run 'a' diverged: at step"),
            (
                "a:at(3, function(r) eoss.parallel({ r:fork{} }, { steps = 1 }) end) eoss.parallel({ run, a }, { steps = 5 })",
                "cannot do so again from within"
            ),
        ]
        for (script, message) in messages {
            let failure = try Laboratory().failure(of: smallRun + fork + script) ?? ""
            #expect(failure.contains(message), "\(script): \(failure)")
        }
    }

    /// A fork that an action makes, and trains, while its run has a thread of its own.
    @Test func forksOnTheWay() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                local twig
                local a, b = run:fork{ name = "a" }, run:fork{ name = "b" }
                a:at(5, function(r) twig = r:fork{ name = "twig" }; twig:train{ to = 12 } end)
                eoss.parallel({ a, b }, { to = 20 })
                twig:train{ to = 20 }
                print(twig.params == a.params, twig.step, b.params == a.params)
                """)
        #expect(laboratory.printed == ["true\t20\ttrue"])
    }

    /// At the prompt of a pause all of them stand still, and may be looked at; then they go on as if nothing had been.
    @Test func aPauseHoldsAllOfThem() throws {
        let laboratory = try Laboratory()
        let script =
            smallRun + """
                local a, b = run:fork{ name = "a" }, run:fork{ name = "b" }
                eoss.parallel({ a, b }, { steps = 30 })
                run:train{ steps = 30 }
                print(a.params == run.params, b.params == run.params, a.step)
                """
        try laboratory.write(script, to: "test.lua")
        var pauses = 0
        let pausing = { (options: inout ScriptOptions) in
            options.pause = { host in
                pauses += 1
                _ = host.evaluate("print(a.step > 0 and a.loss > 0, b.loss > 0)")
                return .goOn
            }
        }
        try laboratory.host(pausing) { host in
            host.afterStep = { [unowned host] run in
                if run.name == "a", run.step == 10 { host.interrupt.requestPause() }
            }
            try host.run(file: laboratory.folder.appendingPathComponent("test.lua"))
        }
        #expect(pauses == 1 && laboratory.printed == ["true\ttrue", "true\ttrue\t30"])
        #expect(laboratory.messages.contains { $0.hasPrefix("paused: run 'a' at step 10") })
    }

    /// A stop ends all of them between two steps; progress tells of one, and how many there are beside it.
    @Test func stopsAndProgress() throws {
        let laboratory = try Laboratory()
        let script =
            smallRun + """
                local a, b = run:fork{ name = "a" }, run:fork{ name = "b" }
                eoss.parallel({ a, b }, { steps = 10000000 })
                """
        try laboratory.write(script, to: "test.lua")
        var shown: [TrainingSnapshot] = []
        let show = { (options: inout ScriptOptions) in options.progress = { shown.append($0) } }
        let failure = try laboratory.host(show) { host -> String in
            host.afterStep = { [unowned host] _ in if shown.count > 3 { host.interrupt.requestStop() } }
            do { try host.run(file: laboratory.folder.appendingPathComponent("test.lua")) } catch { return "\(error)" }
            return ""
        }
        #expect(failure == "stopped")
        #expect(shown.allSatisfy { $0.run.hasSuffix(" and 1 more") && $0.lastStep == 10_000_000 })
        for name in ["a", "b"] {
            let file = try RunFileReader(laboratory.output.appendingPathComponent("\(name).eoss"))
            let steps = try file.checkpointSteps()
            #expect(try file.status()?.state == .stopped && steps == [file.status()?.step ?? 0])
        }
    }
}
