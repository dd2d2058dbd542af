import Compute
import Foundation

extension Dataset {
    /// A mixture of Gaussians, one for each class: x = μ_y + std·z with z standard normal. Every class has n/classes samples (the first
    /// n mod classes ones one more) in a random order.
    ///
    /// Without `means` these are the corners of a regular simplex around the origin in a random position: any two are `separation`
    /// apart. Two classes, ±μ with 2‖μ‖ = separation, then have the Bayes error Φ(−separation/(2·std)). `truth["means"]` is
    /// `[classes, dimension]`.
    /// - Parameters:
    ///   - means: `[classes, dimension]`, instead of the simplex.
    ///   - labelNoise: the share of the training samples that get a wrong label.
    /// - Throws: `DatasetError` for sizes that do not fit each other, the memory account's error.
    public static func gaussianMixture(
        n: Int, testCount: Int = 0, classes: Int = 2, dimension: Int = 2, separation: Double = 2, std: Double = 1,
        means: NDArray? = nil, labelNoise: Double = 0, seed: UInt64 = 0
    ) throws -> Dataset {
        let centres = try means.map(checkedMeans) ?? simplex(classes, dimension, separation, seed)
        let (classes, dimension) = (centres.shape[0], centres.shape[1])
        guard std >= 0, std.isFinite else { throw DatasetError("std = \(std): a finite number of 0 or more is needed") }
        guard testCount >= 0 else { throw DatasetError("test_n = \(testCount): 0 or more is needed") }
        guard n >= classes else {
            throw DatasetError("n = \(n): each of the \(classes) classes needs at least one sample")
        }
        func split(_ count: Int, _ order: GeneratedPart, _ noise: GeneratedPart, noisy: Double) throws -> (Split, Int) {
            var noiseStream = noise.stream(seed)
            var labels: [Int32] = []
            let inputs = try NDArray.doubles([count, dimension], for: "the inputs of gaussian_mixture") { target in
                var orderStream = order.stream(seed)
                labels = orderStream.permutation(count).map { Int32($0 % classes) }
                try noiseStream.fillNormal(asking: target, std: std)
                var meter = CancellationMeter()
                for (row, label) in labels.enumerated() {
                    for i in 0..<dimension { target[row * dimension + i] += centres[flat: Int(label) * dimension + i] }
                    try meter.add(dimension)
                }
            }
            let changed = try addLabelNoise(noisy, to: &labels, classes: classes, seed: seed)
            return (Split(inputs: inputs, labels: labels, classes: classes, name: "gaussian_mixture"), changed)
        }
        let (train, changed) = try split(n, .inputs, .noise, noisy: labelNoise)
        let test = testCount == 0 ? nil : try split(testCount, .testInputs, .testNoise, noisy: 0).0
        var notes = ["normal with deviation \(std) around \(classes) means"]
        if means == nil { notes[0] += " \(separation) apart by seed \(seed)" }
        if labelNoise > 0 { notes.append("\(changed) labels changed") }
        return Dataset(
            name: "gaussian_mixture", inputShape: [dimension], train: train, test: test, notes: notes,
            truth: ["means": centres])
    }

    private static func checkedMeans(_ means: NDArray) throws -> NDArray {
        guard means.shape.count == 2, means.count > 0, try means.firstNonFinite() == nil else {
            throw DatasetError("means of shape \(means.shape): finite numbers [classes, d] are needed")
        }
        return try .doubles(means.shape, for: "the means of gaussian_mixture") { means.copy(to: $0) }
    }

    /// The corners of a regular simplex with such edges around the origin, in a random position.
    private static func simplex(_ classes: Int, _ dimension: Int, _ edge: Double, _ seed: UInt64) throws -> NDArray {
        try checkPositive(classes, "classes")
        try checkPositive(dimension, "d")
        guard edge.isFinite else { throw DatasetError("separation = \(edge): a finite number is needed") }
        guard classes - 1 <= dimension else {
            throw DatasetError(
                "\(classes) means of equal distances need d ≥ \(classes - 1), and d = \(dimension): choose it so, or give means"
            )
        }
        var stream = GeneratedPart.truth.stream(seed)
        let frame = try orthonormalColumns(dimension, classes - 1, &stream, for: "the means of gaussian_mixture")
        // Helmert's matrix: orthonormal rows orthogonal to (1, …, 1), so that its columns are √2 apart and sum to 0.
        func helmert(_ row: Int, _ column: Int) -> Double {
            let k = Double(row + 1)
            if column > row + 1 { return 0 }
            return (column == row + 1 ? -k : 1) / (k * (k + 1)).squareRoot()
        }
        return try .doubles([classes, dimension], for: "the means of gaussian_mixture") { target in
            var meter = CancellationMeter()
            try frame.withDoubles { frame in
                for c in 0..<classes {
                    for i in 0..<dimension {
                        try meter.add(classes)
                        target[c * dimension + i] = (0..<(classes - 1)).reduce(0) {
                            $0 + frame[i * (classes - 1) + $1] * helmert($1, c) * edge / 2.0.squareRoot()
                        }
                    }
                }
            }
        }
    }
}
