import Foundation
import Testing

@testable import Experiments
@testable import ScriptAPI

/// `eoss.plot` and `run:plot` from Lua, looked at in what they print.
@Suite struct PlotScriptTests {
    /// What the script prints, a figure in characters.
    private func printed(_ script: String) throws -> String {
        let lab = try Laboratory()
        #expect(try lab.failure(of: smallRun + script) == nil)
        return lab.printed.map { $0 + "\n" }.joined()
    }

    private func drawn(_ script: String, _ name: String = "p.svg") throws -> String {
        let lab = try Laboratory()
        #expect(try lab.failure(of: smallRun + script) == nil)
        return try String(contentsOf: lab.output.appendingPathComponent(name), encoding: .utf8)
    }

    private let trained = """
        run:track({ "loss", "lambda_max" }, { every = 2 })
        run:at(10, function(r) r.lr = 0.05 end)
        run:train{ to = 20 }

        """

    @Test func withoutAFileAFigureIsPrintedInEightyColumns() throws {
        let text = try printed(trained + "assert(run:plot() == nil)")
        for word in ["small", "lambda_max", "2/lr", "loss", "step", "lr 0.02 to 0.05 at 10"] {
            #expect(text.contains(word), "\(word) in\n\(text)")
        }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 } && !text.contains("\u{1B}"))
        #expect(try printed(trained + "eoss.plot{ run, 'loss' }").contains("loss"))
    }

    @Test func whatIsWorthSeeingIsChosenAndTheRestNamed() throws {
        let many = (1...6).map { "run:track('q\($0)', { every = 1, fn = function(r) return r.step end })\n" }.joined()
        let text = try printed(many + "run:track('edge'); run:train{ to = 3 }; run:plot()")
        #expect(text.contains("q4") && text.contains("also measured: q5, q6\n") && !text.contains("edge"))
        let two = "local s = run:series('loss'); run:plot{ s, s, { y = { 1, 2 } }, { y = { 2, 1 } } }"
        #expect(try printed(trained + two).contains("*** loss   ### loss (2)"))
    }

    @Test func whatOneOfSeveralRunsLacksIsDrawnOfTheOthersAndSaid() throws {
        let script =
            trained + """
                local other = run:fork{ name = "other" }
                other:track("own", { every = 1, fn = function(r) return 1 end })
                other:train{ steps = 5 }

                """
        let text = try printed(script + "eoss.plot{ runs = { run, other }, 'loss', 'own' }")
        #expect(text.contains("own, other") && !text.contains("own, small") && text.contains("loss, small"), "\(text)")
        #expect(text.contains("without own: small\n"), "\(text)")
        let lab = try Laboratory()
        let failure = try lab.failure(of: smallRun + script + "eoss.plot{ runs = { run, other }, 'loss', 'owm' }")
        #expect(failure?.contains("run 'small' has no series 'owm'") == true)
    }

    @Test func panelsStandInTheOrderInWhichTheyAreAskedFor() throws {
        let text = try printed(
            trained + "run:plot{ 'loss', 'lambda_max' }; print('@@@'); run:plot{ 'lambda_max', 'loss' }")
        let halves = text.components(separatedBy: "@@@")
        func isBefore(_ a: String, _ b: String, _ text: String) throws -> Bool {
            try #require(text.range(of: a)).lowerBound < #require(text.range(of: b)).lowerBound
        }
        #expect(try isBefore("*** loss", "lambda_max", halves[0]) && isBefore("lambda_max", "loss", halves[1]))
    }

    /// One that is negative cannot be on a logarithmic axis; a quantity of the user's own is on one where that is asked for.
    @Test func lossesAreLogarithmicWhereTheyCanBeAndAnythingWhereItIsAskedFor() throws {
        let tracked = """
            run:track("own", { every = 1, fn = function(r) return 10 ^ (r.step - 4) end })
            run:track("free_loss", { every = 1, fn = function(r) return r.step - 4 end })
            run:track("loss"); run:train{ to = 8 }

            """
        #expect(try drawn(tracked + "run:plot('p.txt', 'own', { log = true })", "p.txt").contains("10⁻⁴"))
        #expect(!(try drawn(tracked + "run:plot('p.txt', 'own')", "p.txt").contains("10⁻⁴")))
        let negative = try drawn(tracked + "run:plot('p.txt', 'free_loss')", "p.txt")
        #expect(negative.contains("-4 ") && !negative.contains("not positive"))
        let asked = try drawn(tracked + "run:plot('p.txt', 'free_loss', { log = true })", "p.txt")
        #expect(asked.contains("5 values are not positive"))
    }

    /// Five batches of 4 are an epoch of 20 samples; 10 steps at 0.02, then 10 at 0.05.
    @Test func theXAxisIsEpochsTimeOrAnotherSeries() throws {
        func places(_ x: String) throws -> String {
            try printed(trained + "run:plot{ 'lambda_max', x = '\(x)', changes = true }")
        }
        #expect(try places("epoch").contains("lr 0.02 to 0.05 at 2\n"))
        #expect(try places("time").contains("lr 0.02 to 0.05 at 0.2\n"))
        #expect(try places("loss").contains("loss"))
        let lab = try Laboratory()
        let failure = try lab.failure(of: smallRun + trained + "run:plot{ 'lambda_max', x = 'los' }")
        #expect(failure?.contains("did you mean 'loss'?") == true)
    }

    @Test func runsAreComparedInTheirColoursAndSeedsAsABand() throws {
        let fork =
            trained + "local b = run:fork{ name = 'other', lr = 0.01 }; b:train{ to = 40 }; run:train{ to = 40 }\n"
        let svg = try drawn(fork + "eoss.plot('p.svg', { run, b }, { 'loss', 'lambda_max' })")
        for word in ["loss, small", "loss, other", "lambda_max, other", "2/lr, small", "2/lr, other"] {
            #expect(svg.contains(word), "\(word)")
        }
        let band = try drawn(fork + "eoss.plot{ run, b, 'loss', band = true, labels = { 'both' }, file = 'p.svg' }")
        #expect(band.contains("loss (median and quartiles of 2 runs)"))
        let groups = try drawn(
            fork
                + "eoss.plot{ runs = { { run, b }, { b } }, 'loss', band = 'range', labels = { 'x', 'y' }, file = 'p.svg' }"
        )
        #expect(groups.contains("x (median and range of 2 runs)") && groups.contains("y"))
    }

    @Test func numbersOfOnesOwnHavePanelsLinesAndErrors() throws {
        let svg = try drawn(
            """
            eoss.plot{ { { x = { 1, 2 }, y = { 3, 4 }, error = { 1, 1 }, name = "mine", style = "points" },
                         { y = { 5, 0 / 0, 7 }, name = "theirs" }, title = "A panel", ylabel = "number",
                         lines = { 4.5, { x = 1.5, name = "there" }, { x = { 1, 2 }, y = { 3, 5 }, name = "stairs" } } },
                       file = "p.svg" }
            """)
        for word in ["mine", "theirs", "A panel", "number", "4.5", "there", "stairs", "theirs: 1 value is not finite"] {
            #expect(svg.contains(word), "\(word)")
        }
    }

    /// Edges, changes and clocks of a file are those of the run, with a checkpoint to tell them and without.
    @Test(
        arguments: [
            "run:at(10, function(r) r.lr = 0.05; r.batch_size = 10 end)",
            "run:at(6, function(r) r.optimizer = eoss.optim.momentum{ lr = 0.01 } end)",
            "run.lr = eoss.schedule.warmup{ from = 0.001, steps = 8, after = 0.02 }",
            "run:at(5, function(r) r.batch_size = 'full' end); run:at(9, function(r) r.optimizer.momentum = nil end)",
        ], ["", "checkpoint = false,"])
    func anOpenedRunIsDrawnAsTheLiveOneWas(change: String, checkpoint: String) throws {
        let lab = try Laboratory()
        let script = smallRun.replacingOccurrences(of: "loss = \"mse\",", with: "loss = \"mse\", \(checkpoint)")
        let change = change.replacingOccurrences(of: "r.optimizer.momentum = nil", with: "r.lr = 0.03")
        try lab.run(
            script + change + """
                \nrun:track({ "loss", "lambda_max" }, { every = 2 }); run:train{ to = 20 }
                run:plot("live.txt", { "loss", "lambda_max" })
                run:plot("live2.txt", { "lambda_max" }, { over_edge = true, x = "epoch" })
                run:plot("live3.txt", { "lambda_max" }, { x = "time" })
                """)
        try lab.run(
            """
            local file = eoss.open("small.eoss")
            assert(file:plot("opened.txt", { "loss", "lambda_max" }):match("opened.txt$"))
            eoss.plot("opened2.txt", { file }, { "lambda_max" }, { over_edge = true, x = "epoch" })
            file:plot("opened3.txt", { "lambda_max" }, { x = "time" })
            """)
        for number in ["", "2", "3"] {
            func text(_ name: String) throws -> String {
                try String(contentsOf: lab.output.appendingPathComponent("\(name)\(number).txt"), encoding: .utf8)
            }
            #expect(try text("live") == text("opened"))
        }
    }

    /// As the run file of a second execution is small-2.eoss, its figure is p-2.svg; and of two runs of one script neither takes the
    /// other's. A run replaces its own.
    @Test func aFigureIsNeverOverwrittenByAnotherRuns() throws {
        let lab = try Laboratory()
        let script = smallRun + "run:track('loss'); run:train{ to = 2 }\nprint(run:plot('p.svg', 'loss'))\n"
        try lab.run(script)
        let first = try Data(contentsOf: lab.output.appendingPathComponent("p.svg"))
        try lab.run(
            script
                + """
                run:train{ to = 4 }
                print(run:plot('p.svg', 'loss'))
                local other = run:fork{ name = "other" }
                other:train{ to = 6 }
                print(other:plot('p.svg', 'loss'))
                """)
        #expect(try Data(contentsOf: lab.output.appendingPathComponent("p.svg")) == first)
        #expect(lab.printed.map { $0.components(separatedBy: "/").last } == ["p.svg", "p-2.svg", "p-2.svg", "p-3.svg"])
        #expect(lab.messages.contains { $0.hasPrefix("figure: ") && $0.hasSuffix("p-2.svg") })
        #expect(try RunFileReader(lab.output.appendingPathComponent("small-2.eoss")).figureNames() == ["p-2.svg"])
    }

    @Test(arguments: [
        ("eoss.plot{ 'loss' }", "name the runs"), ("run:plot{ { 'loss', titel = 'x' } }", "did you mean 'title'?"),
        ("eoss.plot{ { y = { 1, 'x' } } }", "element 2 of 'y' is no number"),
        ("eoss.plot{ { x = { 1 }, y = { 1, 2 } } }", "1 x values, 2 y values"),
        ("run:plot{ 'loss', ylim = { 2, 1 } }", "'ylim' of run:plot is { from, to }"),
        ("run:plot{ 'lss' }", "did you mean 'loss'?"), ("run:plot('x.gif')", "a figure's name ends in"),
        ("run:plot{ 'loss', band = 'sedes' }", "'seeds' or 'range', got 'sedes'"),
        ("eoss.plot{}", "there is nothing to draw"), ("run:plot{ { } }", "has nothing in it"),
        ("eoss.plot{ run, { run } , 'loss', labels = { 'a' } }", "1 for 2 runs"),
        ("run:plot('loss')", "run:plot{ \"loss\" }"),
        ("run:plot{ 'loss', height = 50 }", "belongs to a width"),
        ("run:plot{ 'loss', lines = { { z = 1 } } }", "unknown 'z' in a line"),
    ])
    func whatIsWrongIsSaid(call: String, words: String) throws {
        let failure = try Laboratory().failure(of: smallRun + trained + call)
        #expect(failure?.contains(words) == true, "\(failure ?? "no failure")")
    }

    /// Every example of docs/plots.md, in one program.
    @Test func theExamplesOfThePageRun() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/plots.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let examples = text.matches(of: /```lua\n(?<text>(?s:.*?))```/).map { "do\n\($0.output.text)end\n" }
        #expect(examples.count == 7)
        let lab = try Laboratory()
        let runs = """
            local function make(name, lr)
              local r = eoss.run{ name = name, model = net, data = data, loss = "mse",
                                  optimizer = eoss.optim.sgd{ lr = lr }, batch_size = 4 }
              r:track({ "loss", "lambda_max", "batch_sharpness" }, { every = 2 })
              r:train{ to = 40 }
              return r
            end
            local a, b = make("slow", 0.02), make("fast", 0.05)
            a:checkpoint()

            """
        #expect(try lab.failure(of: smallRun + runs + examples.joined()) == nil)
        let named = text.matches(of: /["']([a-z]+\.(svg|pdf))["']/).map { String($0.output.1) }
        #expect(named.count > 15)
        for name in named {
            #expect(FileManager.default.fileExists(atPath: lab.output.appendingPathComponent(name).path), "\(name)")
        }
    }
}
