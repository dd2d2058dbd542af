import Compute
import Foundation
import Testing

@testable import Datasets

@Suite struct ArrayFiles {
    @Test func aSafetensorsFileFromPythonIsRead() throws {
        let contents = try ArrayFile.contents(of: Fixture.safetensors, name: "file")
        #expect(contents.metadata == ["format": "pt"])
        let weight = try #require(contents.arrays["layers.0.weight"])
        #expect(weight.shape == [2, 3] && weight.element == .f32 && weight.values == [0, 0.5, 1, 1.5, 2, 2.5])
        let half = try #require(contents.arrays["h"])
        #expect(half.element == .f32 && half.values == [1.5, -0.25])
        let step = try #require(contents.arrays["step"])
        #expect(step.shape == [] && step.element == .i64 && step.values == [7])
        #expect(contents.arrays.count == 3)
    }

    @Test func aNumPyFileIsRead() throws {
        let doubles = try #require(try load(Fixture.doubles)["array"])
        #expect(doubles.element == .f64 && doubles.shape == [4] && doubles.values == [-1.5, -0.5, 0.5, 1.5])
    }

    /// 6·10⁻⁸ rounds to the smallest subnormal half, 2⁻²⁴.
    @Test func halvesAreWidenedExactly() throws {
        let halves = try #require(try load(Fixture.halves)["array"])
        #expect(halves.element == .f32 && halves.values == [1.5, -2, 65504, 0x1p-24, .infinity])
        for bits in UInt16.min...UInt16.max {
            let expected = Float(Float16(bitPattern: bits))
            let widened = StoredElement.widened(half: bits)
            #expect(widened == expected && widened.sign == expected.sign || widened.isNaN && expected.isNaN)
        }
    }

