import Testing

@testable import ScriptAPI

/// What is measured changes nothing, and says what it cannot say.
@Suite struct UntouchedTrainingTests {
    /// A schedule that draws, with and without probes that draw, too: the same losses.
    @Test func probesDrawFromStreamsOfTheirOwn() throws {
        let laboratory = try Laboratory()
        let schedule = "run.lr = function() return 0.01 * math.random() end\n"
        let probes = [
            "", "run:track('own', { fn = function() return math.random() end })\n",
            "run:track('loss', { when = function() return math.random() < 0.5 end })\n",
            "run:track('own', { fn = function() math.randomseed(7) return 1 end })\n",
        ]
        for probe in probes {
            try laboratory.run(smallRun + schedule + probe + "run:train{ steps = 12 } print(run:measure('loss').value)")
        }
        #expect(laboratory.printed.count == 4 && Set(laboratory.printed).count == 1, "\(laboratory.printed)")
    }

    /// And they draw the same whatever else is drawn.
    @Test func whatAProbeDrawsDependsOnRunStepAndName() throws {
        let laboratory = try Laboratory()
        for other in ["", "math.random(); run:track('b', { fn = function() return math.random() end })\n"] {
            try laboratory.run(
                smallRun + other + """
                    run:track('a', { fn = function() return math.random() end })
                    run:train{ steps = 3 }
                    local v = run:series('a').values
                    assert(v[1] ~= v[2] and v[2] ~= v[3])
                    print(table.concat(v, " "))
                    """)
        }
        #expect(Set(laboratory.printed).count == 1 && laboratory.printed.count == 2)
    }

    @Test func aGradientOfZeroHasNoInteraction() throws {
        let failure = try Laboratory().failure(
            of: """
                local data = eoss.data.arrays{ inputs = { {1}, {2}, {3}, {4} }, targets = { {0}, {0}, {0}, {0} } }
                local net = eoss.nn.module{ inputs = 1, params = { w = { shape = {1}, init = eoss.init.zeros() } },
                                            forward = function(x, p) return p.w * x end }
                local run = eoss.run{ file = false, model = net, data = data, loss = "mse", batch_size = 2,
                                      optimizer = eoss.optim.sgd{ lr = 0.01 } }
                local value = run:measure("interaction_sharpness").value
                assert(value ~= value)
                """)
        #expect(failure == nil)
    }

    @Test(arguments: ["lion", "sign", "muon"])
    func thereIsNoTemperatureOfOtherRules(_ rule: String) throws {
        let failure = try Laboratory().failure(
            of: smallRun + "run.optimizer = eoss.optim.\(rule){ lr = 0.1 }; run:measure('temperature')")
        #expect(failure?.contains("the scale of the noise of sgd, momentum and nesterov") == true, "\(failure ?? "")")
    }

    @Test func drawnNoiseHasTheTemperatureOfItsBatches() throws {
        let failure = try Laboratory().failure(
            of: smallRun + """
                run.batch_size = "full"
                run.optimizer = eoss.optim.noisy_sgd{ lr = 0.1, noise_batch = 4 }
                assert(run:measure("temperature").value == 0.1 / 4)
                run.optimizer = eoss.optim.sgd{ lr = 0.1, clip = 1 }
                assert(not pcall(run.measure, run, "temperature"))
                for _, name in ipairs{ "", "+" } do
                  pcall(function()
                    run.optimizer = eoss.optim.custom{ name = name, lr = 0.1, step = function(_, step) return step.params end }
                  end)
                  assert(not pcall(run.measure, run, "temperature"))
                end
                """)
        #expect(failure == nil)
    }

    @Test func whatIsExactlyNothingHasNoError() throws {
        let failure = try Laboratory().failure(
            of: smallRun + """
                run.params = (0 / 0) * run.params
                for _, name in ipairs{ "gradient_norm_mc", "gradient_noise_scale" } do
                  local m = run:measure(name)
                  assert(m.value ~= m.value and m.stderr == nil, name)
                end
                """)
        #expect(failure == nil)
    }

    /// A rule that is changed later has none either.
    @Test func aTemperatureEndsWithItsRule() throws {
        let failure = try Laboratory().failure(
            of: smallRun + """
                run:track("temperature"); run:train{ steps = 1 }
                run.optimizer = eoss.optim.lion{ lr = 0.001 }; run:train{ steps = 1 }
                local v = run:series("temperature").values
                assert(math.abs(v[1] - 0.02 / 4) < 1e-15 and v[#v] ~= v[#v])
                """)
        #expect(failure == nil)
    }

    /// A dead unit hides an infinite weight from some outputs; the loss shows it.
    @Test func parametersThatAreNotFiniteHaveNoAccuracy() throws {
        let failure = try Laboratory().failure(
            of: """
                local data = eoss.data.arrays{ inputs = { {-1}, {-2}, {3}, {4} }, labels = { 0, 1, 1, 0 } }
                local net = eoss.nn.module{ inputs = 1, params = { w = { shape = {1}, init = 1 } },
                  forward = function(x, p) return eoss.concat{ eoss.relu(p.w * x), eoss.relu(-p.w * x) } end }
                local run = eoss.run{ file = false, model = net, data = data, loss = "ce", optimizer = eoss.optim.sgd{ lr = 0.01 } }
                assert(run:evaluate().accuracy == 0.5)
                run.params = eoss.vector{ 1 / 0 }
                local e = run:evaluate()
                assert(e.loss ~= e.loss and e.accuracy ~= e.accuracy)
                """)
        #expect(failure == nil)
    }
}
