/// NumPy's `.npy` format: a magic number, a version, a Python dictionary that describes the array, its bytes.
/// <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
enum Npy {
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// Versions 2 and 3 allow 4 GiB, for structured types with thousands of fields; plain arrays need some hundred bytes.
    static let longestHeader = 1 << 16

    static func read(_ reader: any ByteReader, name: String) throws -> NDArray {
        func bad(_ what: String) -> DatasetError { DatasetError("\(name) is not a valid .npy file: \(what)") }
        func take(_ count: Int) throws -> [UInt8] {
            guard count <= reader.remaining else { throw bad("it is truncated in its header") }
            return try reader.bytes(count)
        }
        let start = try take(8)
        guard start.starts(with: magic) else { throw bad("it does not begin as one") }
        let version = start[6]
        guard (1...3).contains(version) else { throw bad("its format version \(version) is unknown") }
        let length = try take(version == 1 ? 2 : 4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= longestHeader else {
            throw bad("its header has \(length) bytes, more than the \(longestHeader) allowed")
        }
        let header = try NpyHeader(String(decoding: try take(length), as: UTF8.self), name: name)

        guard let count = try? NDArray.elementCount(header.shape) else {
            throw bad("an array cannot have the shape \(header.shape)")
        }
        let size = count * header.stored.byteCount
        guard size <= reader.remaining else {
            throw bad(
                "shape \(header.shape) needs \(size) bytes of data, and at most \(reader.remaining) are there: is it truncated?"
            )
        }
        let array = try NDArray.read(
            reader, header.stored, shape: header.shape, bigEndian: header.bigEndian, fortran: header.fortran, name: name
        )
        try reader.finish()
        return array
    }

    /// The bytes before the data: version 1.0, padded so that the data begin at a multiple of 64.
    static func header(for array: NDArray) throws -> [UInt8] {
        let shape = array.shape.map(String.init).joined(separator: ", ") + (array.shape.count == 1 ? "," : "")
        var text = "{'descr': '\(descriptor(array.element))', 'fortran_order': False, 'shape': (\(shape)), }"
        text += String(repeating: " ", count: 63 - (10 + text.utf8.count) % 64) + "\n"
        guard let length = UInt16(exactly: text.utf8.count) else {
            throw DatasetError("an array with \(array.shape.count) dimensions does not fit a .npy file")
        }
        return magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
    }

    private static func descriptor(_ element: ArrayElement) -> String {
        switch element {
        case .f32: "<f4"
        case .f64: "<f8"
        case .i8: "|i1"
        case .i16: "<i2"
        case .i32: "<i4"
        case .i64: "<i8"
        case .u8: "|u1"
        case .u16: "<u2"
        case .u32: "<u4"
        case .u64: "<u8"
        case .bool: "|b1"
        }
    }
}

/// What the header of a `.npy` file says: a Python dictionary with exactly `descr`, `fortran_order` and `shape`.
struct NpyHeader {
    let stored: StoredElement
    let bigEndian: Bool
    let fortran: Bool
    let shape: [Int]

    init(_ text: String, name: String) throws {
        func bad(_ what: String) -> DatasetError { DatasetError("\(name) is not a valid .npy file: \(what)") }
        var parser = PythonLiteral(text)
        guard case .dictionary(let fields)? = parser.whole() else { throw bad("its header is not a Python dictionary") }
        guard Set(fields.map(\.0)) == ["descr", "fortran_order", "shape"], fields.count == 3 else {
            throw bad("its header does not hold just 'descr', 'fortran_order' and 'shape'")
        }
        let values = Dictionary(uniqueKeysWithValues: fields)
        guard case .boolean(let fortran)? = values["fortran_order"] else {
            throw bad("'fortran_order' in its header is not True or False")
        }
        guard case .tuple(let shape)? = values["shape"], shape.count <= 64 else {
            throw bad("'shape' in its header is not a tuple of integers")
        }
        guard case .string(let descriptor)? = values["descr"] else {
            throw bad("its elements are records; only arrays of plain numbers can be read")
        }
        let kinds: [String: StoredElement] = [
            "f2": .f16, "f4": .memory(.f32), "f8": .memory(.f64), "i1": .memory(.i8), "i2": .memory(.i16),
            "i4": .memory(.i32), "i8": .memory(.i64), "u1": .memory(.u8), "u2": .memory(.u16), "u4": .memory(.u32),
            "u8": .memory(.u64), "b1": .memory(.bool),
        ]
        let order = descriptor.first.map { "<>|=".contains($0) ? $0 : " " } ?? " "
        guard let stored = kinds[String(order == " " ? descriptor[...] : descriptor.dropFirst())],
            order != "|" || stored.byteCount == 1
        else {
            let what = descriptor.hasSuffix("O") ? "are Python objects" : "have the type '\(descriptor)'"
            throw DatasetError(
                "\(name) cannot be read: its elements \(what); only real numbers, integers and booleans can")
        }
        (self.stored, bigEndian, self.fortran, self.shape) = (stored, order == ">", fortran, shape)
    }
}

/// The part of Python's literals that `.npy` headers are made of.
private struct PythonLiteral {
    enum Value: Equatable {
        case string(String)
        case boolean(Bool)
        case tuple([Int])
        /// A list: a structured type, which is recognised and not looked into.
        case list
    }
    enum Whole { case dictionary([(String, Value)]) }

    private var rest: Substring.UTF8View

    init(_ text: String) { rest = Substring(text).utf8 }

    /// The whole text as a dictionary; `nil` when it is not one.
    mutating func whole() -> Whole? {
        guard take("{") else { return nil }
        var fields: [(String, Value)] = []
        while !take("}") {
            guard let key = string(), take(":"), let value = value() else { return nil }
            fields.append((key, value))
            if !take(",") {
                guard take("}") else { return nil }
                break
            }
        }
        skipSpace()
        return rest.isEmpty ? .dictionary(fields) : nil
    }

    private mutating func value() -> Value? {
        if take("True") { return .boolean(true) }
        if take("False") { return .boolean(false) }
        if take("(") { return tuple().map(Value.tuple) }
        if take("[") { return skipList() ? .list : nil }
        return string().map(Value.string)
    }

    private mutating func tuple() -> [Int]? {
        var numbers: [Int] = []
        while !take(")") {
            skipSpace()
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") || $0 == UInt8(ascii: "-") }
            guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
            rest.removeFirst(digits.count)
            _ = take("L")  // Python 2 wrote long integers so
            numbers.append(number)
            if !take(",") { return take(")") ? numbers : nil }
        }
        return numbers
    }

    /// Goes to the end of a list, whatever is in it.
    private mutating func skipList() -> Bool {
        var depth = 1
        while depth > 0 {
            guard let byte = rest.popFirst() else { return false }
            if byte == UInt8(ascii: "[") { depth += 1 }
            if byte == UInt8(ascii: "]") { depth -= 1 }
        }
        return true
    }

    private mutating func string() -> String? {
        skipSpace()
        guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        rest.removeFirst()
        guard let end = rest.firstIndex(of: quote) else { return nil }
        let text = String(decoding: rest[..<end], as: UTF8.self)
        rest = rest[rest.index(after: end)...]
        return text
    }

    private mutating func take(_ word: String) -> Bool {
        skipSpace()
        guard rest.starts(with: word.utf8) else { return false }
        rest.removeFirst(word.utf8.count)
        return true
    }

    private mutating func skipSpace() {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\t") }
    }
}
