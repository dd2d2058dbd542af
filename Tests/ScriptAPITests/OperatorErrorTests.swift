import Foundation
import Testing

@testable import ScriptAPI

/// What a user who errs with operators is told: one message, with the line, the cause and the remedy.
@Suite struct OperatorErrorTests {
    private static let mistakes: [(String, String)] = [
        // Over which samples.
        ("run:hessian{ batch = {} }", "'batch' of run 'small' is empty: name at least one sample"),
        ("run:hessian{ batch = { 21 } }", "'batch': there is no sample 21: run 'small' has samples 1 to 20"),
        ("run:ggn{ batches = {} }", "'batches' is empty: name at least one batch"),
        ("run:ggn{ batches = { { 1 }, {} } }", "'batches' of run 'small' is empty"),
        (
            "run:ggn{ batches = { 1, 2 } }",
            "option 'batches' of run:ggn: element 1: expected a list of integers > 0, got 1"
        ),
        ("run:fisher{ samples = 21 }", "'samples' is 21: run 'small' has 20 training samples"),
        ("run:fisher{ samples = 0 }", "option 'samples' of run:fisher: expected an integer > 0, got 0"),
        ("run:ntk{ batch = { 1 }, samples = 3 }", "'batch' and 'samples': give one of batch, batches and samples"),
        ("run:hessian{ seed = 3 }", "'seed' belongs to 'samples', which it draws"),
        ("run:hessian{ sample = 3 }", "unknown option 'sample' for run:hessian: did you mean 'samples'?"),
        ("run:hessian{ statistics = 'runing' }", "did you mean 'running'?"),
        ("run:ggn{ at = short }", "'at': a vector of 2 numbers for run 'small', whose model has 19 parameters"),
        ("run:hesian()", "unknown property 'hesian' of run: did you mean 'hessian'?"),
        // Blocks and subspaces.
        (
            "run:hessian{ block = 'layer.1' }",
            "unknown block 'layer.1' of mlp 1-6-1: did you mean 'layers.1'? (its parameters: layers.0.weight, layers.0.bias"
        ),
        ("H:restrict('conv')", "unknown block 'conv' of mlp 1-6-1 (its parameters: layers.0.weight"),
        ("H:restrict('layers.1'):restrict('layers.0')", "unknown block 'layers.0' of 'layers.1' of mlp"),
        ("H:restrict{}", "an empty list: give at least one vector"),
        ("H:restrict()", "argument 1 'to' of operator:restrict is missing"),
        ("H:restrict{ g, short }", "a vector of 2 numbers for an operator on mlp 1-6-1, which takes 19"),
        ("H:restrict{ g, 2 * g }", "span only 1 dimension(s): leave out those that depend on others"),
        ("H:restrict{ 0 * g }", "span only 0 dimension(s)"),
        ("H:restrict{ g, 'layers.1' }", "argument 1 'to' of operator:restrict: element 2: expected a vector"),
        ("H:restrict{ g }:restrict('layers.1')", "the coordinates of 1 direction in mlp 1-6-1 have no names"),
        ("H:project_out{}", "an empty list: give at least one vector"),
        ("H:restrict('layers.1'):lift(g)", "operator:lift: a vector of 19 numbers, the operator has 7 rows"),
        (
            "H:restrict('layers.1'):project(short)",
            "a vector of 2 numbers for an operator on 'layers.1' of mlp 1-6-1, which takes 7 or 19"
        ),
        // Vectors.
        ("return H * short", "a vector of 2 numbers for an operator on mlp 1-6-1, which takes 19"),
        ("return H * {}", "an empty list: give at least one vector"),
        ("return H * { g, 3 }", "'*' cannot be applied to an operator and a table"),
        ("return H * { g, short }", "a vector of 2 numbers for an operator on mlp 1-6-1, which takes 19"),
        ("return H * (g / 0)", "a vector of 19 numbers holds nan or infinite ones: has the run diverged?"),
        ("H:quadratic{}", "an empty list: give at least one vector"),
        ("H:quadratic(nan)", "holds nan or infinite ones"),
        ("H:quadratic()", "argument 1 'v' of operator:quadratic is missing"),
        ("return g * H", "'*' cannot be applied to a vector and an operator"),
        // Arithmetic.
        ("return H + 1", "'+' cannot be applied to an operator and 1 (it takes: operator + operator)"),
        ("return H + g", "cannot be applied to an operator and a vector"),
        ("return H / 0", "operator / 0"),
        ("return H / H", "'/' cannot be applied to an operator and an operator (it takes: operator / number)"),
        ("return (0 / 0) * H", "an operator times nan: the factor must be finite"),
        ("H:shift(1 / 0)", "argument 1 's' of operator:shift: expected a number (finite), got inf"),
        (
            "return H:restrict('layers.0') + H:restrict('layers.1')",
            "operator + operator: the operators act on different spaces: 'layers.0' of mlp 1-6-1 (dimension 12, f64) and 'layers.1' of mlp 1-6-1 (dimension 7, f64)"
        ),
        (
            "return H + H:restrict('layers.1')",
            "different spaces: mlp 1-6-1 (dimension 19, f64) and 'layers.1' of mlp 1-6-1 (dimension 7, f64)"
        ),
        ("return H * H:restrict{ g }", "operator * operator: the operators act on different spaces"),
        (
            "return H + other:hessian()",
            "different spaces: mlp 1-6-1 (dimension 19, f64) and mlp 1-3-1 (dimension 10, f32)"
        ),
        ("eoss.average{}", "eoss.average: give at least one operator"),
        ("eoss.average{ H, g }", "argument 1 'operators' of eoss.average: element 2: expected an operator"),
        ("eoss.average{ H, other:hessian() }", "eoss.average: the operators act on different spaces"),
        // Eigenvalues.
        ("H:top(20)", "20 eigenpairs asked of an operator of dimension 19: ask for 1 to 19"),
        ("H:top(1 << 40)", "eigenpairs asked of an operator of dimension 19"),
        ("H:bottom(0)", "argument 1 'k' of operator:bottom: expected an integer > 0, got 0"),
        ("H:top(2, { tolerance = 0 })", "option 'tolerance' of operator:top: expected a number > 0, got 0"),
        ("H:top(2, { tol = 0.1 })", "unknown option 'tol' for operator:top"),
        ("H:top(2, { solver = 'lanzcos' })", "did you mean 'lanczos'?"),
        ("H:top(2, { start = { short } })", "a vector of 2 numbers for an operator on mlp 1-6-1, which takes 19"),
        ("H:top(2, { start = {} })", "an empty list: give at least one vector"),
        ("H:above('edge')", "argument 1 'threshold' of operator:above: expected a number (finite), got 'edge'"),
        ("H:above(0 / 0)", "expected a number (finite)"),
        ("H:above(1, { at_most = 0 })", "option 'at_most' of operator:above: expected an integer > 0, got 0"),
        // Estimates.
        (
            "H:trace{ method = 'hutchpp' }",
            "option 'method' of operator:trace: expected 'hutchinson' or 'hutch++' or 'xtrace'"
        ),
        ("H:trace{ samples = 10, rel_error = 0.1 }", "'samples' says exactly how many: leave out 'rel_error'"),
        ("H:trace{ min_samples = 9, max_samples = 3 }", "min_samples (9) is larger than max_samples (3)"),
        ("H:diagonal{ sample = 3 }", "unknown option 'sample' for operator:diagonal: did you mean 'samples'?"),
        ("H:density{ vectors = 0 }", "option 'vectors' of operator:density: expected an integer > 0, got 0"),
        ("H:density():at('x')", "argument 1 'x' of density:at: expected a number"),
        ("H:density():at(1, { width = 0 })", "option 'width' of density:at: expected a number > 0, got 0"),
        ("H:density():moment(-1)", "argument 1 'k' of density:moment: expected an integer >= 0, got -1"),
        ("print(H:density().node)", "unknown property 'node' of density: did you mean 'nodes'?"),
        // Linear systems.
        ("local A = -run:ggn(); A:solve(g)", "is not positive definite"),
        ("H:shift(-5):solve(g, { damping = 1 })", "take a damping"),
        ("H:solve(short)", "a vector of 2 numbers for an operator on mlp 1-6-1, which takes 19"),
        ("H:solve(g, { start = short })", "a vector of 2 numbers for an operator on mlp 1-6-1, which takes 19"),
        ("H:solve()", "argument 1 'b' of operator:solve is missing"),
        // Preconditioners.
        (
            "run:preconditioner()",
            "sgd has no preconditioner: its step is a multiple of the gradient. adam, adamw, rmsprop, scalar_rmsprop and adagrad have one"
        ),
        (
            "run.optimizer = eoss.optim.adam{ lr = 0.1 }; run:preconditioner()",
            "adam has no preconditioner before its first step"
        ),
        (
            "run:preconditioner{ gradient = short }",
            "'gradient': a vector of 2 numbers for run 'small', whose model has 19"
        ),
        (
            "run.optimizer = eoss.optim.adam{ lr = 0.1 }; run:preconditioner{ gradient = g }:precondition(H:restrict{ g })",
            "precondition first, then restrict"
        ),
        (
            "run.optimizer = eoss.optim.scalar_rmsprop{ lr = 0.1 }; run:preconditioner{ gradient = g }:precondition(other:hessian())",
            "preconditioner:precondition: the operators act on different spaces: mlp 1-6-1"
        ),
        // Figures.
        ("run:plot_spectrum('x.gif')", "x.gif: a figure's name ends in .svg, .pdf, .png or .txt"),
        ("run:plot_spectrum('s.svg', { file = 3 })", "'file' is given twice to run:plot_spectrum"),
        ("run:plot_spectrum('x.svg', { matrix = 'hesian' })", "did you mean 'hessian'?"),
        ("run:plot_spectrum('x.svg', { from = 100, to = 2 })", "nothing lies between 'from' and 'to'"),
        ("run:plot_spectrum('x.svg', { preconditioned = true })", "sgd has no preconditioner"),
        ("run:plot_spectrum('../x.svg')", "'../x.svg' is not a file below the output folder"),
        ("H.kind = 'ggn'", "'kind' of operator cannot be assigned"),
        ("H[1] = 2", "an operator cannot be changed: '1' was assigned to"),
        ("H.dense()", "dense of operator was called on nothing: write operator:dense(…) with a colon"),
    ]

