import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// Every spelling that DESIGN.md fixes for what is here, executed once, with what it must give.
@Suite struct SpellingTests {
    private static let runs = [
        "assert(run.step == 0 and run.epoch == 0 and run.time == 0 and run.batch_loss == nil and run.name == 'small')",
        "assert(run.lr == 0.02 and run.batch_size == 4); run.lr = 0.01; run.batch_size = 'full'; run:train{ steps = 1 }",
        "run.optimizer = eoss.optim.sgd{ lr = 0.5 }; assert(run.lr == 0.5 and run.optimizer.name == 'sgd')",
        "run.params = 0 * run.params; assert(run.params:norm() == 0)",
        "assert(rawequal(run.model, net) and rawequal(run.data, data) and run.edge == 100)",
        "assert(run:train{ to = 3 } == 'step' and run.step == 3 and math.abs(run.time - 0.06) < 1e-12)",
        "run:train{ steps = 2 }; run:train{ steps = 2 }; assert(run.step == 4)",
        "assert(run:train{ epochs = 2 } == 'epoch' and run.step == 10 and run.epoch == 2)",
        "assert(run:train{ time = 0.1 } == 'time' and run.step == 5)",
        "assert(run:train{ to = 9, max_loss = 0 } == 'max_loss' and run.step == 1)",
        "run:track('loss'); assert(run:train{ to = 500, stop_loss = 0.5 } == 'loss' and run.loss <= 0.5)",
        """
        local classes = eoss.data.gaussian_mixture{ n = 20 }
        local r = eoss.run{ model = eoss.nn.mlp{ inputs = classes.inputs, hidden = {6}, outputs = classes.outputs },
                            data = classes, loss = "ce", optimizer = eoss.optim.sgd{ lr = 0.1 }, batch_size = 4 }
        r:track('accuracy'); assert(r:train{ to = 900, stop_accuracy = 0.1 } == 'accuracy')
        """,
        "local n = 0; for step, r in run:steps(7) do n = n + 1; assert(step == n and rawequal(r, run)) end; assert(n == 7)",
        "for step, r in run:steps() do if step == 3 then break end end; assert(run.step == 3)",
        "local lrs = {}; run:at(2, function(r) r.lr = 2 * r.lr end); run:train{ to = 3 }; assert(run.lr == 0.04)",
        "assert(run.loss == run:evaluate().loss and run.accuracy == run:evaluate().accuracy)",
        // Measuring along the run.
        """
        run:track("batch_sharpness", { every = 2, batch_size = 2, max_samples = 20, rel_error = 0 })
        run:track({ "loss", "accuracy", "edge", "gradient_norm", "update_norm", "weight_norm" }, { every = 2 })
        run:track("half_loss", { every = 2, fn = function(r) return r.loss / 2 end })
        run:track("lambda_max", { every = 4, k = 2 })
        run:track("step_sharpness"); run:track("batch_loss")
        run:train{ to = 8 }
        local s = run:series("batch_sharpness", { from = 3, to = 7 })
        assert(#s == 2 and s.steps[1] == 4 and s.steps[2] == 6 and s.values[3] == nil and s.stderrs[1] > 0)
        assert(s:mean() == (s.values[1] + s.values[2]) / 2 and s:last() == s.values[2] and s:median() == s:mean())
        assert(math.type(s.steps[1]) == "integer" and #s.steps == 2)
        assert(s:over(run:series("edge")).values[1] == s.values[1] / 100)
        assert(run:series("half_loss").values[2] == run:series("loss").values[2] / 2)
        assert(#run:series("lambda_max_2") == 3 and #run:series("step_sharpness") == 8)
        assert(run:first("lambda_max", "<", "edge") == 0 and run:first("loss", ">", 1e9) == nil)
        assert(run:first("loss", ">=", "half_loss") == 0)
        """,
        // Derivatives and curvature.
        """
        local g = run:gradient()
        local H = run:hessian()
        local Hg = H * g
        assert(#g == 19 and (Hg - run:hvp(g)):norm() < 1e-9 * Hg:norm() and Hg == run:D(g))
        assert(math.abs(H:quadratic(g) - g:dot(Hg)) < 1e-9 * math.abs(g:dot(Hg)))
        local e = H:top(3)
        assert(#e.values == 3 and e.values[1] > e.values[2] and #e.vectors == 3 and e.products >= 3)
        assert((H * e.vectors[1] - e.values[1] * e.vectors[1]):norm() <= 1.01 * e.residuals[1])
        local t = H:trace{ samples = 10 }
        assert(t.samples == 10 and t.stderr > 0 and math.abs(t.value - 20) < 40)
        assert(#run:D(g, Hg) == 19)
        """,
        """
        local v = 2 * run.params
        local a, b = run:gradient{ batch = {3, 1, 4}, at = v }, run:gradient{ batch = {4, 3, 1}, at = v }
        assert((a - b):norm() < 1e-12 * a:norm())
        assert(run:gradient{ at = v } ~= run:gradient())
        assert(#run:hessian{ batch = {1, 2}, at = v } == 19 and #run:hvp(v, { batch = {1} }) == 19)
        assert(#run:D(v, v, { at = v, batch = {1, 2} }) == 19)
        """,
        """
        local v = run.params
        assert((2 * v + v * 3 - v / 2 - 4.5 * v):norm() < 1e-12 and (-v):dot(v) == -v:dot(v) and #v == 19)
        assert(v[1] == v:totable()[1] and v[20] == nil and v:copy() == v and v:randn(3) == v:randn(3))
        assert(v:randn(3) ~= v:randn(4) and v:toarray():shape()[1] == 19 and v.dtype == "f64")
        """,
        """
        local e = run:evaluate{ at = 2 * run.params, data = "train" }
        assert(#e.losses == 20 and e.outputs:shape()[1] == 20 and e.outputs:get(1, 1) == e.outputs[1][1])
        local sum = 0; for _, loss in ipairs(e.losses) do sum = sum + loss end
        assert(math.abs(sum / 20 - e.loss) < 1e-12)
        """,
        // Measuring now.
        """
        local bs = run:measure("batch_sharpness", { batch_size = 16, rel_error = 0.1 })
        assert(bs.value > 0 and bs.stderr > 0 and bs.samples >= 10)
        assert(run:measure("batch_sharpness", { batch_size = 8, max_samples = 64, rel_error = 0 }).samples == 64)
        local given = run:measure("batch_sharpness", { batches = { {1,2,3}, {4,5,6} } })
        local function ratio(batch)
            local g = run:gradient{ batch = batch }
            return g:dot(run:hvp(g, { batch = batch })) / g:dot(g)
        end
        assert(math.abs(given.value - (ratio{1,2,3} + ratio{4,5,6}) / 2) < 1e-10 and given.samples == 2)
        local l = run:measure("lambda_max", { k = 2, tolerance = 1e-6 })
        assert(l.value == l.values[1] and #l.vectors == 2 and l.residuals[1] < 1e-4 and l.residual == l.residuals[1])
        assert(run:measure("loss").value == run.loss and run:measure("hessian_trace", { max_samples = 10 }).samples == 10)
        """,
        // Exchange.
        """
        run:save("point.safetensors")
        local point = eoss.arrays.load("point.safetensors")
        local w = point["layers.0.weight"]
        assert(w:shape()[1] == 6 and w:shape()[2] == 1 and w:get(2, 1) == run.params[2] and w.dtype == "f64")
        assert(w:totable()[2][1] == run.params[2] and w:tovector()[2] == run.params[2])
        run:train{ to = 4 }; run:save("later/point.safetensors")
        assert(rawequal(net:load("later/point.safetensors"), net) and net.params == run.params)
        net:save("weights.safetensors")
        local g = run:gradient()
        eoss.arrays.save("vectors.safetensors", { gradient = g, table = { { 1, 2, 3 }, { 4, 5, 6 } } })
        local back = eoss.arrays.load("vectors.safetensors")
        assert((back.gradient:tovector() - g):norm() == 0 and back.table:get(2, 3) == 6)
        assert(eoss.arrays.load("weights.safetensors")["layers.1.bias"]:shape()[1] == 1)
        """,
        """
        run:track({ "loss", "lambda_max" }, { every = 5 })
        run:train{ to = 10 }
        run:plot("edge.svg", { "lambda_max", "loss" })
        run:plot("ratio.txt", "lambda_max", { over_edge = true, title = "ratio", from = 5, log = true })
        eoss.plot("both.svg", { run, run }, { "loss" }, { over_edge = true })
        """,
        // The rest.
        "local t = eoss.clock(); assert(eoss.clock() >= t)",
        "assert(data.inputs == 1 and data.outputs == 1 and data.n == 20 and #data == 20 and data.test_n == 0)",
        "assert(net.count == 19 and net.dtype == 'f64' and net.shapes['layers.0.weight'][1] == 6)",
        "local r = run; assert(tostring(run):find('small') and tostring(net):find('19 par') and tostring(data):find('cheb'))",
        "assert(#run.tracked == 0); run:track('loss'); assert(run.tracked[1] == 'loss')",
    ]

