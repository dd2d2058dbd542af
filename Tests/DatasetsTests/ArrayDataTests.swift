import Compute
import Foundation
import Graph
import Testing

@testable import Datasets

@Suite struct ArrayData {
    let inputs: NDArray
    init() throws { inputs = try NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2]) }

    @Test func realTargetsStayWhatTheyAre() throws {
        let data = try Dataset.arrays(inputs: inputs, answers: .targets(NDArray([0.1, 0.2, 0.3])))
        #expect(data.inputShape == [2] && data.outputs == 1 && data.train.labels == nil && data.test == nil)
        #expect(try values(data.train.targets(as: .f64)) == [[0.1], [0.2], [0.3]])
        #expect(try values(data.train.targets(as: .f32)) == [0.1, 0.2, 0.3].map { [Double(Float($0))] })
        #expect(try values(data.train.inputs(as: .f64)) == [[1, 2], [3, 4], [5, 6]])
        #expect(try data.train.labelRows() == nil)
    }

    @Test func labelsOfAnyIntegerKindBecomeOneHot() throws {
        for labels in [
            try NDArray([2, 0, -1] as [Int64]), try NDArray([2, 0, -1] as [Float]),
            try NDArray([2, 0, -1] as [Int32], shape: [3, 1]),
        ] {
            let data = try Dataset.arrays(inputs: inputs, answers: .labels(labels))
            #expect(data.outputs == 3 && data.train.labels == [2, 0, -1])
            #expect(try values(data.train.targets(as: .f32)) == [[0, 0, 1], [1, 0, 0], [0, 0, 0]])
        }
        #expect(
            try Dataset.arrays(inputs: inputs, answers: .labels(NDArray([0, 1, 0] as [UInt8])), classes: 7).outputs == 7
        )
    }

    @Test func testSamplesMayHaveClassesThatTrainingLacks() throws {
        let data = try Dataset.arrays(
            inputs: inputs, answers: .labels(NDArray([0, 1, 0] as [Int32])),
            test: (NDArray([0, 0] as [Float], shape: [1, 2]), .labels(NDArray([4] as [Int32]))))
        #expect(data.outputs == 5 && data.test?.outputs == 5 && data.test?.count == 1)
    }

    @Test func theViewOfAnArrayOfThatElementIsTheArray() throws {
        let rows = try Dataset.arrays(inputs: inputs, answers: .targets(inputs)).train.inputs(as: .f32)
        inputs.withUnsafeBytes { #expect($0.baseAddress == rows.base) }
    }

    @Test func aViewIsMadeOnce() throws {
        let split = try Dataset.arrays(inputs: inputs, answers: .labels(NDArray([0, 1, 0] as [Int32]))).train
        #expect(try split.inputs(as: .f64).base == split.inputs(as: .f64).base)
        #expect(try split.targets(as: .f32).base == split.targets(as: .f32).base)
        #expect(message { _ = try split.inputs(as: .i32) }.contains("only as f32 or f64"))
    }

    @Test func whatDoesNotFitIsNamed() throws {
        let three = try NDArray([0, 1, 0] as [Int32])
        let cases: [(() throws -> Dataset, String)] = [
            (
                { try .arrays(inputs: inputs, answers: .labels(NDArray([0, 1] as [Int32]))) },
                "inputs hold 3 samples, labels of shape [2] do not"
            ),
            (
                { try .arrays(inputs: inputs, answers: .targets(NDArray([1.0]))) },
                "inputs hold 3 samples, targets of shape [1] do not"
            ),
            (
                { try .arrays(inputs: inputs, answers: .labels(three), classes: 1) },
                "sample 2 has the label 1, and the classes are 0 to 0"
            ),
            (
                { try .arrays(inputs: inputs, answers: .labels(NDArray([0, -2, 0] as [Int32]))) },
                "sample 2 has the label -2.0; classes are whole numbers"
            ),
            (
                { try .arrays(inputs: inputs, answers: .labels(NDArray([0, 0.5, 0]))) },
                "sample 2 has the label 0.5"
            ),
            (
                { try .arrays(inputs: inputs, answers: .labels(NDArray([0, .nan, 0]))) },
                "sample 2 has the label nan"
            ),
            (
                { try .arrays(inputs: inputs, answers: .labels(NDArray([-1, -1, -1] as [Int32]))) },
                "at least one class"
            ),
            (
                { try .arrays(inputs: inputs, answers: .labels(inputs.reshaped([3, 2, 1]))) },
                "labels of shape [3, 2, 1]: one whole number"
            ),
            (
                { try .arrays(inputs: NDArray([1, 2, .nan]), answers: .labels(three)) },
                "inputs: sample 3 holds nan"
            ),
            (
                { try .arrays(inputs: inputs, answers: .targets(NDArray([1, -.infinity, 0] as [Float]))) },
                "targets: sample 2 holds -inf"
            ),
            ({ try .arrays(inputs: NDArray([Float](), shape: [0, 2]), answers: .labels(three)) }, "hold no samples"),
            ({ try .arrays(inputs: NDArray([1.0], shape: []), answers: .labels(three)) }, "hold no samples"),
            (
                { try .arrays(inputs: inputs, answers: .labels(three), test: (three, .labels(three))) },
                "test_inputs have samples of shape [1], inputs of shape [2]"
            ),
            (
                { try .arrays(inputs: inputs, answers: .labels(three), test: (inputs, .targets(three))) },
                "the test samples have other targets"
            ),
        ]
        for (make, expected) in cases {
            let text = message { _ = try make() }
            #expect(text.contains(expected), "\(text)")
        }
    }

    @Test func rowsAreGatheredInTheOrderOfTheirNumbers() throws {
        let split = try Dataset.arrays(inputs: inputs, answers: .labels(NDArray([1, 0, 2] as [Int32]))).train
        var batch = [Float](repeating: -1, count: 7)
        try batch.withUnsafeMutableBytes { try split.inputs(as: .f32).gather([2, 0, 2], into: $0.baseAddress!) }
        #expect(batch == [5, 6, 1, 2, 5, 6, -1])
        var targets = [Double](repeating: -1, count: 6)
        try targets.withUnsafeMutableBytes { try split.targets(as: .f64).gather([1, 0][...], into: $0.baseAddress!) }
        #expect(targets == [1, 0, 0, 0, 1, 0])
        var labels = [Int32](repeating: -1, count: 2)
        try labels.withUnsafeMutableBytes { try split.labelRows()?.gather([2, 1], into: $0.baseAddress!) }
        #expect(labels == [2, 0])
        for wrong in [-1, 3, Int.max] {
            #expect(
                message {
                    try batch.withUnsafeMutableBytes {
                        try split.inputs(as: .f32).gather([wrong], into: $0.baseAddress!)
                    }
                }
                    == "there is no sample \(min(wrong, .max - 1) + 1): the data have samples 1 to 3")
        }
    }
}

