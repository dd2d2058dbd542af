import Dynamics
import Experiments
import Foundation
import Testing

@testable import ScriptAPI

/// Rules by other vectors than the gradient of the batch, each against its equation written out in Lua.
@Suite struct FieldScripts {
    /// A network in f64 over 20 samples, and `check(optimizer, next)`: 30 steps over all samples against a function of the
    /// parameters, the run and the number of the step.
    private static let bench = """
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {5}, outputs = data.outputs, activation = "tanh", seed = 1, dtype = "f64" }
        local O, F = eoss.optim, eoss.field
        local function make(optimizer, batch, loss)
          return eoss.run{ model = net, data = data, loss = loss or "mse", optimizer = optimizer, batch_size = batch or "full", seed = 1, checkpoint = false }
        end
        local function check(optimizer, next, tolerance)
          local run = make(optimizer)
          local theta = run.params
          for step = 1, 30 do
            theta = next(theta, run, step)
            run:train{ steps = 1 }
            local off = (run.params - theta):norm() / theta:norm()
            assert(off < (tolerance or 1e-12), ("%s: %g at step %d"):format(optimizer, off, step))
          end
        end
        local function halves(f)
          local first, second = {}, {}
          for i = 1, 10 do first[i], second[i] = i, 10 + i end
          return 0.5 * (f(first) + f(second))
        end

        """

