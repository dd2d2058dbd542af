/// A tar archive, gzipped or not, as far as archives of data files need it: a header of 512 bytes for each file with its name and,
/// in octal, its size, then its bytes, filled up to a multiple of 512.
///
/// POSIX.1-2017, pax, "ustar Interchange Format".
enum Tar {
    /// What passes this in files that are not wanted is refused instead of read. The training images of CIFAR-10, which are not when
    /// the test images are, have 154 MB.
    static let mostOtherBytes = 1 << 28

    static func isArchive(_ source: any ByteSource) throws -> Bool {
        let reader = try source.unpacked()
        guard reader.remaining >= 512 else { return false }
        let header: [UInt8]
        do { header = try reader.bytes(512) } catch is DatasetError { return false }
        return header[257..<262].elementsEqual("ustar".utf8)
    }

    /// Hands on each regular file's path and bytes in the archive's order. The body reads all of the bytes or none.
    static func forEachFile(
        in source: any ByteSource, _ body: (_ path: String, any ByteReader) throws -> Void
    ) throws {
        func bad(_ what: String) -> DatasetError { DatasetError("\(source.name) is not a valid tar archive: \(what)") }
        let reader = try source.unpacked()
        var others = 0
        while true {
            let header = try reader.bytes(512)
            // Two blocks of zeros end the archive; more of them fill its last record.
            if header.allSatisfy({ $0 == 0 }) { return try reader.finish(leaving: mostOtherBytes) }
            guard header[257..<262].elementsEqual("ustar".utf8), checksum(of: header) == octal(header[148..<156]) else {
                throw bad("a header is damaged")
            }
            guard let size = octal(header[124..<136]), size <= reader.remaining else {
                throw bad("a file in it is larger than the archive: is it truncated?")
            }
            let path = [text(header[345..<500]), text(header[0..<100])].filter { !$0.isEmpty }.joined(separator: "/")
            let entry = CountingReader(reader, limit: size, name: "\(source.name): \(path)")
            if header[156] == UInt8(ascii: "0") || header[156] == 0 { try body(path, entry) }
            if entry.remaining > 0 {
                others += min(size, mostOtherBytes + 1)
                guard entry.remaining == size, others <= mostOtherBytes else {
                    throw bad("it holds much that is not data of this set, such as '\(path)'")
                }
                try entry.skip(size)
            }
            try reader.skip((512 - size % 512) % 512)
        }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Octal digits between spaces and zero bytes.
    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        return Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }

    /// The sum of a header's bytes, those of the checksum itself counted as spaces.
    private static func checksum(of header: [UInt8]) -> Int {
        header.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(header[$1])) }
    }
}

/// The next bytes of a reader, at most so many: a file in an archive, the numbers of a variable.
final class CountingReader: ByteReader {
    private let base: any ByteReader
    private let name: String
    private(set) var remaining: Int

    init(_ base: any ByteReader, limit: Int, name: String) {
        (self.base, remaining, self.name) = (base, limit, name)
    }

    func read(into bytes: UnsafeMutableRawBufferPointer) throws {
        guard bytes.count <= remaining else { throw DatasetError("\(name) ends too early: it is truncated") }
        try base.read(into: bytes)
        remaining -= bytes.count
    }

    func finish() throws {
        if remaining > 0 { throw DatasetError("\(name) has \(remaining) bytes more than its contents need") }
    }

    func finish(leaving most: Int) throws {
        try finish()
        try base.finish(leaving: most)
    }
}
