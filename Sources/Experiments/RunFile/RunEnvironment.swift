import CMessageDigest
import CSQLite
import Foundation
import GRDB

/// Where a run was made: what decides its speed, and what could decide its last bits.
public enum RunEnvironment {
    /// The version of this laboratory.
    public static let eossVersion = "0.1.0"

    /// Operating system, machine, processor, Swift and SQLite of this process. Read once.
    public static let current: [String: String] = {
        var machine = utsname()
        uname(&machine)
        return [
            "os": osName() ?? text(of: machine.sysname),
            "kernel": text(of: machine.sysname) + " " + text(of: machine.release),
            "machine": text(of: machine.machine),
            "cpu": cpuName() ?? "unknown",
            "libc": libraryVersion,
            "cores": "\(ProcessInfo.processInfo.activeProcessorCount)",
            "swift": swiftVersion,
            "compiler": String(cString: eoss_compiler_version()),
            "sqlite": sqliteVersion(Int(Database.sqliteLibVersionNumber)),
        ]
    }()

    private static func sqliteVersion(_ number: Int) -> String {
        "\(number / 1_000_000).\(number / 1_000 % 1_000).\(number % 1_000)"
    }

    /// Of the C library, whose sines and powers are those of this process: `glibc 2.36`.
    private static var libraryVersion: String {
        var text = [CChar](repeating: 0, count: 64)
        let length = confstr(Int32(_CS_GNU_LIBC_VERSION), &text, text.count)
        return length > 0
            ? String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : "unknown"
    }

    /// The language version that this was compiled with: Swift knows its compiler's number at compile time only.
    private static var swiftVersion: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #elseif compiler(>=6.2)
            "6.2"
        #else
            "6.1"
        #endif
    }

    private static func osName() -> String? {
        value(of: "PRETTY_NAME", separator: "=", in: "/etc/os-release")?.trimmingCharacters(in: ["\""])
    }

    private static func cpuName() -> String? { value(of: "model name", separator: ":", in: "/proc/cpuinfo") }

    private static func value(of key: String, separator: Character, in path: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") {
            guard let position = line.firstIndex(of: separator) else { continue }
            if line[..<position].trimmingCharacters(in: .whitespaces) == key {
                return line[line.index(after: position)...].trimmingCharacters(in: .whitespaces)
            }
        }
        return nil
    }

    /// A fixed-size C string, which Swift sees as a tuple.
    private static func text<Characters>(of characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension Data {
    /// SHA-256 (FIPS 180-4), in lower-case hexadecimal.
    package var sha256: String {
        var context = SHA2_CTX()
        SHA256Init(&context)
        withUnsafeBytes { bytes in
            if let base = bytes.baseAddress {
                SHA256Update(&context, base.assumingMemoryBound(to: UInt8.self), bytes.count)
            }
        }
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        SHA256Final(&digest, &context)
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
