/// MATLAB's level 5 MAT format (version 7 and before): a header of 128 bytes, then data elements, each a type, a length and so many
/// bytes; a variable is an element of elements (flags, dimensions, name, numbers), mostly compressed by zlib.
///
/// MathWorks, "MAT-File Format", chapter 1. Full arrays of real numbers are read; elements are numbered column-major.
struct MATFile {
    /// A variable: its numbers stay in the file until they are asked for.
    struct Variable {
        let name: String
        let shape: [Int]
        /// How the numbers are stored, which may be narrower than what the variable was in MATLAB.
        let stored: StoredElement
        let bigEndian: Bool
        fileprivate let place: Range<Int>
        fileprivate let isCompressed: Bool
        /// Bytes of the variable's element before its numbers.
        fileprivate var headerSize = 0

        var count: Int { shape.reduce(1, *) }
    }

    /// After the numbers come bytes that fill the element up to a multiple of 8.
    static let mostFilling = 8

    /// A file that says so much is refused: no file of arrays has so many.
    static let mostVariables = 1 << 12

    let source: any ByteSource
    let variables: [Variable]

    static func isMATFile(_ start: [UInt8]) -> Bool { start.starts(with: Array("MATLAB 5.0 MAT-file".utf8)) }

    init(_ source: any ByteSource) throws {
        func bad(_ what: String) -> DatasetError { DatasetError("\(source.name) is not a valid MATLAB file: \(what)") }
        guard let header = try source.bytes(at: 0, count: 128) else { throw bad("it is truncated in its header") }
        guard Self.isMATFile(header) else {
            throw DatasetError(
                header.starts(with: Array("MATLAB 7.3".utf8))
                    ? "\(source.name) is a MATLAB 7.3 file (HDF5), which cannot be read: save it with save(…, '-v7')"
                    : "\(source.name) is not a MATLAB 5.0 file: it begins otherwise")
        }
        let bigEndian = header[126..<128].elementsEqual("MI".utf8)
        guard bigEndian || header[126..<128].elementsEqual("IM".utf8) else { throw bad("its byte order is unknown") }
        self.source = source
        var variables: [Variable] = []
        var at = 128
        while at < source.count {
            guard let tag = try source.bytes(at: at, count: 8) else { throw bad("it is truncated") }
            let type = Self.word(tag[0..<4], bigEndian)
            let size = Self.word(tag[4..<8], bigEndian)
            guard size <= source.count - at - 8 else {
                throw bad(
                    "an element should have \(size) bytes, and only \(source.count - at - 8) follow: is it truncated?")
            }
            guard type == ElementCode.matrix || type == ElementCode.compressed else {
                throw bad("an element has the type \(type), which is not that of a variable")
            }
            guard variables.count < Self.mostVariables else {
                throw bad("it has more than \(Self.mostVariables) variables")
            }
            let range = (at + 8)..<(at + 8 + size)
            let variable = try Self.variable(
                in: source, range, isCompressed: type == ElementCode.compressed, bigEndian: bigEndian)
            guard !variables.contains(where: { $0.name == variable.name }) else {
                throw bad("the variable '\(variable.name)' comes twice")
            }
            variables.append(variable)
            at = range.upperBound
        }
        self.variables = variables
    }

    /// The variable's numbers, column-major, as they are stored.
    func reader(_ variable: Variable) throws -> any ByteReader {
        let reader = try Self.open(source, variable.place, variable.isCompressed)
        try reader.skip(variable.headerSize)
        return CountingReader(
            reader, limit: variable.count * variable.stored.byteCount, name: "\(source.name): '\(variable.name)'")
    }

    /// The variable as an array.
    func array(_ variable: Variable) throws -> NDArray {
        let reader = try reader(variable)
        let array = try NDArray.read(
            reader, variable.stored, shape: variable.shape, bigEndian: variable.bigEndian, fortran: true,
            name: "\(source.name): '\(variable.name)'")
        try reader.finish(leaving: Self.mostFilling)
        return array
    }

    // MARK: - Elements

    private enum ElementCode {
        static let matrix = 14
        static let compressed = 15
        static let numbers: [Int: StoredElement] = [
            1: .memory(.i8), 2: .memory(.u8), 3: .memory(.i16), 4: .memory(.u16), 5: .memory(.i32), 6: .memory(.u32),
            7: .memory(.f32), 9: .memory(.f64), 12: .memory(.i64), 13: .memory(.u64),
        ]
    }

