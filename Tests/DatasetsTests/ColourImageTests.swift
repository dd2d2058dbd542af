import Compute
import Foundation
import Graph
import Testing

@testable import Datasets

/// Ten classes of images of 3×2×2 pixels in the files of CIFAR-10 (five of 4 images and one of 3) or of SVHN (20 and 3 images). The
/// image number i has the pixels 10·i + 0 … 10·i + 11 (channels, rows, columns) and the label i mod 10.
struct ToyColours {
    let folder: TemporaryFolder
    let facts: ImageFacts

    init(_ layout: ImageFacts.Layout) throws {
        folder = try TemporaryFolder()
        facts = ImageFacts(
            name: "toy", title: "Toy", citation: "nobody", classNames: (0...9).map(String.init), imageShape: [3, 2, 2],
            sizes: (20, 3),
            constants: [.eoss: .init(mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 1])], folders: ["toy"], remedy: "Draw it.",
            layout: layout)
    }

    static func image(_ i: Int) -> [UInt8] { (0..<12).map { UInt8(10 * i + $0) } }

    static func records(_ numbers: Range<Int>) -> [UInt8] { numbers.flatMap { [UInt8($0 % 10)] + image($0) } }

    static var cifar: [(path: String, bytes: [UInt8])] {
        (0..<5).map { ("data_batch_\($0 + 1).bin", records((4 * $0)..<(4 * $0 + 4))) } + [
            ("test_batch.bin", records(0..<3))
        ]
    }

    static func svhn(_ count: Int, compressed: Bool, labels: [UInt8]? = nil) -> Data {
        // Rows run fastest, then columns, channels, images; the digit 0 is called 10.
        var pixels: [UInt8] = []
        for i in 0..<count {
            for (channel, column, row) in (0..<12).map({ ($0 / 4, $0 / 2 % 2, $0 % 2) }) {
                pixels.append(image(i)[4 * channel + 2 * row + column])
            }
        }
        let labels = labels ?? (0..<count).map { [10, 1, 2, 3, 4, 5, 6, 7, 8, 9][$0 % 10] }
        return Written.mat(
            [
                .init(name: "X", shape: [2, 2, 3, count], kind: 9, type: 2, bytes: pixels),
                .init(name: "y", shape: [count, 1], kind: 6, type: 2, bytes: labels),
            ], compressed: compressed)
    }

    func load(_ set: (inout ImageOptions) -> Void = { _ in }) throws -> Dataset {
        var options = ImageOptions()
        options.standardize = .none
        set(&options)
        return try ImageLoader(facts, options, environment: ["EOSS_DATA": folder.path]).load()
    }

    /// All images and labels are those of the toy, whatever files they came from.
    func isWhole(_ data: Dataset) throws -> Bool {
        func pixels(_ split: Split) throws -> [[UInt8]] {
            try values(split.inputs(as: .f64)).map { $0.map { UInt8(($0 * 255).rounded()) } }
        }
        let test = try #require(data.test)
        let labels = data.train.labels == (0..<20).map { Int32($0 % 10) } && test.labels == [0, 1, 2]
        let images = try pixels(data.train) == (0..<20).map(Self.image) && pixels(test) == (0..<3).map(Self.image)
        return labels && images && data.inputShape == [3, 2, 2] && data.outputs == 10
    }
}

@Suite struct ColourImages {
    @Test func cifarIsReadFromItsFolderAndFromItsArchive() throws {
        let toy = try ToyColours(.cifar)
        defer { toy.folder.remove() }
        for (name, bytes) in ToyColours.cifar { try toy.folder.write("toy/\(name)", Data(bytes)) }
        #expect(try toy.isWhole(toy.load()))
        toy.folder.remove()

        // As it is distributed: a folder, other files, and the batches in any order.
        let files = ToyColours.cifar
        let batches = [3, 5, 0, 4, 2, 1].map { ("cifar-10-batches-bin/" + files[$0].path, files[$0].bytes) }
        let archive = Written.tar(
            [("cifar-10-batches-bin/", [])] + batches + [("cifar-10-batches-bin/readme.html", Array("<html>".utf8))])
        for data in [archive, Written.gzip(archive)] {
            try toy.folder.write("cifar-10-binary.tar.gz", data)
            #expect(try toy.isWhole(toy.load()))
            #expect(try toy.isWhole(toy.load { $0.folder = toy.folder.path + "/cifar-10-binary.tar.gz" }))
            // Image 13 is in the fourth batch, image 2 in the first.
            let some = try toy.load { $0.selection = .indices([13, 2]) }
            #expect(try values(some.train.inputs(as: .f64)).map { ($0[0] * 255).rounded() } == [130, 20])
        }
    }

