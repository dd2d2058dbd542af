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