    @Test(arguments: runs)
    func aRunDoesWhatItsSpellingSays(_ script: String) throws {
        let failure = try Laboratory().failure(of: smallRun + script)
        #expect(failure == nil)
    }

    @Test func dataAreMadeOfArraysAndTables() throws {
        let failure = try Laboratory().failure(
            of: """
                local x = eoss.arrays.from{ { 0, 1 }, { 2, 3 }, { 4, 5 } }
                local data = eoss.data.arrays{ inputs = x, labels = { 0, 2, 1 } }
                assert(data.n == 3 and data.inputs == 2 and data.outputs == 3 and data.shape[1] == 2)
                local same = eoss.data.arrays{ inputs = { { 0, 1 }, { 2, 3 } }, targets = { 1, 0 },
                                               test_inputs = { { 0, 0 } }, test_targets = { 1 }, name = "mine" }
                assert(same.outputs == 1 and same.test_n == 1 and same.name == "mine")
                local net = eoss.nn.mlp{ inputs = 2, outputs = 1, dtype = "f64" }
                local run = eoss.run{ model = net, data = same, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.1 } }
                assert(run.batch_size == "full" and run:evaluate{ data = "test" }.losses[1] == 1)
                run:track("test_loss"); run:train{ to = 1 }
                """)
        #expect(failure == nil)
    }

