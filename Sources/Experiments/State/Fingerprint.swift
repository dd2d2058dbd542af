import Compute

/// Numbers that tell values apart, for comparisons with what was recorded: FNV-1a over their 64-bit words. Not for strangers' data.
struct Fingerprint {
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ word: UInt64) {
        hash ^= word
        hash = hash &* 0x0000_0100_0000_01B3
        // The product carries upwards only.
        hash ^= hash >> 29
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        let words = bytes.count / 8
        for i in 0..<words { add(bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)) }
        for byte in bytes[(8 * words)...] { add(UInt64(byte)) }
        add(UInt64(bytes.count))
    }

    var text: String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Vector {
    /// A number that tells it apart from others, by its bits.
    var fingerprint: String {
        var fingerprint = Fingerprint()
        withUnsafeBytes { fingerprint.add($0) }
        return fingerprint.text
    }
}

func fingerprint(_ numbers: [Int]) -> String {
    var fingerprint = Fingerprint()
    numbers.withUnsafeBytes { fingerprint.add($0) }
    return fingerprint.text
}
