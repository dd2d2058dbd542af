import Compute
import Foundation
import Testing

@testable import Datasets

/// Thousands of files of each format with a few bytes changed, cut out, repeated or set to extreme values: each is read or is one
/// error. The mutations are a function of the round's number, so that a failure comes again.
@Suite struct MutatedFiles {
    /// A mutation may hit what carries no meaning (padding, pixels, data without a checksum), so some files are still read.
    private func refuse(
        atLeast least: Double, of originals: [Data], rounds: Int, wrapped: (Data) -> Data = { $0 },
        _ read: (Data) throws -> Void
    ) throws {
        var refused = 0
        for (number, original) in originals.enumerated() {
            for round in 0..<rounds {
                var stream = RandomStream(seed: 5, purpose: .test, index: UInt64(number * 10_000 + round))
                let file = wrapped(mutated(original, &stream))
                do {
                    try read(file)
                } catch {
                    #expect(error is DatasetError || error is MemoryError, "\(error)")
                    refused += 1
                }
            }
        }
        let share = Double(refused) / Double(originals.count * rounds)
        #expect(share >= least && share < 1, "\(share) of the files were refused")
    }

    private func readArrays(_ data: Data) throws {
        for array in try load(data).values { #expect(array.values.count == array.count) }
    }

    private func walk(_ part: ImagePart) throws {
        var seen = 0
        try part.forEachImage(part.count - 1) { index, _ in
            #expect(part.labels.indices.contains(index))
            seen += 1
        }
        #expect(seen == part.count)
    }

    private let facts = ImageFacts(
        name: "toy", title: "Toy", citation: "nobody", classNames: (0...9).map(String.init), imageShape: [3, 2, 2],
        sizes: (20, 3), constants: [:], folders: ["toy"], remedy: "", layout: .cifar)

    @Test func ofNumPyAndSafetensors() throws {
        try refuse(atLeast: 0.5, of: Fixture.all, rounds: 1500, readArrays)
    }

    @Test func ofMATLAB() throws {
        let written = Written.mat([
            .init(name: "a", shape: [2, 3], kind: 6, type: 2, bytes: [UInt8](0..<6)),
            .init(name: "long_name", shape: [1, 2], kind: 7, type: 7, bytes: [UInt8](repeating: 1, count: 8)),
        ])
        try refuse(atLeast: 0.2, of: [MATFiles.plain, MATFiles.compressed, written], rounds: 2000, readArrays)
        // Behind an intact checksum.
        let variable = [UInt8](written[128...])
        try refuse(
            atLeast: 0.2, of: [Data(variable)], rounds: 2000,
            wrapped: {
                let stream = Written.zlib([UInt8]($0))
                return Data(written[..<128] + Written.number(15, 4) + Written.number(stream.count, 4) + stream)
            }, readArrays)
    }

    @Test func ofIDX() throws {
        func read(_ data: Data) throws {
            let images = try IDXFile(MemorySource(data, name: "file"), sampleShape: [2, 2])
            let labels = try IDXFile(
                MemorySource(ToyImages.idx([images.count], [UInt8](repeating: 1, count: images.count)), name: "labels"),
                sampleShape: [])
            try walk(ImageLoader.part(images: images, labels: labels, ToyImages.facts))
        }
        let plain = ToyImages.idx([5, 2, 2], [UInt8](0..<20))
        try refuse(atLeast: 0.2, of: [plain, Written.gzip(plain), Fixture.gzippedImages], rounds: 2000, read)
        try refuse(atLeast: 0.2, of: [plain], rounds: 2000, wrapped: Written.gzip, read)
        let labels = ToyImages.idx([30], (0..<30).map { UInt8($0 % 3) })
        try refuse(atLeast: 0.2, of: [labels, Written.gzip(labels)], rounds: 2000) { data in
            _ = try IDXFile(MemorySource(data, name: "file"), sampleShape: []).values()
        }
    }

    @Test func ofCIFAR() throws {
        let batches = ToyColours.cifar.map { MemorySource(Data($0.bytes), name: $0.path) }
        try refuse(atLeast: 0.2, of: [Data(ToyColours.cifar[2].bytes)], rounds: 3000) { data in
            let sources = [batches[0], batches[1], MemorySource(data, name: "file"), batches[3], batches[4]]
            try walk(CIFARFiles.part(sources, facts))
        }
        let archive = Written.tar(ToyColours.cifar)
        for (wrapped, files) in [({ $0 }, [archive, Written.gzip(archive)]), (Written.gzip, [archive])]
            as [((Data) -> Data, [Data])]
        {
            try refuse(atLeast: 0.1, of: files, rounds: 1000, wrapped: wrapped) { data in
                try walk(CIFARFiles.part(archive: MemorySource(data, name: "file"), .train, facts))
            }
        }
    }

    @Test func ofSVHN() throws {
        let files = [false, true].map { ToyColours.svhn(6, compressed: $0) }
        try refuse(atLeast: 0.2, of: files, rounds: 2500) { data in
            try walk(SVHNFiles.part(MemorySource(data, name: "file"), facts))
        }
    }

    private func mutated(_ original: Data, _ stream: inout RandomStream) -> Data {
        var bytes = [UInt8](original)
        for _ in 0...stream.below(3) where !bytes.isEmpty {
            let at = stream.below(bytes.count)
            switch stream.below(7) {
            case 0: bytes[at] ^= 1 << UInt8(stream.below(8))
            case 1: bytes[at] = UInt8(stream.below(256))
            case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + stream.below(8)))
            case 3: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + stream.below(8))], at: at)
            case 4:
                let extreme: UInt8 = [0xFF, 0x7F, 0, 0x80][stream.below(4)]
                for i in at..<min(bytes.count, at + [1, 2, 4, 8][stream.below(4)]) { bytes[i] = extreme }
            case 5: bytes.removeLast(stream.below(bytes.count))
            default:
                let digits = Array("0123456789-,]}'e".utf8)
                bytes[at] = digits[stream.below(digits.count)]
            }
        }
        return Data(bytes)
    }
}
