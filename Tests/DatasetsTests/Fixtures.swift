import Foundation

@testable import Datasets

/// Small files written by NumPy 2.4 and safetensors 0.8, with the Python that made them.
enum Fixture {
    /// `np.save(f, np.asfortranarray(np.arange(6, dtype="<f4").reshape(2, 3)))`
    static let fortran = decoded(
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAg"
            + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAABAQAAAgD8AAIBAAAAAQAAA"
            + "oEA=")
    /// `np.save(f, np.arange(4, dtype="f8") - 1.5)`
    static let doubles = decoded(
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDQsKSwgfSAgICAgICAg"
            + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4vwAAAAAAAOC/AAAAAAAA"
            + "4D8AAAAAAAD4Pw==")
    /// `np.save(f, np.array([1.5, -2, 65504, 6e-8, np.inf], dtype="f2"))`
    static let halves = decoded(
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDUsKSwgfSAgICAgICAg"
            + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAPgDA/3sBAAB8")
    /// `np.savez(f, x=np.arange(3, dtype="i8"), flag=np.array(True))`
    static let npz = decoded(
        "UEsDBC0AAAAAAAAAIQD3QBLq//////////8FABQAeC5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzog"
            + "JzxpOCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgzLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAg"
            + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAAAABAAAAAAAAAAIAAAAAAAAAUEsDBC0AAAAAAAAAIQCCLfjT"
            + "//////////8IABQAZmxhZy5ucHkBABAAgQAAAAAAAACBAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJ3xiMScsICdmb3J0cmFu"
            + "X29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
            + "ICAgICAgICAgICAgICAgICAKAVBLAQItAy0AAAAAAAAAIQD3QBLqmAAAAJgAAAAFAAAAAAAAAAAAAACAAQAAAAB4Lm5weVBLAQIt"
            + "Ay0AAAAAAAAAIQCCLfjTgQAAAIEAAAAIAAAAAAAAAAAAAACAAc8AAABmbGFnLm5weVBLBQYAAAAAAgACAGkAAACKAQAAAAA=")
    /// `np.savez_compressed(f, w=np.arange(200, dtype="f4").reshape(10, 20) % 3)`
    static let compressedNpz = decoded(
        "UEsDBC0AAAAIAAAAIQB/5Mr4//////////8FABQAdy5ucHkBABAAoAMAAAAAAABXAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6l"
            + "oG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoYGOgpGBpo6CrUKZAIuBjBosAcSDqPsUfYoG5UNAFBLAQItAy0A"
            + "AAAIAAAAIQB/5Mr4VwAAAKADAAAFAAAAAAAAAAAAAACAAQAAAAB3Lm5weVBLBQYAAAAAAQABADMAAACOAAAAAAA=")
    /// `np.save(f, np.array([None], dtype=object), allow_pickle=True)`, cut after its header
    static let objects = decoded(
        "k05VTVBZAQB2AHsnZGVzY3InOiAnfE8nLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMSwpLCB9ICAgICAgICAg"
            + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqABJWKAAAAAAAAAIwWbnVtcHkuX2Nv"
            + "cmUubXVsdGlhcg==")
    /// `np.save(f, np.zeros(1, dtype=[("a", "f4"), ("b", "i2")]))`
    static let records = decoded(
        "k05VTVBZAQB2AHsnZGVzY3InOiBbKCdhJywgJzxmNCcpLCAoJ2InLCAnPGkyJyldLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAn"
            + "c2hhcGUnOiAoMSwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAA=")
    /// `safetensors.torch.save({"layers.0.weight": torch.arange(6.).reshape(2, 3) / 2, "h": torch.tensor([1.5, -0.25],
    /// dtype=torch.bfloat16), "step": torch.tensor(7)}, metadata={"format": "pt"})`
    static let safetensors = decoded(
        "2AAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJzdGVwIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOltdLCJk"
            + "YXRhX29mZnNldHMiOlswLDhdfSwibGF5ZXJzLjAud2VpZ2h0Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDNdLCJkYXRhX29m"
            + "ZnNldHMiOls4LDMyXX0sImgiOnsiZHR5cGUiOiJCRjE2Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMzIsMzZdfX0gICAH"
            + "AAAAAAAAAAAAAAAAAAA/AACAPwAAwD8AAABAAAAgQMA/gL4=")

    /// Three IDX images of 2×2 pixels, the bytes 0 to 11, through Python's `gzip.compress`
    static let gzippedImages = decoded("H4sIAAAAAAACA2Ng4GBmYGAAYSYwZmRiZmFlY+fg5OIGAGNEb8YcAAAA")

    static let all = [fortran, doubles, halves, npz, compressedNpz, safetensors]

    private static func decoded(_ base64: String) -> Data { Data(base64Encoded: base64) ?? Data() }

    /// A safetensors file with this header and so many bytes of data.
    static func safetensors(header: String, dataBytes: Int) -> Data {
        var length = UInt64(header.utf8.count).littleEndian
        return Data(bytes: &length, count: 8) + Data(header.utf8) + Data(count: dataBytes)
    }

    /// A zip archive of empty stored entries.
    static func archive(of names: [String]) -> Data {
        func number(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(value >> (8 * $0) & 255) } }
        var locals: [UInt8] = []
        var directory: [UInt8] = []
        for name in names {
            directory += Array("PK\u{1}\u{2}".utf8) + number(20, 2) + number(20, 2) + number(0, 20)
            directory += number(name.utf8.count, 2) + number(0, 12) + number(locals.count, 4) + Array(name.utf8)
            locals += Array("PK\u{3}\u{4}".utf8) + number(20, 2) + number(0, 20) + number(name.utf8.count, 2)
            locals += number(0, 2) + Array(name.utf8)
        }
        let end = number(0, 4) + number(names.count, 2) + number(names.count, 2) + number(directory.count, 4)
        return Data(locals + directory + Array("PK\u{5}\u{6}".utf8) + end + number(locals.count, 4) + number(0, 2))
    }

    /// A version 1.0 `.npy` file with this header and these data.
    static func npy(header: String, data: [UInt8]) -> Data {
        let length = UInt16(header.utf8.count)
        return Data(
            [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8) + data)
    }
}

/// Loads a file from memory.
func load(_ data: Data) throws -> [String: NDArray] { try ArrayFile.contents(of: data, name: "file").arrays }

/// The message with which `body` fails; empty when it does not.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch { return "\(error)" }
}
