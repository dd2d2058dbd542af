import Testing

@testable import ScriptAPI

/// `eoss.optim` and the edges of its rules, from scripts.
@Suite struct OptimizerScripts {
    private static let spellings = [
        """
        local made = {
          eoss.optim.sgd{ lr = 0.1 }, eoss.optim.sgd{ lr = 0.1, weight_decay = 0.01 },
          eoss.optim.momentum{ lr = 0.01, beta = 0.8 }, eoss.optim.nesterov{ lr = 0.01, weight_decay = 0.1 },
          eoss.optim.rmsprop{ lr = 0.01, beta2 = 0.9, eps = 0 }, eoss.optim.scalar_rmsprop{ lr = 0.01 },
          eoss.optim.adagrad{ lr = 0.01 }, eoss.optim.adam{ lr = 0.01 }, eoss.optim.adamw{ lr = 0.01 },
        }
        for _, optimizer in ipairs(made) do
          run.optimizer = optimizer
          local before = run.loss
          run:train{ steps = 20 }
          assert(run.loss < before, tostring(optimizer))
        end
        """,
        """
        local o = eoss.optim.adamw{ lr = 0.5, beta1 = 0.75 }
        assert(o.name == "adamw" and o.settings.beta1 == 0.75 and o.settings.weight_decay == 0.01)
        assert(tostring(eoss.optim.momentum{ lr = 0.5 }) == "momentum{ lr = 0.5, beta = 0.9 }")
        """,
        // One rule in two runs: each has a state of its own.
        """
        local o = eoss.optim.momentum{ lr = 0.01 }
        local function make() return eoss.run{ name = "m", model = net, data = data, loss = "mse", optimizer = o, batch_size = 4 } end
        local a, b = make(), make()
        a:train{ steps = 5 }; b:train{ steps = 5 }
        assert((a.params - b.params):norm() == 0)
        """,
        """
        run.optimizer = eoss.optim.momentum{ lr = 0.1, beta = 0.5 }
        assert(run.edge == 10)
        run.batch_size = "full"
        assert(math.abs(run.edge - 30) < 1e-12)
        run:track("edge", { of = "momentum_batch_sharpness" })
        run:train{ steps = 1 }
        assert(run:series("edge").values[1] == 20)
        run.optimizer = eoss.optim.adam{ lr = 0.1, beta1 = 0.5 }
        assert(math.abs(run.edge - 60) < 1e-9)
        local none = run:measure("edge", { of = "batch_sharpness" }).value
        assert(none ~= none and math.abs(run:measure("edge").value - 60) < 1e-9)
        """,
    ]

    @Test(arguments: spellings.indices) func everySpellingWorks(_ number: Int) throws {
        #expect(try Laboratory().failure(of: smallRun + Self.spellings[number]) == nil)
    }

    private static let mistakes = [
        ("eoss.optim.momentum{ lr = 0.1, beta = 1 }", "momentum: beta must be from 0 to below 1, not 1"),
        ("eoss.optim.momentum{ lr = 0.1, momentum = 0.9 }", "unknown option 'momentum' for eoss.optim.momentum"),
        ("eoss.optim.adam{ lr = 0.1, beta1 = -1 }", "option 'beta1' of eoss.optim.adam: expected a number from 0 to 1"),
        ("eoss.optim.adma{ lr = 0.1 }", "unknown name 'adma' in eoss.optim: did you mean 'adam'?"),
        ("run:track('edge', { of = 'lambdamax' })", "did you mean 'lambda_max'?"),
        (
            """
            run.optimizer = eoss.optim.adam{ lr = 0.01 }; run:train{ steps = 1 }; local n = eoss.nn.mlp{ inputs = 1, \
            hidden = {}, outputs = 1, dtype = "f64" }; eoss.run{ model = n, data = data, loss = "mse", \
            optimizer = run.optimizer, batch_size = 4 }:train{ steps = 1 }
            """, "take a new optimizer for another model"
        ),
    ]

    @Test(arguments: mistakes) func whatIsWrongIsNamed(_ script: String, _ message: String) throws {
        let failure = try #require(try Laboratory().failure(of: smallRun + script))
        #expect(failure.contains(message), "\(failure)")
    }
}
