import Compute
import Foundation
import Graph
import Testing

@testable import Datasets

/// 60 training and 9 test images of 2×2 pixels in three classes, written as IDX files: image i has the pixels i, i + 1, 0, 200
/// and the label i mod 3.
struct ToyImages {
    let folder = NSTemporaryDirectory() + "eoss-idx-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    static let facts = ImageFacts(
        name: "toy", title: "Toy", citation: "nobody", classNames: ["none", "one", "two"], imageShape: [1, 2, 2],
        sizes: (60, 9),
        constants: [.eoss: .init(mean: [0.25], std: [0.5])], folders: ["toy"], remedy: "Draw it.", layout: .idx)

    static func idx(_ shape: [Int], _ bytes: [UInt8]) -> Data {
        Data([0, 0, 8, UInt8(shape.count)] + shape.flatMap { [0, 0, UInt8($0 >> 8), UInt8($0 & 255)] } + bytes)
    }

    init() throws {
        try FileManager.default.createDirectory(atPath: folder + "/toy", withIntermediateDirectories: true)
        for (part, n) in [("train", 60), ("t10k", 9)] {
            try write(
                "\(part)-images-idx3-ubyte",
                Self.idx([n, 2, 2], (0..<n).flatMap { [UInt8($0), UInt8($0 + 1), 0, 200] }))
            try write("\(part)-labels-idx1-ubyte", Self.idx([n], (0..<n).map { UInt8($0 % 3) }))
        }
    }

    func write(_ name: String, _ data: Data) throws { try OutputFile.write(data, to: "\(folder)/toy/\(name)") }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func load(_ set: (inout ImageOptions) -> Void) throws -> Dataset {
        var options = ImageOptions()
        set(&options)
        return try ImageLoader(Self.facts, options, environment: ["EOSS_DATA": folder]).load()
    }
}

/// The rows of a view as numbers.
func values(_ rows: Rows) -> [[Double]] {
    (0..<rows.count).map { row in
        (0..<rows.width).map { column in
            let at = row * rows.width + column
            switch rows.element {
            case .f32: return Double(rows.base.assumingMemoryBound(to: Float.self)[at])
            case .f64: return rows.base.assumingMemoryBound(to: Double.self)[at]
            default: return Double(rows.base.assumingMemoryBound(to: Int32.self)[at])
            }
        }
    }
}

@Suite struct ImageData {
    /// The number of each image of a split that was loaded without standardisation: its first pixel.
    func numbers(_ split: Split) throws -> [Int] {
        try values(split.inputs(as: .f64)).map { Int(($0[0] * 255).rounded()) }
    }