@Suite struct ChebyshevData {
    /// T₃ = 4x³ − 3x and T₅ = 16x⁵ − 20x³ + 5x; the cosine's error is some ulp times the degree.
    @Test func theTargetsAreTheChebyshevPolynomial() throws {
        let data = try Dataset.chebyshev(degree: 3, n: 21)
        #expect(data.inputShape == [1] && data.outputs == 1 && data.test == nil && data.train.count == 21)
        let points = try values(data.train.inputs(as: .f64)).map { $0[0] }
        #expect(points.first == -1 && points.last == 1 && abs(points[10]) < 1e-15)
        let fifth = try values(Dataset.chebyshev(degree: 5, n: 21).train.targets(as: .f64)).map { $0[0] }
        for ((x, third), fifth) in zip(zip(points, try values(data.train.targets(as: .f64)).map { $0[0] }), fifth) {
            #expect(abs(third - (4 * x * x * x - 3 * x)) < 1e-14)
            #expect(abs(fifth - (16 * pow(x, 5) - 20 * pow(x, 3) + 5 * x)) < 1e-14)
        }
    }

    @Test func wrongOptionsAreNamed() {
        #expect(message { _ = try Dataset.chebyshev(degree: -1, n: 20) }.contains("degree = -1"))
        #expect(message { _ = try Dataset.chebyshev(degree: 3, n: 1) }.contains("n = 1: at least two points"))
    }

    @Test func aDataSetThatDoesNotFitTheMemoryIsAnError() {
        #expect(throws: MemoryError.self) { try Dataset.chebyshev(degree: 3, n: 1 << 50) }
    }
}
