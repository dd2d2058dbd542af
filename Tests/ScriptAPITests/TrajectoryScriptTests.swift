import Testing

@testable import ScriptAPI

@Suite struct TrajectoriesInScripts {
    /// A second run like the first, at another learning rate.
    private let twin = """
        local function like(run, options)
            options = options or {}
            return eoss.run{ name = "twin", model = options.model or net, data = options.data or data, loss = "mse",
                             optimizer = eoss.optim.sgd{ lr = 0.04 }, batch_size = 4, seed = 1 }
        end
        local twin = like(run)

        """

    private func run(_ script: String) throws { try Laboratory().run(smallRun + twin + script) }

    @Test func costsPrintAsATableAndHaveFields() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                run:track({"loss", "hessian_trace"}, { every = 5, at = {0}, budget = 0.5, max_samples = 20 })
                run:track("gradient_norm", { every = 10 })
                run:train{ to = 50 }
                local costs = run:costs()
                print(costs)
                assert(costs.training.count == 50 and costs.training.operations > 0)
                assert(#costs == 3 and costs.probes[3].name == "gradient_norm" and costs.probes[3].count == 6)
                assert(costs:of("hessian_trace").samples >= 1 and costs:of("training").count == 50)
                assert(costs.budget == 0.5 and costs.share > 0 and costs.share < 1 and costs.seconds > 0)
                local sum = costs.training.share
                for _, probe in ipairs(costs.probes) do sum = sum + probe.share end
                assert(math.abs(sum - 1) < 1e-12)
                assert(costs.training.operations + costs:of("loss").operations < costs.operations)
                """)
        let lines = laboratory.printed.joined(separator: "\n").split(separator: "\n")
        #expect(lines.count == 6)
        #expect(lines[0].contains("operations") && lines[1].hasPrefix("training") && lines[2].hasPrefix("loss"))
        #expect(Set(lines[0..<5].map(\.count)).count == 1)
    }

    @Test func sketchesOfTwoRunsAreCompared() throws {
        try run(
            """
            run:track("sketch", { every = 10, dim = 500 })
            twin:track("sketch", { every = { first = 10, growth = 1.5 }, dim = 500 })
            local at10
            run:at(10, function(r) at10 = r:distance(twin) end)
            twin:train{ to = 10 }
            run:train{ to = 40 }
            twin:train{ to = 40 }
            local s, t = run:series("sketch"), twin:series("sketch")
            assert(#s:array(1) == 500 and #s:array(2, "sketch") == 500 and s.arrays[2] == "sketch")
            assert(s:array(1, "recipe"):totable()[2] == 500)
            local d = s:distance(t)
            assert(table.concat(d.steps:totable(), " ") == "0 10")
            assert(d.values[1] == 0 and math.abs(d.values[2] - at10) < 0.3 * at10)
            local sum = 0
            for i = 1, 500 do sum = sum + s:array(1)[i] ^ 2 end
            assert(math.abs(math.sqrt(sum) - s.values[1]) < 1e-12)
            """)
    }

    @Test func distancesBetweenRuns() throws {
        try run(
            """
            assert(run:distance(twin) == 0)
            run:train{ to = 10 } twin:train{ to = 10 }
            assert(math.abs(run:distance(twin) - (run.params - twin.params):norm()) < 1e-14)
            assert(math.abs(run:distance(twin, { what = "sketch" }) / run:distance(twin) - 1) < 0.05)
            local a, b = run:evaluate().outputs, twin:evaluate().outputs
            local sum = 0
            for i = 1, 20 do sum = sum + (a:get(i, 1) - b:get(i, 1)) ^ 2 end
            assert(math.abs(run:distance(twin, { what = "outputs" }) - math.sqrt(sum / 20)) < 1e-12)
            """)
    }

    @Test func trajectoryProbesTakeTheirOptions() throws {
        try run(
            """
            local start = run.params
            run:train{ to = 5 }
            local middle = run.params
            run:track("param_distance", { at = {10}, from = middle })
            run:track("u_coordinate", { every = 5, u = middle - start, from = start })
            run:track({"gradient_cosine", "temperature"}, { every = 5 })
            run:train{ to = 10 }
            assert(run:series("param_distance"):last() == (run.params - middle):norm())
            local u = run:series("u_coordinate").values
            assert(math.abs(u[1] - (middle - start):norm()) < 1e-12)
            local cosine = run:series("gradient_cosine"):last()
            assert(cosine <= 1 and cosine >= -1)
            assert(run:series("temperature"):last() == 0.02 / 4)
            assert(run:measure("param_distance").value == (run.params - start):norm())
            """)
    }

    @Test(
        arguments: [
            ("run:distance()", ["'other'"]),
            ("run:distance(twin, { what = 'weights' })", ["'params' or 'outputs' or 'sketch'"]),
            (
                """
                local wide = eoss.nn.mlp{ inputs = 1, hidden = {9}, outputs = 1, dtype = "f64" }
                run:distance(like(run, { model = wide }))
                """,
                ["runs 'small' and 'twin' have different parameters", "layers.0.weight", "outputs may be compared"]
            ),
            (
                """
                local other = eoss.data.chebyshev{ degree = 3, n = 21 }
                run:distance(like(run, { data = other }), { what = "outputs" })
                """, ["different training samples", "20 of 1", "21 of 1"]
            ),
            ("run:distance(twin, { what = 'outputs', data = 'test' })", ["has no test samples"]),
            ("run:track('loss') run:series('loss'):array(1)", ["has 0 values"]),
            ("run:track('loss') run:train{ to = 1 } run:series('loss'):array(1)", ["name the list", "it has none"]),
            (
                "run:track('sketch') run:train{ to = 1 } run:series('sketch'):array(1, 'sketsh')",
                ["no lists 'sketsh'", "recipe, sketch"]
            ),
            ("run:track('sketch', { dim = 3 })", ["'dim'", "expected an integer >= 4"]),
            ("run:track('sketch', { projection = 'dense' })", ["'projection'", "'sparse' or 'gaussian'"]),
            ("run:track('param_distance', { from = 0 * run.params, k = 2 })", ["option 'k' belongs to"]),
            ("run:track('u_coordinate', { u = 0 * run.params })", ["it is no direction"]),
            ("print(run:costs():of('los'))", ["nothing called 'los' is tracked"]),
            ("print(run:costs().training.operation)", ["unknown name 'operation'", "did you mean 'operations'?"]),
        ])
    func whatCannotBeIsSaid(script: String, words: [String]) throws {
        let message = try #require(try Laboratory().failure(of: smallRun + twin + script))
        for word in words + ["test.lua:"] { #expect(message.contains(word), "\(message)") }
    }
}
