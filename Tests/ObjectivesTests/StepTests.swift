import Compute
import Graph
import Networks
import SmallNetworks
import Testing

@testable import Objectives

/// Gradient and update as one program.
@Suite struct StepTests {
    /// Two states and a square root.
    static let adam = ElementwiseUpdate(states: ["mean", "squares"], scalars: ["rate", "beta"]) { x in
        let mean = try x.states[0] + x.scalars[1] * (x.gradient - x.states[0])
        let squares = try x.states[1] + x.scalars[1] * (x.gradient * x.gradient - x.states[1])
        return [try x.theta - x.scalars[0] * mean / (squares.sqrt() + x.theta.constant(0.01)), mean, squares]
    }
    /// θ ← θ − η g/√(n + ‖g‖²), n ← n + ‖g‖².
    static let byLength = ElementwiseUpdate(scalars: ["rate"], numbers: ["sum"]) { x in
        let sum = try x.numbers[0] + x.squaredNorm
        return ([try x.scalars[0] / sum.sqrt()], [sum])
    } _: { x in
        [try x.theta - x.scalars[0] * x.gradient]
    }

    private func step(
        _ oracle: Oracle, _ update: ElementwiseUpdate, _ theta: inout Vector, _ state: inout UpdateState,
        _ scalars: [Double], batch: [Int]?, measuring: Bool = false
    ) throws -> StepResult {
        try scalars.withUnsafeBufferPointer { scalars in
            guard let batch else {
                return try oracle.step(
                    update, &theta, &state, batch: nil, measuringCurvature: measuring, scalars: scalars)
            }
            return try batch.withUnsafeBufferPointer {
                try oracle.step(update, &theta, &state, batch: $0, measuringCurvature: measuring, scalars: scalars)
            }
        }
    }

    private static let updates: [(ElementwiseUpdate, [Double])] = [
        (.descent, [0.1]), (adam, [0.05, 0.2]), (byLength, [0.3]),
    ]

    /// Over all samples in one piece, and with gradients summed over pieces of 4: the same up to the order of sums in f64, over ten
    /// steps that each multiply differences by less than 10.
    @Test func stepsInPiecesAreStepsOfTheWhole() throws {
        for (update, scalars) in Self.updates {
            let (whole, cut) = (try Problem(), try Problem(chunk: 4))
            var (a, b) = (whole.theta, cut.theta)
            var (stateA, stateB) = (UpdateState(), UpdateState())
            for _ in 0..<10 {
                let x = try step(whole.oracle, update, &a, &stateA, scalars, batch: nil).loss
                let y = try step(cut.oracle, update, &b, &stateB, scalars, batch: nil).loss
                #expect(abs(x - y) < 1e-10 * abs(x))
            }
            #expect(try relativeDifference(a, b) < 1e-10)
            #expect(zip(stateA.numbers, stateB.numbers).allSatisfy { abs($0 - $1) < 1e-10 * abs($0) })
            #expect(stateA.steps == 10 && stateB.steps == 10)
        }
    }

    /// Against the gradient and plain arithmetic.
    @Test func aStepByLengthIsWhatItSays() throws {
        let problem = try Problem()
        var (theta, state, sum) = (problem.theta, UpdateState(), 0.0)
        for _ in 0..<3 {
            let (loss, gradient) = try problem.oracle.gradient(at: theta, over: .indices([3, 1, 8]))
            sum += gradient.squaredNorm
            let expected = try theta - (0.3 / sum.squareRoot()) * gradient
            let result = try step(problem.oracle, Self.byLength, &theta, &state, [0.3], batch: [3, 1, 8])
            #expect(try relativeDifference(theta, expected) < 1e-13)
            #expect(abs(result.loss - loss) < 1e-13 && abs(state.numbers[0] / sum - 1) < 1e-12)
        }
    }

    /// Rounding to f32 is the same whatever the number of threads, in one program and in pieces.
    @Test func theBitsDoNotDependOnTheNumberOfThreads() throws {
        for (update, scalars) in Self.updates {
            for chunk in [1024, 4] {
                var results: [Vector] = []
                for threads in [1, 2] {
                    let problem = try Problem(hidden: [130, 40], element: .f32)
                    let oracle = try Oracle(
                        objective: problem.oracle.objective, samples: problem.oracle.samples,
                        engine: Engine(threads: threads), chunk: chunk)
                    var (theta, state) = (problem.theta, UpdateState())
                    for _ in 0..<5 { _ = try step(oracle, update, &theta, &state, scalars, batch: nil) }
                    results.append(theta)
                }
                #expect(results[0].hasSameBits(as: results[1]))
            }
        }
    }

