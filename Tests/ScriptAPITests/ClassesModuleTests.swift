import Testing

@testable import ScriptAPI

/// The training samples by their classes: which they are, how well each is learnt, and how its gradient lies.
@Suite struct ClassesModule {
    @Test func samplesLossesAndAlignmentByClass() throws {
        try Laboratory().run(
            """
            local classes = require "classes"
            local labels = { 2, 0, 1, 2, 0, 2 }
            local data = eoss.data.arrays{ inputs = { { 1, 2 }, { 3, 1 }, { 2, 2 }, { 0, 1 }, { 1, 1 }, { 3, 0 } }, labels = labels, classes = 4 }
            local net = eoss.nn.mlp{ inputs = 2, hidden = { 3 }, outputs = 4, activation = "tanh", dtype = "f64" }
            local run = eoss.run{ model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.1 }, file = false }
            local sets = classes.samples(run)
            assert(#sets == 4 and #sets[4] == 0)
            for class = 1, 3 do for _, sample in ipairs(sets[class]) do assert(labels[sample] == class - 1) end end
            assert(#sets[1] == 2 and #sets[2] == 1 and #sets[3] == 3)
            local start, each = run.params, run:evaluate().losses
            run:train{ steps = 5 }
            local means = classes.losses(run, sets, start)
            assert(math.abs(means[1] - (each[2] + each[5]) / 2) < 1e-12 and means[4] ~= means[4])
            assert(classes.losses(run, sets)[1] ~= means[1])
            local cosines, norms = classes.alignment(run, { sets[1], sets[3] }, start)
            local g = run:gradient{ batch = sets[3], at = start }
            local u = run:hessian{ at = start }:top(1, { tolerance = 1e-8 }).vectors[1]
            assert(math.abs(norms[2] - g:norm()) < 1e-12 and math.abs(cosines[2] - math.abs(u:dot(g)) / g:norm()) < 1e-3)
            """)
    }
}
