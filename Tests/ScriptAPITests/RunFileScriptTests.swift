import Experiments
import Foundation
import Testing

@testable import ScriptAPI

/// `eoss.open`, `run:rewind`, orders of samples, and measures of noise and of steps, from scripts.
@Suite struct RunFilesInScripts {
    private static let uses = [
        "open": """
        run:track("lambda_max", { every = 5 })
        run:track("sketch", { every = 5, dim = 16 })
        run:at(7, function(r) r.lr = 0.01 end)
        run.state.note = { "kept", 3 }
        run:train{ to = 10 }
        run:checkpoint()
        run:alert(function(r) return r.step > 11 end, "late")
        run:train{ to = 15 }
        local path = "small.eoss"
        local file = eoss.open(path)
        assert(file.name == "small" and file.status == "running" and file.step == 15 and file.alert == "late")
        assert(file:series("lambda_max").values[2] == run:series("lambda_max").values[2])
        assert(#file:series("lambda_max", { from = 5, to = 10 }) == 2 and file:first("lambda_max", ">", 0) == 0)
        assert(file.events[1].kind == "start" and file.script:find("run:checkpoint", 1, true) and file.checkpoints[1] == 10)
        local at = file:at(10)
        assert(at.step == 10 and at.state.note[1] == "kept" and at.arrays["layers.0.weight"]:shape()[2] == 1)
        local kinds = {}
        for _, event in ipairs(file.events) do kinds[event.kind] = (kinds[event.kind] or 0) + 1 end
        assert(kinds.lr == 1 and kinds.alert == 1 and kinds.data == 1)
        assert(tostring(file) == "run file 'small': running at step 15", tostring(file))
        """,
        "rewind": """
        local fired = {}
        run:track("loss", { every = 1 })
        run:at(3, function() fired[#fired + 1] = 3 end)
        run:at(8, function(r) fired[#fired + 1] = 8; r.lr = r.lr / 2 end)
        run:train{ to = 5 }
        run.state.n = 5
        run:checkpoint()
        run:train{ to = 12 }
        local there, random = run.params, math.random()
        run.state.n = 12
        run:rewind(5)
        assert(run.step == 5 and run.lr == 0.02 and run.state.n == 5 and #run:series("loss") == 6)
        run:train{ to = 12 }
        assert(run.params == there and math.random() == random and table.concat(fired, " ") == "3 8 8")
        assert(#eoss.open("small.eoss"):series("loss") == 13)
        """,
        "orders": """
        local function first(options, steps)
          options.model, options.data, options.loss, options.optimizer = net, data, "mse", eoss.optim.sgd{ lr = 0.02 }
          options.checkpoint, options.seed = false, 1
          local r = eoss.run(options)
          r:train{ steps = steps or 5 }
          return r
        end
        local whole = first{ batch_size = 20 }
        assert((first{ sampling = { { 1, 2, 3 }, { 4 } } }.params - first{ sampling = { { 3, 2, 1 }, { 4 } } }.params):norm() < 1e-12)
        local e = first({ sampling = { { 1, 2, 3 }, { 4 } } }, 4)
        assert(e.epoch == 2, e.epoch)
        local kept = first({ batch_size = 8, keep_last = true }, 3)
        assert(kept.epoch == 1 and first({ batch_size = 8 }, 3).epoch == 1.4)
        assert(first{ batch_size = 4, sampling = "replacement" }.params ~= first{ batch_size = 4 }.params)
        local s = first({ batch_size = 20, sampling = "sequential" }, 5)
        assert((s.params - whole.params):norm() < 1e-9)
        """,
        "averages": """
        local ema, swa = run:average{ decay = 0.9 }, run:average{ every = 2 }
        local a, sum, start = run.params, 0 * run.params, run.params
        for step, r in run:steps(9) do
          a = 0.9 * a + 0.1 * r.params
          if step % 2 == 0 then sum = sum + r.params end
        end
        assert((ema.params - a):norm() < 1e-13 and (swa.params - sum / 4):norm() < 1e-13 and ema.count == 9 and swa.count == 4)
        assert(math.abs(ema.loss - run:evaluate{ at = a }.loss) < 1e-12)
        assert(math.abs(ema:measure("lambda_max").value - run:hessian{ at = a }:top(1).values[1]) < 0.02 * ema:measure("lambda_max").value)
        local fork = run:fork()
        fork:train{ steps = 3 }
        assert(ema.count == 9 and run.step == 9)
        """,
        "midpoints": """
        local m, points = run:midpoint(), { run.params }
        local function near(v) assert((m.params - v):norm() < 1e-13 * v:norm()) end
        near(points[1])
        for step, r in run:steps(5) do
          points[step + 1] = r.params
          local a, b, c = points[step - 1], points[step], points[step + 1]
          near(a and (a + 2 * b + c) / 4 or (b + c) / 2)
        end
        assert(math.abs(m.loss - run:evaluate{ at = m.params }.loss) < 1e-12 and tostring(m):find("around step 4"))
        -- An oscillation of period two is gone from it; two runs that oscillate around one another have no distance.
        local a, b = run:fork{ name = "a" }, run:fork{ name = "b", lr = 0.5 * run.lr }
        local seen = { a = { a.params }, b = { b.params } }
        local l = eoss.lockstep({ a = a, b = b }, { steps = 4, every = 2, distance = { "params", "midpoints" },
          each = function() seen.a[#seen.a + 1] = a.params; seen.b[#seen.b + 1] = b.params end })
        local s = l:series("midpoints", "a", "b")
        assert(table.concat(s.steps:totable(), " ") == "6 8")
        for i, place in ipairs{ 2, 4 } do
          local function mid(t) return (t[place - 1] + 2 * t[place] + t[place + 1]) / 4 end
          assert(math.abs(s.values[i] - (mid(seen.a) - mid(seen.b)):norm()) < 1e-13)
        end
        """,
        "eigenvalues": """
        run.lr = 0.3
        run:track("eigenvalues", { every = 5, above = 0.1 })
        run:train{ steps = 10 }
        local found = run:measure("eigenvalues", { above = 0.1 })
        local all = run:hessian():top(10, { tolerance = 1e-6 })
        local count = 0
        for _, l in ipairs(all.values) do if l > 0.1 * 2 / run.lr then count = count + 1 end end
        assert(found.value == count and count > 1, found.value .. " " .. count)
        for i = 1, count do assert(math.abs(found.arrays.values:get(i) / all.values[i] - 1) < 0.02) end
        """,
        "check": """
        local lines = run:check()
        assert(#lines == 4)
        for _, line in ipairs(lines) do assert(line.holds, line.name .. ": " .. line.error .. " above " .. line.bound) end
        -- A loss whose gradient is not what differences say: a step that derivatives do not see.
        local odd = eoss.run{ model = net, data = data, optimizer = eoss.optim.sgd{ lr = 0.1 }, batch_size = "full", checkpoint = false,
          loss = function(output, target) return eoss.sum((output - target) ^ 2) + 0 * eoss.sum(output) end }
        assert(odd:check()[1].holds)
        """,
        "patterns": """
        local H = run:hessian()
        local p = #run.params
        local weights, biases = H:restrict{ "*.weight" }, H:restrict{ "*.bias" }
        local rest = H:restrict{ "-*.bias" }
        local first = run:hessian{ block = { "layers.*", "-layers.1.*" } }
        assert(#weights + #biases == p and #rest == #weights and #first < p)
        """,
        "measures": """
        run:train{ steps = 3 }
        -- tr C/|g|^2, sample by sample.
        local g, total = run:gradient(), 0
        for i = 1, 20 do total = total + (run:gradient{ batch = { i } } - g):norm() ^ 2 / 20 end
        local scale = run:measure("gradient_noise_scale").value
        assert(math.abs(scale / (total / g:norm() ^ 2) - 1) < 1e-9)
        -- Over every batch that there is of one sample.
        local H, over, under = run:hessian(), 0, 0
        local batches = {}
        for i = 1, 20 do
          local b = run:gradient{ batch = { i } }
          batches[i] = { i }
          over, under = over + b:dot(H * b), under + b:norm() ^ 2
        end
        local sharpness = run:measure("interaction_sharpness", { batches = batches }).value
        assert(math.abs(sharpness / (over / under) - 1) < 1e-9, sharpness .. " " .. over / under)
        -- Of a quadratic the critical sharpness along the gradient is its curvature there, to 1/16.
        local linear = eoss.nn.sequential{ eoss.nn.linear(1, 1), dtype = "f64" }
        for _, lr in ipairs{ 1e-4, 0.1, 30 } do
          local q = eoss.run{ model = linear, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = lr }, batch_size = "full", checkpoint = false }
          local d = q:gradient()
          local curvature = d:dot(q:hessian() * d) / d:norm() ^ 2
          local m = q:measure("critical_sharpness", { direction = "gradient" })
          assert(math.abs(m.value / curvature - 1) < 1 / 16, m.value .. " " .. curvature)
          assert(math.abs(m.named.critical_sharpness_relative - m.value * lr / 2) < 1e-12)
        end
        run:track("critical_sharpness", { every = 2 })
        run:train{ steps = 6 }
        assert(run:series("critical_sharpness"):last() > 0)
        """,
    ]

