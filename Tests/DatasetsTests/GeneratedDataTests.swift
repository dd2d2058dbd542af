import Compute
import Foundation
import Graph
import Testing

@testable import Datasets

@Suite struct GeneratedData {
    @Test func sortingIsNextTokenPredictionOfTheSortedTokens() throws {
        let data = try Dataset.sorting(n: 50, testCount: 7, seed: 3)
        #expect(data.inputShape == [15] && data.vocabulary == 4 && data.outputs == 4 && data.targetShape == [15, 4])
        #expect(data.train.count == 50 && data.test?.count == 7 && data.train.labelsPerSample == 15)
        let tokens = try values(data.train.inputs(as: .i32)).map { $0.map { Int($0) } }
        let labels = try #require(try data.train.labelRows().map(values)).map { $0.map { Int($0) } }
        for (tokens, labels) in zip(tokens, labels) {
            let sorted = tokens[..<8].sorted()
            #expect(tokens.allSatisfy { (0..<4).contains($0) } && Array(tokens[8...]) == sorted.dropLast())
            #expect(labels == [Int](repeating: -1, count: 7) + sorted)
        }
        #expect(Set(tokens).count > 45, "of 65,536 sequences 50 are mostly different")
        // One-hot where there is a label, zeros where there is none.
        let targets = try values(data.train.targets(as: .f32))[0]
        #expect(targets[..<28].allSatisfy { $0 == 0 } && targets[28...].reduce(0, +) == 8)
        #expect(targets[28 + labels[0][7]] == 1)
        #expect(data.train.kept(0) == 8 && data.train.keptTotal == 400)
        #expect(try values(data.train.inputs(as: .f64))[3] == tokens[3].map(Double.init))
    }

    @Test func aLargerDataSetBeginsAsASmallerOne() throws {
        func first(_ data: Dataset) throws -> [[Double]] {
            try values(data.train.inputs(as: .f64)).prefix(5).map { $0 }
        }
        #expect(try first(.sorting(n: 5, seed: 1)) == first(.sorting(n: 60, seed: 1)))
        #expect(try first(.sorting(n: 5, seed: 1)) != first(.sorting(n: 5, seed: 2)))
        func taught(_ n: Int, _ seed: UInt64) throws -> Dataset {
            var options = TeacherOptions(n: n, inputs: 3)
            (options.testCount, options.noise, options.seed) = (4, 0.5, seed)
            return try .teacherStudent(options)
        }
        let (small, large) = (try taught(5, 1), try taught(60, 1))
        #expect(try first(small) == first(large) && first(small) != first(taught(5, 2)))
        #expect(try values(small.train.targets(as: .f64)) == Array(values(large.train.targets(as: .f64)).prefix(5)))
        #expect(try values(#require(small.test).targets(as: .f64)) == values(#require(large.test).targets(as: .f64)))
    }

