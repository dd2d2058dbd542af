import CZlib
import Foundation

/// Writes a zip archive of stored entries, in zip64 where an entry or the archive is too large for 32 bits.
/// PKWARE, "APPNOTE.TXT, .ZIP File Format Specification", 6.3.
struct ZipArchive {
    private struct Entry {
        let name: [UInt8]
        let crc: UInt32
        let size: Int
        let offset: Int
    }

    /// What a 32-bit field holds where the number stands in the zip64 fields.
    private static let full: UInt32 = 0xFFFF_FFFF
    /// Sizes and offsets from here on are written in 64 bits; a test sets it low.
    private let limit: Int
    private var data = Data()
    private var entries: [Entry] = []

    init(limit: Int = 0xFFFF_FFFF) { self.limit = limit }

    /// Appends an entry.
    /// - Throws: `DatasetError` for a name with a NUL, at which other programs end it, or of more than 65,535 bytes.
    mutating func add(_ name: String, _ contents: Data) throws {
        let bytes = Array(name.utf8)
        guard !bytes.contains(0) else {
            throw DatasetError(
                "the name '\(name.replacing("\0", with: "\\0"))' has a zero byte, which a .npz file cannot hold")
        }
        guard bytes.count <= 0xFFFF else {
            throw DatasetError("a name of \(bytes.count) bytes is too long for a .npz file, which takes 65535")
        }
        let entry = Entry(name: bytes, crc: Self.checksum(contents), size: contents.count, offset: data.count)
        entries.append(entry)
        let isWide = entry.size >= limit
        data.append(UInt32(0x0403_4B50))
        common(entry, version: isWide ? 45 : 20, size: isWide ? Self.full : UInt32(entry.size))
        data.append(UInt16(isWide ? 20 : 0))
        data.append(contentsOf: entry.name)
        if isWide {
            data.append(UInt16(1))
            data.append(UInt16(16))
            for _ in 0..<2 { data.append(UInt64(entry.size)) }
        }
        data.append(contents)
    }

    /// The archive's bytes: the entries, their directory and its end.
    consuming func finished() -> Data {
        let start = data.count
        for entry in entries { list(entry) }
        let size = data.count - start
        if entries.count >= 0xFFFF || start >= limit || size >= limit { wideEnd(start: start, size: size) }
        let count = UInt16(min(entries.count, 0xFFFF))
        data.append(UInt32(0x0605_4B50))
        for number in [0, 0, count, count] { data.append(number) }
        data.append(size >= limit ? Self.full : UInt32(size))
        data.append(start >= limit ? Self.full : UInt32(start))
        data.append(UInt16(0))
        return data
    }

    /// What an entry's own header and its line in the directory share, up to the name's length.
    private mutating func common(_ entry: Entry, version: UInt16, size: UInt32) {
        // Bit 11: the name is UTF-8. Stored, on 1 January 1980: the same arrays give the same bytes.
        for number in [version, 1 << 11, 0, 0, 0x21] { data.append(number) }
        for number in [entry.crc, size, size] { data.append(number) }
        data.append(UInt16(entry.name.count))
    }

    private mutating func list(_ entry: Entry) {
        let isWide = entry.size >= limit
        let wide = (isWide ? [entry.size, entry.size] : []) + (entry.offset >= limit ? [entry.offset] : [])
        data.append(UInt32(0x0201_4B50))
        data.append(UInt16(45))
        common(entry, version: wide.isEmpty ? 20 : 45, size: isWide ? Self.full : UInt32(entry.size))
        data.append(UInt16(wide.isEmpty ? 0 : 4 + 8 * wide.count))
        for number in [UInt16(0), 0, 0] { data.append(number) }  // comment, disk, kind
        data.append(UInt32(0))
        data.append(entry.offset >= limit ? Self.full : UInt32(entry.offset))
        data.append(contentsOf: entry.name)
        guard !wide.isEmpty else { return }
        data.append(UInt16(1))
        data.append(UInt16(8 * wide.count))
        for number in wide { data.append(UInt64(number)) }
    }

    private mutating func wideEnd(start: Int, size: Int) {
        let record = data.count
        data.append(UInt32(0x0606_4B50))
        data.append(UInt64(44))
        for number in [UInt16(45), 45] { data.append(number) }
        for number in [UInt32(0), 0] { data.append(number) }
        for number in [entries.count, entries.count, size, start] { data.append(UInt64(number)) }
        data.append(UInt32(0x0706_4B50))
        data.append(UInt32(0))
        data.append(UInt64(record))
        data.append(UInt32(1))
    }

    private static func checksum(_ contents: Data) -> UInt32 {
        contents.withUnsafeBytes { bytes in
            var sum = crc32(0, nil, 0)
            var start = 0
            while start < bytes.count {
                let count = min(bytes.count - start, 1 << 30)
                sum = crc32(sum, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + start, uInt(count))
                start += count
            }
            return UInt32(truncatingIfNeeded: sum)
        }
    }
}

extension Data {
    /// Appends the number, its low byte first.
    fileprivate mutating func append(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
