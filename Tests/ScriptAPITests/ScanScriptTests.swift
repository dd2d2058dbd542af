import Testing

@testable import ScriptAPI

/// `eoss.scan` in networks written in Lua, against the same recurrence written out as a Lua loop over the places.
@Suite struct ScanScriptTests {
    /// Sequences of 5 places of 2 numbers, and what compares two networks of the same parameters: outputs, gradient,
    /// Hessian-vector product and third derivative, all in f64, where the two differ by the order of sums only.
    private static let comparison = """
        local normal = eoss.init.normal{ std = 0.7 }
        local params = { w = { shape = {3, 2}, init = normal }, r = { shape = {3, 3}, init = normal },
                         b = { shape = {3}, init = normal }, out = { shape = {2, 3}, init = normal } }
        local data = eoss.data.teacher_student{ n = 6, inputs = 10, outputs = 2, seed = 4 }
        local function network(forward)
          return eoss.nn.module{ inputs = 10, dtype = "f64", seed = 2, params = params,
                                 forward = function(x, p) return forward(eoss.reshape(x, {5, 2}), p) end }
        end
        local function same(forward, reference)
          local runs = {}
          for i, f in ipairs{ forward, reference } do
            runs[i] = eoss.run{ name = "r" .. i, model = network(f), data = data, loss = "half_mse",
                                optimizer = eoss.optim.sgd{ lr = 0.05 }, batch_size = 3, seed = 1 }
          end
          local a, b = runs[1], runs[2]
          local u, v = a.params:randn(1), a.params:randn(2)
          local function close(x, y, what)
            assert(x:norm() > 1e-3 and (x - y):norm() <= 1e-12 * x:norm(), what .. " differs by " .. (x - y):norm() / x:norm())
          end
          local outputs = { a:evaluate().outputs, b:evaluate().outputs }
          for i = 1, 6 do for j = 1, 2 do
            assert(math.abs(outputs[1]:get(i, j) - outputs[2]:get(i, j)) < 1e-13, "outputs differ")
          end end
          close(a:gradient(), b:gradient(), "the gradient")
          close(a:hvp(u), b:hvp(u), "the Hessian-vector product")
          close(a:D(u, v), b:D(u, v), "the third derivative")
          a:train{ to = 4 }; b:train{ to = 4 }
          close(a.params, b.params, "the point after training")
        end

        """

    private static let cases: [(String, String, String)] = [
        (
            "a state, weights from around",
            """
            local hs = eoss.scan(x, p.b:zeros(), function(h, x) return eoss.tanh(eoss.dot(p.w, x) + eoss.dot(p.r, h) + p.b) end)
            assert(hs:shape()[1] == 5 and hs:shape()[2] == 3 and #hs == 5)
            return eoss.dot(p.out, hs[#hs])
            """,
            """
            local h = p.b:zeros()
            for t = 1, 5 do h = eoss.tanh(eoss.dot(p.w, eoss.at(x, t)) + eoss.dot(p.r, h) + p.b) end
            return eoss.dot(p.out, h)
            """
        ),
        (
            "in reverse, all states used",
            """
            local hs = eoss.scan(x, p.b, function(h, x) return eoss.sigmoid(eoss.dot(p.w, x) * h) end, { reverse = true })
            return eoss.dot(p.out, eoss.mean(hs, 1) + hs[1])
            """,
            """
            local h, sum = p.b, 0
            for t = 5, 1, -1 do h = eoss.sigmoid(eoss.dot(p.w, x[t]) * h); sum = sum + h end
            return eoss.dot(p.out, sum / 5 + h)
            """
        ),
        (
            "named states and a list of inputs",
            """
            local gates = eoss.linear(x, p.w)
            local s = eoss.scan({ gates, x }, { c = p.b:zeros(), h = p.b:full(0.5) }, function(s, xs)
              local c = s.c * eoss.sigmoid(xs[1] + eoss.dot(p.r, s.h)) + eoss.sum(xs[2])
              return { h = eoss.tanh(c), c = c }
            end)
            return eoss.dot(p.out, s.h[5] * s.c[2])
            """,
            """
            local gates, c, h, second = eoss.linear(x, p.w), p.b:zeros(), p.b:full(0.5), nil
            for t = 1, 5 do
              c = c * eoss.sigmoid(gates[t] + eoss.dot(p.r, h)) + eoss.sum(x[t])
              h = eoss.tanh(c)
              if t == 2 then second = c end
            end
            return eoss.dot(p.out, h * second)
            """
        ),
        (
            "a recurrence in a recurrence, with tensors of both functions around and of the network",
            """
            local hs = eoss.scan(x, p.b, function(h, x)
              local scaled = p.b * 2
              local inner = eoss.scan(nil, { h }, function(g) return { eoss.tanh(eoss.dot(p.r, g[1]) + eoss.dot(p.w, x) * h + scaled) } end,
                                      { length = 3 })
              return inner[1][3] + p.b
            end)
            return eoss.dot(p.out, hs[5])
            """,
            """
            local h = p.b
            for t = 1, 5 do
              local g = h
              for _ = 1, 3 do g = eoss.tanh(eoss.dot(p.r, g) + eoss.dot(p.w, x[t]) * h + 2 * p.b) end
              h = g + p.b
            end
            return eoss.dot(p.out, h)
            """
        ),
        (
            "a step that returns a tensor from around, and one that ignores its state",
            """
            local kept = eoss.scan(x, p.b, function() return p.b end)
            local fresh = eoss.scan(x, p.b, function(h, x) return eoss.dot(p.w, x) end)
            return eoss.dot(p.out, kept[3] * fresh[4])
            """,
            "return eoss.dot(p.out, p.b * eoss.dot(p.w, x[4]))"
        ),
    ]