    /// Measuring on the way: parameters, state, running statistics and losses keep their bits, for every kind of layer; and what
    /// is measured is what the probe of batches measures, up to f32 sums of a few hundred terms that cancel.
    @Test(arguments: Zoo.entries) func curvatureOnTheWayLeavesTheStepItsBits(_ entry: ZooEntry) throws {
        let model = try entry.make(.f32)
        let samples = try ZooSamples(entry, model, count: 2 * entry.samples)
        let objective = try Objective(model: model, loss: .mse)
        // One kind of update is enough for a kind of layer.
        let isConnected = Zoo.connected.contains { $0.name == entry.name }
        for (update, scalars) in isConnected ? Self.updates : [(Self.adam, [0.05, 0.2])] {
            let (plain, measuring) = (
                try Oracle(objective: objective, samples: samples), try Oracle(objective: objective, samples: samples)
            )
            var (a, b) = (model.initial, model.initial)
            var (stateA, stateB) = (UpdateState(), UpdateState())
            for turn in 0..<2 {
                let batch = (0..<entry.samples).map { ($0 + turn) % samples.count }
                let before = b
                let x = try step(plain, update, &a, &stateA, scalars, batch: batch)
                let y = try step(measuring, update, &b, &stateB, scalars, batch: batch, measuring: true)
                #expect(x.loss == y.loss && x.curvature == nil)
                #expect(a.hasSameBits(as: b), "\(entry): step \(turn + 1)")
                #expect(zip(stateA.vectors, stateB.vectors).allSatisfy { $0.hasSameBits(as: $1) })
                #expect(stateA.numbers == stateB.numbers)
                #expect(try plain.running.values().hasSameBits(as: measuring.running.values()))
                let found = try #require(y.curvature)
                let expected = try measuring.batchCurvature(at: before, batches: batch, size: batch.count)[0]
                // A unit that never fires has neither.
                #expect(
                    abs(found.squaredGradientNorm - expected.squaredGradientNorm) <= 1e-4 * expected.squaredGradientNorm
                )
                #expect(
                    abs(found.quadratic - expected.quadratic)
                        <= 1e-3 * max(abs(expected.quadratic), expected.squaredGradientNorm), "\(entry)")
                #expect(y.curvatureWork > 0)
            }
        }
    }

    /// In f64 to the last digits, in one piece and in pieces.
    @Test func curvatureOnTheWayIsThatOfTheBatch() throws {
        for chunk in [1024, 4] {
            let problem = try Problem(chunk: chunk)
            var (theta, state) = (problem.theta, UpdateState())
            for _ in 0..<3 {
                let before = theta
                let batch = [5, 2, 7, 0, 11, 3]
                let found = try #require(
                    step(problem.oracle, Self.adam, &theta, &state, [0.05, 0.2], batch: batch, measuring: true)
                        .curvature)
                let gradient = try problem.oracle.gradient(at: before, over: .indices(batch)).gradient
                let form = try problem.oracle.quadratic(at: before, along: gradient, over: .indices(batch))
                #expect(abs(found.quadratic / form - 1) < 1e-11)
                #expect(abs(found.squaredGradientNorm / gradient.squaredNorm - 1) < 1e-11)
            }
        }
    }

    /// Forward pass and deltas are those of the step: of a perceptron, what is added has no product of the batch with a weight
    /// matrix but the tangents', one for each layer behind the first.
    @Test func curvatureOnTheWaySharesThePassesOfTheStep() throws {
        let problem = try Problem(.relu, hidden: [200, 150], element: .f32)
        let objective = problem.oracle.objective
        let plan = try Engine.shared.plan(
            for: objective.step(.descent, count: 8), with: objective.stepCurvature(count: 8, use: .batch))
        let own = try Engine.shared.plan(for: objective.step(.descent, count: 8))
        #expect(
            plan.graph.nodes.prefix(own.graph.nodes.count).map(\.operation.mnemonic)
                == own.graph.nodes.map(\.operation.mnemonic))
        let added = plan.graph.nodes.dropFirst(own.graph.nodes.count)
        let weights = Set(model(objective).entries.filter { $0.shape.count == 2 }.map(\.name))
        let reading = added.filter { node in
            node.operands.contains {
                $0.id < plan.graph.inputs.count && weights.contains(plan.graph.inputs[$0.id].name)
            }
        }
        #expect(reading.count == 2)
        #expect(plan.companionCost.multiplyAdds < own.cost.multiplyAdds / 2)
    }

    /// ρg/‖g‖ ahead, or ρg.
    private static let ascents: [(ElementwiseUpdate, [Double])] = [
        (
            ElementwiseUpdate(scalars: ["rho"], numbers: []) { x in
                ([try x.scalars[0] / x.squaredNorm.sqrt()], [])
            } _: { x in
                [try x.theta + x.scalars[0] * x.gradient]
            }, [0.2]
        ), (ElementwiseUpdate(scalars: ["rho"]) { x in [try x.theta + x.scalars[0] * x.gradient] }, [0.7]),
    ]

    /// Against the same steps one gradient at a time, in f64: sums of a hundred terms in another order, three steps.
    @Test func stepsByTheGradientElsewhere() throws {
        for (number, (ascent, radius)) in Self.ascents.enumerated() {
            for (update, scalars) in Self.updates {
                let problem = try Problem(.tanh, hidden: [20, 30])
                let program = update.byGradient(at: ascent)
                #expect(program === update.byGradient(at: ascent))
                var (theta, state) = (problem.theta, UpdateState())
                var (other, otherState) = (problem.theta, UpdateState())
                for turn in 0..<3 {
                    let batch = turn == 2 ? nil : [3, 1 + turn, 8]
                    let part = batch.map(BatchSelection.indices) ?? .all
                    let before = other
                    let (loss, gradient) = try problem.oracle.gradient(at: other, over: part)
                    let length = number == 0 ? gradient.norm() : 1
                    let ahead = try other + (radius[0] / length) * gradient
                    let slope = try problem.oracle.gradient(at: ahead, over: part).gradient
                    try scalars.withUnsafeBufferPointer {
                        try problem.oracle.apply(update, &other, &otherState, gradient: slope, scalars: $0)
                    }
                    let own = try step(problem.oracle, program, &theta, &state, radius + scalars, batch: batch)
                    #expect(abs(own.loss - loss) < 1e-12 * abs(loss))
                    #expect(try relativeDifference(theta, other) < 1e-12)
                    #expect(try relativeDifference(theta, before) > 1e-4)
                }
                #expect(zip(state.numbers, otherState.numbers).allSatisfy { abs($0 - $1) < 1e-12 * abs($1) })
            }
        }
    }

    /// The weights there are not formed where they are larger than what they are moved by: values of the shape of the matrix between
    /// the hidden layers are as many as in a plain step.
    @Test func theWeightsAheadAreNotFormed() throws {
        let problem = try Problem(.relu, hidden: [200, 150], element: .f32)
        let objective = problem.oracle.objective
        func made(_ graph: Graph) -> Int {
            graph.nodes.reduce(0) { count, node in
                count + node.results.count { graph.types[$0].shape.sorted() == [150, 200] }
            }
        }
        for (ascent, _) in Self.ascents {
            let graph = try objective.step(ElementwiseUpdate.descent.byGradient(at: ascent), count: 8)
            let plain = try Engine.shared.plan(for: objective.step(.descent, count: 8)).graph
            let (own, usual) = (made(try Engine.shared.plan(for: graph).graph), made(plain))
            #expect(own == usual)
            let before = made(graph.simplified())
            #expect(usual == 1 && before >= 4)
        }
        // One program or none.
        let cut = try Problem(chunk: 4)
        let program = ElementwiseUpdate.descent.byGradient(at: Self.ascents[0].0)
        let (inPieces, whole) = (
            try cut.oracle.isOneProgram(program, batch: nil), try problem.oracle.isOneProgram(program, batch: nil)
        )
        #expect(whole && !inPieces)
    }

    private func model(_ objective: Objective) -> ParameterLayout { objective.model.layout }

    @Test func aCopyOfTheParametersKeepsItsValues() throws {
        let problem = try Problem()
        var (theta, state) = (problem.theta, UpdateState())
        _ = try step(problem.oracle, Self.adam, &theta, &state, [0.05, 0.2], batch: nil)
        let (kept, keptState) = (theta, state)
        let (values, mean) = (theta.values, state.vectors[0].values)
        _ = try step(problem.oracle, Self.adam, &theta, &state, [0.05, 0.2], batch: nil)
        #expect(kept.values == values && keptState.vectors[0].values == mean)
        #expect(theta.values != values && state.vectors[0].values != mean)
    }
}

/// Samples for any small network.
private struct ZooSamples: SampleSource {
    let count: Int
    let inputShape: [Int]
    let targetShape: [Int]
    private let inputs: Vector
    private let tokens: [Int32]
    private let targets: Vector

    init(_ entry: ZooEntry, _ model: Model, count: Int) throws {
        self.count = count
        (inputShape, targetShape) = (model.inputShape, model.outputShape)
        let (inputs, outputs) = (count * inputShape.reduce(1, *), count * model.outputCount)
        var stream = RandomStream(seed: 9, purpose: .test)
        tokens = entry.tokens == 0 ? [] : (0..<inputs).map { _ in Int32(stream.below(entry.tokens)) }
        self.inputs = try Vector(
            entry.tokens == 0 ? (0..<inputs).map { _ in stream.normal() } : [0], element: model.element)
        targets = try Vector((0..<outputs).map { _ in stream.normal() }, element: model.element)
    }

    func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        // Constants held by this value: their memory stays where it is.
        let first =
            tokens.isEmpty
            ? inputs.withUnsafeBytes { $0.baseAddress! } : tokens.withUnsafeBytes { $0.baseAddress! }
        return (first, targets.withUnsafeBytes { $0.baseAddress! })
    }
}