    @Test func svhnIsReadWithRowsAndColumnsInPlace() throws {
        let toy = try ToyColours(.svhn)
        defer { toy.folder.remove() }
        for compressed in [false, true] {
            try toy.folder.write("toy/train_32x32.mat", ToyColours.svhn(20, compressed: compressed))
            try toy.folder.write("toy/test_32x32.mat", ToyColours.svhn(3, compressed: compressed))
            #expect(try toy.isWhole(toy.load()))
        }
    }

    @Test func eachChannelIsStandardisedByItself() throws {
        let toy = try ToyColours(.svhn)
        defer { toy.folder.remove() }
        try toy.folder.write("toy/train_32x32.mat", ToyColours.svhn(20, compressed: false))
        func channels(_ set: (inout ImageOptions) -> Void) throws -> [[Double]] {
            let data = try toy.load {
                $0.testCount = 0
                set(&$0)
            }
            let rows = try values(data.train.inputs(as: .f64))
            return (0..<3).map { c in rows.flatMap { $0[(4 * c)..<(4 * c + 4)] } }
        }
        for channel in try channels({ ($0.standardize, $0.selection) = (.subset, .random(7)) }) {
            #expect(abs(channel.reduce(0, +)) < 1e-13)
            #expect(abs(channel.reduce(0) { $0 + $1 * $1 } / 28 - 1) < 1e-13)
        }
        let fixed = try channels { ($0.standardize, $0.selection) = (.eoss, .indices([7])) }
        for (c, (mean, std)) in [(0.1, 0.5), (0.2, 0.25), (0.3, 1)].enumerated() {
            #expect(fixed[c] == (0..<4).map { (Double(70 + 4 * c + $0) / 255 - mean) / std })
        }
        // Each pixel runs through 20 equally spaced values: deviation √((20² − 1)/12) of their distance.
        let each = try channels { ($0.standardize, $0.selection) = (.cohen, .indices([0])) }
        #expect(each.flatMap { $0 }.allSatisfy { abs($0 + 9.5 / (399.0 / 12).squareRoot()) < 1e-12 })
        let text = message { _ = try toy.load { $0.standardize = .centralFlows } }
        #expect(text.hasPrefix("standardize = 'central_flows': there are no such constants for Toy."))
        #expect(text.hasSuffix("It has 'subset', 'eoss', 'cohen', 'none'"))
    }

    @Test func damagedFilesAreNamed() throws {
        let toy = try ToyColours(.cifar)
        defer { toy.folder.remove() }
        func write(_ files: [(path: String, bytes: [UInt8])]) throws {
            for (name, bytes) in files { try toy.folder.write("toy/\(name)", Data(bytes)) }
        }
        try write(ToyColours.cifar)
        try write([("data_batch_3.bin", Array(ToyColours.records(0..<4).dropLast()))])
        #expect(message { _ = try toy.load() }.contains("data_batch_3.bin has 51 bytes, which is not a whole number"))
        try write([("data_batch_3.bin", [11] + ToyColours.image(0))])
        #expect(message { _ = try toy.load() }.contains("holds the label 11 (sample 9)"))
        try write([("data_batch_3.bin", [])])
        #expect(message { _ = try toy.load() }.contains("has 0 bytes"))
        try FileManager.default.removeItem(atPath: toy.folder.path + "/toy/data_batch_3.bin")
        #expect(message { _ = try toy.load() }.contains("cannot read \(toy.folder.path)/toy/data_batch_3.bin"))
        toy.folder.remove()

        let archive = Written.tar(ToyColours.cifar.filter { $0.path != "data_batch_4.bin" })
        try toy.folder.write("toy/cifar-10-binary.tar", archive)
        #expect(message { _ = try toy.load() }.contains("holds no data_batch_4.bin"))
        var damaged = Written.gzip(Written.tar(ToyColours.cifar))
        damaged[damaged.count - 6] ^= 1
        try toy.folder.write("toy/cifar-10-binary.tar", damaged)
        #expect(message { _ = try toy.load() }.contains("damaged: its compressed data"))
        toy.folder.remove()

        try toy.folder.write("cifar-10-batches-py/data_batch_1", Data("pickled".utf8))
        #expect(
            message { _ = try toy.load() }.contains(
                "holds the Python version, pickled objects, which cannot be read. Draw it."))