    @Test func allSamplesComeInTheOrderOfTheFile() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let data = try toy.load { $0.standardize = .none }
        #expect(data.inputShape == [1, 2, 2] && data.outputs == 3 && data.train.count == 60 && data.test?.count == 9)
        #expect(try values(data.train.inputs(as: .f64))[7] == [7, 8, 0, 200].map { $0 / 255 })
        #expect(data.train.labels == (0..<60).map { Int32($0 % 3) })
        #expect(try values(data.train.targets(as: .f32))[1] == [0, 1, 0])
        #expect(try data.train.labelRows().map(values)?.prefix(4) == [[0], [1], [2], [0]])
    }

    @Test func samplesKeepTheirLabelsHoweverTheyAreChosen() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let cases: [(SampleSelection, Int)] = [
            (.random(20), 20), (.first(11), 11), (.perClass(5), 15), (.indices([59, 3, 7]), 3),
        ]
        for (selection, count) in cases {
            let data = try toy.load { ($0.selection, $0.standardize, $0.seed) = (selection, .none, 4) }
            let chosen = try numbers(data.train)
            #expect(chosen.count == count && Set(chosen).count == count)
            #expect(data.train.labels == chosen.map { Int32($0 % 3) })
            if selection == .first(11) { #expect(chosen == Array(0..<11)) }
            if selection == .indices([59, 3, 7]) { #expect(chosen == [59, 3, 7]) }
            if selection == .perClass(5) { #expect((0..<3).allSatisfy { k in chosen.count { $0 % 3 == k } == 5 }) }
        }
    }

    @Test func aSmallerRandomSubsetIsTheBeginningOfALargerOne() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        func chosen(_ n: Int, _ seed: UInt64) throws -> [Int] {
            try numbers(toy.load { ($0.selection, $0.standardize, $0.seed) = (.random(n), .none, seed) }.train)
        }
        #expect(try chosen(10, 1) == Array(chosen(40, 1).prefix(10)))
        #expect(try chosen(40, 1) != chosen(40, 2))
    }

    @Test func someClassesAreRenumbered() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let data = try toy.load { ($0.classes, $0.standardize, $0.selection) = ([2, 0], .none, .random(40)) }
        #expect(data.outputs == 2 && data.test?.count == 6)
        #expect(try data.train.labels == numbers(data.train).map { $0 % 3 == 2 ? 0 : 1 })
        #expect(data.test?.labels == [1, 0, 1, 0, 1, 0])
    }

    @Test func labelNoiseChangesExactlyItsShareToOtherClasses() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        for (q, changes) in [(0.0, 0), (0.29, 17), (0.3, 18), (1, 60)] {
            let data = try toy.load { ($0.labelNoise, $0.standardize, $0.seed) = (q, .none, 9) }
            let labels = try #require(data.train.labels)
            #expect(labels.indices.count { labels[$0] != Int32($0 % 3) } == changes)
            #expect(labels.allSatisfy { (0..<3).contains($0) })
            #expect(data.test?.labels == (0..<9).map { Int32($0 % 3) })
        }
    }

    /// 0.29 · 100 is a little less than 29 in f64, and the other classes are equally likely: 3 of 9 within 5 deviations.
    @Test func wrongLabelsAreUniformOverTheOtherClasses() throws {
        var counts = [Int](repeating: 0, count: 10)
        for seed in 0..<100 {
            var labels = [Int32](repeating: 4, count: 100)
            #expect(try addLabelNoise(0.29, to: &labels, classes: 10, seed: UInt64(seed)) == 29)
            for label in labels { counts[Int(label)] += 1 }
        }
        #expect(counts[4] == 7100)
        for (label, count) in counts.enumerated() where label != 4 {
            #expect(abs(Double(count) - 2900.0 / 9) < 5 * (2900.0 * 8 / 81).squareRoot())
        }
    }

    @Test func theSubsetIsStandardisedByItsOwnMoments() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let data = try toy.load { $0.selection = .random(25) }
        let all = try values(data.train.inputs(as: .f64)).flatMap { $0 }
        let mean = all.reduce(0, +) / Double(all.count)
        #expect(abs(mean) < 1e-14)
        #expect(abs(all.reduce(0) { $0 + $1 * $1 } / Double(all.count) - 1) < 1e-13)
        // Both views round the same number.
        let single = try values(data.train.inputs(as: .f32)).flatMap { $0 }
        #expect(zip(single, all).allSatisfy { $0 == Double(Float($1)) })
        // Test images are shifted and scaled as the training images: those with equal pixels are equal.
        let whole = try toy.load { $0.selection = .all }
        let (train, test) = (
            try values(whole.train.inputs(as: .f64)), try values(#require(whole.test).inputs(as: .f64))
        )
        #expect(Array(train.prefix(9)) == test)
    }

    @Test func eachPixelCanBeStandardisedOverTheFullSet() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let data = try toy.load { ($0.standardize, $0.selection) = (.cohen, .indices([0, 59])) }
        // Pixel 0 runs through 0 … 59: mean 29.5, variance (60² − 1)/12; pixels 2 and 3 are constant.
        let z = 29.5 / (3599.0 / 12).squareRoot()
        for (row, expected) in zip(try values(data.train.inputs(as: .f64)), [[-z, -z, 0, 0], [z, z, 0, 0]]) {
            for (value, expected) in zip(row, expected) { #expect(abs(value - expected) < 1e-12) }
        }
    }

    @Test func theConstantsOfTheEoSSCodeAreUsed() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let data = try toy.load { ($0.standardize, $0.selection) = (.eoss, .first(1)) }
        #expect(try values(data.train.inputs(as: .f64))[0][3] == (200.0 / 255 - 0.25) / 0.5)
    }

    @Test func theTestSplitCanBeShortenedOrLeftOut() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        #expect(try toy.load { $0.testCount = 4 }.test?.labels == [0, 1, 2, 0])
        #expect(try toy.load { $0.testCount = 0 }.test == nil)
    }

    @Test func wrongOptionsAreNamed() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let cases: [((inout ImageOptions) -> Void, String)] = [
            ({ $0.selection = .random(61) }, "n = 61, but Toy has 60 training samples of these classes"),
            ({ $0.selection = .random(0) }, "n = 0: at least one sample is needed"),
            ({ $0.selection = .first(-3) }, "first = -3: at least one sample is needed"),
            ({ $0.selection = .perClass(21) }, "per_class = 21, but class 0 of Toy has 20 training samples"),
            ({ $0.selection = .indices([0, 60]) }, "there is no training sample 61: Toy has samples 1 to 60"),
            ({ $0.selection = .indices([5, 5]) }, "indices holds sample 6 twice"),
            ({ ($0.selection, $0.classes) = (.indices([5]), [0]) }, "none of the classes asked for"),
            ({ $0.classes = [3] }, "Toy has the classes 0 to 2"),
            ({ $0.classes = [1, 1] }, "each may be named once"),
            ({ $0.labelNoise = 1.5 }, "label_noise = 1.5: it is a share of the samples"),
            ({ $0.labelNoise = .nan }, "label_noise = nan"),
            ({ ($0.labelNoise, $0.classes) = (0.1, [1]) }, "label_noise needs at least two classes"),
            ({ $0.testCount = 10 }, "test_n = 10, but Toy has 9 test samples"),
        ]
        for (set, expected) in cases {
            let text = message { _ = try toy.load(set) }
            #expect(text.contains(expected), "\(text)")
        }
    }

    @Test func aMissingDataSetSaysWhereItWasLookedFor() throws {
        let toy = try ToyImages()
        toy.remove()
        let text = message { _ = try toy.load { _ in } }
        #expect(text.contains("Looked in \(toy.folder) (EOSS_DATA), /usr/share/datasets/toy"))
        #expect(text.hasSuffix(". Draw it."))
        #expect(message { _ = try toy.load { $0.folder = "/nowhere" } }.contains("Looked in /nowhere. "))
    }

    @Test func whatAFileHoldsDecidesAndNotItsName() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let (images, labels) = (
            ToyImages.idx([2, 2, 2], [UInt8](0..<8)), ToyImages.idx([2], [2, 0])
        )
        toy.remove()
        try FileManager.default.createDirectory(atPath: toy.folder + "/toy", withIntermediateDirectories: true)
        try toy.write("train-images.idx3-ubyte.gz", images)
        try toy.write("train-labels.idx1-ubyte", Written.gzip(labels))
        let data = try toy.load { ($0.testCount, $0.standardize) = (0, .none) }
        #expect(data.train.labels == [2, 0])
        #expect(try values(data.train.inputs(as: .f64))[1] == [4, 5, 6, 7].map { $0 / 255 })
        #expect(message { _ = try toy.load { _ in } }.contains("/toy holds no t10k-images-idx3-ubyte or"))
    }

    @Test func damagedFilesAreNamed() throws {
        let toy = try ToyImages()
        defer { toy.remove() }
        let images = ToyImages.idx([60, 2, 2], [UInt8](repeating: 1, count: 240))
        let cases: [(String, Data, String)] = [
            (
                "train-images-idx3-ubyte", images.dropLast(1),
                "should hold 60×2×2 bytes and cannot: it is truncated or damaged"
            ),
            ("train-images-idx3-ubyte", images + [0], "1 bytes more than its header says"),
            ("train-images-idx3-ubyte", images.prefix(6), "it is truncated"),
            ("train-images-idx3-ubyte", Data("<html>".utf8), "not an IDX file of unsigned bytes"),
            (
                "train-images-idx3-ubyte", ToyImages.idx([60], [UInt8](repeating: 1, count: 60)),
                "1 dimensions instead of 3"
            ),
            ("train-images-idx3-ubyte", Data([0, 0, 8, 3] + [UInt8](repeating: 255, count: 12)), "instead of 2×2"),
            ("train-images-idx3-ubyte", ToyImages.idx([0, 2, 2], []), "should hold 0×2×2 bytes and cannot"),
            (
                "train-images-idx3-ubyte", Data([0, 0, 8, 3] + [255, 255, 255, 255, 0, 0, 0, 2, 0, 0, 0, 2]),
                "should hold 4294967295×2×2 bytes and cannot"
            ),
            ("train-images-idx3-ubyte", Fixture.gzippedImages, "has 3 images, and"),
            (
                "train-labels-idx1-ubyte", ToyImages.idx([60], [UInt8](repeating: 3, count: 60)),
                "holds the label 3 (sample 1); Toy has the classes 0 to 2"
            ),
        ]
        for (name, data, expected) in cases {
            try toy.write("train-images-idx3-ubyte", images)
            try toy.write(name, data)
            let text = message { _ = try toy.load { _ in } }
            #expect(text.contains(expected) && text.contains(name), "\(text)")
        }
    }

    @Test func gzippedFilesAreRead() throws {
        let file = try IDXFile(MemorySource(Fixture.gzippedImages, name: "file"), sampleShape: [2, 2])
        #expect(file.shape == [3, 2, 2])
        var rows: [[UInt8]] = []
        try file.forEachRow(through: 2) {
            #expect($0 == rows.count)
            rows.append(Array($1))
        }
        #expect(rows == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])
        // Every truncation is noticed, and every changed bit that changes the contents.
        func contents(_ data: Data) throws -> [[UInt8]] {
            var rows: [[UInt8]] = []
            try IDXFile(MemorySource(data, name: "file"), sampleShape: [2, 2]).forEachRow(through: 2) {
                rows.append(Array($1))
            }
            return rows
        }
        for length in 0..<Fixture.gzippedImages.count {
            #expect(throws: DatasetError.self) { try contents(Fixture.gzippedImages.prefix(length)) }
        }
        for bit in 80..<(8 * Fixture.gzippedImages.count) {
            var damaged = Fixture.gzippedImages
            damaged[bit / 8] ^= 1 << (bit % 8)
            let read = try? contents(damaged)
            #expect(read == nil || read == rows)
        }
    }

    static let installed = FileManager.default.fileExists(atPath: "/usr/share/datasets/fashion-mnist")

    /// The constants .2860 and .3530 are the moments of all training pixels, to four digits.
    @Test(.enabled(if: installed)) func fashionMNISTIsWhatItIsKnownToBe() throws {
        var options = ImageOptions()
        (options.selection, options.seed, options.labelNoise) = (.random(2048), 1, 0.3)
        let data = try Dataset.fashionMNIST(options)
        #expect(
            data.inputShape == [1, 28, 28] && data.outputs == 10 && data.train.count == 2048
                && data.test?.count == 10_000)
        #expect(data.describe().contains("614 labels changed"))
        options.selection = .all
        #expect(
            try Dataset.fashionMNIST(options).describe().contains("standardised by mean 0.2860 and deviation 0.3530"))
        let labels = try #require(data.test?.labels)
        #expect((0..<10).allSatisfy { k in labels.count { $0 == k } == 1000 })
        #expect(Array(labels.prefix(5)) == [9, 2, 1, 1, 6])  // ankle boot, pullover, trouser, trouser, shirt
    }
}
