import Foundation

/// Files that are read whole: manifests, outcomes, scripts. They may be a stranger's.
enum SmallFile {
    /// Nobody writes a longer one by hand, and none of ours is.
    static let longest = 64 << 20

    /// - Throws: ``SweepError`` with the reason alone, where it is not there, is no plain file, or is too long.
    static func contents(of file: URL) throws(SweepError) -> Data {
        var status = stat()
        guard stat(file.path, &status) == 0 else { throw SweepError(String(cString: strerror(errno))) }
        // A pipe may never end, and a device gives more than memory holds.
        guard status.st_mode & S_IFMT == S_IFREG else { throw SweepError("it is no plain file") }
        guard status.st_size <= longest else { throw SweepError("it is longer than \(longest >> 20) MiB") }
        guard let data = FileManager.default.contents(atPath: file.path) else {
            throw SweepError("it cannot be read")
        }
        return data
    }
}
