import Compute
import Graph
import SmallNetworks
import Testing

@testable import Networks
@testable import Objectives

private let rounding = 1e-12

/// Frozen parameters are none: all that is known of the others is what was known of them in the whole network.
@Suite struct FrozenParameters {
    /// Models with and without batch statistics, with what is frozen in them.
    private static func models() throws -> [(Model, Set<String>)] {
        let plain = try Problem().oracle.model
        return [
            (plain, ["layers.0.weight", "layers.2.bias"]), (plain, ["layers.1.weight"]),
            (try normalisedModel(), [try normalisedModel().layout.entries[0].name]),
        ]
    }

    /// The elements of a whole vector that a model's parameters are.
    private static func part(_ whole: Vector, _ model: Model, of network: Model) -> [Double] {
        model.layout.entries.flatMap { entry -> [Double] in
            guard let place = network.layout.entry(entry.name) else { return [] }
            return Array(whole.values[place.offset..<place.offset + place.count])
        }
    }

    @Test func gradientsAndCurvatureAreTheBlockOfTheOthers() throws {
        for (network, names) in try Self.models() {
            let model = try network.freezing(names)
            #expect(model.layout.count + model.fixed.count == network.layout.count && model.frozen.count == names.count)
            let samples = try RandomSamples(count: 10, inputs: 5, outputs: network.outputCount)
            let whole = try Oracle(objective: Objective(model: network, loss: .mse), samples: samples)
            let part = try Oracle(objective: Objective(model: model, loss: .mse), samples: samples)
            let theta = model.initial
            for selection in [BatchSelection.all, .indices([0, 3, 8])] {
                let (loss, gradient) = try whole.gradient(at: network.initial, over: selection)
                let own = try part.gradient(at: theta, over: selection)
                #expect(abs(own.loss - loss) < rounding)
                #expect(distance(own.gradient.values, Self.part(gradient, model, of: network)) < rounding)
                var stream = RandomStream(seed: 9, purpose: .test)
                let v = try Vector.randomNormal(count: theta.count, element: .f64, stream: &stream)
                var wide = try Vector(zeros: network.layout.count, element: .f64)
                for entry in model.layout.entries {
                    let place = try #require(network.layout.entry(entry.name))
                    for i in 0..<entry.count { wide[place.offset + i] = v[entry.offset + i] }
                }
                for matrix in [CurvatureMatrix.hessian, .ggn, .ntk] {
                    let product = try whole.linearize(matrix, at: network.initial, over: selection).apply(wide)
                    let block = try part.linearize(matrix, at: theta, over: selection).apply(v)
                    #expect(distance(block.values, Self.part(product, model, of: network)) < 1e-10, "\(matrix)")
                }
            }
        }
    }

    @Test func stepsMoveTheOthersAlone() throws {
        for (network, names) in try Self.models() {
            let model = try network.freezing(names)
            let samples = try RandomSamples(count: 10, inputs: 5, outputs: network.outputCount)
            let whole = try Oracle(objective: Objective(model: network, loss: .mse), samples: samples)
            let part = try Oracle(objective: Objective(model: model, loss: .mse), samples: samples)
            var theta = model.initial
            for batch in [[0, 3, 8], [1, 2, 5, 9]] {
                // The whole network at the same point, with what is frozen put back.
                var point = network.initial
                for entry in model.layout.entries {
                    let place = try #require(network.layout.entry(entry.name))
                    for i in 0..<entry.count { point[place.offset + i] = theta[entry.offset + i] }
                }
                let gradient = try whole.gradient(at: point, over: .indices(batch), training: true).gradient
                let before = theta.values
                _ = try batch.withUnsafeBufferPointer { try part.descend(&theta, rate: 0.1, batch: $0) }
                let slope = Self.part(gradient, model, of: network)
                #expect(distance(theta.values, moved(before, -0.1, slope)) < rounding)
            }
            #expect(distance(try part.running.values().values, try whole.running.values().values) < rounding)
            #expect(try part.fixed.values().hasSameBits(as: model.fixedValues))
        }
    }

    @Test func whatCannotBeFrozen() throws {
        let model = try Problem().oracle.model
        #expect(throws: GraphError.self) { try model.freezing(["layers.7.weight"]) }
        #expect(throws: GraphError.self) { try model.freezing(Set(model.layout.entries.map(\.name))) }
        // One after the other is as both at once.
        let (once, twice) = (
            try model.freezing(["layers.0.weight", "layers.2.bias"]),
            try model.freezing(["layers.0.weight"]).freezing(["layers.2.bias"])
        )
        #expect(once.layout == twice.layout)
        #expect(Set(once.fixed.entries.map(\.name)) == Set(twice.fixed.entries.map(\.name)))
    }
}
