import Testing

@testable import ScriptAPI

/// Measurements, lists and vectors as numbers in scripts.
@Suite struct NumberScriptTests {
    private static let scripts = [
        // A measurement is its value in arithmetic, comparisons and formats, and keeps its error bar.
        """
        local m = run:hessian():trace{ samples = 10 }
        local x = m.value
        assert(m / 2 == x / 2 and 2 / m == 2 / x and m + 1 == x + 1 and 1 - m == 1 - x and -m == -x)
        assert(m * m == x * x and m - m == 0 and m ^ 2 == x * x and 2 ^ m == 2 ^ x and m % 3 == x % 3 and -7.5 % m == -7.5 % x)
        assert(m // 3 == x // 3 and m < x + 1 and x - 1 < m and m <= x and x >= m and not (m < m) and m == m)
        assert(m ~= x) -- Lua asks no object whether it equals a number
        assert(string.format("%g", m) == string.format("%g", x) and ("%.2f"):format(m) == ("%.2f"):format(x))
        assert(string.format("%s", m) == tostring(m) and tostring(m):find("±", 1, true) and m.stderr > 0)
        assert(tonumber(m) == x and math.max(m, 0) == x and math.floor(m) == math.floor(x) and math.abs(-m) == math.abs(x))
        assert(eoss.sqrt(m) == math.sqrt(x) and eoss.mean{ m, m } == x and eoss.maximum(m, 0) == x)
        run.lr = 0.02 / m * x; assert(math.abs(run.lr - 0.02) < 1e-15)
        local g = run:gradient()
        assert(g * m == g * x and m * g == g * x and g / m == g / x)
        local H = run:hessian()
        assert((((m * H) * g) - (x * H) * g):norm() == 0 and ((H / m) * g - (H / x) * g):norm() == 0)
        """,
        "local n = run:hessian():norm(); assert(n < 1e6 and 0 < n and (n - run:measure('lambda_max')) * 0 == 0)",
        "local l = run:measure('lambda_max', { k = 3 }); assert(l * 1 == l.values[1]); run:track('loss', { at = { 1 } })",
        // Lists of numbers: element by element, with numbers, tables and lists of equal length.
        """
        local a = eoss.arrays.from{ 1, 4, 9 }
        local function same(x, t) assert(#x == #t); for i, n in ipairs(t) do assert(x[i] == n, x[i]) end end
        same(a + 1, { 2, 5, 10 }); same(1 + a, { 2, 5, 10 }); same(a - a, { 0, 0, 0 }); same(10 - a, { 9, 6, 1 })
        same(a * a, { 1, 16, 81 }); same(a / 2, { 0.5, 2, 4.5 }); same(36 / a, { 36, 9, 4 }); same(-a, { -1, -4, -9 })
        same(a ^ 2, { 1, 16, 81 }); same(a ^ 0.5, { 1, 2, 3 }); same(2 ^ a, { 2, 16, 512 }); same(a ^ { 0, 1, 2 }, { 1, 4, 81 })
        same(a + { 1, 2, 3 }, { 2, 6, 12 }); same({ 1, 2, 3 } * a, { 1, 8, 27 }); assert(-a == a * -1 and a ~= a + 1)
        local pairs_seen = {}; for i, x in pairs(a) do pairs_seen[i] = x end; same(pairs_seen, { 1, 4, 9 })
        local m = eoss.arrays.from{ { 1, 2 }, { 3, 4 } }
        assert((m * m):get(2, 2) == 16 and (m + 1):shape()[1] == 2 and eoss.sum(m) == 10)
        same(eoss.sum(m, 1), { 4, 6 }); same(eoss.max(m, { 2 }), { 2, 4 }); same(eoss.median(m, 2), { 1.5, 3.5 })
        same(eoss.norm(eoss.arrays.from{ { 3, 4 }, { 0, 0 } }, 2), { 5, 0 })
        """,
        // Of integers sums, differences and products are integers, as in Lua, also beyond 2^53.
        """
        run:track("loss", { every = 2 }); run:train{ to = 6 }
        local s = run:series("loss")
        local t = 10 * s.steps + 1
        assert(t[2] == 21 and math.type(t[2]) == "integer" and t.dtype == "i64" and math.type((-t)[1]) == "integer")
        assert(math.type((s.steps / 2)[2]) == "float" and (s.steps / 2)[2] == 1)
        assert(((s.steps * 0 + (2 ^ 53 | 0)) + 1).dtype == "i64")
        assert(math.abs(eoss.mean(s.values) - s:mean()) < 1e-15 and eoss.median(s.values) == s:median())
        local ratio = s.values / s.values[1]
        assert(ratio[1] == 1 and #ratio == 4 and eoss.max(eoss.abs(ratio * s.values[1] - s.values)) < 1e-12)
        """,
        // The functions of tensors on numbers: numbers of numbers, lists of lists, vectors of vectors.
        // A mean is a product with a rounded 1/n, a softmax e^(x − log Σ) with x near 25: some units in the last place.
        """
        assert(eoss.sqrt(16) == 4 and eoss.abs(-3) == 3 and eoss.sign(-0.5) == -1 and eoss.exp(1) == math.exp(1))
        assert(eoss.log(10) == math.log(10) and eoss.relu(-2) == 0 and eoss.clamp(7, 0, 5) == 5 and eoss.square(3) == 9)
        assert(eoss.maximum(2, 3) == 3 and eoss.gt(2, 1) == true and eoss.lt(2, 1) == false)
        assert(eoss.where(eoss.gt(2, 1), 5, 6) == 5 and eoss.where(false, 5, 6) == 6)
        local t = { 4, -9, 25 }
        assert(eoss.sum(t) == 20 and math.abs(eoss.mean(t) - 20 / 3) < 2e-15 and eoss.min(t) == -9 and eoss.max(t) == 25 and eoss.prod(t) == -900)
        assert(eoss.median(t) == 4 and eoss.median{ 1, 2, 3, 10 } == 2.5 and eoss.var{ 1, 3 } == 1 and math.abs(eoss.std{ 1, 3 } - 1) < 1e-15)
        assert(eoss.norm{ 3, 4 } == 5 and eoss.dot({ 1, 2 }, { 3, 4 }) == 11 and eoss.sqrt(eoss.abs(t))[2] == 3)
        local mask = eoss.gt(t, 0)
        assert(mask.dtype == "bool" and mask[1] == 1 and mask[2] == 0 and eoss.sum(mask) == 2)
        local w = eoss.where(mask, t, 0)
        assert(w[1] == 4 and w[2] == 0 and w[3] == 25 and math.abs(eoss.sum(eoss.softmax(t)) - 1) < 1e-14)
        assert(eoss.sum(eoss.vector{ 1, 2 }) == 3 and eoss.mean(5) == 5 and eoss.norm(-5) == 5)
        """,
        // nan goes through every one of them; of no numbers the sum is 0, the product 1 and a mean nan.
        """
        local nan = 0 / 0
        for _, name in ipairs{ "sum", "mean", "min", "max", "median", "std", "var", "norm", "prod", "logsumexp" } do
          for _, t in ipairs{ { nan, 1, 2 }, { 1, nan, 2 }, { 1, 2, nan } } do
            local x = eoss[name](t); assert(x ~= x, name .. tostring(x))
          end
        end
        for _, name in ipairs{ "sqrt", "abs", "sign", "exp", "log" } do local x = eoss[name](nan); assert(x ~= x, name) end
        run:track("loss"); run:train{ to = 1 }
        local none = run:series("loss", { from = 9 }).values
        assert(#none == 0 and eoss.sum(none) == 0 and eoss.prod{} == 1 and eoss.norm{} == 0 and #(none + 1) == 0 and #eoss.abs(none) == 0)
        for _, name in ipairs{ "mean", "min", "max", "median", "std", "var" } do
          local x = eoss[name](none); assert(x ~= x, name)
        end
        assert(math.abs(eoss.norm{ 3e200, 4e200 } / 5e200 - 1) < 1e-15 and math.abs(eoss.norm{ 3e-200, 4e-200 } / 5e-200 - 1) < 1e-15)
        assert(eoss.norm{ 1 / 0, 1 } == 1 / 0)
        local array = eoss.arrays.from{ { 1, 2 }, { 3, 4 } }
        assert(eoss.arrays.from(array):get(2, 1) == 3 and eoss.arrays.from(run.params)[3] == run.params[3])
        assert(eoss.arrays.from(eoss.vector({ 1, 2 }, { dtype = "f32" })).dtype == "f32")
        assert(eoss.logsumexp{ -1 / 0, -1 / 0 } == -1 / 0 and eoss.logsumexp{ 1 / 0, 1 } == 1 / 0 and eoss.logsumexp{} == -1 / 0)
        assert(eoss.gt(none, 0).dtype == "bool" and #eoss.where(eoss.gt(none, 0), none, none) == 0)
        """,
        // Vectors element by element; their parts by the parameters' names; made of tables, arrays and names.
        """
        local v = run.params
        assert(v * v == v ^ 2 and (v + 1)[3] == v[3] + 1 and (1 - v)[3] == 1 - v[3] and (v / v)[2] == 1 and (1 / v)[2] == 1 / v[2])
        assert(eoss.abs(v)[1] == math.abs(v[1]) and #eoss.sign(v) == 19 and eoss.sign(v).dtype == "f64")
        assert(math.abs(eoss.norm(v) - v:norm()) < 1e-14 and math.abs(eoss.sum(v * v) - v:dot(v)) < 1e-13 * v:dot(v))
        local w = eoss.vector{ 1, 2, 3 }
        assert(#w == 3 and w.dtype == "f64" and (w * { 1, 2, 3 })[3] == 9 and (w + eoss.arrays.from{ 1, 1, 1 })[1] == 2)
        assert(eoss.vector({ 1, 2 }, { dtype = "f32" }).dtype == "f32" and eoss.vector(w) == w)
        assert((eoss.vector({ 1, 2 }, { dtype = "f32" }) * 0.5).dtype == "f32" and (eoss.vector({ 1, 2 }, { dtype = "f32" }) * { 1, 2 }).dtype == "f32")
        assert(tostring(w * w):find("vector of 3") and tostring(eoss.arrays.from{ 1 } + 1):find("array 1"))
        local layer = v["layers.0.weight"]
        assert(layer:shape()[1] == 6 and layer:shape()[2] == 1 and layer:get(2, 1) == v[2] and v:part("layers.1.bias")[1] == v[19])
        assert(run:gradient()["layers.0.bias"][1] == run:gradient()[7] and (2 * v)["layers.0.weight"]:get(1, 1) == 2 * v[1])
        assert(eoss.relu(v)["layers.1.bias"] and (v * v)["layers.1.bias"] and (run:hessian() * v)["layers.1.bias"])
        assert(run:hessian():top(1).vectors[1]["layers.0.bias"][1] and net.params["layers.0.bias"])
        local parts = {}; for name in pairs(net.shapes) do parts[name] = v[name] end
        assert(net:vector(parts) == v and net:vector(v) == v and net:vector(v:totable()) == v and net:vector(0):norm() == 0)
        parts["layers.1.weight"] = 0
        assert(eoss.norm(net:vector(parts)["layers.1.weight"]) == 0 and net:vector(parts)["layers.0.bias"] == parts["layers.0.bias"])
        run.params = net:vector(parts); assert(run.params[13] == 0)
        """,
        // What an object shows as a list is copied once.
        """
        local e = run:evaluate()
        assert(rawequal(e.outputs, e.outputs) and rawequal(e.losses, e.losses))
        local top = run:hessian():top(2); assert(rawequal(top.values, top.values) and rawequal(top.residuals, top.residuals))
        local m = run:measure("lambda_max"); assert(rawequal(m.values, m.values) and rawequal(m.residuals, m.residuals))
        local d = run:hessian():density{ vectors = 2, steps = 4 }; assert(rawequal(d.nodes, d.nodes) and rawequal(d.weights, d.weights))
        """,
        // Gradient clipping by norm and by value, and sign descent, as loops over run:gradient() and run.params, against their
        // formulas number by number; exact, since both round the same operations.
        """
        local lr = 0.1
        for _ = 1, 3 do
          local p, g = run.params:totable(), run:gradient():totable()
          run.params = run.params - lr * eoss.sign(run:gradient())
          for i = 1, #p do assert(run.params[i] == p[i] - lr * (g[i] > 0 and 1 or g[i] < 0 and -1 or 0)) end
        end
        for _ = 1, 3 do
          local p, g = run.params:totable(), run:gradient():totable()
          run.params = run.params - lr * eoss.clamp(run:gradient(), -0.01, 0.01)
          for i = 1, #p do assert(run.params[i] == p[i] - lr * math.max(-0.01, math.min(0.01, g[i]))) end
        end
        for _ = 1, 3 do
          local p, g = run.params:totable(), run:gradient():totable()
          local square = 0; for i = 1, #g do square = square + g[i] * g[i] end
          local clipped = run:gradient()
          clipped = clipped * math.min(1, 0.5 / eoss.norm(clipped))
          run.params = run.params - lr * clipped
          for i = 1, #p do
            local expected = p[i] - lr * g[i] * math.min(1, 0.5 / math.sqrt(square))
            assert(math.abs(run.params[i] - expected) < 1e-14)
          end
        end
        """,
        // Clipping of each parameter by its own norm, written with parts.
        """
        local g, parts = run:gradient(), {}
        for name in pairs(net.shapes) do parts[name] = g[name] * math.min(1, 0.1 / eoss.norm(g[name])) end
        local clipped = net:vector(parts)
        for name in pairs(net.shapes) do assert(eoss.norm(clipped[name]) <= 0.1 * (1 + 1e-15)) end
        assert(math.abs(clipped:dot(g) / g:norm()) > 0)
        """,
    ]

