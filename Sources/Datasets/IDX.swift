import Foundation

/// A file in the format of MNIST: two zero bytes, the element's code, the number of dimensions, the dimensions as 32-bit
/// big-endian integers, the elements. Only unsigned bytes (code 8) are read. The file may be compressed by gzip.
///
/// LeCun, Cortes & Burges, "The MNIST database", section "File formats".
final class IDXFile {
    let name: String
    let shape: [Int]
    private let reader: any ByteReader
    private var rowsRead = 0

    /// - Parameter rank: how many dimensions the file has to have.
    convenience init(path: String, rank: Int) throws {
        try self.init(FileSource(path: path), rank: rank)
    }

    init(_ source: any ByteSource, rank: Int) throws {
        name = source.name
        let range = 0..<source.count
        let compressed = try source.bytes(at: 0, count: 2) == [0x1F, 0x8B]
        reader = compressed ? try InflateReader(source, range: range, format: .gzip) : SliceReader(source, range: range)
        let header = try reader.bytes(4)
        guard header[0...1] == [0, 0], header[2] == 8 else {
            throw DatasetError("\(source.name) is not an IDX file of unsigned bytes: it begins with \(header)")
        }
        guard header[3] == rank else {
            throw DatasetError(
                "\(source.name) has \(header[3]) dimensions instead of \(rank): is it another file's content?")
        }
        var shape: [Int] = []
        for _ in 0..<rank { shape.append(try reader.bytes(4).reduce(0) { $0 << 8 | Int($1) }) }
        self.shape = shape
        guard let count = try? NDArray.elementCount(shape), count > 0, count <= reader.remaining else {
            throw DatasetError(
                "\(source.name) should hold \(shape.map(String.init).joined(separator: "×")) bytes and cannot: it is truncated"
            )
        }
        guard compressed || count == reader.remaining else {
            throw DatasetError("\(source.name) has \(reader.remaining - count) bytes more than its header says")
        }
    }

    /// The number of samples.
    var count: Int { shape[0] }

    /// Bytes of a sample.
    var rowSize: Int { shape[1...].reduce(1, *) }

    /// Gives `body` the next samples in order, each with its number, and stops after sample `last`.
    func forEachRow(through last: Int, _ body: (Int, UnsafeRawBufferPointer) -> Void) throws {
        let rowSize = rowSize
        let end = min(count, last + 1)
        var block = [UInt8](repeating: 0, count: min(256, count) * rowSize)
        while rowsRead < end {
            let rows = min(256, end - rowsRead)
            try block.withUnsafeMutableBytes { bytes in
                try reader.read(into: .init(rebasing: bytes[..<(rows * rowSize)]))
                for row in 0..<rows {
                    body(
                        rowsRead + row, UnsafeRawBufferPointer(rebasing: bytes[(row * rowSize)..<((row + 1) * rowSize)])
                    )
                }
            }
            rowsRead += rows
        }
        if rowsRead == count { try reader.finish() }
    }

    /// All bytes of a file of one dimension.
    func values() throws -> [UInt8] {
        var values: [UInt8] = []
        try forEachRow(through: count - 1) { values += $1 }
        return values
    }
}