    @Test func theTeachersAnswersAreThoseOfItsWeights() throws {
        for activation in TeacherActivation.allCases {
            var options = TeacherOptions(n: 40, inputs: 3)
            (options.hidden, options.outputs, options.activation) = ([5, 4], 2, activation)
            let data = try Dataset.teacherStudent(options)
            let weights = (0..<3).compactMap { data.truth["layers.\($0).weight"] }
            #expect(weights.map(\.shape) == [[5, 3], [4, 5], [2, 4]] && data.targetShape == [2])
            let (inputs, targets) = (try values(data.train.inputs(as: .f64)), try values(data.train.targets(as: .f64)))
            for (input, target) in zip(inputs, targets) {
                var x = input
                for (layer, w) in weights.enumerated() {
                    x = try (0..<w.shape[0]).map { row in
                        let z = try x.indices.reduce(0) { try $0 + w.value(at: [row, $1]) * x[$1] }
                        return layer == 2 ? z : activation(z)
                    }
                }
                // The same sums in the same order.
                #expect(x == target)
            }
        }
        #expect(
            TeacherActivation.relu(-1) == 0 && TeacherActivation.quadratic(-3) == 9
                && TeacherActivation.sigmoid(0) == 0.5)
        #expect(TeacherActivation.erf(0.5) == erf(0.5) && TeacherActivation.tanh(0.5) == tanh(0.5))
    }

    /// Standard deviations of 4,000 draws are within 5/√8000 of their value with probability 1 − 6·10⁻⁷.
    @Test func noiseIsOnTheTrainingTargetsAlone() throws {
        var options = TeacherOptions(n: 4000, inputs: 4)
        (options.testCount, options.hidden) = (10, [3])
        let clean = try Dataset.teacherStudent(options)
        options.noise = 0.25
        let noisy = try Dataset.teacherStudent(options)
        let pairs = zip(try values(clean.train.targets(as: .f64)), try values(noisy.train.targets(as: .f64)))
        let differences = pairs.map { $1[0] - $0[0] }
        let deviation = (differences.reduce(0) { $0 + $1 * $1 } / 4000).squareRoot()
        #expect(abs(deviation / 0.25 - 1) < 5 / 8000.0.squareRoot())
        #expect(try values(#require(clean.test).targets(as: .f64)) == values(#require(noisy.test).targets(as: .f64)))
        let first = try values(clean.train.inputs(as: .f64)).flatMap { $0 }
        let variance = first.reduce(0) { $0 + $1 * $1 } / 16_000
        #expect(abs(variance - 1) < 5 * (2.0 / 16_000).squareRoot())
    }

    @Test func theMeansOfAMixtureAreEquallyFarApart() throws {
        let data = try Dataset.gaussianMixture(
            n: 30, testCount: 5, classes: 4, dimension: 6, separation: 3, std: 0, seed: 2)
        let means = try #require(data.truth["means"])
        let rows = (0..<4).map { c in (0..<6).map { means[flat: 6 * c + $0] } }
        for a in 0..<4 {
            for b in 0..<a {
                let distance = zip(rows[a], rows[b]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
                #expect(abs(distance - 3) < 1e-13)
            }
        }
        for i in 0..<6 { #expect(abs(rows.reduce(0) { $0 + $1[i] }) < 1e-14) }
        // Without noise every sample is its class's mean.
        let labels = try #require(data.train.labels)
        for (x, label) in zip(try values(data.train.inputs(as: .f64)), labels) { #expect(x == rows[Int(label)]) }
        #expect((0..<4).map { k in labels.count { Int($0) == k } } == [8, 8, 7, 7])
        #expect(data.test?.count == 5)
    }

    /// The better half-space errs with probability Φ(−1) = 0.1587 at separation 2 and deviation 1: within 5 deviations of 20,000 draws.
    @Test func theBayesErrorOfTwoClassesIsTheKnownOne() throws {
        let data = try Dataset.gaussianMixture(n: 20_000, dimension: 5, seed: 4)
        let means = try #require(data.truth["means"])
        let direction = (0..<5).map { means[flat: $0] - means[flat: 5 + $0] }
        var errors = 0
        for (x, label) in zip(try values(data.train.inputs(as: .f64)), try #require(data.train.labels)) {
            let side = zip(x, direction).reduce(0) { $0 + $1.0 * $1.1 }
            if (side > 0) != (label == 0) { errors += 1 }
        }
        let p = 0.15865525393
        #expect(abs(Double(errors) / 20_000 - p) < 5 * (p * (1 - p) / 20_000).squareRoot())
        let noisy = try Dataset.gaussianMixture(n: 100, labelNoise: 0.2, seed: 4)
        let clean = try Dataset.gaussianMixture(n: 100, seed: 4)
        #expect(zip(noisy.train.labels ?? [], clean.train.labels ?? []).count { $0 != $1 } == 20)
    }

    @Test func orthogonalInputsAreOrthonormalAndTheirOwnTargets() throws {
        let data = try Dataset.orthogonal(n: 7, dimension: 12, seed: 1)
        let x = try values(data.train.inputs(as: .f64))
        #expect(try x == values(data.train.targets(as: .f64)) && data.targetShape == [12])
        for i in 0..<7 {
            for j in 0...i {
                #expect(abs(zip(x[i], x[j]).reduce(0) { $0 + $1.0 * $1.1 } - (i == j ? 1 : 0)) < 1e-14)
            }
        }
    }

    @Test func deepLinearInputsAreWhiteAndTargetsLinear() throws {
        let data = try Dataset.deepLinear(n: 30, dimension: 8, outputs: 5, seed: 6)
        let (x, y) = (try values(data.train.inputs(as: .f64)), try values(data.train.targets(as: .f64)))
        for i in 0..<8 {
            for j in 0..<8 {
                #expect(abs(x.reduce(0) { $0 + $1[i] * $1[j] } - (i == j ? 30 : 0)) < 1e-12)
            }
        }
        let a = try #require(data.truth["A"])
        #expect(a.shape == [5, 8])
        for (x, y) in zip(x, y) {
            for k in 0..<5 {
                #expect(try abs(y[k] - x.indices.reduce(0) { try $0 + a.value(at: [k, $1]) * x[$1] }) < 1e-13)
            }
        }
        #expect(try Dataset.deepLinear().inputShape == [50])
    }

    @Test func wrongOptionsAreNamed() throws {
        var teacher = TeacherOptions(n: 3, inputs: 2)
        teacher.noise = -1
        let cases: [(() throws -> Dataset, String)] = [
            ({ try .sorting(n: 0) }, "n = 0: at least 1"), ({ try .sorting(vocabulary: 1) }, "vocabulary = 1"),
            ({ try .sorting(length: 0) }, "length = 0"),
            ({ try .sorting(length: Int.max) }, "length = 9223372036854775807"),
            ({ try .sorting(testCount: -1) }, "test_n = -1"), ({ try .teacherStudent(teacher) }, "noise = -1.0"),
            ({ try .teacherStudent(TeacherOptions(n: 3, inputs: 0)) }, "inputs = 0"),
            (
                { try .gaussianMixture(n: 9, classes: 4, dimension: 2) },
                "4 means of equal distances need d ≥ 3, and d = 2"
            ),
            ({ try .gaussianMixture(n: 1) }, "each of the 2 classes needs at least one sample"),
            ({ try .gaussianMixture(n: 9, std: .nan) }, "std = nan"),
            ({ try .gaussianMixture(n: 9, means: NDArray([1.0, 2])) }, "means of shape [2]"),
            ({ try .orthogonal(n: 4, dimension: 3) }, "n = 4 vectors in d = 3 dimensions"),
            ({ try .deepLinear(n: 4, dimension: 5) }, "d = 5 with n = 4 samples"),
        ]
        for (make, expected) in cases {
            let text = message { _ = try make() }
            #expect(text.contains(expected), "\(text)")
        }
        #expect(throws: MemoryError.self) { try Dataset.sorting(n: 1 << 50) }
        #expect(throws: MemoryError.self) { try Dataset.orthogonal(n: 1 << 25, dimension: 1 << 30) }
    }
}