    private static func open(_ source: any ByteSource, _ range: Range<Int>, _ isCompressed: Bool) throws
        -> any ByteReader
    {
        try isCompressed
            ? InflateReader(source, range: range, format: .zlib) : SliceReader(source, range: range)
    }

    private static func word(_ bytes: ArraySlice<UInt8>, _ bigEndian: Bool) -> Int {
        let digits = bigEndian ? Array(bytes) : bytes.reversed()
        return digits.reduce(0) { $0 << 8 | Int($1) }
    }

    /// Reads what stands before a variable's numbers.
    private static func variable(
        in source: any ByteSource, _ range: Range<Int>, isCompressed: Bool, bigEndian: Bool
    ) throws -> Variable {
        func bad(_ what: String) -> DatasetError { DatasetError("\(source.name) is not a valid MATLAB file: \(what)") }
        let reader = try open(source, range, isCompressed)
        var consumed = 0
        func take(_ count: Int) throws -> [UInt8] {
            guard count <= reader.remaining else { throw bad("a variable is truncated") }
            consumed += count
            return try reader.bytes(count)
        }
        /// The type and length of the next element, and whether its bytes stand in the tag itself (at most 4).
        func tag() throws -> (type: Int, size: Int, small: [UInt8]?) {
            let bytes = try take(8)
            let first = word(bytes[0..<4], bigEndian)
            guard first >> 16 != 0 else { return (first, word(bytes[4..<8], bigEndian), nil) }
            guard first >> 16 <= 4 else { throw bad("a short element is longer than 4 bytes") }
            return (first & 0xFFFF, first >> 16, Array(bytes[4..<(4 + first >> 16)]))
        }
        /// A short element as a whole, with the bytes that fill it up to a multiple of 8.
        func element(_ what: String, atMost most: Int) throws -> (type: Int, bytes: [UInt8]) {
            let (type, size, small) = try tag()
            if let small { return (type, small) }
            guard size <= most else { throw bad("\(what) of a variable have \(size) bytes") }
            let bytes = try take(size)
            _ = try take((8 - size % 8) % 8)
            return (type, bytes)
        }

        if isCompressed {
            let (type, size, small) = try tag()
            guard type == ElementCode.matrix, small == nil, size <= reader.remaining else {
                throw bad("a compressed element is not a variable, or larger than it can be")
            }
        }
        let flags = try element("the flags", atMost: 8)
        guard flags.type == 6, flags.bytes.count == 8 else { throw bad("the flags of a variable are damaged") }
        let flagWord = word(flags.bytes[0..<4], bigEndian)
        let dimensions = try element("the dimensions", atMost: 4 * 32)
        guard dimensions.type == 5, dimensions.bytes.count % 4 == 0, dimensions.bytes.count >= 8 else {
            throw bad("the dimensions of a variable are damaged")
        }
        let shape = stride(from: 0, to: dimensions.bytes.count, by: 4).map {
            word(dimensions.bytes[$0..<($0 + 4)], bigEndian)
        }
        let nameElement = try element("the name", atMost: 256)
        guard nameElement.type == 1 else { throw bad("the name of a variable is damaged") }
        let name = String(decoding: nameElement.bytes.prefix { $0 != 0 }, as: UTF8.self)

        guard (6...15).contains(flagWord & 0xFF), flagWord & 0x800 == 0 else {
            let kinds = [1: "a cell array", 2: "a structure", 3: "an object", 4: "text", 5: "a sparse matrix"]
            let kind = flagWord & 0x800 != 0 ? "complex" : kinds[flagWord & 0xFF] ?? "of an unknown kind"
            throw DatasetError(
                "\(source.name): the variable '\(name)' is \(kind); only full arrays of real numbers can be read")
        }
        let (type, size, small) = try tag()
        guard let stored = ElementCode.numbers[type] else {
            throw bad("the numbers of '\(name)' have the type \(type)")
        }
        guard let count = try? NDArray.elementCount(shape), count * stored.byteCount == size else {
            throw bad("'\(name)' of shape \(shape) has \(size) bytes of numbers")
        }
        guard small != nil || size <= reader.remaining else {
            throw bad("'\(name)' needs \(size) bytes, and at most \(reader.remaining) are there: is it truncated?")
        }
        return Variable(
            name: name, shape: shape, stored: stored, bigEndian: bigEndian, place: range, isCompressed: isCompressed,
            headerSize: small == nil ? consumed : consumed - 4)
    }
}
