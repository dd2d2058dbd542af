import Testing

@testable import ScriptAPI

/// `eoss.flow`: flows against what they are the flows of.
@Suite struct FlowScripts {
    private static let bench = """
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {12}, outputs = data.outputs, activation = "tanh", seed = 2, dtype = "f64", init_scale = 1 }
        local linear = eoss.nn.sequential{ eoss.nn.linear(1, 1), dtype = "f64" }
        local function make(model, optimizer, name)
          return eoss.run{ name = name or "flow", model = model, data = data, loss = "mse", optimizer = optimizer, batch_size = "full", seed = 1, checkpoint = false }
        end

        """

    private static let uses = [
        // RK4 is of the fourth order: halving the tick divides the error by about 16.
        "order": """
        local function at(dt)
          local run = make(net, eoss.flow.gradient{ dt = dt, alpha = 1e9 })
          run:train{ time = 1 }
          assert(math.abs(run.time - 1) < 1e-12, run.time)
          return run.params
        end
        local exact = at(1 / 512)
        local coarse, fine = (at(1 / 8) - exact):norm(), (at(1 / 16) - exact):norm()
        local order = math.log(coarse / fine) / math.log(2)
        assert(order > 3.6 and order < 4.6, order)
        """,
        // The last tick ends where the time does, whatever is asked; of a quadratic the flow is an exponential.
        "closed form": """
        local run = make(linear, eoss.flow.gradient{ alpha = 0.1 })
        local start, H = run.params, run:hessian()
        local pairs = H:top(2, { tolerance = 1e-12 })
        local g = run:gradient()
        run:train{ time = 0.7 }
        local moved = 0 * start
        for i = 1, 2 do
          local u, l = pairs.vectors[i], pairs.values[i]
          moved = moved - (1 - math.exp(-l * 0.7)) / l * u:dot(g) * u
        end
        assert(((run.params - start) - moved):norm() < 1e-6 * moved:norm() and math.abs(run.time - 0.7) < 1e-12)
        """,
        "edge": """
        -- At the edge: gradient descent's lambda_max and the central flow's are held at 2/lr; the stable flow's is not.
        local lr = 0.1
        local runs = {}
        for name, rule in pairs{ gd = eoss.optim.sgd{ lr = lr }, central = eoss.flow.central{ of = eoss.optim.sgd{ lr = lr } }, stable = eoss.flow.stable{ of = eoss.optim.sgd{ lr = lr } } } do
          local run = make(net, rule, name)
          run:track({ "lambda_max", "loss", "predicted_loss" }, { every = 5 })
          run:train{ to = 1500 }
          runs[name] = run
        end
        local function level(name, what) return runs[name]:series(what, { from = 1000 }):mean() end
        assert(math.abs(level("gd", "lambda_max") * lr / 2 - 1) < 0.05, "gd " .. level("gd", "lambda_max") * lr / 2)
        assert(math.abs(level("central", "lambda_max") * lr / 2 - 1) < 0.05, "central " .. level("central", "lambda_max") * lr / 2)
        assert(level("stable", "lambda_max") * lr / 2 > 1.1, "stable " .. level("stable", "lambda_max") * lr / 2)
        local ratio = level("central", "predicted_loss") / level("gd", "loss")
        assert(ratio > 0.9 and ratio < 1.1, "predicted loss " .. ratio)
        """,
        "rest": """
        local run = make(net, eoss.optim.sgd{ lr = 0.05 })
        local m = run:measure("flow_sharpness", { stop_loss = 0.3 })
        assert(m.value > 0 and m.named.flow_time > 0 and run.step == 0)
        local never = run:measure("flow_sharpness", { stop_loss = 1e-12, max_ticks = 3 })
        assert(never.value ~= never.value)
        """,
    ]

    @Test(arguments: uses.keys.sorted()) func everyUse(_ name: String) throws {
        let failure = try Laboratory().failure(of: Self.bench + (Self.uses[name] ?? ""))
        #expect(failure == nil, "\(name): \(failure ?? "")")
    }

    @Test func mistakes() throws {
        for (source, words) in [
            ("eoss.flow.central{ of = eoss.optim.adam{ lr = 0.1 } }", "the flow of adam is not known here"),
            ("run.optimizer = eoss.flow.gradient{}; run:train{ steps = 1 }", "set batch_size = 'full'"),
            ("eoss.flow.gradient{ dt = 0 }", "expected a number > 0"),
        ] {
            let failure = try Laboratory().failure(of: smallRun + source)
            #expect(failure?.contains(words) == true, "\(source): \(failure ?? "no error")")
        }
    }
}
