import Compute
import Foundation

/// Bytes that can be read from any place: a file, or memory. `name` stands in the errors.
protocol ByteSource {
    var name: String { get }
    var count: Int { get }
    /// Reads exactly `bytes.count` bytes from `offset` on. The caller has checked that they exist.
    func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws
}

extension ByteSource {
    /// Some bytes as an array, for headers; `nil` when the source does not have them.
    func bytes(at offset: Int, count wanted: Int) throws -> [UInt8]? {
        guard offset >= 0, wanted >= 0, offset <= count, wanted <= count - offset else { return nil }
        var result = [UInt8](repeating: 0, count: wanted)
        try result.withUnsafeMutableBytes { try read(at: offset, into: $0) }
        return result
    }
}

/// A regular file, read with `pread`: a file that shrinks while it is read gives an error, not a signal.
final class FileSource: ByteSource {
    let name: String
    let count: Int
    private let descriptor: Int32

    /// - Throws: `DatasetError` when there is no such regular file or it may not be read.
    init(path: String) throws {
        name = path
        // Not blocking, so that a named pipe is refused instead of waited for.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw DatasetError("cannot read \(path): \(Self.systemMessage())") }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw DatasetError("cannot read \(path): it is not a regular file")
        }
        count = Int(status.st_size)
    }

    deinit { close(descriptor) }

    func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            try Cancellation.check()
            let wanted = min(bytes.count - done, Self.bytesBetweenQuestions)
            let got = pread(descriptor, bytes.baseAddress! + done, wanted, off_t(offset + done))
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw DatasetError("cannot read \(name): \(Self.systemMessage())") }
            guard got > 0 else { throw DatasetError("\(name) became shorter while it was read") }
            done += got
        }
    }

    /// What a disk gives in a few hundredths of a second.
    private static let bytesBetweenQuestions = 1 << 23

    private static func systemMessage() -> String { String(cString: strerror(errno)) }
}

/// Bytes in memory, such as a checkpoint out of a run file.
struct MemorySource: ByteSource {
    let name: String
    private let data: Data
    var count: Int { data.count }

    init(_ data: Data, name: String) {
        (self.data, self.name) = (data, name)
    }

    func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
        let start = data.startIndex + offset
        data.copyBytes(to: bytes, from: start..<(start + bytes.count))
    }
}

/// Bytes that come one after the other.
protocol ByteReader: AnyObject {
    /// How many bytes are still to come, as far as the file says.
    var remaining: Int { get }
    /// Reads exactly `bytes.count` bytes.
    /// - Throws: `DatasetError` when there are not so many.
    func read(into bytes: UnsafeMutableRawBufferPointer) throws
    /// Checks, when all bytes have been read, that the source ends here and is intact.
    func finish() throws
    /// Checks that the source is intact, where up to so many bytes of no interest may follow.
    func finish(leaving most: Int) throws
}

extension ByteReader {
    /// Some bytes as an array, for headers. `count` has been checked to be small.
    func bytes(_ count: Int) throws -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        try result.withUnsafeMutableBytes { try read(into: $0) }
        return result
    }

    /// Goes over bytes that are of no interest.
    func skip(_ count: Int) throws {
        var rest = count
        var block = [UInt8](repeating: 0, count: min(rest, 1 << 16))
        while rest > 0 {
            let step = min(rest, block.count)
            try block.withUnsafeMutableBytes { try read(into: .init(rebasing: $0[..<step])) }
            rest -= step
        }
    }
}

extension ByteSource {
    /// The whole source from its beginning, unpacked where it is compressed by gzip.
    func unpacked() throws -> any ByteReader {
        try isGzipped ? InflateReader(self, range: 0..<count, format: .gzip) : SliceReader(self, range: 0..<count)
    }

    var isGzipped: Bool {
        get throws { try bytes(at: 0, count: 2) == [0x1F, 0x8B] }
    }
}

/// A part of a source, byte by byte as it stands there.
final class SliceReader: ByteReader {
    private let source: any ByteSource
    private var offset: Int
    private(set) var remaining: Int

    /// The range must lie inside the source.
    init(_ source: any ByteSource, range: Range<Int>) {
        (self.source, offset, remaining) = (source, range.lowerBound, range.count)
    }

    func read(into bytes: UnsafeMutableRawBufferPointer) throws {
        guard bytes.count <= remaining else { throw DatasetError("\(source.name) ends too early: it is truncated") }
        try source.read(at: offset, into: bytes)
        offset += bytes.count
        remaining -= bytes.count
    }

    func finish() throws {
        if remaining > 0 { throw DatasetError("\(source.name) has \(remaining) bytes more than its contents need") }
    }

    func finish(leaving most: Int) {}
}