    private static let equations = [
        "sam": """
        check(O.sam{ lr = 0.05, rho = 0.1 }, function(t, r)
          local g = r:gradient{ at = t }
          return t - 0.05 * r:gradient{ at = t + 0.1 / g:norm() * g }
        end)
        check(O.sam_unnormalised{ lr = 0.05, rho = 0.1, beta = 0.5 }, (function()
          local v
          return function(t, r)
            local g = r:gradient{ at = t + 0.1 * r:gradient{ at = t } }
            v = v and 0.5 * v + g or g
            return t - 0.05 * v
          end
        end)())
        """,
        "extrapolation": """
        check(O.extragradient{ lr = 0.05, gamma = 0.2 }, function(t, r)
          return t - 0.05 * r:gradient{ at = t - 0.2 * r:gradient{ at = t } }
        end)
        check(O.extrap{ lr = 0.05, gamma = 0.2, chunks = 2 }, function(t, r)
          return t - 0.05 * halves(function(b) return r:gradient{ batch = b, at = t - 0.2 * r:gradient{ batch = b, at = t } } end)
        end)
        check(O.extrap_previous{ lr = 0.05, gamma = 0.2, chunks = 2 }, (function()
          local last
          return function(t, r)
            local ahead = last and t - 0.2 * last or t
            last = halves(function(b) return r:gradient{ batch = b, at = ahead } end)
            return t - 0.05 * last
          end
        end)())
        """,
        "penalty": """
        check(O.gradient_penalty{ lr = 0.05, chunks = 2, penalty = 0.01, penalty_per_lr = 0.1 }, function(t, r)
          return t - 0.05 * halves(function(b)
            local g = r:gradient{ batch = b, at = t }
            return g + 2 * (0.01 + 0.1 * 0.05) * r:hvp(g, { batch = b, at = t })
          end)
        end)
        check(O.gradient_penalty{ lr = 0.05, penalty_per_lr = 0.25, difference = 0.01 }, function(t, r)
          local g = r:gradient{ at = t }
          local d = r:gradient{ at = t + 0.01 / g:norm() * g } - g
          return t - 0.05 * (g + 0.5 * 0.05 * g:norm() / 0.01 * d)
        end)
        """,
        "clipping": """
        check(O.sgd{ lr = 0.5, clip = 0.1 }, function(t, r)
          local g = r:gradient{ at = t }
          return t - 0.5 * math.min(1, 0.1 / (g:norm() + 1e-6)) * g
        end)
        """,
        "signs": """
        check(O.sign{ lr = 0.01 }, function(t, r) return t - 0.01 * eoss.sign(r:gradient{ at = t }) end)
        check(O.lion{ lr = 0.01, beta1 = 0.8, beta2 = 0.9, weight_decay = 0.1 }, (function()
          local m
          return function(t, r)
            local g = r:gradient{ at = t }
            m = m or 0 * g
            local new = (1 - 0.001) * t - 0.01 * eoss.sign(0.8 * m + (1 - 0.8) * g)
            m = 0.9 * m + (1 - 0.9) * g
            return new
          end
        end)())
        """,
        "extra adam": """
        check(O.extra_adam{ lr = 0.01 }, (function()
          local m, v, n
          local function adam(t, g)
            n = n + 1
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            return t - 0.01 * (m / (1 - 0.9 ^ n)) / (eoss.sqrt(v / (1 - 0.999 ^ n)) + 1e-8)
          end
          return function(t, r)
            local g = r:gradient{ at = t }
            if not n then m, v, n = 0 * g, 0 * g, 0 end
            local half = adam(t, g)
            return adam(t, r:gradient{ at = half })
          end
        end)(), 1e-10)
        """,
        "projections": """
        for _, name in ipairs{ "top_subspace", "bulk_subspace" } do
          local run = make(O[name]{ lr = 0.05, k = 2 })
          for step = 1, 10 do
            local t, g = run.params, run:gradient()
            local e = run:hessian():top(2, { tolerance = 1e-9 })
            local inside = e.vectors[1]:dot(g) * e.vectors[1] + e.vectors[2]:dot(g) * e.vectors[2]
            run:train{ steps = 1 }
            local moved = (t - run.params) / 0.05
            local off = (moved - (name == "top_subspace" and inside or g - inside)):norm() / g:norm()
            assert(off < 1e-2, name .. " " .. off)
          end
        end
        """,
        "custom": """
        local momentum = make(O.momentum{ lr = 0.05, beta = 0.8 }, 4)
        local custom = make(O.custom{ lr = 0.05,
          init = function(params) return { v = 0 * params } end,
          step = function(state, context)
            state.v = 0.8 * state.v + context:gradient()
            return context.params - context.lr * state.v
          end }, 4)
        momentum:train{ steps = 50 }; custom:train{ steps = 50 }
        assert((momentum.params - custom.params):norm() < 1e-13 and momentum.batch_loss == custom.batch_loss)
        -- Its state goes with forks.
        local fork = custom:fork()
        fork:train{ steps = 10 }; custom:train{ steps = 10 }; momentum:train{ steps = 10 }
        assert((fork.params - custom.params):norm() == 0 and (momentum.params - custom.params):norm() < 1e-13)
        """,
        "what a step sees": """
        -- Parts of the batch, samples beside it, weights, other targets and outputs: each against the same by other means.
        local seen
        local custom = make(O.custom{ lr = 0.05, step = function(state, context)
          local batch, n = context.batch, #context.batch
          local g, loss = context:gradient()
          local first, rest = {}, {}
          for i, s in ipairs(batch) do table.insert(i <= 1 and first or rest, s) end
          local parts = (1 * context:gradient{ samples = first } + (n - 1) * context:gradient{ samples = rest }) / n
          assert((parts - g):norm() < 1e-12 * g:norm())
          -- Weights 2 and 0 for two of the samples are one of them twice in place of the other.
          local weights, twice = {}, {}
          for i, s in ipairs(batch) do weights[i] = i == 1 and 2 or i == 2 and 0 or 1; twice[i] = i == 2 and batch[1] or s end
          assert((context:gradient{ weights = weights } - context:gradient{ samples = twice }):norm() < 1e-12 * g:norm())
          -- At targets that are the outputs the gradient is 0, and the loss, too.
          local outputs = context:outputs()
          local zero, none = context:gradient{ targets = outputs }
          assert(zero:norm() < 1e-14 and none == 0 and outputs:shape()[1] == n)
          -- A row beside the batch.
          local all = {}
          for i, s in ipairs(batch) do all[i] = s end
          all[n + 1] = 7
          local more = (n * g + context:gradient{ samples = { 7 } }) / (n + 1)
          assert((context:gradient{ samples = all } - more):norm() < 1e-12 * more:norm())
          local full = context:gradient{ data = "full" }
          local v = context:hvp(g, { samples = first })
          seen = { n = n, v = v:norm(), full = full:norm() }
          return context.params - context.lr * g
        end }, 4)
        local plain = make(O.sgd{ lr = 0.05 }, 4)
        custom:train{ steps = 3 }; plain:train{ steps = 3 }
        assert(seen.n == 4 and seen.v > 0 and seen.full > 0)
        assert((plain.params - custom.params):norm() < 1e-13 and math.abs(plain.batch_loss - custom.batch_loss) < 1e-15)
        -- Label noise, by hand: with targets moved the loss that is reported is that of the batch.
        local moved = make(O.custom{ lr = 0.05, step = function(state, context)
          return context.params - context.lr * context:gradient{ targets = context:outputs() + 1 }
        end }, 4)
        moved:train{ steps = 1 }
        assert(moved.batch_loss > 0)
        """,
        "nothing": """
        local plain = make(O.sgd{ lr = 0.05 }, 4)
        plain:train{ steps = 20 }
        for _, o in ipairs{ O.sam{ lr = 0.05, rho = 0 }, O.extrap{ lr = 0.05, gamma = 0 }, O.label_noise{ lr = 0.05 },
          O.gradient_penalty{ lr = 0.05, penalty_per_lr = 0 }, O.momentum{ lr = 0.05, beta = 0 }, O.nesterov{ lr = 0.05, beta = 0 } } do
          local run = make(o, 4)
          run:train{ steps = 20 }
          assert(run.params == plain.params, tostring(o))
        end
        """,
    ]

