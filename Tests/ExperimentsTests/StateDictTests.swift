import Compute
import Datasets
import Foundation
import Networks
import Testing

@testable import Experiments

/// What PyTorch's `state_dict` of a network holds beside its parameters.
@Suite struct StateDictTests {
    private func transformer(length: Int = 6) throws -> Model {
        try Model.transformer(vocabulary: 4, length: length, width: 8, layers: 1, heads: 2, seed: 1)
    }

    /// `register_buffer('pe', …)` of `pos_encoder`, `[1, length, width]`: a strict `load_state_dict` asks for it.
    @Test func theTransformersHoldsItsPositions() throws {
        let model = try transformer()
        let arrays = try model.arrays(of: model.initial, statistics: model.initialBuffers)
        let table = try #require(arrays["pos_encoder.pe"])
        #expect(table.shape == [1, 6, 8] && table.element == .f32)
        for (place, column) in [(0, 0), (0, 1), (3, 2), (5, 7)] {
            let angle = Double(place) / pow(10_000, Double(column / 2 * 2) / 8)
            #expect(abs(table[flat: 8 * place + column] - (column % 2 == 0 ? sin(angle) : cos(angle))) < 1e-6)
        }
        #expect(arrays.count == model.layout.entries.count + 1)
    }

    @Test func itIsReadBackWithAndWithoutThem() throws {
        let model = try transformer()
        var arrays = try model.arrays(of: model.initial, statistics: model.initialBuffers)
        #expect(try model.state(from: arrays, source: "a").parameters.hasSameBits(as: model.initial))
        arrays["pos_encoder.pe"] = nil
        #expect(try model.state(from: arrays, source: "a").parameters.hasSameBits(as: model.initial))
    }

    /// Other positions make another network of the same parameters.
    @Test func otherConstantsAreThoseOfAnotherModel() throws {
        let (model, longer) = (try transformer(), try transformer(length: 7))
        let error = #expect(throws: ExperimentError.self) {
            try model.state(
                from: longer.arrays(of: longer.initial, statistics: longer.initialBuffers), source: "a file")
        }
        #expect(
            "\(try #require(error))"
                == "'a file': 'pos_encoder.pe' [1, 7, 8] is not the constant [1, 6, 8] of this model")
        var arrays = try model.arrays(of: model.initial, statistics: model.initialBuffers)
        arrays["pos_encoder.pe"] = try NDArray([Float](repeating: 0, count: 48), shape: [1, 6, 8])
        #expect(throws: ExperimentError.self) { try model.state(from: arrays, source: "a file") }
    }

    @Test func othersHoldNone() throws {
        #expect(try Model.multilayerPerceptron(inputShape: [2], hidden: [3], outputs: 1, seed: 1).constants.isEmpty)
    }
}