    @Test(arguments: uses.keys.sorted()) func everyUse(_ name: String) throws {
        let failure = try Laboratory().failure(of: smallRun + (Self.uses[name] ?? ""))
        #expect(failure == nil, "\(name): \(failure ?? "")")
    }

    private static let mistakes = [
        ("eoss.open('none.eoss')", "no such file: 'none.eoss'"),
        ("eoss.open('../x.eoss')", "x.eoss"),
        ("run:train{ steps = 1 }; run:rewind(5)", "has no checkpoint of step 5 (it has none)"),
        (
            "run:checkpoint(); run:train{ steps = 1 }; eoss.open('small.eoss'):at(3)",
            "no checkpoint of step 3 (it has those of 0)"
        ),
        ("run:checkpoint(); eoss.open('small.eoss'):series('x')", "'x'"),
        (
            "run:track('a', { every = 1, fn = function(r) r:checkpoint() return 1 end }); run:train{ steps = 1 }",
            "a checkpoint cannot be made"
        ),
        (
            "eoss.run{ model = net, data = data, loss = 'mse', optimizer = eoss.optim.sgd{ lr = 1 }, sampling = { { 21 } } }",
            "there is no sample 21"
        ),
        (
            "eoss.run{ model = net, data = data, loss = 'mse', optimizer = eoss.optim.sgd{ lr = 1 }, sampling = 'random' }",
            "sampling"
        ),
        (
            "eoss.run{ model = net, data = data, loss = 'mse', optimizer = eoss.optim.sgd{ lr = 1 }, checkpoint = { evry = 3 } }",
            "did you mean 'every'?"
        ),
    ]

    @Test func oneMessageForEachMistake() throws {
        for (source, words) in Self.mistakes {
            let failure = try Laboratory().failure(of: smallRun + source)
            #expect(failure?.contains(words) == true, "\(source): \(failure ?? "no error")")
        }
    }
}
