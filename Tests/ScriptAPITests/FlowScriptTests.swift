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
        // Exponential Euler: of a quadratic the flow itself with all eigenvectors taken apart, whatever the tick; of the first order elsewhere, and
        // nearer than Euler where the stiffest direction is taken apart.
        "exponential": """
        local run = make(linear, eoss.flow.gradient{ method = "exponential_euler", k = 2, dt = 0.35 })
        local start, pairs, g = run.params, run:hessian():top(2, { tolerance = 1e-12 }), run:gradient()
        run:train{ time = 0.7 }
        assert(run.step == 2 and math.abs(run.time - 0.7) < 1e-12)
        local moved = 0 * start
        for i = 1, 2 do
          local u, l = pairs.vectors[i], pairs.values[i]
          moved = moved - (1 - math.exp(-l * 0.7)) / l * u:dot(g) * u
        end
        assert(((run.params - start) - moved):norm() < 1e-8 * moved:norm())
        local function at(method, dt)
          local run = make(net, eoss.flow.gradient{ method = method, dt = dt, alpha = 1e9 })
          run:train{ time = 1 }
          return run.params
        end
        local exact = at("rk4", 1 / 256)
        local coarse, fine = (at("exponential_euler", 1 / 64) - exact):norm(), (at("exponential_euler", 1 / 128) - exact):norm()
        local order = math.log(coarse / fine) / math.log(2)
        assert(order > 0.8 and order < 1.3, order)
        """,
        // Central flows of RMSProp beside it, from one state: the mean of the real loss and of the squared gradient norm, by which the flow
        // predicts them, and the midpoints' distance from the flow, of the way that they went.
        "rmsprop": """
        for _, name in ipairs{ "rmsprop", "scalar_rmsprop" } do
          local lr = name == "rmsprop" and 0.01 or 0.1
          local real = make(net, eoss.optim[name]{ lr = lr, beta2 = 0.95, eps = 1e-4 }, name)
          real:train{ to = 200 }
          local start = real.params
          local central = real:fork{ name = "central", optimizer = eoss.flow.central{ of = real.optimizer } }
          real:track({ "loss", "gradient_norm" }, { every = 1 })
          for _, r in ipairs{ real, central } do r:track("effective_sharpness", { every = 20 }) end
          central:track({ "predicted_loss", "predicted_squared_gradient_norm" }, { every = 5 })
          local l = eoss.lockstep({ real = real, central = central }, { steps = 200, every = 50, distance = { "midpoints" } })
          local here = { from = 300 }
          local loss = central:series("predicted_loss", here):mean() / real:series("loss", here):mean()
          local squares, values = 0, real:series("gradient_norm", here).values
          for i = 1, #values do squares = squares + values[i] ^ 2 / #values end
          local norm = central:series("predicted_squared_gradient_norm", here):mean() / squares
          local function edge(r) return r:series("effective_sharpness", here):mean() / 2 end
          local off = l:series("midpoints", "real", "central"):last() / (central.params - start):norm()
          local line = string.format("%s: loss %.4f, squared gradient %.4f, effective sharpness of 2 %.3f %.3f, midpoints %.4f of the way",
            name, loss, norm, edge(real), edge(central), off)
          print(line)
          assert(math.abs(loss - 1) < 0.02 and math.abs(norm - 1) < 0.05, line)
          assert(math.abs(edge(central) - 1) < 0.02 and off < 0.1, line)
        end
        """,
        // Self-stabilisation predicts the deviation of descent from the constrained trajectory, through the fall of the sharpness. Descent in f64
        // comes to the edge with no oscillation at all, so it is pushed along u before, by the δ around which the theory has it go.
        "self-stabilisation": """
        local run = make(net, eoss.optim.sgd{ lr = 0.12 })
        local first = run:self_stabilization{ steps = 1 }
        run:train{ to = first.start - 5 }
        local delta = run:measure("self_stabilization").named.self_stabilization_delta
        run.params = run.params + delta * run:hessian():top(1, { tolerance = 1e-6 }).vectors[1]
        local before, step = run.params, run.step
        local f = run:self_stabilization{ steps = 100 }
        print(f, "x " .. f:error("x"), "y " .. f:error("y"), "loss " .. f:error("loss"), "sharpness " .. f:error("sharpness"), f.ended)
        assert(run.params == before and run.step == step and f.start > step and f.ended == "steps")
        local p, r = f:predicted("x"), f:real("x")
        assert(#p == 101 and #r == 101 and p.steps[1] == f.start and math.abs(p.values[1] / r.values[1] - 1) < 1e-9)
        assert(f:error("deviation") < 0.03 and f:error("x") < 0.02 and f:error("y") < 0.2 and f:error("loss") < 0.01 and f:error("sharpness") < 0.002)
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
            ("eoss.flow.gradient{ k = 2 }", "k is of method = 'exponential_euler'"),
            ("eoss.flow.gradient{ method = 'euler' }", "exponential_euler"),
            ("eoss.flow.central{ of = eoss.optim.rmsprop{ lr = 0.1, beta2 = 0 } }", "beta2 must be above 0"),
            (
                "run.batch_size = 'full'; run.optimizer = eoss.flow.gradient{ method = 'exponential_euler', k = 1000 }; run:train{ steps = 1 }",
                "k must be at most the"
            ),
            ("run:self_stabilization()", "set batch_size = 'full'"),
            ("run.batch_size = 'full'; run:self_stabilization{ within = 5 }", "has not come to 1"),
            ("run.batch_size = 'full'; run.lr = 1; run:self_stabilization()", "at or above the edge"),
            ("run.optimizer = eoss.optim.adam{ lr = 0.1 }; run:self_stabilization()", "not of adam"),
        ] {
            let failure = try Laboratory().failure(of: smallRun + source)
            #expect(failure?.contains(words) == true, "\(source): \(failure ?? "no error")")
        }
    }
}
