import Compute
import Experiments
import Foundation

/// Writes what is in a run file into a folder where it can be run and changed.
public struct ScriptFolder {
    public let url: URL
    /// Whether files that are there already may be replaced.
    public let isReplacing: Bool

    public init(_ url: URL, replacing isReplacing: Bool) { (self.url, self.isReplacing) = (url, isReplacing) }

    /// Writes the script, its modules and the data that travel inside. Modules of the program itself stand beside the script: there
    /// `require` finds them first, as they were.
    /// - Returns: the paths, the script's first.
    /// - Throws: before anything is written where a file is there already, or a name leads elsewhere.
    public func write(_ archive: ScriptArchive) throws -> [String] {
        var files: [(path: String, bytes: Data)] = []
        func add(_ path: String, _ bytes: Data) throws {
            guard ScriptArchive.isPlainPath(path) else {
                throw ExportError("'\(path.printable)' is no path below the folder: nothing was written")
            }
            let place = url.path + "/" + path
            if files.contains(where: { $0.path == place }) {
                throw ExportError("two files are called '\(path)': nothing was written")
            }
            try OutputFile.check(place)
            if !isReplacing, access(place, F_OK) == 0 {
                throw ExportError("'\(place)' is there already: --force replaces it, -o chooses another folder")
            }
            files.append((place, bytes))
        }
        try add(archive.script.path, archive.script.source)
        let own = Set(archive.modules.map(\.path))
        for module in archive.modules {
            let plain = module.path.hasPrefix("stdlib/") ? String(module.path.dropFirst("stdlib/".count)) : module.path
            // A module of the script's own of that name was found first.
            if plain != module.path, own.contains(plain) { continue }
            try add(plain, module.source)
        }
        for data in archive.data.values.sorted(by: { $0.path < $1.path }) { try add(data.path, data.bytes) }
        for (path, bytes) in files {
            let folder = (path as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try OutputFile.write(bytes, to: path)
        }
        return files.map(\.path)
    }
}
