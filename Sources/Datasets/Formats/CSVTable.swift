import Compute
import Foundation

/// A table in text: lines of fields that a separator parts, in quotes or not (RFC 4180, without line ends inside quotes), compressed by gzip or
/// not. One column may hold words, all others hold finite numbers.
struct CSVTable {
    /// Which column.
    enum Column: Sendable, Hashable {
        /// From 1 on, or −1 for the last one, −2 for the one before it.
        case number(Int)
        /// As the header has it.
        case name(String)
    }

    /// All columns but that of `words`, row-major.
    private(set) var numbers: [Double] = []
    /// The fields of the column that may hold words, one a row; empty where none was asked for.
    private(set) var words: [String] = []
    private(set) var rows = 0
    /// Columns of `numbers`.
    var width: Int { max(0, columns - (place == nil ? 0 : 1)) }

    private let name: String
    private let separator: UInt8
    private var lineNumber = 0
    private var columns = 0
    /// The column of `words`, from 0.
    private var place: Int?

    /// A longer line is none of data.
    private static let longestLine = 1 << 24

    /// - Parameters:
    ///   - column: the one that may hold words; nil for none.
    ///   - header: whether the first line names the columns; nil: it does where a field of another column is no number.
    init(_ source: any ByteSource, words column: Column?, separator: UInt8, header: Bool?) throws {
        (name, self.separator) = (source.name, separator)
        var line: [UInt8] = []
        try source.forEachBlock { block in
            try Cancellation.check()
            var rest = block[...]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                line.append(contentsOf: rest[..<end])
                rest = rest[(end + 1)...]
                try take(line[...], column, header)
                line.removeAll(keepingCapacity: true)
            }
            line.append(contentsOf: rest)
            guard line.count <= Self.longestLine else {
                throw DatasetError("\(source.name), line \(lineNumber + 1), is longer than any line of numbers")
            }
        }
        try take(line[...], column, header)
        guard rows > 0 else { throw DatasetError("\(source.name) holds no rows of numbers") }
    }

    private mutating func take(_ whole: ArraySlice<UInt8>, _ column: Column?, _ header: Bool?) throws {
        lineNumber += 1
        var line = whole
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        if lineNumber == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        if line.allSatisfy({ $0 == UInt8(ascii: " ") }) { return }
        let fields = try fields(of: line)
        if columns == 0 {
            columns = fields.count
            let names = fields.map { String(decoding: $0, as: UTF8.self) }
            place = try column.map { try place(of: $0, among: names) }
            let isHeader =
                header ?? fields.indices.contains { $0 != place && Self.number(fields[$0]) == nil }
            if isHeader { return }
            if case .name(let wanted)? = column {
                throw DatasetError(
                    "\(name) has no header with the names of its columns: give the number of '\(wanted)'")
            }
        }
        guard fields.count == columns else {
            throw DatasetError("\(name), line \(lineNumber) has \(fields.count) fields, the first line has \(columns)")
        }
        for (index, field) in fields.enumerated() {
            if index & 0xFFFF == 0xFFFF { try Cancellation.check() }
            if index == place {
                words.append(String(decoding: field, as: UTF8.self))
            } else {
                guard let number = Self.number(field) else {
                    let text = String(decoding: field.prefix(40), as: UTF8.self)
                    throw DatasetError(
                        "\(name), line \(lineNumber), field \(index + 1): '\(text)' is not a finite number")
                }
                numbers.append(number)
            }
        }
        rows += 1
        if rows & 0xFF == 0 {
            try MemoryAccount.shared.check(
                bytes: numbers.count * MemoryLayout<Double>.stride, for: "the numbers of \(name)")
        }
    }

    private func place(of column: Column, among names: [String]) throws -> Int {
        switch column {
        case .number(let number):
            let place = number > 0 ? number - 1 : names.count + number
            guard number != 0, names.indices.contains(place) else {
                throw DatasetError("\(name) has the columns 1 to \(names.count), or -1 for the last one: not \(number)")
            }
            return place
        case .name(let wanted):
            guard let place = names.firstIndex(of: wanted) else {
                let known = names.prefix(12).map { "'\($0.prefix(40))'" }.joined(separator: ", ")
                throw DatasetError(
                    "\(name) has no column '\(wanted)' (its first line: \(known)\(names.count > 12 ? ", …" : ""))")
            }
            return place
        }
    }

    /// The fields of a line, without the quotes and the blanks around them.
    private func fields(of line: ArraySlice<UInt8>) throws -> [ArraySlice<UInt8>] {
        let (quote, blank) = (UInt8(ascii: "\""), UInt8(ascii: " "))
        var fields: [ArraySlice<UInt8>] = []
        func add(_ field: ArraySlice<UInt8>) throws {
            var field = field
            while field.first == blank { field.removeFirst() }
            while field.last == blank { field.removeLast() }
            if field.first == quote {
                guard field.count > 1, field.last == quote else {
                    throw DatasetError("\(name), line \(lineNumber), field \(fields.count + 1): a quote is not closed")
                }
                field = field.dropFirst().dropLast()
            }
            fields.append(field)
        }
        var (start, isQuoted) = (line.startIndex, false)
        for index in line.indices {
            if line[index] == quote { isQuoted.toggle() }
            if line[index] == separator, !isQuoted {
                try add(line[start..<index])
                start = index + 1
            }
        }
        try add(line[start...])
        return fields
    }

    /// A finite number. Most fields of tables of pixels are whole numbers of a few digits.
    static func number(_ field: ArraySlice<UInt8>) -> Double? {
        guard let first = field.first else { return nil }
        var value = 0
        if field.count <= 9, field.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
            for digit in field { value = 10 * value + Int(digit - 48) }
            return Double(value)
        }
        // `Double` reads words such as "nan", too, and hexadecimal digits.
        guard first == 43 || first == 45 || first == 46 || (48...57).contains(first),
            let number = Double(String(decoding: field, as: UTF8.self)), number.isFinite
        else { return nil }
        return number
    }
}

extension ByteSource {
    /// Gives `body` all bytes in blocks, unpacked where the source is compressed by gzip.
    func forEachBlock(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var block = [UInt8](repeating: 0, count: 1 << 16)
        let compressed = try isGzipped ? InflateReader(self, range: 0..<count, format: .gzip) : nil
        var place = 0
        while true {
            let size = try block.withUnsafeMutableBytes { bytes -> Int in
                if let compressed { return try compressed.readSome(into: bytes) }
                let size = min(bytes.count, count - place)
                try read(at: place, into: .init(rebasing: bytes[..<size]))
                place += size
                return size
            }
            if size == 0 { return }
            try block.withUnsafeBytes { try body(.init(rebasing: $0[..<size])) }
        }
    }
}