    @Test(arguments: scripts)
    func numbersInScripts(_ script: String) throws {
        let failure = try Laboratory().failure(of: smallRun + script)
        #expect(failure == nil)
    }

    /// Lists and vectors in a network written in Lua are constants of it.
    @Test func numbersInATracedFunctionAreConstants() throws {
        let failure = try Laboratory().failure(
            of: """
                local w, v = eoss.arrays.from{ 1, 2, 3 }, eoss.vector{ 3, 2, 1 }
                local net = eoss.nn.module{ inputs = 3, dtype = "f64", params = { a = { shape = 3, init = 2 } },
                  forward = function(x, p)
                    return eoss.reshape(eoss.sum(w * p.a * x + { 1, 1, 1 }) + eoss.dot(v, x) + eoss.max(w), 1)
                  end }
                local data = eoss.data.arrays{ inputs = { { 1, 10, 100 } }, targets = { 0 } }
                local run = eoss.run{ model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 1 } }
                assert(run:evaluate().outputs:get(1, 1) == 642 + 3 + 123 + 3)
                """)
        #expect(failure == nil)
    }

    @Test(arguments: [
        (
            "eoss.arrays.from{ 1, 2 } + eoss.arrays.from{ 1, 2, 3 }",
            "'+': an array of 2 numbers and an array of 3 numbers do not combine: they need equal lengths"
        ),
        (
            "eoss.arrays.from{ 1, 2 } * { 1 }",
            "'*': an array of 2 numbers and a list of 1 numbers do not combine: they need equal lengths"
        ),
        (
            "run.params * eoss.vector{ 1, 2 }",
            "'*': a vector of 19 numbers and a vector of 2 numbers do not combine: they need equal lengths"
        ),
        ("run.params + eoss.vector{ 1, 2 }", "vectors of 19 and 2 numbers do not combine"),
        (
            "eoss.maximum({ 1, 2 }, { 1, 2, 3 })",
            "eoss.maximum: a list of 2 numbers and a list of 3 numbers do not combine: they need equal lengths"
        ),
        (
            "eoss.mean('x')",
            "argument 1 'x' of eoss.mean: expected a tensor or a number or an array or a vector or a list of numbers, got 'x' (a string)"
        ),
        ("eoss.sum{ 1, 'a' }", "argument 1 'x' of eoss.sum: element 2: expected a number, got 'a' (a string)"),
        ("eoss.sum({ 1, 2 }, 2)", "sum over axis 2 of a tensor of shape [2]"),
        (
            "eoss.where({ 1, 0 }, 1, 2)",
            "argument 1 'condition' of eoss.where: expected a tensor or an array or true or false, got a table"
        ),
        (
            "eoss.where(eoss.arrays.from{ 1 }, 1, 2)",
            "eoss.where: the condition is no comparison: write eoss.gt(x, 0), say"
        ),
        (
            "run.params['layers.0.weigth']",
            "unknown property 'layers.0.weigth' of vector: did you mean 'layers.0.weight'?"
        ),
        (
            "run.params:part('layers.0.weigth')",
            "vector:part: there is no parameter 'layers.0.weigth': did you mean 'layers.0.weight'?"
        ),
        (
            "eoss.vector{ 1 }:part('w')",
            "vector:part: this vector belongs to no model: net:vector(v) makes it one of net's parameters"
        ),
        (
            "net:vector{ ['layers.0.weight'] = 1 }",
            "is not of this model: it lacks 'layers.0.bias', 'layers.1.weight', 'layers.1.bias'"
        ),
        ("net:vector{ 1, 2 }", "model:vector: 2 numbers for 19 parameters"),
        (
            "eoss.vector('x')",
            "argument 1 'numbers' of eoss.vector: expected an array or a vector or a list of numbers, got 'x' (a string)"
        ),
        ("run.params * run", "'*' cannot be applied to a vector and a run"),
        (
            "run:measure('loss') + 'x'",
            "'+' cannot be applied to a measurement and 'x' (a string) (it takes: number + number)"
        ),
        (
            "run:measure('loss') < run.params",
            "'<' cannot be applied to a measurement and a vector (it takes: number < number)"
        ),
        ("math.sqrt(run)", "bad argument #1 to 'sqrt' (number expected, got run)"),
        (
            "string.format('%d', run:measure('lambda_max'))",
            "bad argument #2 to 'format' (number has no integer representation)"
        ),
    ])
    func whatDoesNotFitIsSaid(_ expression: String, _ message: String) throws {
        let failure = try Laboratory().failure(of: smallRun + "local x = \(expression)")
        #expect(failure?.contains(message) == true, "\(failure ?? "no error")")
    }
}
