import Experiments
import Foundation
import Testing

@testable import ScriptAPI

/// Frozen parameters and expansions of the loss, as scripts have them.
@Suite struct FrozenScripts {
    private static let network = """
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {5, 4}, outputs = data.outputs, activation = "tanh", seed = 1, dtype = "f64" }
        local function make(name, optimizer)
          return eoss.run{ name = name, model = net, data = data, loss = "mse", optimizer = optimizer or eoss.optim.sgd{ lr = 0.05 },
                           batch_size = 5, seed = 1 }
        end

        """

    @Test func frozenParametersStayAndAreSaved() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            Self.network + """
                local before, all = net.count, net.params
                local first = all["layers.0.weight"]
                assert(#net.frozen == 0 and net:freeze{ "layers.0", "*.bias" } == net)
                assert(net.count == 5 * 4 + 4 and #net.params == net.count and before > net.count, net.count)
                assert(#net.frozen == 4 and tostring(net):find((before - net.count) .. " frozen", 1, true), tostring(net))
                local run = make("frozen", eoss.optim.adamw{ lr = 0.01, weight_decay = 0.1 })
                run:track("lambda_max", { every = 5 })
                run:train{ steps = 12 }
                assert(#run.params == net.count and #run:gradient() == net.count and (run.params - net.params):norm() > 0)
                run:save("frozen.safetensors")
                local saved = eoss.arrays.load("frozen.safetensors")
                assert(saved["layers.0.weight"]:get(2, 1) == first:get(2, 1), "it stays")
                net:load("frozen.safetensors")
                assert((net.params - run.params):norm() == 0)
                """)
    }

    @Test func expansionsInForks() throws {
        let failure = try Laboratory().failure(
            of: Self.network + """
                local run = make("network")
                run:train{ steps = 30 }
                local g, H, loss = run:gradient(), run:hessian(), run.loss
                for _, name in ipairs{ "hessian", "gauss_newton", "linearized" } do
                  local fork = run:fork{ name = name, expansion = name }
                  assert(math.abs(fork.loss - loss) < 1e-12 and (fork:gradient() - g):norm() < 1e-12 * g:norm(), name)
                  local A = name == "hessian" and H or run:ggn()
                  assert(math.abs(fork:hessian():top(1).values[1] / A:top(1).values[1] - 1) < 1e-6, name)
                  fork:track({ "loss", "batch_sharpness" }, { every = 10 })
                  fork:train{ steps = 20 }
                  local d = fork.params - run.params
                  if name == "hessian" then
                    local predicted = loss + g:dot(d) + 0.5 * d:dot(H * d)
                    assert(math.abs(fork.loss / predicted - 1) < 1e-9, fork.loss .. " against " .. predicted)
                  end
                  assert(tostring(fork):find(name .. " expansion", 1, true), tostring(fork))
                end
                """)
        #expect(failure == nil, "\(failure ?? "")")
    }

    @Test func restrictionsInForks() throws {
        let failure = try Laboratory().failure(
            of: Self.network + """
                local run = make("network")
                run:train{ steps = 30 }
                local loss = run.loss
                local top = run:hessian():top(3)
                for _, name in ipairs{ "top_subspace", "bulk_subspace" } do
                  local fork = run:fork{ name = name, restrict = name, k = 2 }
                  assert(math.abs(fork.loss - loss) < 1e-12)
                  -- The largest eigenvalue that is left: that of PHP.
                  local left = top.values[name == "top_subspace" and 1 or 3]
                  assert(math.abs(fork:measure("lambda_max") / left - 1) < 1e-3, name)
                  fork:track({ "loss", "batch_sharpness" }, { every = 10 })
                  fork:train{ steps = 20 }
                  local d = fork.params - run.params
                  local inside = (d:dot(top.vectors[1])^2 + d:dot(top.vectors[2])^2) / d:dot(d)
                  if name == "top_subspace" then assert(math.abs(inside - 1) < 1e-6, inside) else assert(inside < 1e-6, inside) end
                  assert(d:norm() > 0 and tostring(fork):find("in the " .. name, 1, true), tostring(fork))
                end
                """)
        #expect(failure == nil, "\(failure ?? "")")
    }

    private static let mistakes = [
        ("net:freeze('layer.0')", "unknown block 'layer.0'"), ("net:freeze('*')", "nothing to train"),
        ("net:freeze{}", "nothing to train"), ("net:freeze(3)", "expected a string"),
        ("run:fork{ expansion = 'taylor' }", "expected 'hessian'"),
        ("run:fork{ restrict = 'top' }", "expected 'top_subspace'"),
        ("run:fork{ restrict = 'top_subspace', k = 1000 }", "k = 1000 directions of a space of"),
        ("run:fork{ restrict = 'top_subspace', expansion = 'hessian' }", "not both"),
        ("run:fork{ k = 3 }", "which is not given"),
        (
            "run:fork{ restrict = 'top_subspace' }:fork{ name = 'b', restrict = 'bulk_subspace' }",
            "stands for another already"
        ),
        ("run:fork{ expansion = 'hessian' }:fork{ name = 'b', expansion = 'hessian' }", "is an expansion already"),
        ("run:fork{ expansion = 'hessian' }:ggn():trace()", "no Gauss-Newton matrix"),
        ("run.optimizer = eoss.optim.saf{ lr = 0.1, start = -1 }; run:train{ steps = 20 }", "outputs of shape [1]"),
    ]

    @Test func oneMessageForEachMistake() throws {
        for (source, words) in Self.mistakes {
            let failure = try Laboratory().failure(of: Self.network + "local run = make('small')\n" + source)
            #expect(failure?.contains(words) == true, "\(source): \(failure ?? "no error")")
        }
    }
}
