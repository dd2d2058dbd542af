import Testing

@testable import ScriptAPI

/// `eoss.prod`, `norm`, `std`, `median` of tensors: their derivatives in every direction, against closed forms.
@Suite struct StatisticsScriptTests {
    /// `at(f, w)`: a run whose loss is f of its parameters w, at w.
    private static let functions = """
        local function at(f, w, dtype)
          local net = eoss.nn.module{ inputs = 1, dtype = dtype or "f64", params = { w = { shape = #w } },
                                      forward = function(x, p) return eoss.reshape(f(p.w), 1) end }
          local data = eoss.data.arrays{ inputs = { 1 }, targets = { 0 } }
          local run = eoss.run{ model = net, data = data, optimizer = eoss.optim.sgd{ lr = 1 },
                                loss = function(output) return eoss.sum(output) end }
          run.params = eoss.vector(w)
          return run
        end
        local function close(v, t, tolerance)
          assert(#v == #t)
          for i, x in ipairs(t) do assert(math.abs(v[i] - x) <= (tolerance or 1e-14), i .. ": " .. v[i] .. " " .. x) end
        end

        """

    private static let scripts = [
        // u = w/|w|: the gradient is u, the Hessian (I − uuᵀ)/|w|.
        """
        local run = at(eoss.norm, { 3, 0, 4 })
        assert(run.loss == 5); close(run:gradient(), { 0.6, 0, 0.8 })
        close(run:hvp(eoss.vector{ 1, 1, 0 }), { (1 - 0.36) / 5, 1 / 5, -0.48 / 5 })
        """,
        // At 0 every derivative is taken as 0, in f32 too, and none is nan.
        """
        for _, dtype in ipairs{ "f32", "f64" } do
          for _, f in ipairs{ eoss.norm, eoss.std } do
            local run = at(f, { 0, 0 }, dtype)
            local v = eoss.vector{ 1, 2 }
            assert(run.loss == 0 and run:gradient():norm() == 0 and run:hvp(v):norm() == 0 and run:D(v, v):norm() == 0)
            assert(run:D(v, v, v):norm() == 0)
          end
        end
        """,
        // Squares leave the range of f32 here: |w| = 5e30 and 5e-30.
        """
        for _, scale in ipairs{ 1e30, 1e-30 } do
          local run = at(eoss.norm, { 3 * scale, 4 * scale }, "f32")
          assert(math.abs(run.loss / (5 * scale) - 1) < 1e-6); close(run:gradient(), { 0.6, 0.8 }, 1e-6)
        end
        """,
        // Of a product each factor's derivative is the product of the others, at zeros as well: no division by a factor.
        """
        close(at(eoss.prod, { 2, 3, 4 }):gradient(), { 12, 8, 6 })
        close(at(eoss.prod, { 0, 3, 4 }):gradient(), { 12, 0, 0 })
        close(at(eoss.prod, { 0, 0, 4 }):gradient(), { 0, 0, 0 })
        close(at(eoss.prod, { 0, 0, 4 }):hvp(eoss.vector{ 1, 0, 0 }), { 0, 4, 0 })
        close(at(eoss.prod, { 1, 2, 3, 4, 5 }):gradient(), { 120, 60, 40, 30, 24 })
        """,
        // d std/dw = (w − mean)/(n·std).
        """
        local run = at(eoss.std, { 1, 3, 8 })
        local std = math.sqrt((9 + 1 + 16) / 3)
        assert(math.abs(run.loss - std) < 1e-14); close(run:gradient(), { -3 / (3 * std), -1 / (3 * std), 4 / (3 * std) })
        """,
        // The median's derivative is that of the elements in the middle; of equal ones the first counts as smaller.
        """
        close(at(eoss.median, { 9, 2, 5 }):gradient(), { 0, 0, 1 })
        close(at(eoss.median, { 9, 2, 5, 1 }):gradient(), { 0, 0.5, 0.5, 0 })
        close(at(eoss.median, { 7, 7, 7 }):gradient(), { 0, 1, 0 })
        """,
        // Over axes.
        """
        local function f(w) return eoss.sum(eoss.prod(eoss.reshape(w, { 2, 3 }), 2) + eoss.norm(eoss.reshape(w, { 2, 3 }), { 2 })) end
        local run = at(f, { 1, 2, 2, 0, 3, 4 })
        assert(run.loss == 4 + 3 + 0 + 5); close(run:gradient(), { 4 + 1 / 3, 2 + 2 / 3, 2 + 2 / 3, 12, 0.6, 0.8 })
        """,
    ]

    @Test(arguments: scripts)
    func derivativesAreTheClosedForms(_ script: String) throws {
        let failure = try Laboratory().failure(of: Self.functions + script)
        #expect(failure == nil)
    }

    /// A median of tensors compares each with each: beyond a size it says so. Lists are sorted.
    @Test func aMedianOfALongTensorIsRefused() throws {
        let failure = try Laboratory().failure(
            of: Self.functions + """
                local t = {}; for i = 1, 5000 do t[i] = (i * 7919) % 5000 end
                assert(eoss.median(t) == 2499.5)
                at(eoss.median, t)
                """)
        #expect(failure?.contains("median of 5000 elements of a tensor of shape [5000]") == true, "\(failure ?? "")")
    }
}
