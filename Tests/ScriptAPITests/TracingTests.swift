import Compute
import Experiments
import Foundation
import Graph
import LuaBridge
import Networks
import Objectives
import Testing

@testable import ScriptAPI

@Suite struct TracingTests {
    /// A network and a loss written in Lua are the built-in ones, given the same parameters: same graph up to the order of
    /// parameters (here by name, which is the same), so the same numbers up to rounding of f64.
    @Test func aNetworkAndALossInLuaAreTheBuiltInOnes() throws {
        let failure = try Laboratory().failure(
            of: smallRun + """
                local normal = eoss.init.normal{ std = 0.1 }
                local module = eoss.nn.module{ seed = 1, inputs = 1, dtype = "f64", params = {
                      ["layers.0.weight"] = { shape = {6, 1}, init = normal }, ["layers.0.bias"] = { shape = {6} },
                      ["layers.1.weight"] = { shape = {1, 6}, init = normal }, ["layers.1.bias"] = { shape = {1} } },
                    forward = function(x, p)
                      local h = eoss.tanh(eoss.dot(p["layers.0.weight"], x) + p["layers.0.bias"])
                      return eoss.dot(p["layers.1.weight"], h) + p["layers.1.bias"]
                    end }
                net:save("net.safetensors"); module:load("net.safetensors")
                local lua = eoss.run{ name = "lua", model = module, data = data,
                                      loss = function(output, target) return eoss.sum((output - target) ^ 2) end,
                                      optimizer = eoss.optim.sgd{ lr = 0.02 }, batch_size = 4, seed = 1 }
                local function moved(v) -- from the built-in order (weight, bias) to that of the names (bias, weight)
                  local t, m = v:totable(), {}
                  for i = 1, 6 do m[i], m[6 + i] = t[6 + i], t[i] end
                  m[13] = t[19]; for i = 1, 6 do m[13 + i] = t[12 + i] end
                  return eoss.arrays.from(m):tovector()
                end
                local function close(a, b) return math.abs(a - b) <= 1e-12 * math.max(1, math.abs(a)) end
                assert(close(lua.loss, run.loss))
                assert((lua:gradient() - moved(run:gradient())):norm() < 1e-12)
                assert((lua:hvp(moved(run.params)) - moved(run:hvp(run.params))):norm() < 1e-10)
                local batches = { batches = { {1, 2, 3}, {4, 5, 6} } }
                assert(close(lua:measure("batch_sharpness", batches).value, run:measure("batch_sharpness", batches).value))
                run:train{ to = 20 }; lua:train{ to = 20 }
                assert((lua.params - moved(run.params)):norm() < 1e-12)
                """)
        #expect(failure == nil)
    }

    /// x⁻ⁿ at 0: infinite, and so are its slope, below 0, and its curvature, above.
    @Test(arguments: [1, 2, 3, 4, 7])
    func negativePowersAreInfiniteAtZeroInEveryOrder(_ power: Int) throws {
        let failure = try Laboratory().failure(
            of: """
                local net = eoss.nn.module{ inputs = 1, dtype = "f64", params = { w = { shape = {1}, init = eoss.init.zeros() } },
                  forward = function(x, p) return p.w ^ -\(power) * x end }
                local data = eoss.data.arrays{ inputs = {{1}}, targets = {{0}} }
                local run = eoss.run{ file = false, model = net, data = data, optimizer = eoss.optim.sgd{ lr = 0.1 },
                  loss = function(output) return eoss.sum(output) end }
                assert(run.loss == math.huge)
                assert(run:gradient()[1] == -math.huge)
                assert(run:hvp(eoss.vector{1})[1] == math.huge)
                run.params = eoss.vector{2}
                local n = \(power)
                assert(math.abs(run:gradient()[1] + n * 2^(-n - 1)) < 1e-15)
                assert(math.abs(run:hvp(eoss.vector{1})[1] - n * (n + 1) * 2^(-n - 2)) < 1e-14)
                """)
        #expect(failure == nil)
    }

