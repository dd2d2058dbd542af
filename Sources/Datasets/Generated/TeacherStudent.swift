import Compute
import Foundation

/// The function of a teacher's hidden units.
public enum TeacherActivation: String, Sendable, Hashable, CaseIterable {
    case relu, tanh, sigmoid, erf, identity
    /// z ↦ z²: phase retrieval.
    case quadratic

    func callAsFunction(_ z: Double) -> Double {
        switch self {
        case .relu: max(0, z)
        case .tanh: Foundation.tanh(z)
        case .sigmoid: 1 / (1 + exp(-z))
        case .erf: Foundation.erf(z)
        case .identity: z
        case .quadratic: z * z
        }
    }
}

/// What is wanted of a teacher and its samples.
public struct TeacherOptions: Sendable {
    /// The number of training samples.
    public var n: Int
    public var testCount = 0
    /// The dimension of the inputs.
    public var inputs: Int
    public var outputs = 1
    /// The widths of the teacher's hidden layers.
    public var hidden = [10]
    public var activation = TeacherActivation.tanh
    /// The standard deviation of the noise on the training targets.
    public var noise = 0.0
    public var seed: UInt64 = 0

    public init(n: Int, inputs: Int) { (self.n, self.inputs) = (n, inputs) }
}

extension Dataset {
    /// Standard normal inputs and what a random network makes of them, with noise on the training targets only.
    ///
    /// The teacher is fully connected without biases: z ↦ W φ(…), each weight normal with variance 1/fan-in, so that what enters every
    /// unit of the first layer has variance 1. Its weights are `truth["layers.0.weight"]` `[out, in]`, ….
    /// - Throws: `DatasetError` for sizes below 1 or noise that is no deviation, the memory account's error.
    public static func teacherStudent(_ options: TeacherOptions) throws -> Dataset {
        try checkPositive(options.n, "n")
        try checkPositive(options.inputs, "inputs")
        try checkPositive(options.outputs, "outputs")
        for width in options.hidden { try checkPositive(width, "a width in hidden") }
        guard options.testCount >= 0 else { throw DatasetError("test_n = \(options.testCount): 0 or more is needed") }
        guard options.noise >= 0, options.noise.isFinite else {
            throw DatasetError("noise = \(options.noise): a standard deviation of 0 or more is needed")
        }
        var stream = GeneratedPart.truth.stream(options.seed)
        var weights: [NDArray] = []
        var width = options.inputs
        for next in options.hidden + [options.outputs] {
            weights.append(
                try .doubles([next, width], for: "the teacher's weights") {
                    try stream.fillNormal(asking: $0, std: 1 / Double(width).squareRoot())
                })
            width = next
        }
        func split(_ count: Int, _ part: GeneratedPart, noise: Double) throws -> Split {
            var inputStream = part.stream(options.seed)
            var noiseStream = GeneratedPart.noise.stream(options.seed)
            let inputs = try NDArray.doubles([count, options.inputs], for: "the inputs of teacher_student") {
                try inputStream.fillNormal(asking: $0)
            }
            let targets = try NDArray.doubles([count, options.outputs], for: "the targets of teacher_student") {
                target in
                var meter = CancellationMeter()
                try inputs.withDoubles { rows in
                    for sample in 0..<count {
                        let input = rows[(sample * options.inputs)..<((sample + 1) * options.inputs)]
                        let output = try answer(to: Array(input), weights, options.activation, &meter)
                        for (j, value) in output.enumerated() {
                            target[sample * options.outputs + j] =
                                value + (noise > 0 ? noise * noiseStream.normal() : 0)
                        }
                    }
                }
            }
            return Split(inputs: inputs, targets: targets, name: "teacher_student")
        }
        let shape = ([options.inputs] + options.hidden + [options.outputs]).map(String.init).joined(separator: "-")
        return Dataset(
            name: "teacher_student", inputShape: [options.inputs],
            train: try split(options.n, .inputs, noise: options.noise),
            test: options.testCount == 0 ? nil : try split(options.testCount, .testInputs, noise: 0),
            notes: [
                "teacher \(shape) with \(options.activation.rawValue) by seed \(options.seed)"
                    + (options.noise > 0 ? ", noise of deviation \(options.noise)" : "")
            ],
            truth: Dictionary(uniqueKeysWithValues: weights.enumerated().map { ("layers.\($0).weight", $1) }))
    }

    private static func answer(
        to input: [Double], _ weights: [NDArray], _ activation: TeacherActivation, _ meter: inout CancellationMeter
    ) throws -> [Double] {
        var values = input
        for (layer, weight) in weights.enumerated() {
            values = try weight.withDoubles { weight in
                try (0..<(weight.count / values.count)).map { row in
                    var sum = 0.0
                    for (i, value) in values.enumerated() { sum += weight[row * values.count + i] * value }
                    try meter.add(values.count)
                    return layer < weights.count - 1 ? activation(sum) : sum
                }
            }
        }
        return values
    }
}
