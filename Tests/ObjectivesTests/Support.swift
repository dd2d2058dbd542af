import Compute
import Graph

@testable import Networks
@testable import Objectives

/// Samples in memory, drawn from N(0, 1); targets likewise, or one-hot.
struct RandomSamples: SampleSource {
    let count: Int
    let inputShape: [Int]
    private(set) var targetShape: [Int]
    var mask: SampleMask?
    private let inputs: Vector
    private var targets: Vector

    init(
        count: Int, inputs width: Int, outputs: Int, oneHot: Bool = false, element: ElementType = .f64, seed: UInt64 = 7
    )
        throws
    {
        self.count = count
        inputShape = [width]
        targetShape = [outputs]
        var stream = RandomStream(seed: seed, purpose: .test)
        inputs = try Vector((0..<count * width).map { _ in stream.normal() }, element: element)
        if oneHot {
            var values = [Double](repeating: 0, count: count * outputs)
            for i in 0..<count { values[i * outputs + stream.below(outputs)] = 1 }
            targets = try Vector(values, element: element)
        } else {
            targets = try Vector((0..<count * outputs).map { _ in stream.normal() }, element: element)
        }
    }

    var inputValues: [Double] { inputs.values }
    var targetValues: [Double] { targets.values }

    /// Other targets, for all samples.
    mutating func replaceTargets(_ values: Vector, shape: [Int]) {
        precondition(values.count == count * shape.reduce(1, *))
        targets = values
        targetShape = shape
    }

    func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        precondition(elements == SampleElements(inputs: inputs.element, targets: targets.element))
        return (address(of: inputs), address(of: targets))
    }

    /// The vectors are constants held by this value, so their memory stays where it is.
    private func address(of vector: Vector) -> UnsafeRawPointer { vector.withUnsafeBytes { $0.baseAddress! } }
}

/// A small network, its loss and its data, in f64, at parameters away from the kinks that zero biases would sit on.
struct Problem {
    let oracle: Oracle
    let theta: Vector

    init(
        _ activation: Activation = .tanh, loss: LossName = .mse, samples: Int = 12, hidden: [Int] = [7, 6],
        element: ElementType = .f64, chunk: Int = 1024
    ) throws {
        let model = try Model.multilayerPerceptron(
            inputShape: [5], hidden: hidden, outputs: 3, activation: activation, initScale: 1, seed: 3, element: element
        )
        let data = try RandomSamples(
            count: samples, inputs: 5, outputs: 3, oneHot: loss == .crossEntropy, element: element)
        oracle = try Oracle(objective: Objective(model: model, loss: loss), samples: data, chunk: chunk)
        var stream = RandomStream(seed: 5, purpose: .test)
        theta =
            try model.initial + 0.1 * Vector.randomNormal(count: model.layout.count, element: element, stream: &stream)
    }

    func direction(_ seed: UInt64) throws -> Vector {
        var stream = RandomStream(seed: seed, purpose: .test)
        return try Vector.randomNormal(count: theta.count, element: theta.element, stream: &stream)
    }
}

/// ‖a − b‖ / ‖b‖.
func relativeDifference(_ a: Vector, _ b: Vector) throws -> Double { try (a - b).norm() / b.norm() }
