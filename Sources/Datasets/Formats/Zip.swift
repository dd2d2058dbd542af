/// The directory of a zip archive, as far as `.npz` files need it: stored and deflated entries, zip64.
/// PKWARE, "APPNOTE.TXT, .ZIP File Format Specification", 6.3.
enum Zip {
    struct Entry {
        let name: String
        fileprivate let label: String
        fileprivate let method: Int
        fileprivate let crc: UInt32
        fileprivate let compressedSize: Int
        fileprivate let size: Int
        fileprivate let headerOffset: Int
        fileprivate var data: Range<Int> = 0..<0

        /// Reads the entry's contents; `source` is the archive.
        func reader(_ source: any ByteSource) throws -> any ByteReader {
            let plain: any ByteReader =
                method == 0
                ? SliceReader(source, range: data)
                : try InflateReader(source, range: data, format: .raw, size: size)
            return ChecksumReader(plain, name: label, crc32: crc)
        }
    }

    static func isArchive(_ start: [UInt8]) -> Bool {
        start.starts(with: [0x50, 0x4B, 3, 4]) || start.starts(with: [0x50, 0x4B, 5, 6])
    }

    /// The entries in the directory's order, checked to lie in the file without overlaps (so that a small file cannot unfold
    /// the same bytes many times).
    static func entries(of source: any ByteSource) throws -> [Entry] {
        func bad(_ what: String) -> DatasetError {
            DatasetError("\(source.name) is not a valid .npz (zip) file: \(what)")
        }
        let directory = try directoryRange(of: source)
        guard let bytes = try source.bytes(at: directory.lowerBound, count: directory.count) else {
            throw bad("it is truncated")
        }
        let fields = Fields(bytes)
        var entries: [Entry] = []
        var at = 0
        while at < bytes.count {
            guard fields.u32(at) == 0x0201_4B50, let nameLength = fields.u16(at + 28),
                let extraLength = fields.u16(at + 30), let commentLength = fields.u16(at + 32),
                let nameBytes = fields.slice(at + 46, nameLength),
                let extra = fields.slice(at + 46 + nameLength, extraLength),
                fields.slice(at + 46 + nameLength + extraLength, commentLength) != nil
            else { throw bad("its directory is damaged") }
            let name = String(decoding: nameBytes, as: UTF8.self)
            let method = fields.u16(at + 10) ?? 0
            guard (fields.u16(at + 8) ?? 0) & 1 == 0 else { throw bad("'\(name)' is encrypted") }
            guard method == 0 || method == 8 else {
                throw bad("'\(name)' is compressed by the unknown method \(method)")
            }
            guard let sizes = sizes(fields, at: at, extra: Fields(Array(extra))) else {
                throw bad("its directory is damaged")
            }
            guard method == 8 || sizes.compressed == sizes.size else {
                throw bad("the sizes of '\(name)' contradict each other")
            }
            entries.append(
                Entry(
                    name: name, label: "\(source.name): '\(name)'", method: method,
                    crc: UInt32(truncatingIfNeeded: fields.u32(at + 16) ?? 0),
                    compressedSize: sizes.compressed, size: sizes.size, headerOffset: sizes.offset))
            at += 46 + nameLength + extraLength + commentLength
        }
        for i in entries.indices {
            entries[i].data = try dataRange(of: entries[i], source, before: directory.lowerBound)
        }
        var end = 0
        for entry in entries.sorted(by: { $0.headerOffset < $1.headerOffset }) {
            guard entry.headerOffset >= end else { throw bad("'\(entry.name)' overlaps another entry") }
            end = entry.data.upperBound
        }
        guard Set(entries.map(\.name)).count == entries.count else { throw bad("a name comes twice") }
        return entries
    }

