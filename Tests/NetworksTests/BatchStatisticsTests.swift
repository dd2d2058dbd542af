import Compute
import Graph
import SmallNetworks
import Testing

@testable import Networks

@Suite struct ModelsWithBatchStatistics {
    @Test func runningValuesHavePyTorchsNamesAndStart() throws {
        let model = try normalisedModel()
        #expect(model.buffers.entries.map(\.name) == ["bn1.running_mean", "bn1.running_var"])
        #expect(model.initialBuffers.values == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(
            model.evaluation.inputs.map(\.name) == model.layout.entries.map(\.name) + [
                "input", "bn1.running_mean", "bn1.running_var",
            ])
        #expect(model.dependsOnBatch == [.batch: true, .running: false])
    }

    /// Over channels-first images the moments are those of all pixels of all samples, one pair for each channel.
    @Test func momentsAreTakenOverTheBatchAndTheAxesGiven() throws {
        let model = try Model(
            name: "scaled", element: .f64, parameters: [.init(name: "a", shape: [], initializer: .constant(2))],
            statistics: [.init(name: "bn", shape: [2])], inputShape: [2, 3], seed: 1
        ) { x, p, statistics in
            let (mean, variance) = try statistics.moments("bn", of: p[0] * x, over: [1])
            return try mean + variance
        }
        let batch = try vmap(model.forward, over: ["input"], size: 2)
        let input: [Double] = [1, 2, 3, 10, 20, 30, 3, 4, 5, 0, 0, 60]
        let values = try Interpreter.run(
            batch, [Tensor(TensorType(.f64), [2]), Tensor(TensorType(.f64, [2, 2, 3]), input)])
        // Channels of 2x: 2 4 6 6 8 10 and 20 40 60 0 0 120.
        let means = [6.0, 40.0]
        let variances = [(16.0 + 4 + 0 + 0 + 4 + 16) / 6, (400.0 + 0 + 400 + 1600 + 1600 + 6400) / 6]
        for sample in 0..<2 {
            for channel in 0..<2 {
                #expect(abs(values[1].values[sample * 2 + channel] - means[channel]) < 1e-12)
                #expect(abs(values[2].values[sample * 2 + channel] - variances[channel]) < 1e-10)
            }
        }
    }

    @Test func statisticsThatDoNotFitAreNamed() throws {
        func model(_ declared: [Model.Statistic], _ name: String, axes: [Int]) throws {
            _ = try Model(
                name: "odd", element: .f64, parameters: [.init(name: "a", shape: [3], initializer: .zeros)],
                statistics: declared, inputShape: [3], seed: 1
            ) { x, p, statistics in try x - statistics.moments(name, of: p[0] * x, over: axes).mean }
        }
        let bn = Model.Statistic(name: "bn", shape: [3])
        for (declared, name, axes, word) in [
            ([bn], "other", [], "'bn'"), ([bn], "bn", [0], "shape [3]"), ([bn], "bn", [1], "axis 2"),
            ([bn, Model.Statistic(name: "idle", shape: [2])], "bn", [], "'idle'"), ([], "bn", [], "none"),
        ] as [([Model.Statistic], String, [Int], String)] {
            let error = #expect(throws: GraphError.self) { try model(declared, name, axes: axes) }
            #expect(try #require(error).message.contains(word))
        }
    }
}