    /// The data set is a Debian package; without it the message says so.
    @Test func fashionMNISTIsLoadedOrItsPackageNamed() throws {
        let failure = try Laboratory().failure(
            of: """
                local data = eoss.data.fashion_mnist{ n = 30, label_noise = 0.3, seed = 1, test_n = 10 }
                assert(data.inputs == 784 and data.outputs == 10 and data.n == 30 and data.test_n == 10)
                assert(eoss.data.fashion_mnist{ per_class = 2, classes = { 3, 7 }, test_n = 0 }.outputs == 2)
                """)
        #expect(failure == nil || failure?.contains("dataset-fashion-mnist") == true)
    }

    @Test func parametersAreSetFromOutsideByTheirType() throws {
        let lab = try Laboratory()
        try lab.run("local p = eoss.params{ lr = 0.05, steps = 80, name = 'a', flag = true, widths = { 3, 4 } }") {
            $0.settings = [.init("lr", "1"), .init("steps", "1e3"), .init("flag", "false"), .init("widths", "7,8,9")]
        }
        let source = """
            local p = eoss.params{ lr = 0.05, steps = 80, name = 'a', flag = true, widths = { 3, 4 } }
            print(p.lr, p.steps, p.name, p.flag, #p.widths, p.widths[3])
            """
        try lab.run(source) {
            $0.settings = [.init("lr", "1"), .init("steps", "1e3"), .init("flag", "false"), .init("widths", "7,8,9")]
        }
        #expect(lab.printed == ["1.0\t1000\ta\tfalse\t3\t9"])
        let declared = try lab.host {
            try $0.parameters(of: lab.folder.appendingPathComponent("test.lua"))
        }
        #expect(declared.map(\.name) == ["lr", "steps", "name", "flag", "widths"])
        #expect(declared.map(\.value) == ["0.05", "80", "\"a\"", "true", "{3, 4}"])
    }
}
