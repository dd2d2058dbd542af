import Compute
import Foundation

/// Takes what is written, piece by piece.
public protocol ByteSink: AnyObject {
    func write(_ bytes: [UInt8]) throws
}

/// A file that gets its name when it is complete: under that name nobody ever sees a part of it, and what was there before is
/// replaced only where that was asked for.
public final class ExportFile: ByteSink {
    public let path: String
    private let isReplacing: Bool
    private let temporary: String
    private var descriptor: Int32
    private var buffer: [UInt8] = []

    /// - Parameter isReplacing: whether a file that is there already may be replaced; never a run file or another database.
    /// - Throws: `ExportError` where a file is there, `OutputFileError` where none can be.
    public init(_ path: String, replacing isReplacing: Bool = false) throws {
        (self.path, self.isReplacing) = (path, isReplacing)
        try OutputFile.check(path)
        if !isReplacing, access(path, F_OK) == 0 { throw Self.exists(path) }
        guard let file = OutputFile.makeFile(beside: path) else {
            throw OutputFileError(path: path, reason: String(cString: strerror(errno)))
        }
        (descriptor, temporary) = file
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }

    public func write(_ bytes: [UInt8]) throws {
        buffer += bytes
        if buffer.count >= 1 << 20 { try flush() }
    }

    /// Gives the file its name.
    public func finish() throws {
        try flush()
        guard fchmod(descriptor, OutputFile.sharedMode) == 0, fsync(descriptor) == 0 else { throw failure() }
        try Self.place(temporary, at: path, replacing: isReplacing)
        close(descriptor)
        descriptor = -1
    }

    /// Gives a finished file its name; takes away the one it had.
    /// - Throws: `ExportError` where there is a file of that name that may not be replaced.
    static func place(_ temporary: String, at path: String, replacing isReplacing: Bool) throws {
        if !isReplacing {
            if link(temporary, path) == 0 {
                unlink(temporary)
                return
            }
            if errno == EEXIST { throw exists(path) }
            // File systems without links: what came there in the last moment is not seen then.
        }
        guard rename(temporary, path) == 0 else {
            throw OutputFileError(path: path, reason: String(cString: strerror(errno)))
        }
    }

    static func exists(_ path: String) -> ExportError {
        ExportError("'\(path)' is there already: --force replaces it, -o chooses another name")
    }

    private func flush() throws {
        try buffer.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Foundation.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw failure() }
                done += count
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func failure() -> OutputFileError {
        OutputFileError(path: path, reason: String(cString: strerror(errno)))
    }
}

extension [UInt8] {
    /// Appends the number, its low byte first.
    mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    /// Appends seven bits a byte, the low ones first: what Thrift and protocol buffers call a varint.
    mutating func append(varint number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