    private static let prelude =
        smallRun + """
            local g, H = run:gradient(), run:hessian()
            local short = eoss.arrays.from{ 1, 2 }:tovector()
            local nan = (0 / 0) * g
            local other = eoss.run{ model = eoss.nn.mlp{ inputs = 1, hidden = {3}, outputs = 1 }, data = data, loss = "mse",
                                    optimizer = eoss.optim.sgd{ lr = 0.1 } }

            """

    /// Line 11 follows the prelude.
    @Test(arguments: mistakes)
    func theMessageNamesPlaceCauseAndRemedy(_ script: String, _ message: String) throws {
        let failure = try #require(try Laboratory().failure(of: Self.prelude + script))
        #expect(failure.hasPrefix("test.lua:11: ") && failure.contains(message), "\(failure)")
        #expect(failure.split(separator: "\n").count == 1, "\(failure)")
    }

    @Test func elementsOfALargeMatrixAreRefusedWithTheFigures() throws {
        let failure = try #require(
            try Laboratory().failure(
                of: smallRun + """
                    local wide = eoss.nn.mlp{ inputs = 1, hidden = {2000}, outputs = 1 }
                    local run = eoss.run{ model = wide, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.1 } }
                    run:hessian():dense()
                    """))
        #expect(
            failure.hasPrefix("test.lua:8: operator:dense: hessian has 6001 rows, the limit is 4096: 6001 products"))
        #expect(failure.contains("275 MiB") && failure.contains("restrict it to a block"), "\(failure)")
    }
}
