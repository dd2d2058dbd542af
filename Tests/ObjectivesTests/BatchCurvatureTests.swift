import Compute
import Graph
import Testing

@testable import Networks
@testable import Objectives

@Suite struct BatchCurvatureOfAnObjective {
    /// A network given as a script gives one: per sample, with a skip connection and a product that no layer of ours has.
    static func handmade(_ element: ElementType = .f64) throws -> Model {
        try Model(
            name: "handmade", element: element,
            parameters: [
                .init(name: "a", shape: [8, 5], initializer: .normal(std: 0.5)),
                .init(name: "b", shape: [8, 8], initializer: .normal(std: 0.4)),
                .init(name: "c", shape: [3, 8], initializer: .normal(std: 0.4)),
                .init(name: "shift", shape: [8], initializer: .normal(std: 0.1)),
            ], inputShape: [5], seed: 11
        ) { x, p in
            let hidden = try (p[0].dot(x) + p[3]).tanh()
            let mixed = try hidden + p[1].dot(hidden).sigmoid() * hidden
            return try p[2].dot(mixed)
        }
    }

    @Test(arguments: DerivativesOfAnObjective.problems)
    func theCheapWayEqualsTheDoubleBackwardOne(_ activation: Activation, _ loss: LossName) throws {
        let problem = try Problem(activation, loss: loss)
        try agrees(problem.oracle, problem.theta)
    }

    @Test func itEqualsTheDoubleBackwardOneForAHandmadeNetwork() throws {
        let model = try Self.handmade()
        let oracle = try Oracle(
            objective: Objective(model: model, loss: .mse), samples: RandomSamples(count: 12, inputs: 5, outputs: 3))
        try agrees(oracle, model.initial)
    }

    private func agrees(_ oracle: Oracle, _ theta: Vector) throws {
        let batches = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [2, 5, 7, 11], [0, 4, 8, 9]]
        let cheap = try oracle.batchCurvature(at: theta, batches: batches.flatMap { $0 }, size: 4)
        for (value, batch) in zip(cheap, batches) {
            let (loss, gradient) = try oracle.gradient(at: theta, over: .indices(batch))
            let product = try oracle.directional(at: theta, along: [gradient], over: .indices(batch))
            #expect(abs(value.loss - loss) < 1e-13 * abs(loss))
            #expect(abs(value.squaredGradientNorm - gradient.squaredNorm) < 1e-12 * gradient.squaredNorm)
            let quadratic = try gradient.dot(product)
            #expect(abs(value.quadratic - quadratic) < 1e-11 * abs(quadratic))
        }
    }

    /// The p-sized gradient of a batch is never formed: no value of the graph has the shape of a stack of weights. Extents
    /// are chosen different from each other, so that a shape tells what a value is.
    @Test func noWeightGradientOfABatchIsFormed() throws {
        let perceptron = try Model.multilayerPerceptron(
            inputShape: [23], hidden: [17, 13], outputs: 11, activation: .relu, initScale: 1, seed: 1)
        try formsNoGradient(perceptron)
        try formsNoGradient(Self.handmade(.f32))
    }

    private func formsNoGradient(_ model: Model) throws {
        let graph = try Objective(model: model, loss: .mse).batchCurvature(count: 2, stack: 7)
        // As it is asked for, the gradient of every weight of every batch is there: the check below can fail.
        #expect(
            stackedGradients(of: model, in: graph, stack: 7)
                == Set(
                    model.layout.entries.map(\.name).filter {
                        model.layout.entry($0)?.shape.count == 2
                    }))
        let optimized = graph.optimized()
        #expect(stackedGradients(of: model, in: optimized, stack: 7).isEmpty, "\(optimized)")
    }

    /// The weights of which some value has the extents, in any order, times the stack.
    private func stackedGradients(of model: Model, in graph: Graph, stack: Int) -> Set<String> {
        let shapes = Set(graph.types.map { $0.shape.filter { $0 != 1 }.sorted() })
        let weights = model.layout.entries.filter { $0.shape.count == 2 }
        return Set(weights.filter { shapes.contains(($0.shape + [stack]).sorted()) }.map(\.name))
    }

    /// f32 loses at most what its rounding of activations and deltas loses: Gram products are summed in f64.
    @Test func inF32ItIsAccurateToRounding() throws {
        let single = try Problem(.relu, samples: 32, element: .f32)
        let double = try Problem(.relu, samples: 32)
        let batches = (0..<4).flatMap { start in (0..<8).map { start * 8 + $0 } }
        let theta = try single.theta.converted(to: .f64)
        let a = try single.oracle.batchCurvature(at: single.theta, batches: batches, size: 8)
        let b = try double.oracle.batchCurvature(at: theta, batches: batches, size: 8)
        for (x, y) in zip(a, b) { #expect(abs(x.ratio - y.ratio) < 1e-4 * abs(y.ratio)) }
    }
}
