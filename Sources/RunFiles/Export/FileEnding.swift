import Foundation

/// The ending of an output's name, which says to people and programs what is in it.
public enum FileEnding {
    /// Endings that stand for a format, which nothing else is written under.
    private static let taken: Set<String> = [
        "csv", "tsv", "json", "jsonl", "parquet", "npy", "npz", "safetensors", "svg", "pdf", "png", "html", "htm",
        "lua",
    ]

    /// - Parameters:
    ///   - what: what is written, in words.
    ///   - own: the endings of that.
    /// - Throws: `ExportError` for the ending of another format.
    public static func check(_ path: String, of what: String, _ own: [String]) throws(ExportError) {
        let ending = (path as NSString).pathExtension.lowercased()
        guard taken.contains(ending), !own.contains(ending) else { return }
        throw ExportError(
            "\(path): what is written is \(what), whose name ends in \(own.map { ".\($0)" }.joined(separator: " or "))")
    }

    /// - Throws: `ExportError` where a file that is kept under one name would go out under the ending of another format.
    public static func check(_ path: String, isThatOf name: String) throws(ExportError) {
        let ending = (name as NSString).pathExtension.lowercased()
        guard (path as NSString).pathExtension.lowercased() != ending else { return }
        throw ExportError("\(path): '\(name)' is written to a name that ends in .\(ending), too")
    }
}
