import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// What a user who errs is told: the place, what was expected, what came, the remedy.
@Suite struct ErrorTests {
    /// Line 6 follows `smallRun`.
    private static let afterRun: [(String, String)] = [
        ("eoss.rnu{}", "unknown name 'rnu' in eoss: did you mean 'run'?"),
        ("eoss.run{ batchsize = 3 }", "unknown option 'batchsize' for eoss.run: did you mean 'batch_size'?"),
        ("eoss.optim.sgd{ lr = -1 }", "option 'lr' of eoss.optim.sgd: expected a number > 0, got -1"),
        ("eoss.optim.sgd{}", "option 'lr' of eoss.optim.sgd is missing: expected a number > 0"),
        (
            "eoss.run{ model = net, data = data, loss = 'mes', optimizer = eoss.optim.sgd{ lr = 1 } }",
            "option 'loss' of eoss.run: expected 'mse' or 'half_mse' or 'mse_mean' or 'ce' or 'bce' or a function (output, target) -> tensor, got 'mes' (a string)"
        ),
        (
            "eoss.run{ model = net, data = data, loss = 'mse', optimizer = eoss.optim.sgd{ lr = 1 }, batch_size = -4 }",
            "option 'batch_size' of eoss.run: expected an integer > 0 or 'full', got -4"
        ),
        (
            "eoss.run{ model = net, data = data, loss = 'mse', optimizer = eoss.optim.sgd{ lr = 1 }, batch_size = 21 }",
            "batch_size is 21, the data has 20 samples"
        ),
        (
            "eoss.run{ name = 'a/b', model = net, data = data, loss = 'mse', optimizer = eoss.optim.sgd{ lr = 1 } }",
            "the run name 'a/b' cannot be a file name: it contains a slash; choose another name"
        ),
        ("run.lr = 0", "property 'lr' of run: expected a number > 0, got 0"),
        (
            "run.batch_size = 'all'",
            "property 'batch_size' of run: expected an integer > 0 or 'full', got 'all' (a string)"
        ),
        ("run.step = 3", "'step' of run cannot be assigned"),
        ("print(run.batchsize)", "unknown property 'batchsize' of run: did you mean 'batch_size'?"),
        (
            "run.params = eoss.arrays.from{ 1, 2 }:tovector()",
            "'params': a vector of 2 numbers for run 'small', whose model has 19 parameters"
        ),
        ("run:track('lamda_max')", "unknown probe 'lamda_max': did you mean 'lambda_max'?"),
        ("run:track('loss', { evry = 3 })", "unknown option 'evry' for run:track: did you mean 'every'?"),
        (
            "run:track('loss', { every = 0 })",
            "option 'every' of run:track: expected an integer > 0 or a table { first, growth, max }, got 0"
        ),
        ("run:track('loss', { k = 3 })", "option 'k' belongs to lambda_max"),
        ("run:track('loss'); run:track('loss')", "run 'small' tracks 'loss' already"),
        (
            "run:track('loss', { fn = print })",
            "run:track: 'loss' is what eoss calls a quantity of its own; choose another name"
        ),
        (
            "run:track('x', { fn = function() end }); run:train{ to = 1 }",
            "'fn' of the series 'x' returned nil, a number is needed"
        ),
        ("run:series('loss')", "run 'small' has no series 'loss'; it tracks nothing yet"),
        (
            "run:first('loss', '=>', 3)",
            "argument 2 'relation' of run:first: expected '<' or '<=' or '>' or '>=', got '=>' (a string)"
        ),
        (
            "run:train()",
            "run:train needs a goal: to, steps, epochs, time, stop_loss, stop_accuracy or max_loss, as in run:train{ to = 1000 }"
        ),
        (
            "run:train{ to = 3, check_every = 2 }",
            "run:train: 'check_every' belongs to stop_loss and stop_accuracy: give one of them"
        ),
        (
            "run:track('x', { fn = function() return run end }); run:train{ to = 1 }",
            "'fn' of the series 'x' returned run, a number is needed"
        ),
        ("run:train{ to = 'x' }", "option 'to' of run:train: expected an integer >= 0, got 'x' (a string)"),
        ("run:train{ to = 5, stop_loss = 0 / 0 }", "run:train: 'stop_loss' is nan, which nothing is above or below"),
        ("run:train{ to = 3 }; run:at(2, print)", "run:at(2, …): run 'small' is at step 3 already"),
        ("run.train{ to = 3 }", "train of run was called on a table: write run:train(…) with a colon"),
        ("run:gradient{ batch = { 0 } }", "option 'batch' of run:gradient: element 1: expected an integer > 0, got 0"),
        ("run:gradient{ batch = { 21 } }", "'batch': there is no sample 21: run 'small' has samples 1 to 20"),
        ("run:gradient{ batch = {} }", "'batch' of run 'small' is empty: name at least one sample"),
        ("run:hvp(3)", "argument 1 'v' of run:hvp: expected a vector, got 3"),
        (
            "run:hvp(eoss.arrays.from{ 1 }:tovector())",
            "'v': a vector of 1 numbers for run 'small', whose model has 19 parameters"
        ),
        ("run:D()", "run:D takes one vector or more: run:D(v) is the Hessian times v"),
        ("run:evaluate{ data = 'test' }", "run:evaluate: data 'chebyshev' has no test samples"),
        ("run:measure('sharpness')", "unknown probe 'sharpness'"),
        ("run:measure('step_sharpness')", "'step_sharpness' belongs to a step: track it"),
        (
            "run:measure('batch_sharpness', { batches = { { 1, 30 } } })",
            "'batches': there is no sample 30: run 'small' has samples 1 to 20"
        ),
        ("run:hessian():top(20)", "20 eigenpairs asked of an operator of dimension 19: ask for 1 to 19"),
        ("local v = run.params; v[1] = 3", "a vector cannot be changed: '1' was assigned to"),
        ("return run.params + run", "'+' cannot be applied to a vector and a run (it takes: vector + vector"),
        ("return run.params + eoss.arrays.from{ 1 }:tovector()", "vectors of 19 and 1 numbers do not combine"),
        ("net:load('none.safetensors')", "no such file: 'none.safetensors'"),
        ("net:load('/etc/passwd')", "'/etc/passwd' is absolute: paths in a script are relative (--trust lifts this)"),
        ("run:save('../x.safetensors')", "'../x.safetensors' is not a file below the output folder"),
        ("run:plot('x.svg', 'loss')", "run 'small' has no series 'loss'; it tracks nothing yet"),
        (
            "run:track('loss'); run:train{ to = 1 }; run:plot('x.gif', 'loss')",
            "x.gif: a figure's name ends in .svg, .pdf, .png or .txt"
        ),
        (
            "run:track('a\\0b', { fn = function() return 1 end })",
            "'a\\0b' cannot be the name of a series: it contains a control character"
        ),
        ("print(table.unpack({}, 1, 1000000))", "too many results to unpack"),
        ("eoss.params{ f = print }", "'f': expected"),
        ("eoss.params{}; eoss.params{}", "eoss.params was called already: declare all parameters in one table"),
        (
            "local p = eoss.params{ lr = 1, steps = 3 }; print(p.lrr)",
            "unknown name 'lrr' in the parameters: did you mean 'lr'?"
        ),
        (
            "run:save('a.safetensors'); return eoss.arrays.load('a.safetensors')['layers.0.wieght']",
            "unknown name 'layers.0.wieght' in the arrays of 'a.safetensors': did you mean 'layers.0.weight'?"
        ),
        (
            "eoss.nn.module{ inputs = 3, params = { w = { shape = {3} } }, forward = function(x, p) return x * p.ww end }",
            "unknown name 'ww' in the parameters: did you mean 'w'?"
        ),
        ("continue()", "continue(): no training is paused"),
        ("run:track('lambda_max', { k = 1 << 40 })", "option 'k' is 1099511627776: the model has 19 parameters"),
        (
            "eoss.nn.module{ inputs = 3, params = {}, forward = function(x, p) return x end }",
            "a model without parameters: there is nothing to train"
        ),
        (
            "eoss.nn.module{ inputs = 3, params = { w = { shape = {} }, ['w.sum'] = { shape = {} } }, forward = print }",
            "a parameter cannot be named 'w.sum' beside one named 'w'"
        ),
        ("eoss.data.fashion_mnist{ indices = { 1, 2, 2 } }", "names sample 2 twice"),
        ("eoss.arrays.save('x.safetensors', { 1, 2 })", "'arrays' of eoss.arrays.save: expected a table of names"),
        ("eoss.arrays.from{ { 1, 2 }, { 3 } }", "'numbers': the tables in it have different lengths"),
        (
            "eoss.arrays.from{ { 1, 2 } }:get(1, 3)",
            "array:get(1, 3): the array has shape [1, 2], and indices start at 1"
        ),
        ("eoss.data.arrays{ inputs = { 1 } }", "eoss.data.arrays takes inputs with one of targets and labels"),
        (
            "eoss.data.arrays{ inputs = { 1, 2 }, targets = { 1 } }",
            "inputs hold 2 samples, targets of shape [1] do not"
        ),
        (
            "eoss.data.fashion_mnist{ n = 3, first = 2 }",
            "eoss.data.fashion_mnist takes one of n, first, per_class and indices"
        ),
        ("eoss.nn.mlp{ inputs = 3, outputs = 2, activation = 'rleu' }", "did you mean 'relu'?"),
        // Networks and losses in Lua.
        (
            "eoss.nn.module{ inputs = 3, params = { w = { shape = {4} } }, forward = function(x, p) return x * p.w end }",
            "product of tensors of shapes [3] and [4], which do not fit"
        ),
        (
            "eoss.nn.module{ inputs = 3, params = { w = { shape = {} } }, forward = function(x, p) return 3 end }",
            "forward of eoss.nn.module must return a tensor, it returned a number"
        ),
        (
            "eoss.nn.module{ inputs = 3, params = { w = { shape = {} } }, forward = function(x, p) leaked = x; return x end }; return leaked + 1",
            "a tensor was used after the function it belongs to: keep numbers, not tensors"
        ),
        (
            "eoss.nn.module{ inputs = 3, params = { w = { shpe = {4} } }, forward = print }",
            "option 'params' of eoss.nn.module: 'w': unknown option 'shpe': did you mean 'shape'?"
        ),
        (
            "eoss.nn.module{ inputs = 3, params = { w = { shape = {4}, init = eoss.init.kaiming_normal() } }, forward = print }",
            "parameter 'w' of eoss.nn.module: this initialisation needs two axes or more, the shape is [4]"
        ),
        (
            "eoss.run{ model = net, data = data, loss = function(o, t) return o - t end, optimizer = eoss.optim.sgd{ lr = 1 } }",
            "a scalar is needed: sum or average it"
        ),
    ]

