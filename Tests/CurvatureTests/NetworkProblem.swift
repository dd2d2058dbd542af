import Compute
import Graph
import Networks
import Objectives

/// A small network, its loss and random data, at parameters away from its initialisation.
struct NetworkProblem {
    let oracle: Oracle
    let theta: Vector

    /// 5–`hidden`–3 with tanh, 12 samples; p = 9·hidden + 3.
    init(hidden: Int = 4, loss: LossName = .mse, samples: Int = 12, element: ElementType = .f64) throws {
        let model = try Model.multilayerPerceptron(
            inputShape: [5], hidden: [hidden], outputs: 3, activation: .tanh, initScale: 1, seed: 3, element: element)
        let data = try NormalSamples(count: samples, oneHot: loss == .crossEntropy, element: element)
        oracle = try Oracle(objective: Objective(model: model, loss: loss), samples: data)
        var stream = RandomStream(seed: 5, purpose: .test)
        theta =
            try model.initial + 0.1 * Vector.randomNormal(count: model.layout.count, element: element, stream: &stream)
    }
}

/// Five normal inputs and three targets a sample, normal or one-hot.
private struct NormalSamples: SampleSource {
    let count: Int
    let inputShape = [5]
    let targetShape = [3]
    let mask: SampleMask? = nil
    private let inputs: Vector
    private let targets: Vector

    init(count: Int, oneHot: Bool, element: ElementType) throws {
        self.count = count
        var stream = RandomStream(seed: 7, purpose: .test)
        inputs = try Vector.randomNormal(count: count * 5, element: element, stream: &stream)
        var values = [Double](repeating: 0, count: count * 3)
        for i in 0..<count {
            if oneHot {
                values[i * 3 + stream.below(3)] = 1
            } else {
                for k in 0..<3 { values[i * 3 + k] = stream.normal() }
            }
        }
        targets = try Vector(values, element: element)
    }

    // The vectors are constants that this value holds, so their memory stays where it is.
    func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        struct Empty: Error {}
        guard let x = inputs.withUnsafeBytes({ $0.baseAddress }), let y = targets.withUnsafeBytes({ $0.baseAddress })
        else { throw Empty() }
        return (x, y)
    }
}
