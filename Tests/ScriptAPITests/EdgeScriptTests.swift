import Foundation
import Testing

@testable import ScriptAPI

/// Comparisons with the edge, as scripts write them.
@Suite struct EdgeScriptTests {
    private static let momentum = """
        run.optimizer = eoss.optim.momentum{ lr = 0.02, beta = 0.5 }
        run:track("lambda_max"); run:track("batch_sharpness", { max_samples = 10 }); run:track("edge")

        """

    private static let scripts = [
        // (2 + 2β)/η = 150 and 2(1 − β)/η = 50.
        momentum + """
            run:train{ to = 2 }
            local l, b, e = run:series("lambda_max"), run:series("batch_sharpness"), run:series("edge")
            assert(e.values[1] == 50)
            assert(math.abs(l:over(e).values[2] - l.values[2] / 150) < 1e-12)
            assert(math.abs(b:over(e).values[2] - b.values[2] / 50) < 1e-12)
            assert(l:over(e).name == "lambda_max/edge")
            assert(run:first("lambda_max", ">=", "edge") == run:first("lambda_max", ">=", 150))
            assert(run:first("batch_sharpness", "<", "edge") == run:first("batch_sharpness", "<", 50))
            """,
        // It need not be tracked, and follows the learning rate.
        """
        run:track("lambda_max"); run:track("loss")
        run:at(2, function(r) r.lr = 1e-9 end)
        run:train{ to = 4 }
        assert(run:first("lambda_max", "<", "edge") == 0)
        run:track("big", { fn = function(r) return r.step < 6 and 60 or 1e10 end })
        run.lr = 0.02
        run:train{ to = 7 }
        assert(run:first("big", ">=", "edge") == 6, run:first("big", ">=", "edge"))
        """,
        """
        run:track("edge", { of = "lambda_max" }); run:track("edge", { of = "gni" }); run:track("edge")
        run:train{ to = 1 }
        for _, name in ipairs{ "edge", "edge_lambda_max", "edge_gni" } do assert(run:series(name).values[1] == 100) end
        """,
        // Weight decay belongs to every edge.
        """
        run.optimizer = eoss.optim.sgd{ lr = 0.02, weight_decay = 1 }
        for _, of in ipairs{ "lambda_max", "batch_sharpness", "gni", "batch_sharpness_ratio" } do
            assert(run:measure("edge", { of = of }).value == 99, of)
        end
        """,
        // What is measured by hand says whether it can be believed.
        """
        local m = run:measure("lambda_max", { cold = true })
        assert(m.converged == true and m.miss_probability >= 0 and m.miss_probability <= 0.05)
        assert(tostring(m):find("miss probability", 1, true))
        assert(run:measure("loss").converged == nil and run:measure("loss").miss_probability == nil)
        """,
        """
        assert(run.accuracy == nil and run:evaluate().accuracy == nil)
        run:track("accuracy"); run:train{ to = 1 }
        assert(run:series("accuracy").values[1] ~= run:series("accuracy").values[1])
        """,
        // Nothing that is measured changes the run.
        """
        local refused = 0
        local function try(r)
            for _, change in ipairs{
                function() r.lr = 1 end, function() r.batch_size = 3 end, function() r.params = 2 * r.params end,
                function() r.optimizer = eoss.optim.sgd{ lr = 1 } end, function() r:at(9, print) end,
                function() r:train{ steps = 1 } end, function() for _ in r:steps(1) do end end,
            } do
                local ok, e = pcall(change)
                if not ok and tostring(e):find("cannot be changed from within a probe", 1, true) then refused = refused + 1 end
            end
        end
        run:track("mine", { every = 2, fn = function(r) try(r) return 1 end, when = function(r) try(r) return true end })
        run:train{ to = 3 }
        assert(refused == 28 and run.lr == 0.02 and run.batch_size == 4, refused)
        """,
    ]

    @Test(arguments: scripts.indices) func theEdgeOfAComparisonIsThatOfItsQuantity(_ number: Int) throws {
        #expect(try Laboratory().failure(of: smallRun + Self.scripts[number]) == nil)
    }

    @Test func whereNoEdgeIsKnownTheErrorSaysSo() throws {
        for (script, words) in [
            (
                "run.optimizer = eoss.optim.adam{ lr = 0.001 }; run:track('lambda_max'); run:train{ to = 1 }\n"
                    + "return run:first('lambda_max', '>=', 'edge')",
                "no edge of lambda_max is known under adam, which has one of preconditioned_lambda_max"
            ),
            (
                "run:track('ntk_max'); run:train{ to = 1 }; return run:first('ntk_max', '>=', 'edge')",
                "no edge of ntk_max is known under sgd, which has one of lambda_max, batch_sharpness"
            ),
        ] {
            let message = try #require(try Laboratory().failure(of: smallRun + script))
            #expect(message.hasPrefix("test.lua:") && message.contains(words), "\(message)")
        }
    }

    private func drawn(_ script: String, _ file: String = "p.txt") throws -> String {
        let lab = try Laboratory()
        #expect(try lab.failure(of: smallRun + script) == nil)
        return try String(contentsOf: lab.output.appendingPathComponent(file), encoding: .utf8)
    }

    /// Under Adam alone, whose λ_max has no edge: it is not drawn over that of the preconditioned one, and the legend says why.
    @Test func aPlotOverTheEdgeLeavesOutWhatHasNone() throws {
        let text = try drawn(
            """
            local other = eoss.run{ name = "a", model = net, data = data, loss = "mse", batch_size = 4,
                                    optimizer = eoss.optim.adam{ lr = 0.001 } }
            other:track({ "lambda_max", "preconditioned_lambda_max" }); other:train{ to = 3 }
            other:plot("p.txt", { "lambda_max", "preconditioned_lambda_max" }, { over_edge = true })
            """)
        #expect(text.contains("lambda_max (no edge under adam)"))
        // λ_max over the other edge would be near 0, the preconditioned one is near or above it: the axis shows no ratio in thousands.
        #expect(!text.contains("no edge under sgd"))
    }

    @Test func theEdgeOfMomentumWithMiniBatchesIsABand() throws {
        let plot =
            "run:train{ to = 3 }; run:plot('p.svg', 'batch_sharpness'); run:plot('o.svg', 'batch_sharpness', { over_edge = true })"
        let lab = try Laboratory()
        #expect(try lab.failure(of: smallRun + Self.momentum + plot) == nil)
        for (file, words) in [("p.svg", "edge, an interval"), ("o.svg", "the edge of batch_sharpness is an interval")] {
            let svg = try String(contentsOf: lab.output.appendingPathComponent(file), encoding: .utf8)
            #expect(svg.contains(words), "\(file)")
        }
        // Of the full batch it is a line.
        let full = try drawn("run.batch_size = 'full'\n" + Self.momentum + plot, "p.svg")
        #expect(!full.contains("an interval") && full.contains("edge"))
    }
}
