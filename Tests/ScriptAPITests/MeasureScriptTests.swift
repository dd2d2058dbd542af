import Foundation
import Testing

@testable import ScriptAPI

/// Blocks of probes, tables of layers, the Frobenius norm, sampled labels and slices, as scripts spell them.
@Suite struct MeasureScripts {
    private static let scripts = [
        // Blocks of probes are those of operators.
        """
        local weights = { "layers.*.weight" }
        near(run:measure("lambda_max", { block = weights, tolerance = 1e-9 }).value,
             run:hessian{ block = weights }:top(1, { tolerance = 1e-9 }).value, 1e-8)
        local m = run:measure("lambda_max", { block = "layers.1", tolerance = 1e-9 })
        near(m.value, run:hessian{ block = "layers.1" }:top(1, { tolerance = 1e-9 }).value, 1e-8)
        assert(#m.vectors[1] == 19 and m.vectors[1]["layers.0.weight"]:get(1, 1) == 0); near(m.vectors[1]:norm(), 1)
        near(run:measure("gradient_norm", { block = "-*.bias" }).value,
             run:hessian{ block = "-*.bias" }:project(g):norm())
        """,
        // A quantity twice, with names.
        """
        run:track("lambda_max", { every = 2, block = "layers.0", as = "lambda_max_first", k = 2 })
        run:track("lambda_max", { every = 2, block = {"-layers.0"}, as = "lambda_max_last" })
        run:track({ "lambda_max", "loss" }, { every = 2, as = { "top", "cost" } })
        run:train{ steps = 4 }
        local names = table.concat(run.tracked, " ")
        assert(names == "lambda_max_first lambda_max_first_2 lambda_max_last top cost", names)
        near(run:series("lambda_max_last").values[3], run:measure("lambda_max", { block = "-layers.0" }).value, 0.02)
        assert(run:series("lambda_max_last").values[3] <= run:series("top").values[3] * 1.01)
        """,
        // A table of layers.
        """
        local t = run:layers{ tolerance = 1e-8, samples = 30 }
        assert(#t == 4 and t.names[2] == "layers.0.bias")
        for i, name in ipairs(t.names) do
            local B = run:hessian{ block = name }
            near(t[i].trace, B:trace{ samples = 30 }.value); near(t[name].lambda_max, B:top(1, { tolerance = 1e-9 }).value, 1e-7)
            assert(t[i].count == #B and t[i].trace_stderr == 0 and t.lambda_maxs[i] == t[i].lambda_max)
            near(t[i].gradient_norm, B:project(g):norm()); near(t[i].weight_norm, B:project(run.params):norm())
        end
        near(t.trace, H:trace{ samples = 30 }.value)
        assert(t["layers.0.weight"].shape[1] == 6 and t["layers.0.weight"].shape[2] == 1)
        assert(tostring(t):find("lambda_max") and tostring(t):find("layers.1.bias"), tostring(t))
        assert(#run:layers{ by = "layer" } == 2 and #run:layers{ block = "-*.bias" } == 2)
        """,
        // The Frobenius norm, against the elements.
        """
        local sum = 0
        local A = H:dense()
        for i = 1, 19 do for j = 1, 19 do sum = sum + A:get(i, j)^2 end end
        local exact = H:frobenius()
        assert(exact.stderr == 0 and exact.name == "frobenius"); near(exact.value, math.sqrt(sum))
        local rough = H:frobenius{ samples = 10, seed = 3 }
        assert(rough.samples == 10 and rough.products == 10 and rough.stderr > 0)
        assert(math.abs(rough.value - exact.value) < 5 * rough.stderr)
        assert(H:frobenius{ samples = 10, seed = 3 }.value == rough.value)
        """,
        // Labels of the network's own.
        """
        local F = run:fisher{ sampled = true, seed = 4 }
        same(F, run:fisher{ sampled = true, seed = 4 })
        assert(F.kind == "sampled_fisher" and F.samples == 20)
        assert((F * g - run:fisher{ sampled = true, seed = 5 } * g):norm() > 1e-6)
        assert((F * g - run:fisher() * g):norm() > 1e-6)
        near(g:dot(F * (2 * g)), (2 * g):dot(F * g))
        local mean = 0
        for seed = 1, 400 do mean = mean + run:fisher{ sampled = true, seed = seed }:quadratic(g) / 400 end
        local truth = run:ggn():quadratic(g)
        assert(math.abs(mean / truth - 1) < 0.15, mean .. " " .. truth)
        assert(run:fisher{ sampled = true, batch = {3, 4}, block = "layers.1" }.samples == 2)
        """,
        // Lines.
        """
        local s = run:slice{ along = g, from = -0.1, to = 0.1, points = 11 }
        assert(s.kind == "line" and #s == 11 and s.x:get(6) == 0 and s.y == nil and s.explained == nil)
        near(s.losses:get(6), run.loss); near(s.losses:get(11), run:evaluate{ at = run.params + 0.1 * g }.loss)
        assert(s.units[1]:find("multiples"), s.units[1])
        local d = run:slice{ along = "gradient", points = 3, from = -0.02, to = 0 }
        near(d.losses:get(1), run:evaluate{ at = run.params - 0.02 * g }.loss)
        local t = run:slice{ along = "top_eigenvector", points = 5 }
        near(t.directions[1]:norm(), 1); assert(t.directions[1]:dot(g) >= 0)
        local fork = run:fork(); fork:train{ steps = 3 }
        local p = run:slice{ to_point = fork, points = 5 }
        near(p.losses:get(1), run.loss); near(p.losses:get(5), fork.loss)
        assert(p.x:get(1) == 0 and p.x:get(5) == 1)
        near(p:point(0.5)[3], (run.params[3] + fork.params[3]) / 2)
        assert(run:slice{ to_point = fork.params, from = -1, to = 2 }.x:get(51) == 2)
        assert(tostring(s):find("along a line: 11 from %-0.1 to 0.1"), tostring(s))
        local wide = run:slice{ along = 1e200 * g, points = 3 }
        assert(wide.not_finite == 2 and wide.losses:get(1) ~= wide.losses:get(2))
        """,
        // Planes.
        """
        local a, b = run.params + g, run.params + g:randn(3)
        local s = run:slice{ through = { a, b }, points = 5 }
        assert(s.kind == "plane" and #s == 25 and s.losses:shape()[1] == 5 and #s.path == 3)
        near(s:point(s.path:get(2, 1), s.path:get(2, 2))[5], a[5]); near(s.path:get(2, 1), g:norm())
        near(s.losses:get(2, 4), run:evaluate{ at = s:point(s.x:get(4), s.y:get(2)) }.loss)
        local two = run:slice{ along = { "gradient", "top_eigenvector" }, points = 3 }
        near(two.losses:get(3, 1), run:evaluate{ at = run.params - g + two.directions[2] }.loss)
        local start, kept = run.params, {}
        for i = 0, 4 do kept[#kept + 1] = start + i * g end
        local straight = run:slice{ trajectory = kept, points = 3 }
        near(straight.explained:get(1), 1); assert(straight.explained:get(2) == 0)
        assert(run:slice{ trajectory = kept, components = 1, points = 3 }.kind == "line")
        local way = {}
        for step, r in run:steps(6) do way[#way + 1] = r.params end
        local trained = run:slice{ trajectory = way, points = 4 }
        assert(#trained.path == 6 and trained.explained:get(1) > trained.explained:get(2))
        near(trained.path:get(6, 1), 0); near(trained.path:get(6, 2), 0)
        assert(trained.path_distances:get(1) >= 0)
        """,
        // From checkpoints, and drawn.
        """
        local net = eoss.nn.mlp{ inputs = 1, hidden = {6}, outputs = 1, activation = "tanh", init_scale = 1, seed = 1 }
        local kept = eoss.run{ name = "kept", model = net, data = eoss.data.chebyshev{ degree = 3, n = 20 }, loss = "mse",
                               optimizer = eoss.optim.sgd{ lr = 0.05 }, batch_size = 4,
                               checkpoint = { every = 10, keep = 20 } }
        kept:track("loss", { every = 10 })
        kept:train{ steps = 60 }
        local s = kept:slice{ trajectory = "checkpoints", points = 9 }
        -- The last point is here, whether or not it has a checkpoint by now.
        assert(#s.path == 6, #s.path)
        near(s.path:get(6, 1), 0); near(s.path:get(6, 2), 0)
        assert(s.explained:get(1) + s.explained:get(2) <= 1 + 1e-9)
        kept:plot_slice("plane.svg", { of = s, title = "a plane" })
        kept:plot_slice("line.svg", { along = "gradient", points = 9, log = true })
        kept:plot_slice("points.txt", { through = { kept.params * 2, kept:gradient() }, points = 5 })
        """,
    ]