    @Test(arguments: equations.keys.sorted()) func equationsWrittenOut(_ name: String) throws {
        let failure = try Laboratory().failure(of: Self.bench + (Self.equations[name] ?? ""))
        #expect(failure == nil, "\(name): \(failure ?? "")")
    }

    /// λ at the edge of SAM is where the step of a quadratic along that eigenvector is its own mirror image: ηλ(1 + ρλ/‖g‖) = 2.
    @Test func edgesOfSAM() throws {
        for (rate, radius, norm) in [(0.1, 0.05, 0.3), (0.01, 0.5, 2), (2, 0.001, 1e-3), (0.05, 0, 1)] {
            for isNormalised in [true, false] {
                let field = SharpnessAware(radius: radius, isNormalised: isNormalised)
                let edge = try #require(field.edge(of: .lambdaMax, rate: rate, gradientNorm: norm)).lower
                let reach = radius * edge / (isNormalised ? norm : 1)
                #expect(abs(rate * edge * (1 + reach) - 2) < 1e-9)
            }
        }
        // By dynamics: a single neuron y = wx on one sample is a quadratic of curvature 2x² in w.
        let failure = try Laboratory().failure(
            of: """
                local data = eoss.data.arrays{ inputs = eoss.arrays.from{ { 2 } }, targets = eoss.arrays.from{ { 0 } } }
                local net = eoss.nn.sequential{ eoss.nn.linear(1, 1, { bias = false }), dtype = "f64" }
                for _, factor in ipairs{ 0.99, 1.01 } do
                  -- λ = 8: lr·λ(1 + ρλ) = 2.
                  local rho = 0.1
                  local lr = factor * 2 / (8 * (1 + rho * 8))
                  local run = eoss.run{ model = net, data = data, loss = "mse", optimizer = eoss.optim.sam_unnormalised{ lr = lr, rho = rho }, batch_size = "full" }
                  run:track("edge", { of = "lambda_max" })
                  local before = run.loss
                  run:train{ steps = 100 }
                  assert((run.loss < before) == (factor < 1))
                  assert((run:series("edge_lambda_max"):last() > 8) == (factor < 1))
                end
                """)
        #expect(failure == nil, "\(failure ?? "")")
    }

    /// The covariance of the noise, over 4,000 steps that hardly move, against (1/b)(1/n) Σ(gᵢ − g)(gᵢ − g)ᵀ and what is made of it.
    @Test func covariancesOfNoise() throws {
        let failure = try Laboratory().failure(
            of: """
                local data = eoss.data.chebyshev{ degree = 3, n = 12 }
                local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {2}, outputs = data.outputs, activation = "tanh", seed = 3, dtype = "f64" }
                local lr, b, n, N = 1e-7, 4, 12, 4000
                local start = eoss.run{ model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 1 }, batch_size = "full" }
                local g, p = start:gradient(), #start.params
                local C, trace = {}, 0
                for i = 1, p do C[i] = {} for j = 1, p do C[i][j] = 0 end end
                for s = 1, n do
                  local d = start:gradient{ batch = { s } } - g
                  for i = 1, p do for j = 1, p do C[i][j] = C[i][j] + d[i] * d[j] / n end end
                end
                for i = 1, p do trace = trace + C[i][i] end
                local function compare(name, optimizer, wanted)
                  local run = eoss.run{ model = net, data = data, loss = "mse", optimizer = optimizer, batch_size = "full", seed = 5, checkpoint = false }
                  local S, before = {}, run.params
                  for i = 1, p do S[i] = {} for j = 1, p do S[i][j] = 0 end end
                  for step = 1, N do
                    run:train{ steps = 1 }
                    local now = run.params
                    local e = (before - now) / lr - g
                    before = now
                    local t = e:totable()
                    for i = 1, p do for j = 1, p do S[i][j] = S[i][j] + t[i] * t[j] / N end end
                  end
                  local off, size = 0, 0
                  for i = 1, p do for j = 1, p do
                    off = off + (S[i][j] - wanted(i, j)) ^ 2
                    size = size + wanted(i, j) ^ 2
                  end end
                  assert((off / size) ^ 0.5 < 0.12, name .. ": off by " .. (off / size) ^ 0.5)
                end
                local O = eoss.optim
                compare("sgd", O.noisy_sgd{ lr = lr, noise_batch = b }, function(i, j) return C[i][j] / b end)
                compare("finite", O.noisy_sgd{ lr = lr, noise_batch = b, finite_population = true }, function(i, j) return C[i][j] / b * (n - b) / (n - 1) end)
                compare("diag", O.noisy_diag{ lr = lr, noise_batch = b }, function(i, j) return i == j and C[i][i] / b or 0 end)
                compare("iso", O.noisy_iso{ lr = lr, noise_batch = b }, function(i, j) return i == j and trace / (p * b) or 0 end)
                compare("const", O.noisy_const{ lr = lr, noise_batch = b, noise_scale = 0.3 }, function(i, j) return i == j and 0.09 / b or 0 end)
                compare("sde", O.sde{ lr = lr, h = lr / 2, noise_batch = b }, function(i, j) return C[i][j] / b end)
                """)
        #expect(failure == nil, "\(failure ?? "")")
    }

