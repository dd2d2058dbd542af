import Foundation
import Synchronization

/// A file itself, whatever names lead to it.
public struct FileIdentity: Hashable, Sendable {
    private let device: UInt
    private let number: UInt

    init(_ status: stat) { (device, number) = (UInt(status.st_dev), UInt(status.st_ino)) }

    /// The file that the path leads to; nil where there is none.
    public init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}

/// The files that this process keeps, such as those of its live runs: no output replaces them, under whatever name.
public final class ProtectedFiles: Sendable {
    public static let shared = ProtectedFiles()

    private let files = Mutex<Set<FileIdentity>>([])

    public func insert(_ file: FileIdentity) { files.withLock { _ = $0.insert(file) } }

    public func remove(_ file: FileIdentity) { files.withLock { _ = $0.remove(file) } }

    func contains(_ file: FileIdentity) -> Bool { files.withLock { $0.contains(file) } }
}