    /// Batch sharpness of a network written in Lua: no value of the graph has the shape of a stack of weights. Extents differ
    /// from each other, so that a shape tells what a value is.
    @Test func noWeightGradientOfABatchIsFormedForANetworkInLua() throws {
        let lab = try Laboratory()
        let (graph, weights) = try lab.host { host in
            try host.state.scope { () -> (Graph, [[Int]]) in
                let results = try host.state.run(
                    """
                    local normal = eoss.init.normal()
                    local net = eoss.nn.module{ inputs = 23, params = {
                        a = { shape = {17, 23}, init = normal }, b = { shape = {13, 17}, init = normal },
                        c = { shape = {11, 13}, init = normal }, shift = { shape = {17} } },
                      forward = function(x, p)
                        local h = eoss.relu(eoss.dot(p.a, x) + p.shift)
                        return eoss.dot(p.c, eoss.silu(eoss.dot(p.b, h)))
                      end }
                    local inputs, targets = {}, {}
                    for i = 1, 23 do inputs[i] = i / 23 end
                    for i = 1, 11 do targets[i] = 0 end
                    local data = eoss.data.arrays{ inputs = { inputs, inputs }, targets = { targets, targets } }
                    return eoss.run{ model = net, data = data, optimizer = eoss.optim.sgd{ lr = 0.1 },
                                     loss = function(f, y) return eoss.sum(eoss.square(f - y)) end }
                    """, name: "test.lua")
                let run = try #require(results.first.flatMap { Run.read($0) })
                let graph = try run.objective.batchCurvature(count: 2, stack: 7).optimized()
                return (graph, run.objective.model.layout.entries.map(\.shape).filter { $0.count == 2 })
            }
        }
        #expect(weights.count == 3)
        for type in graph.types {
            #expect(!weights.contains { Set($0 + [7]).isSubset(of: Set(type.shape)) }, "\(type) in\n\(graph)")
        }
    }

