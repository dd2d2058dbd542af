import Foundation

/// The formats in which arrays are written, each under its own suffix.
public enum ArrayFormat: String, CaseIterable, Sendable {
    case safetensors, npy, npz

    /// The format that a file's name asks for.
    /// - Throws: `DatasetError` that names the suffixes there are.
    public init(path: String) throws(DatasetError) {
        let suffix = (path as NSString).pathExtension.lowercased()
        guard let format = Self(rawValue: suffix) else {
            let pickles = ["pt", "pth", "ckpt", "pkl"].contains(suffix)
            throw DatasetError(
                "'\(path)': the name of a file of arrays ends in .safetensors, .npz or, for one array, .npy"
                    + (pickles ? "; PyTorch reads .safetensors by safetensors.torch.load_file" : ""))
        }
        self = format
    }
}

extension ArrayFile {
    /// The arrays as the bytes of a file of the given format. The same arrays give the same bytes.
    /// - Throws: `DatasetError` for a name that the format cannot hold, and for `npy` unless there is exactly one array;
    ///   `name` stands for the file in errors.
    public static func bytes(of arrays: [String: NDArray], as format: ArrayFormat, name: String) throws -> Data {
        switch format {
        case .safetensors: return try safetensors(arrays)
        case .npz: return try npz(arrays)
        case .npy:
            guard let array = arrays.values.first, arrays.count == 1 else {
                throw DatasetError(
                    "'\(name)': a .npy file holds one array without a name, and \(arrays.count) were given; "
                        + "choose a name in .npz or .safetensors")
            }
            return try npy(array)
        }
    }

    /// The arrays as the bytes of a `.npz` file, a zip archive of `.npy` files, uncompressed as NumPy's `savez` writes it.
    /// - Throws: `DatasetError` for a name that the archive cannot hold.
    public static func npz(_ arrays: [String: NDArray]) throws -> Data {
        var archive = ZipArchive()
        for (name, array) in arrays.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            try archive.add(name + ".npy", try npy(array))
        }
        return archive.finished()
    }

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
