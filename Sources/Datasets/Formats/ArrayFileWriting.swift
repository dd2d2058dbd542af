import Foundation

extension ArrayFile {
    /// The arrays as the bytes of a safetensors file. The same arrays give the same bytes.
    /// - Throws: `DatasetError` for a name that the format keeps for itself.
    public static func safetensors(_ contents: Contents) throws -> Data {
        let (header, order) = try Safetensors.header(contents)
        var data = Data()
        data.reserveCapacity(
            8 + header.count + contents.arrays.values.reduce(0) { $0 + $1.count * $1.element.byteCount })
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(contentsOf: header)
        for name in order { contents.arrays[name]?.withUnsafeBytes { data.append(contentsOf: $0) } }
        return data
    }

    /// The arrays as the bytes of a safetensors file, without metadata.
    public static func safetensors(_ arrays: [String: NDArray]) throws -> Data {
        try safetensors(Contents(arrays: arrays))
    }

    /// The array as the bytes of a `.npy` file.
    public static func npy(_ array: NDArray) throws -> Data {
        var data = Data(try Npy.header(for: array))
        array.withUnsafeBytes { data.append(contentsOf: $0) }
        return data
    }
}
