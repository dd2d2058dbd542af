import Foundation

/// Tables as Apache Parquet: plain encoding, no compression, row groups of bounded size.
/// "File Format" and `parquet.thrift`, github.com/apache/parquet-format, 2.11.
///
/// A row group is written column after column, so that many rows are in memory, as bytes, before they are in the file.
struct ParquetWriter {
    /// Bytes of a row group, about: what is in memory at once.
    private static let groupSize = 32 << 20

    private enum PhysicalType: Int {
        case integer = 2
        case double = 5
        case bytes = 6

        init(_ kind: TableColumn.Kind) {
            switch kind {
            case .integer: self = .integer
            case .number: self = .double
            case .text: self = .bytes
            }
        }
    }

    private struct Chunk {
        var offset: Int
        var size: Int
    }

    private struct Group {
        var rows: Int
        var chunks: [Chunk]
    }

    private let columns: [TableColumn]
    private let sink: any ByteSink
    private var groups: [Group] = []
    /// Where the next byte goes.
    private var offset = 0
    /// The row group that is being gathered: the pages of each column.
    private var pages: [[UInt8]]
    private var rows = 0

    static func write(_ table: any TableSource, to sink: any ByteSink, groupSize: Int = groupSize) throws {
        var writer = ParquetWriter(table.columns, sink)
        try writer.put(Array("PAR1".utf8))
        while let rows = try table.next() {
            writer.gather(rows)
            if writer.pages.reduce(0, { $0 + $1.count }) >= groupSize { try writer.endGroup() }
        }
        if writer.rows > 0 { try writer.endGroup() }
        var footer = writer.footer()
        footer.append(littleEndian: UInt32(footer.count))
        try writer.put(footer + Array("PAR1".utf8))
    }

    private init(_ columns: [TableColumn], _ sink: any ByteSink) {
        (self.columns, self.sink) = (columns, sink)
        pages = columns.map { _ in [] }
    }

    private mutating func put(_ bytes: [UInt8]) throws {
        try sink.write(bytes)
        offset += bytes.count
    }

    // MARK: - Pages

    private mutating func gather(_ more: TableRows) {
        for (index, values) in more.columns.enumerated() {
            let body = Self.page(values, isOptional: columns[index].isOptional)
            var header = ThriftStruct()
            header.add(1, integer: 0)  // a data page
            header.add(2, integer: body.count)
            header.add(3, integer: body.count)
            var page = ThriftStruct()
            page.add(1, integer: more.count)
            page.add(2, integer: 0)  // plain
            page.add(3, integer: 3)  // definition levels: run-length or bit-packed
            page.add(4, integer: 3)  // repetition levels, of which there are none
            header.add(5, page)
            pages[index] += header.finished + body
        }
        rows += more.count
    }

    /// Which values there are, one bit each, and those that are.
    private static func page(_ values: ColumnValues, isOptional: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        switch values {
        case .integers(let numbers):
            if isOptional { bytes = levels(numbers.map { $0 != nil }) }
            for number in numbers { if let number { bytes.append(littleEndian: Int64(number)) } }
        case .numbers(let numbers):
            if isOptional { bytes = levels(numbers.map { $0 != nil }) }
            for number in numbers { if let number { bytes.append(littleEndian: number.bitPattern) } }
        case .texts(let texts):
            for text in texts {
                bytes.append(littleEndian: UInt32(text.utf8.count))
                bytes += Array(text.utf8)
            }
        }
        return bytes
    }

