import Compute
import Foundation
import Testing

@testable import Datasets

@Suite struct MalformedArrayFiles {
    @Test(arguments: [
        ("", 0, "not valid JSON"),
        ("{", 0, "not valid JSON"),
        ("{\"x\": 3}", 0, "a value of the wrong kind at 'x'"),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "'data_offsets' is missing"),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "header is not what"),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,4]}}", 4, "header is not what"),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "cannot have the shape [-1]"),
        (
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,9],\"data_offsets\":[0,4]}}", 4,
            "cannot have the shape"
        ),
        (
            "{\"x\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
            "type F8_E4M3, which is not supported"
        ),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "needs 8 bytes and has 4"),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "not in the file: is it truncated?"),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "not in the file"),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "not in the file"),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "not in the file"),
        ("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, "1 bytes belong to no tensor"),
        (
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8,
            "begins at byte 4 of the data instead of 0"
        ),
        (
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"y\":{\"dtype\":\"F32\",\"shape\":[1],"
                + "\"data_offsets\":[0,4]}}", 4, "begins at byte 0 of the data instead of 4"
        ),
        ("{\"__metadata__\":{\"a\":3}}", 0, "a value of the wrong kind at '__metadata__.a'"),
    ])
    func aWrongSafetensorsHeaderIsNamed(header: String, dataBytes: Int, expected: String) {
        let file = Fixture.safetensors(header: header.isEmpty ? "{]" : header, dataBytes: dataBytes)
        let text = message { _ = try load(file) }
        #expect(text.hasPrefix("file is not a valid safetensors file: ") && text.contains(expected), "\(text)")
    }

    @Test func aHugeHeaderLengthTakesNoMemory() {
        var file = Fixture.safetensors
        file[3] = 0x7F  // 2 GB
        #expect(message { _ = try load(file) }.contains("and only 252 follow"))
        let long = Fixture.safetensors(header: "{" + String(repeating: " ", count: 17 << 20) + "}", dataBytes: 0)
        #expect(message { _ = try load(long) }.contains("more than the 16777216 allowed"))
    }

    @Test(arguments: [
        ("[1]", "not a Python dictionary"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", "not a Python dictionary"),
        ("{'descr': '<f4', 'fortran_order': False}", "does not hold just"),
        ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "does not hold just"),
        ("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", "not a Python dictionary"),
        ("{'descr': '<f4', 'fortran_order': 'no', 'shape': (1,)}", "not True or False"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': '1'}", "not a tuple of integers"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "cannot have the shape [-1]"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", "cannot have the shape"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "not a Python dictionary"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}", "needs 4000000000000 bytes of data"),
        ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "have the type '<c8'"),
        ("{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}", "have the type '|f4'"),
        ("{'descr': '', 'fortran_order': False, 'shape': (1,)}", "have the type ''"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "4 bytes more than its contents need"),
    ])
    func aWrongNpyHeaderIsNamed(header: String, expected: String) {
        let text = message { _ = try load(Fixture.npy(header: header, data: [UInt8](repeating: 0, count: 8))) }
        #expect(text.contains(expected), "\(text)")
    }

    @Test func everyTruncatedFileIsAnError() {
        for file in Fixture.all {
            for length in 0..<file.count {
                let text = message { _ = try load(file.prefix(length)) }
                #expect(!text.isEmpty && text.contains("file"))
            }
        }
    }

    @Test func aDamagedArchiveIsAnError() {
        for (file, place) in [(Fixture.npz, 190), (Fixture.compressedNpz, 120)] {
            var damaged = file
            damaged[place] ^= 1
            #expect(message { _ = try load(damaged) }.contains("damaged"))
        }
    }

    /// A directory whose two entries share one local header: each byte of a zip bomb would be read many times.
    @Test func overlappingEntriesAreRefused() throws {
        var file = Fixture.npz
        let directory = try #require(file.range(of: Data("PK\u{1}\u{2}".utf8), options: .backwards)).lowerBound
        file.replaceSubrange((directory + 42)..<(directory + 46), with: [0, 0, 0, 0])
        #expect(message { _ = try load(file) }.contains("overlaps another entry"))
    }

    /// The directory claims that 87 compressed bytes hold 2³¹.
    @Test func aSizeThatDeflateCannotReachIsRefusedBeforeMemoryIsTaken() throws {
        var file = Fixture.compressedNpz
        let directory = try #require(file.range(of: Data("PK\u{1}\u{2}".utf8))).lowerBound
        file.replaceSubrange((directory + 24)..<(directory + 28), with: [0, 0, 0, 0x80])
        #expect(message { _ = try load(file) }.contains("87 compressed bytes cannot hold 2147483648"))
    }

    @Test func aFileFromTorchSaveIsExplained() {
        let text = message { _ = try load(Fixture.archive(of: ["model/data.pkl", "model/data/0"])) }
        #expect(text.contains("written by torch.save") && text.contains("safetensors.torch.save_file"))
        #expect(message { _ = try load(Fixture.archive(of: ["a.txt"])) } == "file: 'a.txt' is not a .npy array")
        #expect(message { _ = try load(Fixture.archive(of: ["a.npy", "a.npy"])) }.contains("a name comes twice"))
    }
}
