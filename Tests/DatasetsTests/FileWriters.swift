import Compute
import Foundation

@testable import Datasets

/// Writes the formats that are only read elsewhere, uncompressed or as streams of stored blocks.
enum Written {
    static func number(_ value: Int, _ bytes: Int, bigEndian: Bool = false) -> [UInt8] {
        let little = (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        return bigEndian ? little.reversed() : little
    }

    // MARK: - Compression

    /// Deflate's stored blocks, of at most 65,535 bytes each.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var start = 0
        repeat {
            let end = min(bytes.count, start + 0xFFFF)
            result +=
                [end == bytes.count ? 1 : 0] + number(end - start, 2) + number(~(end - start), 2) + bytes[start..<end]
            start = end
        } while start < bytes.count
        return result
    }

    static func gzip(_ data: Data) -> Data {
        let bytes = [UInt8](data)
        return Data(
            [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + stored(bytes) + number(crc32(bytes), 4) + number(bytes.count, 4))
    }

    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var (a, b) = (1, 0)
        for byte in bytes {
            a = (a + Int(byte)) % 65521
            b = (b + a) % 65521
        }
        return [0x78, 0x01] + stored(bytes) + number(b << 16 | a, 4, bigEndian: true)
    }

    private static func crc32(_ bytes: [UInt8]) -> Int {
        var crc: UInt32 = ~0
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return Int(~crc)
    }

    // MARK: - Archives

    static func tar(_ files: [(path: String, bytes: [UInt8])]) -> Data {
        var result: [UInt8] = []
        for (path, bytes) in files {
            var header = [UInt8](repeating: 0, count: 512)
            func put(_ text: String, _ at: Int) {
                header.replaceSubrange(at..<(at + text.utf8.count), with: Array(text.utf8))
            }
            put(path, 0)
            put("0000644", 100)
            put(String(format: "%011o", bytes.count), 124)
            put("        ", 148)
            put(path.hasSuffix("/") ? "5" : "0", 156)
            put("ustar\u{0}00", 257)
            put(String(format: "%06o\u{0} ", header.reduce(0) { $0 + Int($1) }), 148)
            result += header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
        }
        return Data(result + [UInt8](repeating: 0, count: 2048))
    }

    // MARK: - MATLAB files

    struct Variable {
        var name: String
        var shape: [Int]
        /// The class of the array (6 double, 9 uint8, …) with its flags.
        var kind: Int
        /// The type of the stored numbers (2 uint8, 9 double, …).
        var type: Int
        var bytes: [UInt8]
    }

    static func mat(_ variables: [Variable], compressed: Bool = false, bigEndian: Bool = false) -> Data {
        let text = "MATLAB 5.0 MAT-file, written by a test"
        var result = Array(text.utf8) + [UInt8](repeating: 0x20, count: 124 - text.utf8.count)
        result += number(0x0100, 2, bigEndian: bigEndian) + (bigEndian ? Array("MI".utf8) : Array("IM".utf8))
        func element(_ type: Int, _ bytes: [UInt8]) -> [UInt8] {
            // Up to four bytes stand in the tag, with type and length in one word.
            if (1...4).contains(bytes.count) {
                return number(bytes.count << 16 | type, 4, bigEndian: bigEndian) + bytes
                    + [UInt8](repeating: 0, count: 4 - bytes.count)
            }
            return number(type, 4, bigEndian: bigEndian) + number(bytes.count, 4, bigEndian: bigEndian) + bytes
                + [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
        }
        for variable in variables {
            let parts =
                element(6, number(variable.kind, 4, bigEndian: bigEndian) + number(0, 4))
                + element(5, variable.shape.flatMap { number($0, 4, bigEndian: bigEndian) })
                + element(1, Array(variable.name.utf8)) + element(variable.type, variable.bytes)
            let matrix = element(14, parts)
            if compressed {
                let stream = zlib(matrix)
                result += number(15, 4, bigEndian: bigEndian) + number(stream.count, 4, bigEndian: bigEndian) + stream
            } else {
                result += matrix
            }
        }
        return Data(result)
    }
}

/// A folder of its own, gone with ``remove()``.
struct TemporaryFolder {
    let path = NSTemporaryDirectory() + "eoss-data-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    func write(_ name: String, _ data: Data) throws {
        let file = "\(path)/\(name)"
        let folder = file[..<(file.lastIndex(of: "/") ?? file.endIndex)]
        try FileManager.default.createDirectory(atPath: String(folder), withIntermediateDirectories: true)
        try OutputFile.write(data, to: file)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
