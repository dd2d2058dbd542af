import Testing

@testable import ScriptAPI

/// Monte-Carlo probes from scripts: what they are called, what their measurements hold, and what is said of mistakes.
@Suite struct ProbeScripts {
    private static let spellings = [
        """
        for _, name in ipairs{ "batch_sharpness", "batch_sharpness_ratio", "batch_sharpness_gn", "gni", "one_step_loss_change" } do
          local m = run:measure(name, { batch_size = 3, rel_error = 0, max_samples = 40 })
          assert(m.samples == 40 and m.stderr > 0 and m.seconds > 0, name)
          local named = run:measure(name, { batches = { {1,2,3}, {4,5,6} } })
          assert(named.samples == 2 and named.stderr == 0, name)
        end
        """,
        """
        run.optimizer = eoss.optim.momentum{ lr = 0.01, beta = 0.5 }
        run:track({ "momentum_batch_sharpness", "gradient_norm_mc", "projected_noise", "batch_lambda_max" },
                  { every = 3, max_samples = 20 })
        run:train{ to = 6 }
        assert(#run:series("momentum_batch_sharpness_ratio") == 3 and #run:series("projected_noise") == 3)
        assert(run:series("gradient_norm_mc").stderrs[2] == 0)
        assert(run:measure("temperature").value == 0.01 / (4 * 0.5))
        """,
        """
        local exact = run:measure("hessian_trace", { method = "xtrace", max_samples = 12, rel_error = 0 })
        assert(exact.stderr == 0 or exact.products <= 12)
        local subset = run:measure("batch_sharpness", { samples = 10, batch_size = 10 })
        assert(subset.stderr == 0 and subset.samples == 1)
        assert(run:measure("step_sharpness", { batch = {1, 2, 3} }).value > 0)
        """,
    ]

    @Test(arguments: spellings.indices) func everySpellingWorks(_ number: Int) throws {
        #expect(try Laboratory().failure(of: smallRun + Self.spellings[number]) == nil)
    }

    private static let mistakes = [
        (
            "run:track('momentum_batch_sharpness')",
            "momentum_batch_sharpness needs a rule with momentum, run 'small' has sgd"
        ),
        ("run:track('gni', { batch_size = 21 })", "option 'batch_size' is 21: the data has 20 samples"),
        ("run:track('gni', { samples = 21 })", "option 'samples' is 21: the data has 20 samples"),
        ("run:track('gni', { samples = 3 })", "run 'small' has batch_size 4: batches are drawn from 3 samples"),
        ("run:track('gni', { batches = { { 1, 21 } } })", "there is no sample 21: run 'small' has samples 1 to 20"),
        ("run:track('gni', { batches = {} })", "'batches' of run 'small' is empty"),
        ("run:track('gni', { method = 'xtrace' })", "option 'method' belongs to hessian_trace, not to gni"),
        ("run:track('hessian_trace', { method = 'hutch' })", "'hutchinson' or 'hutch++' or 'xtrace'"),
        ("run:track('gni', { rel_eror = 0.1 })", "unknown option 'rel_eror' for run:track: did you mean 'rel_error'?"),
        ("run:measure('step_sharpness')", "'step_sharpness' belongs to a step: track it, or give it a batch"),
    ]

    @Test(arguments: mistakes) func whatIsWrongIsNamed(_ script: String, _ message: String) throws {
        let failure = try #require(try Laboratory().failure(of: smallRun + script))
        #expect(failure.hasPrefix("test.lua:6: ") && failure.contains(message), "\(failure)")
    }
}
