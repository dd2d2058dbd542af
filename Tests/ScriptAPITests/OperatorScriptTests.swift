import Foundation
import Testing

@testable import ScriptAPI

/// What tests of operators begin with: `run`, and the elements of a matrix as Lua sees them.
let operatorPrelude =
    smallRun + """
        local function near(a, b, tolerance, what)
            assert(math.abs(a - b) <= (tolerance or 1e-9) * math.max(1, math.abs(b)), (what or "") .. ": " .. a .. " and " .. b)
        end
        local function same(A, B, tolerance)   -- two operators, by their elements
            local a, b = A:dense(), B:dense()
            assert(#a == #b)
            for i = 1, #a do for j = 1, #a do near(a:get(i, j), b:get(i, j), tolerance or 1e-9, i .. "," .. j) end end
        end
        local function vector(numbers) return eoss.arrays.from(numbers):tovector() end
        local g = run:gradient()
        local H = run:hessian()

        """

/// Operators as scripts compose them, in f64 on a network of 19 parameters, against their dense matrices.
@Suite struct OperatorScriptTests {
    private static let scripts = [
        """
        assert(H.kind == "hessian" and H.dimension == 19 and #H == 19 and H.dtype == "f64" and H.samples == 20)
        assert(H.products == 0 and #H.parameters == 4 and H.parameters[1] == "layers.0.weight")
        assert(tostring(H) == "hessian of dimension 19 (f64), 20 samples, 0 products", tostring(H))
        local _ = H * g
        assert(H.products == 1 and (2 * H).products == 0)
        """,
        // Products, blocks, quadratic forms and elements agree.
        """
        local A = H:dense()
        local e1, e2 = H * { g, 2 * g }, H:quadratic{ g, 2 * g }
        assert(#e1 == 2 and (e1[2] - 2 * (H * g)):norm() < 1e-10 and #e2 == 2)
        near(e2[2], 4 * H:quadratic(g)); near(H:quadratic(g), g:dot(H * g))
        assert(A:shape()[1] == 19 and A:shape()[2] == 19)
        local Hg = H * g
        for i = 1, 19 do
            local sum = 0
            for j = 1, 19 do sum = sum + A:get(i, j) * g[j]; near(A:get(i, j), A:get(j, i)) end
            near(Hg[i], sum)
        end
        """,
        // Arithmetic.
        """
        local B = run:hessian{ batch = {1, 2, 3} }
        local a, b = H:dense(), B:dense()
        local S = (2 * H + B / 4 - (-H) * 0.5 - B):shift(3):dense()
        for i = 1, 19 do for j = 1, 19 do
            near(S:get(i, j), 2.5 * a:get(i, j) - 0.75 * b:get(i, j) + (i == j and 3 or 0))
        end end
        assert((H + B).kind == "sum" and (2 * H).kind == "multiple" and H:shift(1).kind == "shift")
        assert(tostring(H + 2 * B):find("^hessian %+ 2 %* hessian of dimension 19"), tostring(H + 2 * B))
        near((H - B):quadratic(g), H:quadratic(g) - B:quadratic(g))
        """,
        // The mean over batches, given or composed.
        """
        local batches = { {1, 2, 3}, {4, 5, 6}, {20, 3} }
        local M = eoss.average{ run:hessian{ batch = batches[1] }, run:hessian{ batch = batches[2] },
                                run:hessian{ batch = batches[3] } }
        same(M, run:hessian{ batches = batches }, 1e-12)
        local sum
        for _, batch in ipairs(batches) do
            local part = run:hessian{ batch = batch } / 3
            sum = sum and sum + part or part
        end
        same(M, sum); assert(M.kind == "average")
        """,
        // Samples drawn once, by the seed.
        """
        local A = run:hessian{ samples = 7 }
        assert(A.samples == 7); same(A, run:hessian{ samples = 7 }); same(A, run:hessian{ samples = 7, seed = 1 })
        assert((A * g - run:hessian{ samples = 7, seed = 2 } * g):norm() > 1e-6)
        same(run:hessian{ samples = 20 }, H)
        near(run:measure("lambda_max", { samples = 7, tolerance = 1e-9 }).value, A:top(1, { tolerance = 1e-9 }).values[1], 1e-7)
        """,
        // The curvature matrices, against gradients of single samples and outputs: mse of one output, so the loss of sample i
        // is r² with r = f − y, its gradient 2rJ, and Gauss-Newton is the mean of 2JJᵀ.
        """
        local F, G, N = run:fisher():dense(), run:ggn():dense(), run:ntk():dense()
        local e = run:evaluate()
        local expected, kernel = {}, {}
        for s = 1, 20 do
            local gs = run:gradient{ batch = { s } }
            local r = math.sqrt(e.losses[s])
            for i = 1, 19 do for j = 1, 19 do
                local n = i * 100 + j
                expected[n] = (expected[n] or 0) + gs[i] * gs[j] / 20
                kernel[n] = (kernel[n] or 0) + gs[i] * gs[j] / (4 * r * r) / 20
            end end
        end
        for i = 1, 19 do for j = 1, 19 do
            local n = i * 100 + j
            near(F:get(i, j), expected[n]); near(N:get(i, j), kernel[n]); near(G:get(i, j), 2 * kernel[n])
        end end
        assert(tostring(run:ntk{ batch = {1, 2} }) == "ntk of dimension 19 (f64), 2 samples, 0 products")
        assert(run:ggn().kind == "ggn" and run:fisher{ block = "layers.0", samples = 4 }.dimension == 12)
        local B = run:ggn{ batches = { {1, 2}, {3, 4} } }
        assert(B.kind == "average" and tostring(B):find("^average%(2 ggns%)"), tostring(B))
        """,
        // A value: the point stays when the run goes on.
        """
        local before = H * g
        local v = run.params
        run:train{ steps = 5 }
        assert(H * g == before and run:hessian() * g ~= before)
        assert((run:hessian{ at = v } * g - before):norm() < 1e-12)
        """,
        // Blocks.
        """
        local R = run:hessian{ block = "layers.1" }
        assert(R.dimension == 7 and R.parameters[1] == "layers.1.weight" and R.kind == "restriction")
        same(R, H:restrict("layers.1")); same(R, H:restrict{ "layers.1.weight", "layers.1.bias" })
        local a, b = H:dense(), R:dense()
        for i = 1, 7 do for j = 1, 7 do near(b:get(i, j), a:get(12 + i, 12 + j)) end end
        local w = R:project(g)
        assert(#w == 7 and w[1] == g[13] and w[7] == g[19])
        local l = R:lift(w)
        assert(#l == 19 and l[12] == 0 and l[13] == g[13] and R:project(l) == w)
        assert(R * g == R * w)                                       -- a full vector is restricted first
        assert((R * w - R:project(H * l)):norm() < 1e-12)
        near(R:quadratic(g), l:dot(H * l))
        assert(tostring(R):find("hessian%[layers.1%] of dimension 7 %(f64%) on 'layers.1' of mlp"), tostring(R))
        local two = H:restrict{ "layers.1.bias", "layers.0.bias" }   -- in the model's order
        assert(two.dimension == 7 and two.parameters[1] == "layers.0.bias" and two:project(g)[7] == g[19])
        local inner = R:restrict("layers.1.bias")
        assert(inner.dimension == 1); near((inner * vector{ 1 })[1], a:get(19, 19)); assert(inner:lift(vector{ 1 })[19] == 1)
        same(R + R, 2 * R)
        """,
        // Products and squares; the trace of a square is the sum of squares.
        """
        local B = run:ggn()
        local a, b, P, S = H:dense(), B:dense(), (H * B):dense(), H:square():dense()
        local sum = 0
        for i = 1, 19 do for j = 1, 19 do
            local ab, ba, aa = 0, 0, 0
            for l = 1, 19 do
                ab = ab + a:get(i, l) * b:get(l, j); ba = ba + b:get(i, l) * a:get(l, j); aa = aa + a:get(i, l) * a:get(l, j)
            end
            near(P:get(i, j), (ab + ba) / 2); near(S:get(i, j), aa); sum = sum + a:get(i, j) ^ 2
        end end
        same(H:product(B), B * H); same(H * H, H:square())
        near(H:square():trace{ samples = 100 }.value, sum)
        near(H:square():quadratic(g), (H * g):norm() ^ 2)
        """,
        // Traces: exact where every row is asked, else within five standard errors, by every method.
        """
        local a, exact = H:dense(), 0
        for i = 1, 19 do exact = exact + a:get(i, i) end
        local t = H:trace{ samples = 19 }
        near(t.value, exact); assert(t.stderr == 0 and t.interval.lo == t.value and t.interval.hi == t.value)
        for _, method in ipairs{ "hutchinson", "hutch++", "xtrace" } do
            local t = H:trace{ method = method, samples = 12 }
            assert(t.products <= 12 and t.stderr > 0 and math.abs(t.value - exact) < 5 * t.stderr + 1e-6, method .. " " .. tostring(t))
            assert(t.interval.lo < t.value and t.interval.hi > t.value)
            assert(t.seconds >= 0 and t.name == "trace")
        end
        local loose = H:trace{ rel_error = 0.5, min_samples = 4 }
        assert(loose.samples <= 256 and H:trace{ max_samples = 8, rel_error = 0 }.samples == 8)
        """,
        // Diagonals.
        """
        local a = H:dense()
        local d, x = H:diagonal{ exact = true }, H:diagonal{ samples = 12 }
        for i = 1, 19 do
            near(d[i], a:get(i, i)); near(d.values[i], a:get(i, i))
            assert(d.stderrs[i] == 0 and x.stderrs[i] >= 0 and math.abs(x[i] - a:get(i, i)) <= 6 * x.stderrs[i] + 1e-9)
        end
        assert(#d == 19 and d[20] == nil and x.samples == 12 and x.products == 12 and tostring(d):find("19 entries"))
        """,
        // Both ends of the spectrum, what lies above a threshold, and the norm.
        """
        local all = H:top(19, { tolerance = 1e-10 })
        local b = H:bottom(3, { tolerance = 1e-10 })
        for i = 1, 3 do near(b.values[i], all.values[20 - i], 1e-7) end
        assert((H * b.vectors[1] - b.values[1] * b.vectors[1]):norm() <= 1e-6 and #b == 3)
        local threshold = (all.values[2] + all.values[3]) / 2
        local a = H:above(threshold, { tolerance = 1e-10 })
        assert(#a == 2 and a.complete and a.converged); near(a.values[2], all.values[2], 1e-7)
        local none = H:above(1e6)
        assert(#none == 0 and none.value == nil and none.residual == nil and tostring(none):find("no eigenvalues"))
        local one = H:above(threshold, { at_most = 1 })
        assert(#one == 1 and not one.complete)
        local n, m = H:norm{ tolerance = 1e-10 }, (-H):norm{ tolerance = 1e-10 }
        near(n.value, math.max(all.values[1], -all.values[19]), 1e-7); near(m.value, n.value, 1e-7)
        assert(n.residual < 1e-3 and n.products > 0 and #n.vectors == 1)
        assert(all.value == all.values[1] and all.residual == all.residuals[1] and all.miss_probability <= 1)
        for _, solver in ipairs{ "lanczos", "lobpcg" } do
            local e = H:top(2, { solver = solver, tolerance = 1e-6, seed = 3 })
            assert(e.solver == solver or e.solver == "lanczos"); near(e.values[2], all.values[2], 1e-5)
        end
        local warm = H:top(2, { start = { all.vectors[1], all.vectors[2] } })
        assert(warm.vectors[1]:dot(all.vectors[1]) > 0.9)                  -- the sign is kept
        local R = run:hessian{ block = "layers.1" }
        assert(#R:top(1, { start = { g } }).vectors[1] == 7)
        """,
        // What an adaptive rule divides its step by: RMSProp's P is √ν + ε.
        """
        run.optimizer = eoss.optim.rmsprop{ lr = 0.01, beta2 = 0.5, eps = 0.1 }
        local first = run:preconditioner{ gradient = g }.diagonal
        for i = 1, 19 do near(first[i], math.sqrt(0.5 * g[i] ^ 2) + 0.1) end
        run.batch_size = "full"; run:train{ steps = 1 }
        local P = run:preconditioner()
        assert(P.rule == "rmsprop" and #P == 19 and (P.diagonal - first):norm() < 1e-12, tostring(P))
        assert(tostring(P):find("preconditioner of rmsprop: 19 numbers from 0%.1"), tostring(P))
        local A = P:precondition(H)
        local a, b = A:dense(), H:dense()
        for i = 1, 19 do for j = 1, 19 do near(a:get(i, j), b:get(i, j) / math.sqrt(first[i] * first[j])) end end
        assert(A.kind == "preconditioned" and A.samples == 20)
        local e = A:top(1, { tolerance = 1e-9 })
        local u = P:power(-0.5, e.vectors[1])
        assert((H * u - e.value * P:power(1, u)):norm() < 1e-4)              -- Hu = λPu
        same(P:precondition(H:restrict("layers.1")), A:restrict("layers.1"))
        run:plot_spectrum("p.svg", { preconditioned = true })
        """,
        // Linear systems.
        """
        local G = run:ggn()
        local s = G:solve(g, { damping = 0.1, tolerance = 1e-10 })
        assert(s.converged and s.residual <= 1e-10 and s.products > 0 and s.seconds >= 0 and not s.stagnated)
        assert((G * s.x + 0.1 * s.x - g):norm() <= 1e-9 * g:norm())
        local again = G:solve(g, { damping = 0.1, tolerance = 1e-6, start = s.x })
        assert(again.products <= 2 and not G:solve(g, { damping = 1e-3, max_products = 3 }).converged)
        local R = run:ggn{ block = "layers.1" }
        assert(#R:solve(g, { damping = 1 }).x == 7)
        assert(tostring(s):find("relative residual"))
        """,
        // Densities: of 19 eigenvalues exactly, of more by sampling; moments and integral against traces.
        """
        local d = H:density{}
        assert(d.exact and #d.nodes == 19 and d.dimension == 19 and d.vectors == 1 and d.products == 19)
        local e = H:top(19, { tolerance = 1e-10 })
        for i = 1, 19 do near(d.nodes[20 - i], e.values[i], 1e-7) end
        near(d.support[1], e.values[19], 1e-7); near(d.support[2], e.values[1], 1e-7)
        near(19 * d:moment(1).value, H:trace{ samples = 19 }.value)
        near(19 * d:moment(2).value, H:square():trace{ samples = 19 }.value)
        local places, n = {}, 4000
        local lo, hi = d.support[1] - 8 * d.width, d.support[2] + 8 * d.width
        for i = 0, n do places[i + 1] = lo + (hi - lo) * i / n end
        local values, errors = d:at(places)
        local sum = 0
        for i = 1, n + 1 do sum = sum + values[i] * (hi - lo) / n end
        near(sum, 1, 1e-6); assert(errors[7] == 0)
        local y, stderr = d:at(e.values[1], { width = 1e-3 })
        near(y, 1 / (19 * 1e-3 * math.sqrt(2 * math.pi)), 1e-3); assert(stderr == 0)
        """,
        """
        local wide = eoss.nn.mlp{ inputs = 1, hidden = {100}, outputs = 1, activation = "tanh", init_scale = 1, dtype = "f64" }
        local wider = eoss.run{ name = "wider", model = wide, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.02 } }
        local G = wider:ggn()
        local d = G:density{ vectors = 6, steps = 30, seed = 4 }
        assert(not d.exact and d.vectors == 6 and d.dimension == 301 and d.products <= 180)
        local sum = 0
        for _, w in ipairs(d.weights) do sum = sum + w end
        near(sum, 1)
        local m, exact = d:moment(1), G:trace{ samples = 301 }.value / 301
        assert(m.stderr > 0 and math.abs(m.value - exact) < 6 * m.stderr, tostring(m) .. " " .. exact)
        assert(tostring(d):find("density of ggn from") and d:at(0) > 0)
        """,
        // Outliers of a density: the Gauss-Newton matrix of 20 samples has 20 eigenvalues, few of them large.
        """
        local wide = eoss.nn.mlp{ inputs = 1, hidden = {100}, outputs = 1, activation = "tanh", init_scale = 0.1, dtype = "f64" }
        local wider = eoss.run{ name = "wider", model = wide, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.02 } }
        local B = wider:ggn()
        local d = B:density{ vectors = 5, steps = 40 }
        local top = B:top(1, { tolerance = 1e-8 }).value
        assert(#d.outliers >= 1, tostring(d))
        near(d.outliers[1].value, top, 1e-2)
        assert(d.outliers[1].residual < 0.1 and d.outliers[1].multiplicity > 0 and d.outliers[1].stderr > 0)
        d:plot("outliers.txt")
        """,
        // What measuring gives beside the value: names, lists, intervals, vectors.
        """
        local m = run:measure("lambda_max", { k = 2 })
        assert(m.named.lambda_max == m.value and m.named.lambda_max_2 == m.values[2] and #m.vectors == 2)
        assert(m.interval == nil and not pcall(function() return m.named.lambda end))
        local d = run:measure("spectral_density")
        near(#d.arrays.nodes, 19); near(d.value, H:top(1, { tolerance = 1e-9 }).value, 1e-6)
        local b = run:measure("batch_sharpness", { max_samples = 40, rel_error = 0 })
        assert(b.interval.lo < b.value and b.value < b.interval.hi and b.interval.hi - b.interval.lo > 3 * b.stderr)
        assert(b.operations == nil or b.operations > 0)
        """,
        // f32: the same matrix to f32's precision, and f64 vectors are taken.
        """
        local single = eoss.nn.mlp{ inputs = 1, hidden = {6}, outputs = 1, activation = "tanh", init_scale = 1, seed = 1, dtype = "f32" }
        local run32 = eoss.run{ name = "single", model = single, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.02 } }
        local F = run32:hessian{ at = run.params }
        assert(F.dtype == "f32"); same(F, H, 2e-5)
        local e = F:top(2, { tolerance = 1e-5 })
        near(e.values[1], H:top(1, { tolerance = 1e-9 }).values[1], 1e-4)
        assert(#F:restrict(e.vectors):dense() == 2 and F:solve(g, { damping = 30 }).converged)
        assert(not pcall(function() return F + H end))                       -- f32 and f64 do not mix silently
        """,
        // Batch norm: the batch's statistics, or the running ones of the operator's moment.
        """
        local bn = eoss.nn.sequential{ eoss.nn.linear(1, 4), eoss.nn.batchnorm(4), eoss.nn.activation("tanh"), eoss.nn.linear(4, 1), dtype = "f64" }
        local r = eoss.run{ name = "bn", model = bn, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.01 }, batch_size = 5 }
        r:train{ steps = 3 }
        local v = r.params
        local A, B = r:hessian{ at = v, statistics = "running" }, r:hessian{ at = v }
        local Av, Bv = A * v, B * v
        assert((Av - Bv):norm() > 1e-6)
        r:train{ steps = 3 }
        assert(A * v == Av and B * v == Bv)
        assert(r:hessian{ at = v, statistics = "running" } * v ~= Av)
        """,
        // Operators and what they give are freed with the last reference to them.
        """
        local weak = setmetatable({}, { __mode = "v" })
        do
            local A = run:hessian()
            local S = (2 * A + A:shift(1)):restrict("layers.1")
            weak[1], weak[2], weak[3] = A, S, A:top(1)
            weak[4] = A:density()
            local _ = S * g
        end
        collectgarbage(); collectgarbage()
        assert(weak[1] == nil and weak[2] == nil and weak[3] == nil and weak[4] == nil)
        """,
        // Subspaces and their complements.
        """
        local u, v = g:randn(1), g:randn(2)
        local S = H:restrict{ u, v }
        assert(S.dimension == 2 and S.parameters == nil)
        local q1 = u / u:norm()
        near(S:dense():get(1, 1), H:quadratic(q1))
        local x = vector{ 0.5, -2 }
        near(S:quadratic(x), H:quadratic(S:lift(x))); assert((S:project(S:lift(x)) - x):norm() < 1e-12)
        local e = H:top(2, { tolerance = 1e-10 })
        local D = H:restrict(e.vectors):dense()
        near(D:get(1, 1), e.values[1], 1e-6); near(D:get(1, 2), 0, 1e-6)
        local C = H:project_out(e.vectors)
        assert((C * e.vectors[1]):norm() < 1e-9)
        near(C:top(1, { tolerance = 1e-10 }).values[1], H:top(3, { tolerance = 1e-10 }).values[3], 1e-6)
        same(C, H:project_out{ e.vectors[1] + e.vectors[2], e.vectors[2] }, 1e-8)
        """,
    ]

    @Test(arguments: scripts)
    func anOperatorDoesWhatItsSpellingSays(_ script: String) throws {
        let failure = try Laboratory().failure(of: operatorPrelude + script)
        #expect(failure == nil)
    }
}