    /// Where the entry's bytes are: after its local header, whose name and extra field may be longer than the directory's.
    private static func dataRange(of entry: Entry, _ source: any ByteSource, before limit: Int) throws -> Range<Int> {
        guard entry.headerOffset <= limit, let header = try source.bytes(at: entry.headerOffset, count: 30) else {
            throw DatasetError("\(entry.label) lies outside the file: is it truncated?")
        }
        let fields = Fields(header)
        guard fields.u32(0) == 0x0403_4B50, let nameLength = fields.u16(26), let extraLength = fields.u16(28) else {
            throw DatasetError("\(entry.label) is damaged: its header is missing")
        }
        let start = entry.headerOffset + 30 + nameLength + extraLength
        guard start <= limit, entry.compressedSize <= limit - start else {
            throw DatasetError("\(entry.label) lies outside the file: is it truncated?")
        }
        return start..<(start + entry.compressedSize)
    }

    private struct Sizes {
        var size: Int
        var compressed: Int
        var offset: Int
    }

    /// The sizes and the place of an entry; where a 32-bit field is full, it stands in the zip64 extra field (id 1).
    private static func sizes(_ fields: Fields, at: Int, extra: Fields) -> Sizes? {
        guard let compressed = fields.u32(at + 20), let size = fields.u32(at + 24), let offset = fields.u32(at + 42)
        else {
            return nil
        }
        var sizes = Sizes(size: size, compressed: compressed, offset: offset)
        let full = 0xFFFF_FFFF
        guard size == full || compressed == full || offset == full else { return sizes }
        var place = 0
        while extra.u16(place) != 1 {
            guard let length = extra.u16(place + 2) else { return nil }
            place += 4 + length
        }
        place += 4
        for field in [\Sizes.size, \.compressed, \.offset] where sizes[keyPath: field] == full {
            guard let wide = extra.u64(place) else { return nil }
            sizes[keyPath: field] = wide
            place += 8
        }
        return sizes
    }

    /// Where the directory is. The record that says so is at the file's end, before a comment of at most 65,535 bytes.
    private static func directoryRange(of source: any ByteSource) throws -> Range<Int> {
        func bad(_ what: String) -> DatasetError {
            DatasetError("\(source.name) is not a valid .npz (zip) file: \(what)")
        }
        let tailLength = min(source.count, 22 + 0xFFFF)
        guard tailLength >= 22, let tail = try source.bytes(at: source.count - tailLength, count: tailLength) else {
            throw bad("it is truncated")
        }
        let fields = Fields(tail)
        guard
            let at = (0...(tailLength - 22)).last(where: {
                fields.u32($0) == 0x0605_4B50 && fields.u16($0 + 20) == tailLength - 22 - $0
            })
        else { throw bad("its directory is missing: is it truncated?") }
        let end = source.count - tailLength + at
        var (size, offset) = (fields.u32(at + 12) ?? 0, fields.u32(at + 16) ?? 0)
        if size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF || fields.u16(at + 10) == 0xFFFF {
            guard let locator = try source.bytes(at: end - 20, count: 20), Fields(locator).u32(0) == 0x0706_4B50,
                let record = try Fields(locator).u64(8).flatMap({ try source.bytes(at: $0, count: 56) }),
                Fields(record).u32(0) == 0x0606_4B50, let wideSize = Fields(record).u64(40),
                let wideOffset = Fields(record).u64(48)
            else { throw bad("its directory is damaged") }
            (size, offset) = (wideSize, wideOffset)
        }
        guard offset <= end, size <= end - offset else { throw bad("its directory is damaged") }
        return offset..<(offset + size)
    }

    /// Little-endian numbers at places that may not exist.
    private struct Fields {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func slice(_ at: Int, _ count: Int) -> ArraySlice<UInt8>? {
            at >= 0 && at <= bytes.count && count <= bytes.count - at ? bytes[at..<(at + count)] : nil
        }
        private func number(_ at: Int, _ count: Int) -> UInt64? {
            slice(at, count)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        func u16(_ at: Int) -> Int? { number(at, 2).map { Int($0) } }
        func u32(_ at: Int) -> Int? { number(at, 4).map { Int($0) } }
        /// `nil` also for what cannot be a size.
        func u64(_ at: Int) -> Int? { number(at, 8).flatMap { Int(exactly: $0) } }
    }
}
