import Foundation

/// Ports of this machine's loopback address.
enum FreePort {
    /// How many numbers behind the wanted one are tried.
    private static let attempts: UInt16 = 50

    /// The wanted port, or the next one that is free; for 0, and where none is, any.
    static func next(from wanted: UInt16) -> UInt16? {
        if wanted > 0 {
            for port in wanted...(wanted > .max - attempts ? .max : wanted + attempts) {
                if let free = bound(port) { return free }
            }
        }
        return bound(0)
    }

    /// The port that a socket gets that asks for this one; nil where it gets none.
    private static func bound(_ port: UInt16) -> UInt16? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var yes: Int32 = 1
        // As the server will: connections that have ended there do not matter.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutableBytes(of: &address) { bytes -> UInt16? in
            let generic = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            guard let generic, bind(descriptor, generic, size) == 0, getsockname(descriptor, generic, &size) == 0
            else { return nil }
            return UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }
}
