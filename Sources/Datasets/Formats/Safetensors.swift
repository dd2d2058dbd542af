import Foundation

/// The safetensors format: 8 bytes with the length of a JSON header (little-endian), the header, the tensors' bytes.
/// <https://huggingface.co/docs/safetensors>
enum Safetensors {
    /// Longer headers are refused, so that reading one stays within bounded memory: 16 MiB is some 150,000 tensors.
    static let longestHeader = 16 << 20

    /// The format has no magic number: its header's length is below 2³² in practice, and the header begins with a brace.
    static func looksLike(_ start: [UInt8]) -> Bool {
        start.count > 8 && start[8] == UInt8(ascii: "{") && start[4..<8].allSatisfy { $0 == 0 }
    }

    private static let elements: [String: StoredElement] = [
        "F64": .memory(.f64), "F32": .memory(.f32), "F16": .f16, "BF16": .bf16,
        "I64": .memory(.i64), "I32": .memory(.i32), "I16": .memory(.i16), "I8": .memory(.i8),
        "U64": .memory(.u64), "U32": .memory(.u32), "U16": .memory(.u16), "U8": .memory(.u8), "BOOL": .memory(.bool),
    ]

    private struct Tensor: Codable {
        var dtype: String
        var shape: [Int]
        var offsets: [Int]

        private enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    private struct Header: Decodable {
        var tensors: [String: Tensor] = [:]
        var metadata: [String: String] = [:]

        private struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let entries = try decoder.container(keyedBy: Name.self)
            for name in entries.allKeys {
                if name.stringValue == "__metadata__" {
                    metadata = try entries.decode([String: String].self, forKey: name)
                } else {
                    tensors[name.stringValue] = try entries.decode(Tensor.self, forKey: name)
                }
            }
        }
    }

    static func read(_ source: any ByteSource) throws -> ArrayFile.Contents {
        func bad(_ what: String) -> DatasetError {
            DatasetError("\(source.name) is not a valid safetensors file: \(what)")
        }
        guard let lengthBytes = try source.bytes(at: 0, count: 8) else { throw bad("it is truncated") }
        let length = lengthBytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(source.count - 8) else {
            throw bad("its header should have \(length) bytes, and only \(source.count - 8) follow")
        }
        guard length <= UInt64(longestHeader) else {
            throw bad("its header has \(length) bytes, more than the \(longestHeader) allowed")
        }
        guard let json = try source.bytes(at: 8, count: Int(length)) else { throw bad("it is truncated") }
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(json))
        } catch {
            throw bad("its header is not what the format says (\(reason(error)))")
        }
        let payload = 8 + Int(length)
        var ranges: [(name: String, range: Range<Int>, stored: StoredElement, shape: [Int])] = []
        for (name, tensor) in header.tensors {
            guard let stored = elements[tensor.dtype] else {
                throw bad("tensor '\(name)' has elements of type \(tensor.dtype), which is not supported")
            }
            guard tensor.shape.count <= 64, let count = try? NDArray.elementCount(tensor.shape) else {
                throw bad("tensor '\(name)' cannot have the shape \(tensor.shape.prefix(64))")
            }
            guard tensor.offsets.count == 2, tensor.offsets[0] >= 0,
                tensor.offsets[0] <= tensor.offsets[1], tensor.offsets[1] <= source.count - payload
            else {
                throw bad(
                    "the bytes \(tensor.offsets.prefix(3)) of tensor '\(name)' are not in the file: is it truncated?"
                )
            }
            let range = tensor.offsets[0]..<tensor.offsets[1]
            let size = count * stored.byteCount
            guard range.count == size else {
                throw bad("tensor '\(name)' of shape \(tensor.shape) needs \(size) bytes and has \(range.count)")
            }
            ranges.append((name, range, stored, tensor.shape))
        }
        // The format allows neither holes nor overlaps, so that nothing hides in a file and nothing is read twice.
        ranges.sort {
            ($0.range.lowerBound, $0.range.upperBound, $0.name) < ($1.range.lowerBound, $1.range.upperBound, $1.name)
        }
        var end = 0
        for (name, range, _, _) in ranges {
            guard range.lowerBound == end else {
                throw bad("tensor '\(name)' begins at byte \(range.lowerBound) of the data instead of \(end)")
            }
            end = range.upperBound
        }
        guard end == source.count - payload else {
            throw bad("\(source.count - payload - end) bytes belong to no tensor")
        }
        var arrays: [String: NDArray] = [:]
        for (name, range, stored, shape) in ranges {
            let reader = SliceReader(source, range: (payload + range.lowerBound)..<(payload + range.upperBound))
            arrays[name] = try NDArray.read(reader, stored, shape: shape, name: "\(source.name): '\(name)'")
        }
        return ArrayFile.Contents(arrays: arrays, metadata: header.metadata)
    }

    private static func reason(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .dataCorrupted: "not valid JSON"
        case .keyNotFound(let key, let context):
            "'\(key.stringValue)' is missing\(place(context.codingPath))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "a value of the wrong kind\(place(context.codingPath))"
        default: "not valid JSON"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "" : " at '\(path.map(\.stringValue).joined(separator: "."))'"
    }

    /// The header and, in their order in the file, the names of the tensors.
    static func header(_ contents: ArrayFile.Contents) throws -> (bytes: [UInt8], order: [String]) {
        guard contents.arrays["__metadata__"] == nil else {
            throw DatasetError("safetensors keeps the name '__metadata__' for itself: no array can be called so")
        }
        let names = Dictionary(uniqueKeysWithValues: elements.map { ($1, $0) })
        // Wide elements first: then every tensor is aligned to its element.
        let order = contents.arrays.sorted {
            ($1.value.element.byteCount, $0.key) < ($0.value.element.byteCount, $1.key)
        }.map(\.key)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        var fields: [String] = []
        func field(_ name: String, _ value: some Encodable) throws {
            let encoded = try [encoder.encode(name), encoder.encode(value)].map { String(decoding: $0, as: UTF8.self) }
            fields.append("\(encoded[0]):\(encoded[1])")
        }
        if !contents.metadata.isEmpty { try field("__metadata__", contents.metadata) }
        var offset = 0
        for name in order {
            guard let array = contents.arrays[name], let dtype = names[.memory(array.element)] else { continue }
            let end = offset + array.count * array.element.byteCount
            try field(name, Tensor(dtype: dtype, shape: array.shape, offsets: [offset, end]))
            offset = end
        }
        var bytes = Array("{\(fields.joined(separator: ","))}".utf8)
        bytes += [UInt8](repeating: UInt8(ascii: " "), count: (8 - bytes.count % 8) % 8)  // the data begin aligned
        guard bytes.count <= longestHeader else {
            throw DatasetError(
                "\(contents.arrays.count) arrays are too many for a safetensors file: its header would be too long")
        }
        return (bytes, order)
    }
}
