import Foundation
import Testing

@testable import Datasets

@Suite struct MATFiles {
    /// `scipy.io.savemat(f, {"a": np.array([[1, 2], [3, 4]], "u1"), "s": np.float32(1.5)})`, SciPy 1.17
    static let plain = bytes(
        "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFN1biBOb3YgMjIgMTg6Mzk6MTUgMjAyNgAA"
            + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0OAAAAMAAAAAYAAAAIAAAACQAAAAAA"
            + "AAAFAAAACAAAAAIAAAACAAAAAQABAGEAAAACAAQAAQMCBA4AAAAwAAAABgAAAAgAAAAHAAAAAAAAAAUAAAAIAAAAAQAAAAEAAAAB"
            + "AAEAcwAAAAcABAAAAMA/")
    /// `savemat(f, {"a": as above, "w": np.arange(200.).reshape(10, 20) % 3}, do_compression=True)`
    static let compressed = bytes(
        "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFN1biBOb3YgMjIgMTg6Mzk6MTUgMjAyNgAA"
            + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAAJwAAAHic42NgYDAAYjYg5gBi"
            + "TgYIYIXymaCYEQgTwWwWBkZmJhYAF68A2g8AAABcAAAAeJzjY2BgKGBjYAAiBg4GCA0CrFA+FxCLADEjEJYDaU4gdoApQgAHCPXB"
            + "njJxSvVjiFPJXTBxqrmLgbruGvUvdcylmrsYqOuuUf9Sx1yquYuBuu4aef4FAA0gYVk=")

    private static func bytes(_ base64: String) -> Data { Data(base64Encoded: base64) ?? Data() }

    @Test func whatSciPyWritesIsReadInRowMajorOrder() throws {
        let plain = try load(Self.plain)
        #expect(plain.keys.sorted() == ["a", "s"])
        #expect(plain["a"]?.shape == [2, 2] && plain["a"]?.element == .u8 && plain["a"]?.values == [1, 2, 3, 4])
        #expect(plain["s"]?.shape == [1, 1] && plain["s"]?.values == [1.5])
        let compressed = try load(Self.compressed)
        #expect(compressed["a"]?.values == [1, 2, 3, 4])
        #expect(compressed["w"]?.shape == [10, 20] && compressed["w"]?.values == (0..<200).map { Double($0 % 3) })
    }

    @Test func everyOrderAndCompressionGivesTheSame() throws {
        let ramp = (0..<24).map { Int($0) }
        for (type, width) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (6, 4), (12, 8), (13, 8)] {
            for bigEndian in [false, true] {
                for compressed in [false, true] {
                    // Element [i, j, k] of the file stands at i + 2·j + 6·k.
                    let file = Written.mat(
                        [
                            .init(
                                name: "x", shape: [2, 3, 4], kind: 6, type: type,
                                bytes: ramp.flatMap { Written.number($0, width, bigEndian: bigEndian) })
                        ], compressed: compressed, bigEndian: bigEndian)
                    let array = try #require(try load(file)["x"])
                    #expect(array.shape == [2, 3, 4])
                    #expect(try array.value(at: [1, 2, 3]) == 23 && array.value(at: [1, 0, 2]) == 13)
                }
            }
        }
    }

    @Test func whatIsNoArrayOfNumbersIsNamed() throws {
        func file(_ kind: Int, type: Int = 2, shape: [Int] = [1, 2], bytes: [UInt8] = [1, 2]) -> Data {
            Written.mat([.init(name: "v", shape: shape, kind: kind, type: type, bytes: bytes)])
        }
        var newer = Self.plain
        newer.replaceSubrange(7..<10, with: Data("7.3".utf8))
        let twice = Written.Variable(name: "v", shape: [1, 2], kind: 6, type: 2, bytes: [1, 2])
        let cases: [(Data, String)] = [
            (file(1), "the variable 'v' is a cell array"), (file(2), "is a structure"), (file(3), "is an object"),
            (file(4), "is text"), (file(5), "is a sparse matrix"), (file(6 | 0x800), "is complex"),
            (file(0), "is of an unknown kind"), (file(6, type: 16), "the numbers of 'v' have the type 16"),
            (file(6, shape: [2, 2]), "'v' of shape [2, 2] has 2 bytes of numbers"),
            (file(6, shape: [0x7FFF_FFFF, 0x7FFF_FFFF, 0x7FFF_FFFF]), "has 2 bytes of numbers"),
            (newer, "HDF5"), (Written.mat([twice, twice]), "the variable 'v' comes twice"),
            (Self.plain.prefix(100), "truncated in its header"),
        ]
        for (file, expected) in cases {
            let text = message { _ = try load(file) }
            #expect(text.contains(expected), "\(text)")
        }
    }

    @Test func everyTruncatedFileIsAnErrorOrEndsBetweenVariables() throws {
        for (file, whole) in [(Self.plain, [128, 184]), (Self.compressed, [128, 175])] {
            for length in 0..<file.count where !whole.contains(length) {
                #expect(throws: DatasetError.self) { try load(file.prefix(length)) }
            }
            for length in whole { #expect(try load(file.prefix(length)).count == whole.firstIndex(of: length)) }
        }
    }

    /// Every length in the file set to the greatest value: none is believed before the bytes are there.
    @Test func absurdSizesTakeNoMemory() throws {
        for file in [
            Self.plain, Self.compressed,
            Written.mat([.init(name: "v", shape: [8, 8], kind: 9, type: 2, bytes: [UInt8](0..<64))]),
        ] {
            for at in stride(from: 128, to: file.count - 4, by: 4) {
                var damaged = file
                damaged.replaceSubrange(at..<(at + 4), with: [0xFF, 0xFF, 0xFF, 0x7F])
                _ = try? load(damaged)
            }
        }
    }
}
