import Experiments
import Foundation
import Testing

@testable import ScriptAPI

@Suite struct SweepScriptTests {
    private static let sweep = """
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local rows = eoss.sweep{ grid = { seed = { 1, 2 }, lr = { 0.05, 1e4 }, batch = { 4, 10 } }, run = function(p, name)
          local net = eoss.nn.mlp{ inputs = 1, hidden = {6}, outputs = 1, activation = "tanh", seed = p.seed, dtype = "f64" }
          local run = eoss.run{ name = name, model = net, data = data, loss = "mse",
                                optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = p.batch, seed = p.seed }
          run:train{ to = 60 }
          return { loss = run.loss, step = run.step, rule = "sgd", good = run.loss < 1 }
        end }

        """

    @Test func everyCombinationIsARowAndWhatDivergesSaysSo() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            Self.sweep + """
                for i = 1, #rows do local r = rows[i] print(r.name, r.batch, r.lr, r.seed, r.diverged, r.step, r.rule, r.good) end
                print(rows[3].message:match("diverged"), #rows.rows, rows.rows[8].batch, rows[9])
                print(table.concat(rows.parameters, " "), table.concat(rows.columns, " "))
                print(rows)
                """)
        let expected = [4, 10].flatMap { batch in
            [1, 2].map { "batch=\(batch)-lr=0.05-seed=\($0)\t\(batch)\t0.05\t\($0)\tfalse\t60\tsgd\ttrue" }
                + [1, 2].map { "batch=\(batch)-lr=10000.0-seed=\($0)\t\(batch)\t10000.0\t\($0)\ttrue\tnil\tnil\tnil" }
        }
        #expect(
            laboratory.printed == expected + [
                "diverged\t8\t10\tnil", "batch lr seed\tloss step", "sweep over batch, lr, seed: 8 points, 4 diverged",
            ])
        let files = try FileManager.default.contentsOfDirectory(atPath: laboratory.output.path)
        #expect(files.count == 8 && files.contains("batch=4-lr=0.05-seed=1.eoss"))
        #expect(laboratory.messages.contains("sweep: point 2 of 8, batch=4-lr=0.05-seed=2"))
    }

    /// What points do, and draw, is the same whichever of them are worked at, and in whatever order.
    @Test func runsHaveTheirPointsNameAndRandomNumbersDependOnNoOtherPoint() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun.replacingOccurrences(of: "local run = ", with: "local function make(name) return ")
                .replacingOccurrences(of: "name = \"small\"", with: "name = name") + """
                    end
                    local function sweep(values, draws)
                      return eoss.sweep{ grid = { a = values }, run = function(p)
                        for _ = 1, draws do math.random() end
                        local run = make("net")
                        run:track("loss", { every = 1 })
                        run:train{ steps = 1 }
                        local inner = eoss.sweep{ grid = { b = { 1, 2 } }, run = function(q, name)
                          return { name_of_run = make("in").name, random = math.random() }
                        end }
                        return { run = run.name, fork = run:fork().name, inner = inner[2].name_of_run, random = math.random(),
                                 first = inner[1].random, second = inner[2].random }
                      end }
                    end
                    math.randomseed(1)
                    local a = sweep({ 1, 2, 3 }, 0)
                    local after = math.random()
                    math.randomseed(1)
                    local b = sweep({ 3, 2 }, 0)
                    print(after == math.random())
                    for _, column in ipairs{ "random", "first", "second" } do print(a[3][column] == b[1][column], a[3][column] == a[2][column]) end
                    print(a[3].first == a[3].second)
                    math.randomseed(1)
                    print(sweep({ 3 }, 5)[1].random == a[3].random)
                    print(a[2].run, a[2].fork, a[2].inner)
                    """)
        #expect(
            laboratory.printed == [
                "true", "true\tfalse", "true\tfalse", "true\tfalse", "false", "false",
                "net-a=2\tnet-a=2-fork\tin-b=2-a=2",
            ])
        let events = try RunFile.open(laboratory.output.appendingPathComponent("net-a=2-2.eoss")).events()
        #expect(events.first { $0.kind == "point" }?.data == ["point": "2/a=2"])
    }

    @Test func aTableHasMeanMedianAndStandardErrorOverTheSeeds() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            """
            local n = 0
            local rows = eoss.sweep{ grid = { a = { "x", "y" } }, repeats = 4, run = function(p)
              n = n + 1
              return { v = p.a == "x" and ({ 1, 2, 3, 6 })[p.seed] or 5, text = "no number" }
            end }
            local t = rows:table()
            print(n, #t, t[1].a, t[1].n, t[1].v.mean, t[1].v.median, t[1].v.stderr - math.sqrt(14 / 12), t[2].v.stderr)
            print(t)
            print(rows:table("v").columns[1], t[3])
            """)
        #expect(
            laboratory.printed == [
                "8\t2\tx\t4\t3.0\t2.5\t0.0\t0.0",
                "a  n        v  median\nx  4  3 ± 1.1     2.5\ny  4    5 ± 0       5", "v\tnil",
            ])
    }

    @Test func aSweepIsDrawnOverOneOfItsParameters() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            Self.sweep + """
                rows:plot("batch", "loss", { band = "seeds" })
                rows:plot("lr", "loss", { file = "l.svg", band = "none", log_x = true, log = true, title = "losses" })
                """)
        func svg(_ name: String) throws -> String {
            try String(contentsOf: laboratory.output.appendingPathComponent(name), encoding: .utf8)
        }
        let drawn = try svg("loss-batch.svg")
        #expect(drawn.contains("lr = 0.05") && drawn.contains(">batch<") && drawn.contains("fill-opacity"))
        #expect(try svg("l.svg").contains("losses") && svg("l.svg").contains("batch = 10"))
    }

    @Test(arguments: [
        ("grid = {}", "print", "there is nothing to sweep"), ("grid = { a = {} }", "print", "a has no values"),
        ("grid = { a = { 1, 1 } }", "print", "a has the value 1 twice"),
        ("grid = { seed = { 1 } }, repeats = 2", "print", "leave one of them out"),
        ("grid = { a = { 1 } }, jobs = 0", "print", "expected an integer > 0"),
        ("grid = { a = { 1 } }, repeats = 100000", "print", "may have 10000"),
        ("grid = { a = { 1 } }", "function() return 1 end", "point a=1: the function returned a number"),
        ("grid = { a = { 1 } }", "function() return { 1 } end", "returned a list"),
        ("grid = { a = { 1 } }", "function() return { a = 1 } end", "'a', which a row has already"),
        ("grid = { a = { 1 } }", "function() return { b = {} } end", "a table as 'b'"),
        ("grid = { a = { 1 } }", "function(p) return { b = p.c } end", "point a=1: unknown name 'c' in the point"),
        ("grid = { a = { 1 } }", "function(p) error('no luck') end", "test.lua:1: point a=1: no luck"),
        ("grid = { a = { 1 } }, repeat_ = 2", "print", "did you mean 'repeats'?"),
    ])
    func whatIsWrongIsSaid(options: String, function: String, message: String) throws {
        let failure = try Laboratory().failure(of: "eoss.sweep{ \(options), run = \(function) }")
        #expect(failure?.contains(message) == true, "\(failure ?? "nothing")")
    }

    @Test(arguments: [
        (#"s:plot("b", "v")"#, "no parameter 'b'"), (#"s:plot("a", "w")"#, "no column of numbers 'w'"),
        (#"s:plot("a", "t")"#, "no column of numbers 't'"), (#"s:table("w")"#, "(it has v)"),
        (#"s:plot("c", "v")"#, "are no numbers"), (#"eoss.open_sweep("no")"#, "no such file"),
        (#"eoss.open_sweep("test.lua")"#, "there is no sweep"),
    ])
    func whatASweepDoesNotHaveIsSaid(call: String, message: String) throws {
        let failure = try Laboratory().failure(
            of: """
                local s = eoss.sweep{ grid = { a = { 1, 2 }, c = { "x" } }, run = function() return { v = 1, t = "x" } end }
                \(call)
                """)
        #expect(failure?.contains(message) == true, "\(failure ?? "nothing")")
    }

    @Test func aSweepThatIsStoppedGoesOnInItsMiddle() throws {
        let source =
            smallRun.replacingOccurrences(of: "local run = ", with: "local function make(name, lr) return ")
            .replacingOccurrences(of: "name = \"small\"", with: "name = name")
            .replacingOccurrences(of: "lr = 0.02", with: "lr = lr") + "end\n" + """
                local s = eoss.sweep{ grid = { lr = { 0.01, 0.02, 0.03 } }, run = function(p, name)
                  local run = make(name, p.lr)
                  run:train{ to = 40 }
                  return { loss = run.loss }
                end }
                for _, r in ipairs(s.rows) do print(string.format("%s %.17g", r.name, r.loss)) end
                """
        let (whole, stopped) = (try Laboratory(), try Laboratory())
        try whole.run(source)
        try stopped.write(source, to: "test.lua")
        var steps = 0
        #expect(throws: ScriptFailure.stopped) {
            try stopped.host { host in
                host.afterStep = { _ in
                    steps += 1
                    if steps == 60 { host.interrupt.requestStop() }
                }
                try host.run(file: stopped.folder.appendingPathComponent("test.lua"))
            }
        }
        let file = stopped.output.appendingPathComponent("lr=0.02.eoss")
        let resumption = try Resumption(file, forced: false)
        try stopped.run(source) { $0.resumption = resumption }
        #expect(stopped.printed == whole.printed && whole.printed.count == 3)
    }
}
