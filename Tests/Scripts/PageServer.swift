import Foundation
import Testing

/// `eoss serve` in the background.
final class PageServer {
    let port: UInt16
    let errors = Pipe()
    private let process = Process()

    init(_ arguments: [String]) throws {
        process.executableURL = EossProgram.executable
        process.arguments = ["serve"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let match = try #require(line.wholeMatch(of: /http:\/\/127\.0\.0\.1:(\d+)\/\n/), "\(line)")
        port = try #require(UInt16(match.output.1))
    }

    deinit { end() }

    func end() {
        process.terminate()
        process.waitUntilExit()
    }

    /// The answer's head and body.
    func get(_ path: String, method: String = "GET", _ headers: [String] = [], host: String? = nil) throws -> (
        status: Int, head: String, body: String
    ) {
        let client = try PageClient(port: port)
        let lines =
            ["\(method) \(path) HTTP/1.1", "Host: \(host ?? "127.0.0.1:\(port)")", "Connection: close"] + headers
        try client.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        return try client.answer()
    }
}

/// A connection to the page's port that says and hears what it likes.
final class PageClient {
    private let descriptor: Int32
    private var heard = ""

    struct NobodyListens: Error {}

    /// - Throws: ``NobodyListens``.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // A test that hears nothing shall fail, not hang.
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw NobodyListens() }
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    }

    /// Hears so many bytes more at most; false at the end.
    func hear(_ count: Int = 65_536) -> Bool {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = read(descriptor, &bytes, count)
        if got > 0 { heard += String(decoding: bytes[..<got], as: UTF8.self) }
        return got > 0
    }

    /// Listens until this has been said.
    func expect(_ words: String) throws {
        while !heard.contains(words) { try #require(hear(), "'\(words)' was not said: \(heard.suffix(500))") }
    }

    func answer() throws -> (status: Int, head: String, body: String) {
        while hear() {}
        let end = try #require(heard.range(of: "\r\n\r\n"), "\(heard)")
        let head = String(heard[..<end.lowerBound])
        return (Int(head.split(separator: " ")[1]) ?? 0, head, String(heard[end.upperBound...]))
    }
}
