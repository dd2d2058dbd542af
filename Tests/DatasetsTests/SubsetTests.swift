import Compute
import Foundation
import Graph
import Testing

@testable import Datasets

@Suite struct Subsets {
    /// 12 training samples, number i at 10·i with the label i mod 3, and 3 test samples.
    let data: Dataset

    init() throws {
        data = try .arrays(
            inputs: NDArray((0..<12).map { Double(10 * $0) }),
            answers: .labels(NDArray((0..<12).map { Int32($0 % 3) })),
            test: (NDArray([0.5, 1.5, 2.5]), .labels(NDArray([0, 1, 2] as [Int32]))))
    }

    func numbers(_ split: Split) throws -> [Int] { try values(split.inputs(as: .f64)).map { Int($0[0]) / 10 } }

    @Test func chosenSamplesKeepTheirNumbersAndLabels() throws {
        for selection in [.first(5), .random(5), .perClass(2), .indices([7, 0, 11]), .all] as [SampleSelection] {
            let some = try data.subset(selection, seed: 2)
            let chosen = try numbers(some.train)
            #expect(some.train.labels == chosen.map { Int32($0 % 3) } && some.test?.count == 3 && some.outputs == 3)
            #expect(try values(some.train.targets(as: .f32)) == chosen.map { c in (0..<3).map { $0 == c % 3 ? 1 : 0 } })
            if selection == .indices([7, 0, 11]) { #expect(chosen == [7, 0, 11]) }
            if selection == .all { #expect(chosen == Array(0..<12)) }
        }
        #expect(try data.subset(.first(5)).summary.contains("5 of 12 samples (the first)"))
    }

    @Test func chosenClassesAreRenumberedInBothSplits() throws {
        let some = try data.subset(.all, classes: [2, 0])
        #expect(try numbers(some.train) == [0, 2, 3, 5, 6, 8, 9, 11] && some.outputs == 2)
        #expect(some.train.labels == [1, 0, 1, 0, 1, 0, 1, 0] && some.test?.labels == [1, 0])
        #expect(try values(#require(some.test).targets(as: .f64)) == [[0, 1], [1, 0]])
    }

    @Test func aSubsetCanHaveWrongLabels() throws {
        let some = try data.subset(.first(9), labelNoise: 0.34, seed: 5)
        #expect(zip(try #require(some.train.labels), 0..<9).count { Int($0) != $1 % 3 } == 3)
        #expect(some.test?.labels == [0, 1, 2])
    }

    @Test func imagesStayBytesAndKeepTheirScale() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let whole = try toy.load { _ in }
        let some = try whole.subset(.indices([5, 50]))
        #expect(some.train.inputViews.table is PixelTable)
        let all = try values(whole.train.inputs(as: .f64))
        #expect(try values(some.train.inputs(as: .f64)) == [all[5], all[50]])
    }

    @Test func aSplitDividesTheSamples() throws {
        for share in [.count(3), .fraction(0.25)] as [Dataset.TestShare] {
            let parts = try data.split(test: share, seed: 8)
            let (train, test) = (try numbers(parts.train), try numbers(#require(parts.test)))
            #expect(train.count == 9 && test.count == 3 && Set(train + test) == Set(0..<12))
            #expect(train == train.sorted() && test == test.sorted())
            #expect(parts.test?.labels == test.map { Int32($0 % 3) })
        }
        func test(_ seed: UInt64) throws -> [Int] {
            try numbers(#require(data.split(test: .count(3), seed: seed).test))
        }
        #expect(try test(8) == test(8) && Set((0..<9).map { try test($0) }).count > 5)
    }

    @Test func wrongChoicesAreNamed() throws {
        let real = try Dataset.chebyshev(degree: 2, n: 10)
        let cases: [(() throws -> Dataset, String)] = [
            ({ try data.subset(.first(13)) }, "first = 13, but arrays has 12 training samples"),
            ({ try data.subset(.random(0)) }, "n = 0: at least one sample"),
            ({ try data.subset(.indices([])) }, "indices is empty"),
            ({ try data.subset(.indices([12])) }, "there is no training sample 13: arrays has samples 1 to 12"),
            ({ try data.subset(.all, classes: [3]) }, "arrays has the classes 0 to 2"),
            ({ try data.subset(.all, classes: []) }, "classes = []"),
            ({ try data.subset(.perClass(5)) }, "per_class = 5, but class 0 of arrays has 4 training samples"),
            ({ try data.subset(.all, labelNoise: -0.1) }, "label_noise = -0.1"),
            ({ try real.subset(.perClass(1)) }, "the samples of chebyshev do not have one class each"),
            ({ try real.subset(.all, classes: [0]) }, "do not have one class each"),
            ({ try Dataset.sorting(n: 4).subset(.all, labelNoise: 0.1) }, "do not have one class each"),
            ({ try data.split(test: .count(12)) }, "12 of the 12 samples of arrays to test on"),
            ({ try data.split(test: .fraction(0.01)) }, "0 of the 12 samples"),
            ({ try data.split(test: .fraction(1.5)) }, "test = 1.5"),
        ]
        for (make, expected) in cases {
            let text = message { _ = try make() }
            #expect(text.contains(expected), "\(text)")
        }
        #expect(try real.subset(.first(4)).train.count == 4)
    }

    @Test func labelsThatAreLeftOutAreNeitherCountedNorChanged() throws {
        let labels = try NDArray([0, -1, 1, -1, 1, 0] as [Int32])
        let data = try Dataset.arrays(inputs: NDArray([1.0, 2, 3, 4, 5, 6]), answers: .labels(labels))
        #expect((0..<6).map(data.train.kept) == [1, 0, 1, 0, 1, 1] && data.train.keptTotal == 4)
        let noisy = try data.subset(.all, labelNoise: 1)
        #expect(noisy.train.labels == [1, -1, 0, -1, 0, 1])
        #expect(try data.subset(.perClass(2)).train.count == 4)
        #expect(data.describe().contains("4 of 6 labels kept, the others are -1"))
        #expect(self.data.train.keptCounts == nil && self.data.train.kept(3) == 1 && self.data.train.keptTotal == 12)
    }
}

@Suite struct LabelledSequences {
    @Test func labelsMayStandAtEachPlace() throws {
        let tokens = try NDArray([0, 1, 2, 2, 1, 0] as [Int64], shape: [2, 3])
        let labels = try NDArray([-1, 1, 0, -1, -1, 1] as [Int32], shape: [2, 3])
        let data = try Dataset.arrays(inputs: tokens, answers: .labels(labels), vocabulary: 3)
        #expect(data.outputs == 2 && data.targetShape == [3, 2] && data.train.targetWidth == 6)
        #expect(try values(data.train.targets(as: .f64)) == [[0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1]])
        #expect(try data.train.labelRows().map(values) == [[-1, 1, 0], [-1, -1, 1]])
        #expect((0..<2).map(data.train.kept) == [2, 1] && data.train.keptTotal == 3)
        #expect(try values(data.train.inputs(as: .i32)) == [[0, 1, 2], [2, 1, 0]])
        let one = try data.subset(.indices([1]))
        #expect(one.train.labels == [-1, -1, 1] && one.train.kept(0) == 1 && one.targetShape == [3, 2])
        #expect(data.describe().contains("2 classes at each of 3 places"))
    }

    @Test func wrongTokensAndLabelsAreNamed() throws {
        let tokens = try NDArray([0, 1, 2, 3] as [Int32], shape: [2, 2])
        let labels = try NDArray([0, 1, 1, 5] as [Int32], shape: [2, 2])
        let cases: [(() throws -> Dataset, String)] = [
            (
                { try .arrays(inputs: tokens, answers: .labels(labels), classes: 2) },
                "sample 2, place 2, has the label 5"
            ),
            (
                { try .arrays(inputs: tokens, answers: .labels(labels), vocabulary: 3) },
                "sample 2 holds the token 3"
            ),
            (
                { try .arrays(inputs: NDArray([0.0, 1], shape: [2, 1]), answers: .labels(labels), vocabulary: 3) },
                "tokens have to be integers"
            ),
            ({ try .arrays(inputs: tokens, answers: .labels(labels), vocabulary: 0) }, "vocabulary = 0"),
        ]
        for (make, expected) in cases {
            let text = message { _ = try make() }
            #expect(text.contains(expected), "\(text)")
        }
    }

    @Test func aNumberThatItsViewCannotHoldIsNamed() throws {
        let data = try Dataset.arrays(
            inputs: NDArray([1, 1e300], shape: [2, 1]), answers: .targets(NDArray([1 << 40, 3] as [Int64])))
        #expect(message { _ = try data.train.inputs(as: .f32) }.contains("sample 2 holds 1e+300"))
        #expect(
            message { _ = try data.train.targets(as: .i32) }.contains("sample 1 holds 1099511627776"))
        #expect(try values(data.train.inputs(as: .f64)) == [[1], [1e300]])
    }
}