    /// Definition levels of an optional column: one run where all values are there, else a bit each.
    private static func levels(_ arePresent: [Bool]) -> [UInt8] {
        var packed: [UInt8] = []
        if arePresent.allSatisfy({ $0 }) {
            packed.append(varint: UInt64(arePresent.count) << 1)
            packed.append(1)
        } else {
            let groups = (arePresent.count + 7) / 8
            packed.append(varint: UInt64(groups) << 1 | 1)
            var bits = [UInt8](repeating: 0, count: groups)
            for (index, isPresent) in arePresent.enumerated() where isPresent { bits[index / 8] |= 1 << (index % 8) }
            packed += bits
        }
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt32(packed.count))
        return bytes + packed
    }

    private mutating func endGroup() throws {
        var group = Group(rows: rows, chunks: [])
        for index in pages.indices {
            group.chunks.append(Chunk(offset: offset, size: pages[index].count))
            try put(pages[index])
            pages[index] = []
        }
        groups.append(group)
        rows = 0
    }

    // MARK: - The footer

    private func footer() -> [UInt8] {
        var file = ThriftStruct()
        file.add(1, integer: 1)  // the format's version
        var root = ThriftStruct()
        root.add(4, text: "table")
        root.add(5, integer: columns.count)
        file.add(2, structs: [root] + columns.map(Self.schema))
        file.add(3, long: groups.reduce(0) { $0 + $1.rows })
        file.add(4, structs: groups.map(described))
        file.add(6, text: "eoss")
        return file.finished
    }

    private static func schema(_ column: TableColumn) -> ThriftStruct {
        var element = ThriftStruct()
        element.add(1, integer: PhysicalType(column.kind).rawValue)
        element.add(3, integer: column.isOptional ? 1 : 0)
        element.add(4, text: column.name)
        if column.kind == .text {
            element.add(6, integer: 0)  // UTF-8, for old readers
            var logical = ThriftStruct()
            logical.add(1, ThriftStruct())  // a string
            element.add(10, logical)
        }
        return element
    }

    private func described(_ group: Group) -> ThriftStruct {
        var row = ThriftStruct()
        row.add(
            1,
            structs: zip(columns, group.chunks).map { column, chunk in
                var data = ThriftStruct()
                data.add(1, integer: PhysicalType(column.kind).rawValue)
                data.add(2, integers: [0, 3])  // plain values, run-length levels
                data.add(3, texts: [column.name])
                data.add(4, integer: 0)  // not compressed
                data.add(5, long: group.rows)
                data.add(6, long: chunk.size)
                data.add(7, long: chunk.size)
                data.add(9, long: chunk.offset)
                var place = ThriftStruct()
                place.add(2, long: chunk.offset)
                place.add(3, data)
                return place
            })
        row.add(2, long: group.chunks.reduce(0) { $0 + $1.size })
        row.add(3, long: group.rows)
        return row
    }
}

/// A struct in Thrift's compact protocol; fields are added in ascending order.
/// "Thrift Compact protocol encoding", github.com/apache/thrift/blob/master/doc/specs.
struct ThriftStruct {
    private enum Kind: UInt8 {
        case integer = 5
        case long = 6
        case text = 8
        case list = 9
        case structure = 12
    }

    private var bytes: [UInt8] = []
    private var last = 0

    /// With the mark of its end.
    var finished: [UInt8] { bytes + [0] }

    mutating func add(_ field: Int, integer: Int) {
        begin(field, .integer)
        Self.append(integer, to: &bytes)
    }

    mutating func add(_ field: Int, long: Int) {
        begin(field, .long)
        Self.append(long, to: &bytes)
    }

    mutating func add(_ field: Int, text: String) {
        begin(field, .text)
        Self.append(text, to: &bytes)
    }

    mutating func add(_ field: Int, _ structure: ThriftStruct) {
        begin(field, .structure)
        bytes += structure.finished
    }

    mutating func add(_ field: Int, structs: [ThriftStruct]) {
        list(field, structs.count, .structure)
        for structure in structs { bytes += structure.finished }
    }

    mutating func add(_ field: Int, integers: [Int]) {
        list(field, integers.count, .integer)
        for integer in integers { Self.append(integer, to: &bytes) }
    }

    mutating func add(_ field: Int, texts: [String]) {
        list(field, texts.count, .text)
        for text in texts { Self.append(text, to: &bytes) }
    }

    /// Fields are less than sixteen apart.
    private mutating func begin(_ field: Int, _ kind: Kind) {
        bytes.append(UInt8(field - last) << 4 | kind.rawValue)
        last = field
    }

    private mutating func list(_ field: Int, _ count: Int, _ kind: Kind) {
        begin(field, .list)
        if count < 15 {
            bytes.append(UInt8(count) << 4 | kind.rawValue)
        } else {
            bytes.append(0xF0 | kind.rawValue)
            bytes.append(varint: UInt64(count))
        }
    }

    /// Zigzag: small numbers of either sign are short.
    private static func append(_ integer: Int, to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(bitPattern: Int64(integer << 1 ^ integer >> 63)))
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(text.utf8.count))
        bytes += Array(text.utf8)
    }
}