    @Test(arguments: afterRun)
    func theMessageNamesPlaceCauseAndRemedy(_ script: String, _ message: String) throws {
        let failure = try #require(try Laboratory().failure(of: smallRun + script))
        #expect(failure.hasPrefix("test.lua:6: ") && failure.contains(message), "\(failure)")
    }

    @Test func aDivergedRunStopsAtItsStepAndKeepsWhatItMeasured() throws {
        let lab = try Laboratory()
        let failure = try #require(
            try lab.failure(
                of: smallRun + """
                    run:track("batch_loss")
                    run.lr = 1e10
                    local ok, message = pcall(run.train, run, { to = 1000 })
                    assert(not ok and run.step < 100 and run:series("batch_loss").values[1])
                    run:train{ to = 1000 }
                    """))
        #expect(failure.hasPrefix("test.lua:10: run 'small' diverged: at step "))
        #expect(failure.contains("a lower lr or init_scale may help"))
    }

    @Test func aModelOfATrillionParametersIsRefusedWithBothFigures() throws {
        let failure = try #require(
            try Laboratory().failure(of: "eoss.nn.mlp{ inputs = 1000000, hidden = { 1000000 }, outputs = 1 }"))
        #expect(failure.hasPrefix("test.lua:1: ") && failure.contains("TiB"), "\(failure)")
        let beyond = try #require(
            try Laboratory().failure(of: "eoss.nn.mlp{ inputs = 1 << 40, hidden = { 1 << 40 }, outputs = 1 }"))
        #expect(beyond.hasPrefix("test.lua:1: "), "\(beyond)")
    }

    @Test func anOutputFolderThatCannotBeWrittenIsNamed() throws {
        let lab = try Laboratory()
        try lab.write("", to: "file")
        let failure = try #require(
            try lab.failure(of: smallRun + "run:train{ to = 1 }") {
                $0.outputFolder = lab.folder.appendingPathComponent("file/below")
            })
        #expect(failure.hasPrefix("test.lua:6: cannot make the run file 'file/below/small.eoss': Not a directory"))
        #expect(failure.hasSuffix("choose another folder with --out DIR"))
    }

    @Test func weightsOfAnotherModelAreRefusedByNameAndShape() throws {
        let lab = try Laboratory()
        let source =
            smallRun + """
                local wide = eoss.nn.mlp{ inputs = 1, hidden = {7}, outputs = 1 }
                local deep = eoss.nn.mlp{ inputs = 1, hidden = {6, 6}, outputs = 1 }
                local bare = eoss.nn.mlp{ inputs = 1, hidden = {6}, outputs = 1, bias = false }
                net:save("w.safetensors")
                for _, other in ipairs{ wide, deep, bare } do
                  local ok, message = pcall(other.load, other, "w.safetensors")
                  print(message.message)
                end
                """
        #expect(try lab.failure(of: source) == nil)
        #expect(
            lab.printed == [
                "'w.safetensors': 'layers.0.weight' has shape [6, 1], the model's has [7, 1]",
                "'w.safetensors' is not of this model: it lacks 'layers.2.weight', 'layers.2.bias'",
                "'w.safetensors' is not of this model: it has 'layers.0.bias', 'layers.1.bias', which the model does not have",
            ])
    }

    @Test func aDamagedOrForeignFileIsOneMessage() throws {
        let lab = try Laboratory()
        try lab.write("not an array file", to: "foreign.npy")
        let failure = try #require(try lab.failure(of: "eoss.arrays.load('foreign.npy')"))
        #expect(failure.hasPrefix("test.lua:1: ") && failure.contains("foreign.npy"), "\(failure)")
    }

    @Test func settingsThatNoParameterTakesAreRefused() throws {
        let params = "local p = eoss.params{ lr = 0.1, steps = 3 }"
        let lab = try Laboratory()
        let misspelt = try lab.failure(of: params) { $0.settings = [.init("step", "5")] }
        #expect(
            misspelt
                == "test.lua:1: --set step: the script has no such parameter: did you mean 'steps'? (it declares lr, steps)"
        )
        let wrong = try lab.failure(of: params) { $0.settings = [.init("lr", "fast")] }
        #expect(wrong == "test.lua:1: --set lr=fast: expected a number, as the default 0.1")
        let none = try lab.failure(of: "print(1)") { $0.settings = [.init("lr", "1")] }
        #expect(none == "--set lr: the script declares no parameters by eoss.params")
    }

    @Test func anErrorInACallbackShowsTheWayToIt() throws {
        let failure = try #require(
            try Laboratory().failure(
                of: smallRun + """
                    local function halve(r) r.lr = r.lr / zero end
                    run:at(2, function(r) halve(r) end)
                    run:train{ to = 3 }
                    """))
        let lines = failure.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(lines.first?.hasPrefix("test.lua:6: undefined global 'zero': assign it first") == true)
        #expect(lines.last == "test.lua:8: in main chunk")
    }
}
