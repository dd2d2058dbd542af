import Foundation

/// Files of named arrays: `.safetensors`, `.npy`, `.npz` and MATLAB's `.mat`, recognised by what is in them, not by their names.
///
/// Files are data from strangers: every size is checked against the file's length before memory is taken, and a malformed
/// file is one `DatasetError`.
public enum ArrayFile {
    /// The arrays of a file by name, and what else a safetensors file says about them.
    public struct Contents: Sendable {
        public var arrays: [String: NDArray]
        /// Safetensors: the strings under `__metadata__`.
        public var metadata: [String: String]

        public init(arrays: [String: NDArray], metadata: [String: String] = [:]) {
            (self.arrays, self.metadata) = (arrays, metadata)
        }
    }

    /// What the one array of a `.npy` file is called.
    public static let singleArrayName = "array"

    /// The arrays of a file by name; the one array of a `.npy` file is called `array`.
    /// - Throws: `DatasetError` for a file that is not there, not of these formats or malformed; the memory account's error
    ///   when an array does not fit.
    public static func load(_ path: String) throws -> [String: NDArray] {
        try contents(of: FileSource(path: path)).arrays
    }

    /// The arrays of a file with its metadata.
    public static func contents(of path: String) throws -> Contents {
        try contents(of: FileSource(path: path))
    }

    /// The arrays of a file that is in memory. `name` stands for it in errors.
    public static func contents(of data: Data, name: String) throws -> Contents {
        try contents(of: MemorySource(data, name: name))
    }

    static func contents(of source: any ByteSource) throws -> Contents {
        let start = try source.bytes(at: 0, count: min(32, source.count)) ?? []
        if start.starts(with: Npy.magic) {
            let array = try Npy.read(SliceReader(source, range: 0..<source.count), name: source.name)
            return Contents(arrays: [singleArrayName: array])
        }
        if Zip.isArchive(start) { return Contents(arrays: try npz(source)) }
        if Safetensors.looksLike(start) { return try Safetensors.read(source) }
        if start.starts(with: Array("MATLAB".utf8)) {
            let file = try MATFile(source)
            return Contents(
                arrays: Dictionary(
                    uniqueKeysWithValues: try file.variables.map { ($0.name, try file.array($0)) }))
        }
        throw DatasetError("\(source.name) is not an array file (.safetensors, .npy, .npz or .mat): \(guess(start))")
    }

    private static func npz(_ source: any ByteSource) throws -> [String: NDArray] {
        let entries = try Zip.entries(of: source)
        if entries.contains(where: { $0.name.hasSuffix("data.pkl") }) {
            throw DatasetError(
                "\(source.name) was written by torch.save, as pickled Python objects. Save it with "
                    + "safetensors.torch.save_file(state_dict, path) instead")
        }
        var arrays: [String: NDArray] = [:]
        for entry in entries {
            let name = "\(source.name): '\(entry.name)'"
            guard entry.name.hasSuffix(".npy") else { throw DatasetError("\(name) is not a .npy array") }
            arrays[String(entry.name.dropLast(4))] = try Npy.read(try entry.reader(source), name: name)
        }
        return arrays
    }

    private static func guess(_ start: [UInt8]) -> String {
        let known: [([UInt8], String)] = [
            ([0x1F, 0x8B], "it is compressed by gzip"), ([0x89, 0x48, 0x44, 0x46], "it is an HDF5 file"),
            ([0x80, 0x02], "it is a Python pickle"), ([0x80, 0x04], "it is a Python pickle"),
        ]
        if start.isEmpty { return "it is empty" }
        return known.first { start.starts(with: $0.0) }?.1 ?? "its first bytes are of none of them"
    }
}
