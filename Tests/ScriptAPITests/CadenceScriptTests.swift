import Testing

@testable import ScriptAPI

@Suite struct CadencesInScripts {
    /// What the script prints, each line of it.
    private func printed(_ script: String) throws -> [String] {
        let laboratory = try Laboratory()
        try laboratory.run(smallRun + script)
        return laboratory.printed
    }

    private let show = """
        local function steps(name)
            return table.concat(run:series(name).steps:totable(), " ")
        end

        """

    @Test func everySpellingOfACadence() throws {
        let lines = try printed(
            show + """
                run:track("loss", { every = 8 })
                run:track("accuracy", { at = {3, 17, 3} })
                run:track("gradient_norm", { every = 10, at = {5} })
                run:track("weight_norm", { every = { first = 2, growth = 1.5, max = 6 } })
                run:track("update_norm", { every = { growth = 2 } })
                run:track("edge", { every = 4, when = function(r) return r.step > 9 end })
                run:track("step_sharpness", { at = {1, 2}, when = function(r) return r.step == 1 end })
                run:track({"effective_lr", "batch_loss"}, {})
                run:train{ to = 20 }
                for _, name in ipairs{ "loss", "accuracy", "gradient_norm", "weight_norm", "update_norm", "edge", "step_sharpness" } do
                    print(steps(name))
                end
                print(#run:series("effective_lr"), #run:series("batch_loss"))
                """)
        #expect(
            lines == [
                "0 8 16", "3 17", "0 5 10 20", "0 2 5 9 15", "0 10", "12 16 20", "2", "21\t21",
            ])
    }

    @Test func aConditionMayMeasureWithProbesOfItsOwn() throws {
        let lines = try printed(
            show + """
                run:track("curved", { every = 5, fn = function(r) return r:measure("lambda_max").value end })
                run:track("loss", { every = 2, when = function(r)
                    return r:measure("lambda_max").value > 0 and r:series("curved"):last() ~= nil
                end })
                run:train{ to = 10 }
                print(steps("loss"), steps("curved"))
                """)
        #expect(lines == ["0 2 4 6 8 10\t0 5 10"])
    }

    /// What the error must say; the line is that of the script where it arose.
    @Test(
        arguments: [
            ("run:track('loss', { every = 0 })", ["'every'", "expected an integer > 0"]),
            ("run:track('loss', { every = { frist = 3 } })", ["unknown option 'frist'", "did you mean 'first'?"]),
            ("run:track('loss', { every = { first = 3, growth = 0.5 } })", ["'growth'", "a number >= 1"]),
            ("run:track('loss', { every = { first = 30, growth = 1.1, max = 20 } })", ["the largest spacing, is 20"]),
            ("run:track({})", ["the list of names is empty: name at least one quantity"]),
            ("run:track('loss', { at = {} })", ["'at' is empty: name at least one step"]),
            (
                "run:train{ to = 5 } run:track('loss', { at = {4, 2} })",
                ["nothing would be measured: the last of its steps is 4, and run 'small' is at step 5"]
            ),
            (
                "run:track('batch_sharpness', { min_samples = 9, max_samples = 3 })",
                ["min_samples (9) is larger than max_samples (3)"]
            ),
            ("run:track('loss', { at = {1, -2} })", ["'at'", "element 2", "expected an integer >= 0, got -2"]),
            ("run:track('loss', { at = 5 })", ["'at'", "expected a list of integers"]),
            ("run:track('loss', { budget = 1.5 })", ["'budget'", "from 0 to 1"]),
            ("run:track('loss', { budget = 0 })", ["budget is the share", "between 0 and 1"]),
            ("run:track('loss', { at = {3}, budget = 0.1 })", ["give 'every' as well"]),
            (
                "run:track('loss', { budget = 0.1 }) run:track('accuracy', { budget = 0.2 })",
                ["run 'small' has a budget of 0.1", "0.2"]
            ),
            ("run:track('loss', { wehn = 3 })", ["unknown option 'wehn'", "did you mean 'when'?"]),
            ("run:track('loss', { when = true })", ["'when'", "expected a function"]),
            (
                "run:track('loss', { when = function(r) end }) run:train{ to = 1 }",
                ["'when' of loss returned nil, true or false is needed"]
            ),
            (
                "run:track('loss', { when = function(r)\n return r.steep > 3 end })\n\n run:train{ to = 1 }",
                ["test.lua:7:", "unknown property 'steep' of run", "did you mean 'step'?"]
            ),
            (
                "run:track('loss', { when = function(r) r:train{ steps = 1 } return true end }) run:train{ to = 1 }",
                ["cannot be changed from within a probe"]
            ),
        ])
    func whatCannotBeIsSaidWithItsPlace(script: String, words: [String]) throws {
        let message = try #require(try Laboratory().failure(of: smallRun + script))
        for word in words + ["test.lua:"] { #expect(message.contains(word), "\(message)") }
    }

    /// Goals are looked at every `check_every` steps, and where loss or accuracy is tracked; these hold everywhere.
    @Test func aGoalIsLookedAtAsOftenAsIsAsked() throws {
        let failure = try Laboratory().failure(
            of: """
                local data = eoss.data.arrays{ inputs = { { 0 }, { 1 }, { 2 } }, labels = { 0, 1, 0 } }
                local net = eoss.nn.mlp{ inputs = 1, hidden = { 3 }, outputs = 2, dtype = "f64" }
                local function steps(goal, tracked, at)
                  local run = eoss.run{ model = net, data = data, loss = "ce", optimizer = eoss.optim.sgd{ lr = 0.01 } }
                  run:train{ to = 1 }
                  if tracked then run:track(tracked, { at = { at } }) end
                  goal.to = 500; run:train(goal)
                  return run.step
                end
                assert(steps{ stop_accuracy = 0 } == 100 and steps{ stop_loss = 1e9 } == 100)
                assert(steps{ stop_accuracy = 0, check_every = 1 } == 1 and steps{ stop_accuracy = 0, check_every = 9 } == 9)
                assert(steps({ stop_accuracy = 0 }, "accuracy", 12) == 12 and steps({ stop_loss = 1e9 }, "accuracy", 12) == 12)
                assert(steps({ stop_accuracy = 0, check_every = 40 }, "loss", 12) == 12)
                """)
        #expect(failure == nil)
    }

    /// A condition that captures the run makes a cycle through Lua, which its collector sees.
    @Test func aRunWhoseConditionCapturesItIsFreed() throws {
        let lines = try printed(
            """
            local gone = setmetatable({}, { __mode = "k" })
            do
                local net2 = eoss.nn.mlp{ inputs = 1, hidden = {3}, outputs = 1, dtype = "f64" }
                local other = eoss.run{ name = "o", model = net2, data = data, loss = "mse",
                                        optimizer = eoss.optim.sgd{ lr = 0.02 }, batch_size = 4 }
                other:track("loss", { when = function(r) return other.step >= 0 end })
                other:train{ to = 2 }
                gone[other] = true
            end
            collectgarbage() collectgarbage()
            print(next(gone))
            """)
        #expect(lines == ["nil"])
    }
}
