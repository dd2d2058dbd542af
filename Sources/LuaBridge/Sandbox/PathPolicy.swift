import Glibc

/// A path that a script may not use, or that does not work.
public struct PathError: Error, CustomStringConvertible {
    public let description: String
}

/// Which files a script may read and write.
///
/// Paths of scripts are relative. What is read is looked for below the output folder, then the script's folder, then further
/// folders that the user allowed; what is written goes below the output folder. Links are followed first: what counts is where a
/// path ends. A trusted script may use any path.
public struct PathPolicy: Sendable {
    public let outputFolder: String
    public let scriptFolder: String?
    public let readFolders: [String]
    public let isTrusted: Bool
    /// What the host lets a person do about a refusal, for its message.
    public let remedies: Remedies

    public struct Remedies: Sendable {
        /// To read files in other folders, to use absolute paths: "see --allow", say. Empty where there is nothing to do.
        public let reading: String, absolutePaths: String

        public init(reading: String = "", absolutePaths: String = "") {
            self.reading = reading
            self.absolutePaths = absolutePaths
        }
    }

    public init(
        outputFolder: String, scriptFolder: String?, readFolders: [String] = [], isTrusted: Bool = false,
        remedies: Remedies = Remedies()
    ) {
        self.remedies = remedies
        self.outputFolder = outputFolder
        self.scriptFolder = scriptFolder
        self.readFolders = readFolders
        self.isTrusted = isTrusted
    }

    /// The absolute path, without links, of an existing file that the script may read.
    public func readable(_ path: String) throws -> String {
        try found(path, "file") { isBelow($0, $1) }
    }

    /// The absolute path, without links, of an existing folder whose files the script may read: `.` is the output folder.
    public func readableFolder(_ path: String) throws -> String {
        try found(path, "folder") { $0 == $1 || isBelow($0, $1) }
    }

    private func found(_ path: String, _ kind: String, isInside: (String, String) -> Bool) throws -> String {
        try check(path)
        let folders = [outputFolder] + (scriptFolder.map { [$0] } ?? []) + readFolders
        if path.hasPrefix("/") {
            guard let found = resolved(path) else { throw PathError(description: "no such \(kind): '\(path)'") }
            return found
        }
        var refused = false
        for folder in folders {
            guard let root = resolved(folder), let found = resolved("\(folder)/\(path)") else { continue }
            if isTrusted || isInside(found, root) { return found }
            refused = true
        }
        if refused {
            let remedy = remedies.reading.isEmpty ? "" : "; \(remedies.reading)"
            throw PathError(description: "'\(path)' leads out of the folders a script may read\(remedy)")
        }
        let tried = folders.map { "'\($0)'" }.joined(separator: ", ")
        throw PathError(description: "no such \(kind): '\(path)' (looked for below \(tried))")
    }

    /// The absolute path of a file that the script may write. Makes the folders on the way to it.
    public func writable(_ path: String) throws -> String {
        try check(path)
        var parts = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init).filter { $0 != "." }
        guard let name = parts.popLast(), !path.hasSuffix("/"), isTrusted || (name != ".." && !parts.contains(".."))
        else {
            throw PathError(description: "'\(path)' is not a file below the output folder '\(outputFolder)'")
        }
        if isTrusted, path.hasPrefix("/") { return path }
        try makeFolder(outputFolder)
        guard let root = resolved(outputFolder) else {
            throw PathError(description: "the output folder '\(outputFolder)' cannot be used: \(lastError())")
        }
        var folder = root
        for part in parts {
            let inner = "\(folder)/\(part)"
            if mkdir(inner, 0o777) != 0, errno != EEXIST {
                throw PathError(description: "the folder '\(inner)' cannot be made: \(lastError())")
            }
            guard let found = resolved(inner), isTrusted || isBelow(found, root) else { throw leadsOut(path) }
            folder = found
        }
        let file = "\(folder)/\(name)"
        var status = stat()
        guard lstat(file, &status) == 0 else { return file }
        // Something is there already: a link may lead anywhere, also where nothing is yet.
        guard status.st_mode & S_IFMT == S_IFLNK else { return file }
        guard let found = resolved(file), isTrusted || isBelow(found, root) else { throw leadsOut(path) }
        return found
    }

    private func leadsOut(_ path: String) -> PathError {
        PathError(description: "'\(path)' leads out of the output folder '\(outputFolder)'")
    }

    /// What no path may be.
    private func check(_ path: String) throws {
        if path.isEmpty { throw PathError(description: "a path is empty") }
        if path.utf8.contains(0) { throw PathError(description: "a path contains a zero byte") }
        if path.hasPrefix("/"), !isTrusted {
            let remedy = remedies.absolutePaths.isEmpty ? "" : " (\(remedies.absolutePaths))"
            throw PathError(description: "'\(path)' is absolute: paths in a script are relative\(remedy)")
        }
    }

    private func makeFolder(_ path: String) throws {
        if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw PathError(description: "the folder '\(path)' cannot be made: \(lastError())")
        }
        try makeFolder(String(path[..<slash]))
        if mkdir(path, 0o777) != 0, errno != EEXIST {
            throw PathError(description: "the folder '\(path)' cannot be made: \(lastError())")
        }
    }
}

/// The absolute path without links and dots, nil where there is nothing.
func resolved(_ path: String) -> String? {
    guard !path.utf8.contains(0), let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
}

/// True for a path inside of the folder; both resolved.
func isBelow(_ path: String, _ folder: String) -> Bool {
    path.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/")
}

private func lastError() -> String { String(cString: strerror(errno)) }
