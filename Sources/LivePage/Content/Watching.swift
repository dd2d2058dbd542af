import Experiments
import Foundation

/// What is to be told to whoever has seen everything up to some version.
struct PageMessage: Sendable {
    let version: Int
    /// JSON texts, in order.
    let parts: [String]
}

/// Which bytes on the disk a file's name means.
struct FileStamp: Equatable {
    let device: UInt64
    let number: UInt64
    let size: Int
    let modified: [Int]

    /// Nil where there is no file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, number, size) = (UInt64(status.st_dev), UInt64(status.st_ino), Int(status.st_size))
        modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    func isSameFile(_ other: FileStamp?) -> Bool { other.map { $0.device == device && $0.number == number } ?? false }
}

/// Limits a look at the disk to one in so many seconds, whoever asks.
struct LookLimit {
    let interval: Double
    private var next = 0.0

    init(every interval: Double) { self.interval = interval }

    mutating func isDue() -> Bool {
        let now = Double(DispatchTime.now().uptimeNanoseconds) * 1e-9
        guard now >= next else { return false }
        next = now + interval
        return true
    }
}
