import Experiments
import Foundation
import Testing

@testable import ScriptAPI

/// `run:fork` in scripts.
@Suite struct ForksInScripts {
    @Test func settingsNamesAndFiles() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                run:track({ "loss", "lambda_max" }, { every = 5 })
                run:train{ to = 10 }
                local same, fast = run:fork(), run:fork{ name = "fast", lr = 0.04, batch_size = "full", optimizer = eoss.optim.momentum{ lr = 1 } }
                print(same.name, same.step, same.lr, same.batch_size, fast.name, fast.lr, fast.batch_size, fast.optimizer.name)
                run:train{ to = 20 }
                same:train{ to = 20 }
                fast:train{ to = 15 }
                print(same.params == run.params, fast.params == run.params, #same:series("loss"), #fast:series("loss"), run.lr)
                """)
        #expect(
            laboratory.printed == [
                "small-fork\t10\t0.02\t4\tfast\t0.04\tfull\tmomentum", "true\tfalse\t5\t4\t0.02",
            ])
        let files = try ["small", "small-fork", "fast"].map {
            try RunFileReader(laboratory.output.appendingPathComponent($0 + ".eoss"))
        }
        #expect(files[0].parent == nil)
        for file in files[1...] {
            #expect(file.parent == RunParent(uuid: files[0].uuid, name: "small", step: 10))
        }
        // What the parent's file holds is not repeated.
        #expect(try files[1].series("loss").map(\.step) == [15, 20])
        #expect(try files[2].series("loss").map(\.step) == [15])
    }

    /// A function given to the run is called with the fork, after the run itself is gone.
    @Test func functionsAreCalledWithTheFork() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                run:track("twice", { every = 5, fn = function(r) return 2 * r.step + #r.name end })
                run:track("edge", { every = 5, when = function(r) return r.name == "fork" end })
                run:at(8, function(r) r.lr = r.lr / 2; print(r.name, r.step) end)
                run:train{ to = 5 }
                local fork = run:fork{ name = "fork" }
                run = nil
                collectgarbage(); collectgarbage()
                for step, r in fork:steps(5) do assert(r == fork and step == fork.step) end
                print(fork.lr, table.concat(fork:series("twice").values:totable(), " "), #fork:series("edge"))
                """)
        #expect(laboratory.printed == ["fork\t8", "0.01\t5.0 15.0 24.0\t1"])
    }

    @Test func errors() throws {
        let messages = [
            ("run:fork{ lr = 0 }", "test.lua"), ("run:fork{ rate = 1 }", "unknown option 'rate'"),
            ("run:fork{ batch_size = 21 }", "the data has 20 samples"), ("run:fork{ name = 'a/b' }", "a/b"),
            (
                "run:track('f', { fn = function(r) r:fork() return 1 end }) run:train{ to = 1 }",
                "a fork cannot be made from within a probe"
            ),
        ]
        for (script, message) in messages {
            let failure = try Laboratory().failure(of: smallRun + script) ?? ""
            #expect(failure.contains(message), "\(script): \(failure)")
        }
    }

    @Test func lockstep() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                run:train{ to = 4 }
                local fast = run:fork{ name = "fast", lr = 0.04 }
                local seen = 0
                local l = eoss.lockstep({ gd = run, fast = fast }, { steps = 6, every = 3, distance = { "params", "outputs" },
                  each = function(step, runs) seen = seen + step; assert(runs.gd == run and runs.fast.step == step) end })
                local s = l:series("params", "gd", "fast")
                print(l, seen, table.concat(s.steps:totable(), " "), s.values[1], s:last() == run:distance(fast))
                print(#eoss.lockstep({ run, fast }, { steps = 0 }):series("params", "small", "fast"))
                """)
        #expect(
            laboratory.printed == ["lockstep of fast, gd at step 10\t45\t4 7 10\t0.0\ttrue", "1"])
        for (script, message) in [
            ("eoss.lockstep({ a = run }, { steps = 1 })", "two runs or more"),
            ("eoss.lockstep({ run, run:fork{ name = 'small' } }, { steps = 1 })", "two runs are called 'small'"),
            ("eoss.lockstep({ a = run, b = run:fork() }, { steps = 1, distance = 'weights' })", "'distance'"),
            ("eoss.lockstep({ a = run, b = run:fork() }, {})", "steps"),
        ] {
            let failure = try Laboratory().failure(of: smallRun + script) ?? ""
            #expect(failure.contains(message), "\(script): \(failure)")
        }
    }
}