    @Test(arguments: cases)
    func aRecurrenceIsItsLoop(_ what: String, _ scan: String, _ loop: String) throws {
        let failure = try Laboratory().failure(
            of: Self.comparison + "same(function(x, p) \(scan) end, function(x, p) \(loop) end)")
        #expect(failure == nil, "\(what)")
    }

    /// A recurrence in a loss over sequences: exponential smoothing of the outputs before they are compared.
    @Test func aLossMayHaveARecurrence() throws {
        let failure = try Laboratory().failure(
            of: smallRun + """
                local function loss(smooth)
                  return function(f, y) return eoss.sum((smooth(eoss.stack{ f, 2 * f, f * f })[3] - y) ^ 2) end
                end
                local function scanned(xs) return eoss.scan(xs, xs[1]:zeros(), function(m, x) return 0.9 * m + 0.1 * x end) end
                local function looped(xs)
                  local m = 0
                  for t, x in ipairs(xs) do m = 0.9 * m + 0.1 * x end
                  return { [3] = m }
                end
                local function make(l) return eoss.run{ name = "l", model = net, data = data, loss = l, optimizer = eoss.optim.sgd{ lr = 0.1 } } end
                local a, b = make(loss(scanned)), make(loss(looped))
                local v = a.params:randn(1)
                assert(math.abs(a.loss - b.loss) < 1e-13)
                assert((a:D(v, v) - b:D(v, v)):norm() < 1e-12 * b:D(v, v):norm())
                """)
        #expect(failure == nil)
    }

    @Test(arguments: [
        (
            "eoss.scan(x, p.b, function(h, x) end)",
            "the step of eoss.scan must return a tensor, as h0 is; it returned nothing"
        ),
        ("eoss.scan(x, p.b, function(h, x) return 3 end)", "must return a tensor, as h0 is; it returned a number"),
        (
            "eoss.scan(x, { p.b, p.b }, function(h, x) return h[1] end)[1]",
            "must return a list of 2 tensors, as h0 is; it returned a tensor"
        ),
        (
            "eoss.scan(x, { h = p.b, c = p.b }, function(s, x) return { h = s.h } end).h",
            "must return a table of the tensors c, h, as h0 is; it returned a table with the entries h"
        ),
        (
            "eoss.scan(x, p.b, function(h, x) return x end)",
            "'h' is f64[3] before a step and f64[2] after it: the step must leave the state's shape as it is"
        ),
        ("eoss.scan(p.s, p.b, function(h, x) return h end)", "'xs' is a scalar: it has no axis of steps"),
        ("eoss.scan({ x, p.b }, p.b, function(h, x) return h end)", "'xs[1]' has 5 places, 'xs[2]' has 3"),
        (
            "eoss.scan(nil, p.b, function(h, x) return h end)",
            "without xs it needs the number of steps: the option length"
        ),
        (
            "eoss.scan(x, p.b, function(h, x) return h end, { length = 4 })",
            "length is 4, xs has 5 places: leave length out"
        ),
        ("eoss.scan(x, {}, function(h, x) return h end)", "'h0' is an empty table"),
        (
            "eoss.scan(x, p.b, function(h, x) return eoss.batch_mean(h) end)",
            "take batch statistics outside of the recurrence"
        ),
        (
            "eoss.scan(x, p.b, function(h, x) late = h; return h end) + late",
            "of a step of eoss.scan was used outside of the step"
        ),
        (
            "eoss.scan(x, 0, function(h, x) return h end)",
            "argument 2 'h0' of eoss.scan: expected a tensor or a list of tensors"
        ),
        ("eoss.scan(x, p.b, function(h, x) return h + p.c end)", "unknown name 'c' in the parameters"),
        (
            "eoss.scan(x, p.b, function(h, x) return h + x end)",
            "sum of tensors of shapes [3] and [2], which do not fit"
        ),
        ("eoss.scan(x, p.b, function(h, x) return h end, { revers = true })", "did you mean 'reverse'?"),
        ("x[6]", "forward of eoss.nn.module must return a tensor, it returned nothing"), ("x[0]", "places 1 to 5"),
        ("x[7]", "its first axis has places 1 to 5"), ("p.s[1]", "place 1 of a scalar"),
    ])
    func aRecurrenceThatIsWrongSaysHow(_ expression: String, _ message: String) throws {
        let failure = try Laboratory().failure(
            of: """
                local late
                eoss.nn.module{ inputs = {5, 2}, dtype = "f64", params = { b = { shape = {3} }, s = { shape = {} } },
                                forward = function(x, p) return \(expression) end }
                """)
        #expect(failure?.contains(message) == true, "\(failure ?? "no error")")
    }
}