    @Test(arguments: scripts.indices) func everySpellingWorks(_ number: Int) throws {
        let laboratory = try Laboratory()
        let failure = try laboratory.failure(of: operatorPrelude + Self.scripts[number])
        #expect(failure == nil, "\(failure ?? "")")
        guard number == Self.scripts.count - 1 else { return }
        let svg = try String(contentsOf: laboratory.output.appendingPathComponent("plane.svg"), encoding: .utf8)
        #expect(svg.contains("a plane") && svg.contains("component 1") && svg.contains("of the variance"))
    }

    private static let mistakes = [
        (
            "run:measure('lambda_max', { block = 'layer.1' })",
            "unknown block 'layer.1' of mlp 1-6-1: did you mean 'layers.1'?"
        ),
        ("run:measure('lambda_max', { block = {} })", "'block' is an empty list: name at least one parameter"),
        ("run:measure('gni', { block = 'layers.1' })", "option 'block' belongs to "),
        ("run:measure('lambda_max', { block = 3 })", "expected a string or a list of strings, got 3"),
        ("run:track('loss'); run:track('loss')", "a second series of it needs a name of its own"),
        ("run:track('loss', { as = { 'a', 'b' } })", "'as' has 2 names for 1 quantity: give one for each"),
        ("run:track('loss', { as = 'accuracy' })", "'accuracy' is what eoss calls a quantity of its own"),
        ("run:track('mine', { as = 'a', fn = function() return 1 end })", "leave out 'as'"),
        ("run:layers{ block = 'conv' }", "unknown block 'conv'"),
        ("run:layers{ by = 'layers' }", "did you mean 'layer'?"),
        ("H:frobenius{ samples = 0 }", "expected an integer > 0, got 0"),
        ("run:ggn{ sampled = true }", "unknown option 'sampled' for run:ggn"),
        ("run:fisher{ seed = 3 }", "'seed' belongs to 'samples', which it draws"),
        ("run:slice{}", "needs to know where: along = v"),
        (
            "run:slice{ along = g, to_point = g }",
            "'along' and 'to_point': give one of along, to_point, through and trajectory"
        ),
        ("run:slice{ along = short }", "'along': a vector of 2 numbers for run 'small', whose model has 19 parameters"),
        ("run:slice{ along = 0 * g }", "'along': the vector is 0, which is no direction"),
        ("run:slice{ along = 'gradiant' }", "'gradient' or 'top_eigenvector'"),
        ("run:slice{ along = g, from = 1, to = 0 }", "'from' must be below 'to'"),
        ("run:slice{ along = g, points = 1 }", "expected an integer from 2 to 10000, got 1"),
        ("run:slice{ along = g, margin = 1 }", "'margin' belongs to 'through' and 'trajectory'"),
        ("run:slice{ along = g, components = 1 }", "'components' belongs to 'trajectory'"),
        ("run:slice{ through = { g, 2 * g }, from = 0 }", "'from' belongs to 'along' and 'to_point'"),
        ("run:slice{ through = { run.params + g, run.params + 2 * g } }", "the three points lie on a line"),
        ("run:slice{ through = { g } }", "expected a list of 2"),
        ("run:slice{ trajectory = { g } }", "1 point of a trajectory"),
        ("run:slice{ trajectory = { g, g } }", "are all the same"),
        ("run:slice{ trajectory = 'checkpoints' }", "run 'small' has no checkpoint: a trajectory has two at least"),
        ("run:plot_slice('x.svg', { of = run:slice{ along = g, points = 2 }, points = 3 })", "leave out 'points'"),
        ("run:plot_slice('x.gif', { along = g })", "x.gif"),
    ]

    @Test(arguments: mistakes) func whatIsWrongIsNamed(_ script: String, _ message: String) throws {
        let source = operatorPrelude + "local short = vector{1, 2}\n" + script
        let failure = try #require(try Laboratory().failure(of: source))
        #expect(failure.contains(message), "\(failure)")
    }
}