    /// Label noise: E‖θ' − (θ − η∇L)‖² over steps that hardly move, against η²σ²(2/n)²Σ‖∇f(xᵢ)‖², and flipped labels stay labels.
    @Test func labelNoise() throws {
        let failure = try Laboratory().failure(
            of: Self.bench + """
                local lr, N, sum, wanted = 1e-7, 3000, 0, 0
                local run = make(O.label_noise{ lr = lr, sigma = 0.5 })
                local before = run.params
                local g = run:gradient()
                -- mse: the gradient is linear in the targets, (2/n) Σ (f(x) − y)∇f(x); of one sample with its target moved by σ.
                local ntk, A = 0, run:ntk():dense()
                for i = 1, #before do ntk = ntk + A:get(i, i) end
                for step = 1, N do
                  run:train{ steps = 1 }
                  local now = run.params
                  sum = sum + (((before - now) / lr - g):norm()) ^ 2 / N
                  before = now
                end
                wanted = 0.25 * 4 / 20 * ntk
                assert(math.abs(sum / wanted - 1) < 0.1, sum .. " against " .. wanted)
                """)
        #expect(failure == nil, "\(failure ?? "")")
    }

    private static let mistakes = [
        ("eoss.optim.sgd{ lr = 0 }", "expected a number > 0"),
        ("eoss.optim.sgd{ lr = 0.1, field = 3 }", "expected a field"),
        ("eoss.optim.sde{ lr = 0.02, h = 0.03, noise_batch = 4 }", "h must be at most lr"),
        ("eoss.optim.sde{ lr = 0.02, h = 0.006, noise_batch = 4 }", "an integer part of lr"),
        ("eoss.optim.extrap{ lr = 0.1, gamma = 0.1, chunks = 1.5 }", "chunks must be an integer >= 1"),
        (
            "run.optimizer = eoss.optim.extrap{ lr = 0.1, gamma = 0.1, chunks = 3 }; run:train{ steps = 1 }",
            "cuts a batch into 3"
        ),
        (
            "run.optimizer = eoss.optim.noisy_sgd{ lr = 0.1, noise_batch = 4 }; run:train{ steps = 1 }",
            "set batch_size = 'full'"
        ),
        (
            "run.batch_size = 'full'; run.optimizer = eoss.optim.noisy_sgd{ lr = 0.1, noise_batch = 400 }; run:train{ steps = 1 }",
            "at most the 20 samples"
        ),
        ("run.optimizer.rho = 0.1", "sgd has no setting 'rho'"),
        ("eoss.optim.sgd{ lr = 0.1 }.lr = 0.2", "an optimizer is a value"),
        ("run.optimizer.lr = -1", "lr must be a positive number"),
        ("run.lr = eoss.schedule.constant(-1)", "gives -1.0 at step 0"),
        ("run.lr = function() end", "returned nil at step 0"),
        ("run.lr = function() return 0/0 end", "gives nan at step 0"),
        ("run.lr = { 1, 'x' }", "a table of steps"),
        ("run.batch_size = eoss.schedule.constant(100)", "a number from 1 to 20"),
        ("eoss.optim.custom{ lr = 0.1, step = 3 }", "expected a function"),
        (
            "run.optimizer = eoss.optim.custom{ lr = 0.1, step = function() return 3 end }; run:train{ steps = 1 }",
            "return the new parameters"
        ),
        (
            "run.optimizer = eoss.optim.custom{ lr = 0.1, step = function(s, x) run.lr = 1; return x.params end }; run:train{ steps = 1 }",
            "lr cannot be changed"
        ),
        (
            "local k; run.optimizer = eoss.optim.custom{ lr = 0.1, step = function(s, x) k = x; return x.params end }; run:train{ steps = 1 }; k:gradient()",
            "is over"
        ),
        (
            "run.optimizer = eoss.optim.custom{ lr = 0.1, step = function(s, x) s.a = {}; return x.params end }; run:train{ steps = 1 }",
            "state.a of custom is a table"
        ),
        (
            "run.optimizer = eoss.optim.custom{ lr = 0.1, step = function(s, x) x:gradient{ samples = { 0 } } end }; run:train{ steps = 1 }",
            "samples"
        ),
        (
            "run.optimizer = eoss.optim.custom{ lr = 0.1, step = function(s, x) x:gradient{ samples = { 1000 } } end }; run:train{ steps = 1 }",
            "there is no sample 1000"
        ),
        (
            "run.optimizer = eoss.optim.custom{ lr = 0.1, step = function(s, x) x:gradient{ weights = { 1, 2, 3 }, data = 'full' } end }; run:train{ steps = 1 }",
            "'weights' has 3 numbers for"
        ),
        (
            "run.optimizer = eoss.optim.custom{ lr = 0.1, step = function(s, x) x:gradient{ targets = eoss.arrays.from{ 1, 2 }, data = 'full' } end }; run:train{ steps = 1 }",
            "'targets' has 2 numbers"
        ),
        ("eoss.optim.custom{ name = 'adam', lr = 0.1, step = print }", "choose another name"),
        ("run:when(function() return 1 end, print); run:train{ steps = 1 }", "true or false is needed"),
        ("run:every(0, print)", "expected an integer > 0"),
    ]

