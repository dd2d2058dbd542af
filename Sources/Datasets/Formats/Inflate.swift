import CZlib
import Compute
import Foundation

/// Reads compressed bytes of a source: a gzip file, a zlib stream, or the raw deflate stream of a zip entry.
final class InflateReader: ByteReader {
    enum Format: Int32 {
        case gzip = 31  // zlib's window bits: 15, and 16 for a gzip header
        case zlib = 15
        case raw = -15
    }

    /// Deflate makes at most 1032 bytes out of one (a match of 258 bytes in two bits).
    static let largestRatio = 1032

    private let name: String
    private let compressed: SliceReader
    // zlib's state points back at this structure, so it may not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var chunk = [UInt8](repeating: 0, count: 1 << 16)
    private var chunkStart = 0
    private var chunkEnd = 0
    private var ended = false
    private(set) var remaining: Int

    /// - Parameter size: how many bytes are to come out, where that is known.
    init(_ source: any ByteSource, range: Range<Int>, format: Format, size: Int? = nil) throws {
        name = source.name
        compressed = SliceReader(source, range: range)
        // Both factors are file sizes, so the product may still overflow.
        let (bound, overflow) = range.count.multipliedReportingOverflow(by: Self.largestRatio)
        let most = overflow ? Int.max : bound
        guard size ?? 0 <= most else {
            throw DatasetError("\(source.name) is damaged: \(range.count) compressed bytes cannot hold \(size ?? 0)")
        }
        remaining = size ?? most
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = inflateInit2_(stream, format.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            throw DatasetError("cannot read \(source.name): zlib failed to start (\(status))")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func read(into bytes: UnsafeMutableRawBufferPointer) throws {
        guard bytes.count <= remaining else { throw truncated }
        guard try inflate(into: bytes) == bytes.count else { throw truncated }
        remaining -= bytes.count
    }

    /// Reads as many bytes as there are room and bytes: 0 at the intact end of the stream.
    func readSome(into bytes: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try inflate(into: bytes)
        remaining -= count
        if count < bytes.count { try finish() }
        return count
    }

    func finish() throws {
        var extra: [UInt8] = [0]
        let more = try extra.withUnsafeMutableBytes { try inflate(into: $0) }
        guard more == 0 else { throw DatasetError("\(name) has more bytes than its contents need") }
        guard ended else { throw truncated }
        guard chunkStart == chunkEnd, compressed.remaining == 0 else {
            throw DatasetError("\(name) has bytes after the end of its compressed data")
        }
    }

    func finish(leaving most: Int) throws {
        // The stream's own checksum is compared at its end, so the rest has to be unpacked.
        var block = [UInt8](repeating: 0, count: 1 << 16)
        var unread = 0
        while unread <= most {
            let more = try block.withUnsafeMutableBytes { try inflate(into: $0) }
            if more == 0 { break }
            unread += more
        }
        guard ended else {
            throw unread > most ? DatasetError("\(name) has more bytes than its contents need") : truncated
        }
    }

    private var truncated: DatasetError { DatasetError("\(name) ends too early: it is truncated") }

    /// Fills the buffer as far as the stream goes, and says how far.
    private func inflate(into bytes: UnsafeMutableRawBufferPointer) throws -> Int {
        var done = 0
        while done < bytes.count, !ended {
            if chunkStart == chunkEnd {
                // A chunk is unpacked in a millisecond, or in a few hundredths of a second where it stands for much.
                try Cancellation.check()
                chunkEnd = min(chunk.count, compressed.remaining)
                chunkStart = 0
                if chunkEnd == 0 { break }
                try chunk.withUnsafeMutableBytes { try compressed.read(into: .init(rebasing: $0[..<chunkEnd])) }
            }
            let wanted = min(bytes.count - done, 1 << 30)
            let output = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + done
            let status = chunk.withUnsafeMutableBufferPointer { input -> Int32 in
                stream.pointee.next_in = input.baseAddress! + chunkStart
                stream.pointee.avail_in = uInt(chunkEnd - chunkStart)
                stream.pointee.next_out = output
                stream.pointee.avail_out = uInt(wanted)
                return CZlib.inflate(stream, Z_NO_FLUSH)
            }
            let produced = wanted - Int(stream.pointee.avail_out)
            chunkStart = chunkEnd - Int(stream.pointee.avail_in)
            done += produced
            switch status {
            case Z_OK: break
            case Z_STREAM_END: ended = true
            case Z_BUF_ERROR where produced > 0 || chunkStart == chunkEnd: break  // wants more input
            default: throw DatasetError("\(name) is damaged: its compressed data cannot be decoded")
            }
        }
        return done
    }
}

/// Passes bytes on and checks, at the end, that their CRC-32 is the one that the file promised.
final class ChecksumReader: ByteReader {
    private let base: any ByteReader
    private let name: String
    private let expected: UInt32
    private var crc: UInt = crc32(0, nil, 0)

    init(_ base: any ByteReader, name: String, crc32 expected: UInt32) {
        (self.base, self.name, self.expected) = (base, name, expected)
    }

    var remaining: Int { base.remaining }

    func read(into bytes: UnsafeMutableRawBufferPointer) throws {
        try base.read(into: bytes)
        var start = 0
        while start < bytes.count {
            let count = min(bytes.count - start, 1 << 30)
            crc = crc32(crc, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + start, uInt(count))
            start += count
        }
    }

    func finish() throws {
        try base.finish()
        guard crc == UInt(expected) else { throw DatasetError("\(name) is damaged: its checksum does not match") }
    }

    func finish(leaving most: Int) throws { try base.finish(leaving: most) }
}