    /// Each tensor function against the number that Lua computes for the same arguments.
    @Test(arguments: [
        ("eoss.relu(x)", "math.max(x, 0)"), ("eoss.leaky_relu(x)", "x > 0 and x or 0.01 * x"),
        ("eoss.elu(x)", "x > 0 and x or math.exp(x) - 1"), ("eoss.silu(x)", "x / (1 + math.exp(-x))"),
        ("eoss.tanh(x)", "(math.exp(2 * x) - 1) / (math.exp(2 * x) + 1)"),
        ("eoss.hardtanh(3 * x)", "math.max(-1, math.min(1, 3 * x))"), ("eoss.sigmoid(x)", "1 / (1 + math.exp(-x))"),
        ("eoss.softplus(x)", "math.log(1 + math.exp(x))"), ("eoss.exp(x)", "math.exp(x)"),
        ("eoss.log(eoss.exp(x))", "x"), ("eoss.log1p(eoss.square(x))", "math.log(1 + x * x)"),
        ("eoss.sqrt(x ^ 2)", "math.abs(x)"), ("eoss.abs(x)", "math.abs(x)"), ("eoss.detach(x)", "x"),
        ("x ^ 3 - x ^ -2", "x ^ 3 - x ^ -2"), ("(x * x) ^ 1.5", "math.abs(x) ^ 3"), ("(x * x) ^ 0.5", "math.abs(x)"),
        ("2 - x + x - 3", "-1"), ("2 * x / 4 + 1 / x", "x / 2 + 1 / x"), ("-x", "-x"),
        ("eoss.maximum(x, 0.5)", "math.max(x, 0.5)"), ("eoss.minimum(0.5, x)", "math.min(x, 0.5)"),
        ("eoss.where(eoss.gt(x, 0), 1, x)", "x > 0 and 1 or x"),
        ("eoss.where(eoss.le(x, 0), x, 1)", "x > 0 and 1 or x"),
        ("eoss.where(eoss.ge(0, x), x, 1)", "x > 0 and 1 or x"),
        ("eoss.where(eoss.lt(x, 0), x, 1)", "x > 0 and 1 or x"),
        ("eoss.where(eoss.eq(x, x), x, 1)", "x"), ("eoss.where(eoss.ne(x, x), 1, x)", "x"),
        ("eoss.sum(eoss.reshape(x, {1, 1}), 2)", "x"), ("eoss.mean(x + p.v)", "x + 2"),
        ("eoss.max(x + p.v, {1})", "x + 3"), ("eoss.min(x + p.v)", "x + 1"), ("eoss.var(x * p.v, 1)", "x * x * 2 / 3"),
        ("eoss.var(x * p.m)", "x * x * 2 / 3"), ("eoss.sum(eoss.var(p.m + x * p.v, 2))", "2 * x * x"),
        ("eoss.sign(x)", "x > 0 and 1 or -1"), ("eoss.clamp(x, -1, 0.5)", "math.max(-1, math.min(0.5, x))"),
        ("(x * p.v)[3] - x[1]", "2 * x"), ("eoss.mean(p.v:zeros() + p.v:full(2, {2, 3}) + x)", "2 + x"),
        ("eoss.logsumexp(x * p.v)", "math.log(math.exp(x) + math.exp(2 * x) + math.exp(3 * x))"),
        (
            "eoss.dot(eoss.softmax(x * p.v), p.v)",
            "(math.exp(x) + 2 * math.exp(2 * x) + 3 * math.exp(3 * x)) / (math.exp(x) + math.exp(2 * x) + math.exp(3 * x))"
        ),
        (
            "eoss.sum(eoss.log_softmax(x * p.v))",
            "6 * x - 3 * math.log(math.exp(x) + math.exp(2 * x) + math.exp(3 * x))"
        ),
        ("eoss.sum(x * eoss.dot(eoss.transpose(p.m), p.v))", "14 * x"),
        ("eoss.sum(x * eoss.dot(eoss.transpose(p.m, {2, 1}), p.v))", "14 * x"),
    ])
    func aTensorFunctionIsItsFormula(_ tensor: String, _ formula: String) throws {
        let failure = try Laboratory().failure(
            of: """
                local points = { -1.5, -0.3, 0.7, 2 }
                local net = eoss.nn.module{ inputs = 1, dtype = "f64",
                  params = { m = { shape = {3, 1} }, v = { shape = {3} } },
                  forward = function(x, p) return eoss.reshape(\(tensor), 1) end }
                local data = eoss.data.arrays{ inputs = points, targets = { 0, 0, 0, 0 } }
                local run = eoss.run{ model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 1 } }
                run.params = eoss.arrays.from{ 1, 2, 3, 1, 2, 3 }:tovector()
                local outputs = run:evaluate().outputs
                for i, x in ipairs(points) do
                  local expected = \(formula)
                  local got = outputs:get(i, 1)
                  assert(math.abs(got - expected) < 1e-12 * math.max(1, math.abs(expected)), got .. " " .. expected)
                end
                """)
        #expect(failure == nil)
    }

    @Test func initialValuesAreDrawnAsAsked() throws {
        let failure = try Laboratory().failure(
            of: """
                local function values(init, shape)
                  local net = eoss.nn.module{ inputs = 1, seed = 3, dtype = "f64", params = { w = { shape = shape, init = init } },
                                              forward = function(x, p) return eoss.sum(p.w) * x end }
                  return net.params
                end
                local n = 10000
                local function std(v) return v:norm() / math.sqrt(n) end
                local init = eoss.init
                assert(values(nil, {n}):norm() == 0 and values(init.zeros(), {n}):norm() == 0)
                assert(values(init.constant(2), {n})[n] == 2 and values(0.5, {n})[1] == 0.5)
                -- The standard error of a standard deviation of n numbers is 1/sqrt(2 n), 0.7 %: five of them.
                local function close(v, s) return math.abs(std(v) / s - 1) < 0.035 end
                assert(close(values(init.normal{ std = 0.1 }, {n}), 0.1))
                assert(close(values(init.normal{ std = 0, mean = 3 }, {n}), 3))
                assert(close(values(init.uniform{ from = -2, to = 2 }, {n}), 2 / math.sqrt(3)))
                assert(close(values(init.kaiming_normal{ scale = 0.5 }, {100, 100}), 0.5 * math.sqrt(2 / 100)))
                assert(close(values(init.xavier_normal{ gain = 2 }, {50, 200}), 2 * math.sqrt(2 / 250)))
                """)
        #expect(failure == nil)
    }
}