        let digits = try ToyColours(.svhn)
        defer { digits.folder.remove() }
        let cases: [(Data, String)] = [
            (ToyColours.svhn(4, compressed: true, labels: [1, 2, 3, 11]), "y holds 11.0 for sample 4"),
            (
                ToyColours.svhn(4, compressed: true, labels: [1, 2, 3]),
                "is not a valid MATLAB file: 'y' of shape [4, 1] has 3"
            ),
            (
                Written.mat([.init(name: "Z", shape: [1, 1], kind: 9, type: 2, bytes: [1])]),
                "has no variable 'X'; it has 'Z'"
            ),
            (
                Written.mat([
                    .init(name: "X", shape: [2, 2, 3, 1], kind: 9, type: 2, bytes: [UInt8](0..<12)),
                    .init(name: "y", shape: [1, 2], kind: 9, type: 2, bytes: [1, 2]),
                ]), "has 1 images in X, and 2 labels in y"
            ),
            (
                Written.mat([
                    .init(name: "X", shape: [3, 2, 2, 1], kind: 9, type: 2, bytes: [UInt8](0..<12)),
                    .init(name: "y", shape: [1, 1], kind: 9, type: 2, bytes: [1]),
                ]), "X of shape [3, 2, 2, 1] is not images [2, 2, 3, n]"
            ),
        ]
        for (file, expected) in cases {
            try digits.folder.write("svhn/train_32x32.mat", file)
            let text = message { _ = try digits.load { $0.folder = digits.folder.path + "/svhn" } }
            #expect(text.contains(expected), "\(text)")
        }
    }

    @Test func theTableOfDataSetsIsInOrder() {
        #expect(ImageFacts.all.map(\.name) == ["cifar10", "fashion_mnist", "mnist", "svhn"])
        for facts in ImageFacts.all {
            #expect(Set(facts.classNames).count == 10 && facts.imageShape.count == 3 && !facts.folders.isEmpty)
            for (name, moments) in facts.constants {
                #expect(name.isByConstants)
                #expect(moments.mean.count == facts.imageShape[0] && moments.std.count == facts.imageShape[0])
                #expect((moments.mean + moments.std).allSatisfy { $0 > 0 && $0 < 1 })
            }
        }
        #expect(ImageFacts.mnist.possibleStandardizations == [.subset, .cohen, .none])
        #expect(ImageFacts.cifar10.possibleStandardizations == Standardization.allCases)
    }

    @Test func aDescriptionTellsSizesClassesRangeAndSource() throws {
        let toy = try ToyColours(.svhn)
        defer { toy.folder.remove() }
        try toy.folder.write("toy/train_32x32.mat", ToyColours.svhn(20, compressed: false))
        try toy.folder.write("toy/test_32x32.mat", ToyColours.svhn(3, compressed: false))
        let text = try toy.load { ($0.classes, $0.labelNoise, $0.selection) = ([1, 0], 0.5, .first(4)) }.describe()
        #expect(
            text == """
                toy: Toy (nobody)
                  source    \(toy.folder.path)/toy
                  samples   taken from 20 (the first)
                            classes 1 0
                            2 labels changed
                            pixels in [0, 1]
                  training  4 samples: inputs 3×2×2, from 0 to 0.4745; 2 classes
                            \(text.split(separator: "\n")[7].trimmingCharacters(in: .whitespaces))
                  test      2 samples: inputs 3×2×2, from 0 to 0.08235; 2 classes
                            1 1, 0 1
                """)
        #expect(try toy.load().describe().contains("0 2, 1 2, 2 2, 3 2"))
    }
}
