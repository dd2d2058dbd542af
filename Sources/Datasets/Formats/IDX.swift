import Compute

/// A file in the format of MNIST: two zero bytes, the element's code, the number of dimensions, the dimensions as 32-bit
/// big-endian integers, the elements. Only unsigned bytes (code 8) are read. The file may be compressed by gzip.
///
/// LeCun, Cortes & Burges, "The MNIST database", section "File formats".
struct IDXFile {
    let name: String
    /// The first extent is the number of samples.
    let shape: [Int]
    private let source: any ByteSource

    /// - Parameter sampleShape: the extents after the first one; another file is refused.
    init(_ source: any ByteSource, sampleShape: [Int]) throws {
        name = source.name
        self.source = source
        let reader = try source.unpacked()
        let header = try reader.bytes(4)
        guard header[0...1] == [0, 0], header[2] == 8 else {
            throw DatasetError("\(source.name) is not an IDX file of unsigned bytes: it begins with \(header)")
        }
        let rank = sampleShape.count + 1
        guard header[3] == rank else {
            throw DatasetError(
                "\(source.name) has \(header[3]) dimensions instead of \(rank): is it another file's content?")
        }
        var shape: [Int] = []
        for _ in 0..<rank { shape.append(try reader.bytes(4).reduce(0) { $0 << 8 | Int($1) }) }
        guard shape[1...] == sampleShape[...] else {
            throw DatasetError(
                "\(source.name) holds samples of \(Self.text(shape.dropFirst())) bytes instead of \(Self.text(sampleShape[...]))"
            )
        }
        self.shape = shape
        guard shape[0] <= ImagePart.mostSamples, let count = try? NDArray.elementCount(shape), count > 0,
            count <= reader.remaining
        else {
            throw DatasetError(
                "\(source.name) should hold \(Self.text(shape[...])) bytes and cannot: it is truncated or damaged")
        }
        guard try source.isGzipped || count == reader.remaining else {
            throw DatasetError("\(source.name) has \(reader.remaining - count) bytes more than its header says")
        }
    }

    private static func text(_ shape: ArraySlice<Int>) -> String { shape.map(String.init).joined(separator: "×") }

    /// The number of samples.
    var count: Int { shape[0] }

    /// Bytes of a sample.
    var rowSize: Int { shape[1...].reduce(1, *) }

    /// Gives `body` the samples in order, each with its number, and stops after sample `last`.
    func forEachRow(through last: Int, _ body: (Int, UnsafeRawBufferPointer) -> Void) throws {
        let reader = try source.unpacked()
        try reader.skip(4 + 4 * shape.count)
        try reader.forEachRow(min(count, last + 1), of: rowSize, body)
        if last >= count - 1 { try reader.finish() }
    }

    /// All bytes of a file of one dimension.
    func values() throws -> [UInt8] {
        var values: [UInt8] = []
        try forEachRow(through: count - 1) { values += $1 }
        return values
    }
}

extension ByteReader {
    /// Gives `body` the next `count` pieces of `size` bytes, each with its number. `size` has been checked to be small.
    func forEachRow(_ count: Int, of size: Int, _ body: (Int, UnsafeRawBufferPointer) throws -> Void) throws {
        let rowsInBlock = min(count, max(1, (1 << 18) / max(1, size)))
        var block = [UInt8](repeating: 0, count: rowsInBlock * size)
        var done = 0
        while done < count {
            try Cancellation.check()
            let rows = min(rowsInBlock, count - done)
            try block.withUnsafeMutableBytes { bytes in
                try read(into: .init(rebasing: bytes[..<(rows * size)]))
                for row in 0..<rows {
                    try body(
                        done + row, UnsafeRawBufferPointer(rebasing: bytes[(row * size)..<((row + 1) * size)]))
                }
            }
            done += rows
        }
    }
}