    @Test func oneMessageForEachMistake() throws {
        for (source, words) in Self.mistakes {
            let failure = try Laboratory().failure(of: smallRun + source)
            #expect(failure?.contains(words) == true, "\(source): \(failure ?? "no error")")
        }
    }

    /// Schedules against their formulas, followed by a run, and recorded once.
    @Test func schedules() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                local S = eoss.schedule
                local function near(a, b) assert(math.abs(a - b) < 1e-12, a .. " is not " .. b) end
                near(S.constant(3)(1000), 3)
                near(S.step{ from = 1, factor = 0.5, every = 10 }(29), 0.25)
                near(S.linear{ from = 1, to = 2, steps = 4 }(1), 1.25); near(S.linear{ from = 1, to = 2, steps = 4 }(9), 2)
                near(S.cosine{ from = 1, steps = 100 }(25), (1 + math.cos(math.pi / 4)) / 2); near(S.cosine{ from = 1, to = 0.5, steps = 100 }(100), 0.5)
                near(S.warmup{ steps = 10, after = 2 }(5), 1); near(S.warmup{ steps = 10, after = S.linear{ from = 2, to = 0, steps = 10 } }(15), 1)
                near(S.piecewise({ [0] = 1, [10] = 2 })(9), 1); near(S.piecewise({ [0] = 1, [10] = 2 }, { linear = true })(5), 1.5)
                near(S.cyclic{ low = 1, high = 3, period = 10 }(12), 1.8); near(S.cyclic{ low = 1, high = 3, period = 10 }(5), 3)
                near(S.sequence{ S.constant(1), S.linear{ from = 0, to = 1, steps = 10 }, steps = { 5 } }(10), 0.5)

                run.lr = S.linear{ from = 0.02, to = 0.04, steps = 10 }
                run.optimizer = eoss.optim.momentum{ lr = S.linear{ from = 0.02, to = 0.04, steps = 10 }, beta = { [0] = 0.5, [4] = 0.6 } }
                run:track("edge", { of = "lambda_max" })
                run:train{ steps = 5 }
                near(run.lr, 0.03); near(run.optimizer.beta, 0.6); near(run.time, 0.02 + 0.022 + 0.024 + 0.026 + 0.028)
                near(run:series("edge_lambda_max"):last(), (2 + 2 * 0.6) / 0.03)
                run.lr = function(t, r) assert(r == run); return 0.01 * (1 + t) end
                run:train{ steps = 3 }
                near(run.lr, 0.04)
                run.lr = 0.01
                run:train{ steps = 3 }
                near(run.lr, 0.01)
                run.batch_size = S.step{ from = 2, factor = 2, every = 2 }
                run:train{ steps = 4 }
                assert(run.batch_size == 8)
                """)
        let events = try RunFileReader(laboratory.output.appendingPathComponent("small.eoss")).events().filter {
            $0.kind == "lr"
        }
        #expect(events.count == 2, "\(events)")
    }
}