    @Test func columnMajorArraysBecomeRowMajor() throws {
        #expect(try load(Fixture.fortran)["array"]?.values == [0, 1, 2, 3, 4, 5])
        // A [2, 3, 2] array whose element (i, j, k) is 100i + 10j + k, the first index fastest.
        let bytes: [UInt8] = [0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121]
        let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }\n"
        let array = try #require(try load(Fixture.npy(header: header, data: bytes))["array"])
        #expect(array.values == [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121])
        #expect(try array.value(at: [1, 2, 1]) == 121)
    }

    @Test func bigEndianArraysAreRead() throws {
        func values(_ type: String, _ data: [UInt8]) throws -> [Double]? {
            let header = "{\"descr\": \"\(type)\", \"fortran_order\": False, \"shape\": (2L,)}"
            return try load(Fixture.npy(header: header, data: data))["array"]?.values
        }
        #expect(try values(">f4", [0x3F, 0xC0, 0, 0, 0xC0, 0, 0, 0]) == [1.5, -2])
        #expect(try values(">i2", [1, 2, 0xFF, 0xFE]) == [258, -2])
        #expect(try values(">f2", [0x3E, 0, 0xC0, 0]) == [1.5, -2])
        #expect(try values(">u8", [UInt8](repeating: 0, count: 15) + [9]) == [0, 9])
    }

    @Test func storedAndCompressedArchivesAreRead() throws {
        let arrays = try load(Fixture.npz)
        #expect(arrays["x"]?.values == [0, 1, 2] && arrays["x"]?.element == .i64)
        #expect(arrays["flag"]?.shape == [] && arrays["flag"]?.element == .bool && arrays["flag"]?.values == [1])
        let w = try #require(try load(Fixture.compressedNpz)["w"])
        #expect(w.shape == [10, 20] && w.values == (0..<200).map { Double($0 % 3) })
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let arrays: [String: NDArray] = [
            "weights \"\\ü\n": try NDArray([1.5, -0.0, .infinity] as [Float]),
            "d": try NDArray([0.1, 0x1p-1030], shape: [2, 1]),
            "i": try NDArray([Int32.min, .max]), "l": try NDArray([Int64.min]),
            "b": try NDArray([UInt8(255)], shape: []),
            "empty": try NDArray([Float](), shape: [3, 0, 2]),
        ]
        let data = try ArrayFile.safetensors(.init(arrays: arrays, metadata: ["kind": "check/point"]))
        let back = try ArrayFile.contents(of: data, name: "file")
        #expect(back.metadata == ["kind": "check/point"])
        #expect(Set(back.arrays.keys) == Set(arrays.keys))
        for (name, array) in arrays {
            let npy = try #require(try load(ArrayFile.npy(array))["array"])
            for copy in [try #require(back.arrays[name]), npy] {
                #expect(copy.shape == array.shape && copy.element == array.element)
                let bytes = [copy, array].map { $0.withUnsafeBytes { Array($0) } }
                #expect(bytes[0] == bytes[1])
            }
        }
        #expect(try ArrayFile.safetensors(.init(arrays: arrays, metadata: ["kind": "check/point"])) == data)
    }

    /// In zip64 too, which here begins at 100 bytes instead of four gigabytes.
    @Test(arguments: [0xFFFF_FFFF, 100]) func anArchiveOfArraysIsReadBack(limit: Int) throws {
        let arrays: [String: NDArray] = [
            "a/ü": try NDArray([1.5, -0.0, .infinity] as [Float]), "": try NDArray([Int64.min], shape: []),
            "empty": try NDArray([Float](), shape: [3, 0, 2]), "long": try NDArray([Double](repeating: 7, count: 300)),
        ]
        var archive = ZipArchive(limit: limit)
        for (name, array) in arrays { try archive.add(name + ".npy", try ArrayFile.npy(array)) }
        for data in [archive.finished(), try ArrayFile.npz(arrays)] {
            let back = try load(data)
            #expect(Set(back.keys) == Set(arrays.keys))
            for (name, array) in arrays {
                let copy = try #require(back[name])
                #expect(copy.shape == array.shape && copy.element == array.element)
                let bytes = [copy, array].map { $0.withUnsafeBytes { Array($0) } }
                #expect(bytes[0] == bytes[1])
            }
        }
        #expect(try ArrayFile.npz(arrays) == ArrayFile.npz(arrays))
        #expect(message { _ = try ArrayFile.npz(["a\0b": NDArray([1.0])]) }.contains("'a\\0b.npy' has a zero byte"))
    }

    @Test func aFileIsRecognisedByItsContents() throws {
        let path = NSTemporaryDirectory() + "eoss-arrays-\(getpid()).npy"
        defer { unlink(path) }
        try OutputFile.write(Fixture.safetensors, to: path)
        #expect(try ArrayFile.load(path)["h"]?.values == [1.5, -0.25])
    }

    @Test func aFileThatCannotBeReadIsOneClearError() throws {
        #expect(
            message { _ = try ArrayFile.load("/nowhere/x.npy") }
                == "cannot read /nowhere/x.npy: No such file or directory")
        #expect(message { _ = try ArrayFile.load("/tmp") } == "cannot read /tmp: it is not a regular file")
        #expect(message { _ = try load(Data()) }.hasSuffix("it is empty"))
        #expect(message { _ = try load(Data([0x1F, 0x8B, 8])) }.hasSuffix("it is compressed by gzip"))
        #expect(
            message { _ = try load(Data("hello, world".utf8)) }.contains(
                "not an array file (.safetensors, .npy, .npz or .mat)"))
        #expect(message { _ = try load(Fixture.objects) }.contains("its elements are Python objects"))
        #expect(message { _ = try load(Fixture.records) }.contains("its elements are records"))
    }

    @Test func anArrayCanBeReshapedAndIndexed() throws {
        let array = try NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        #expect(try array.value(at: [1, 0]) == 4)
        #expect(try array.reshaped([3, 2]).value(at: [1, 0]) == 3)
        #expect(message { _ = try array.value(at: [0, 3]) } == "index [0, 3] lies outside an array of shape [2, 3]")
        #expect(message { _ = try array.value(at: [0]) }.contains("takes 2 indices"))
        #expect(message { _ = try array.reshaped([4]) }.contains("cannot be seen in shape [4]"))
        #expect(message { _ = try NDArray([1.0], shape: [2]) }.contains("do not fill"))
        #expect(message { _ = try NDArray([1.0], shape: [-1]) }.contains("cannot have the shape"))
        #expect(
            message { _ = try NDArray([1.0], shape: [1 << 40, 1 << 40]) }.contains(
                "more elements than can be addressed"))
    }
}
