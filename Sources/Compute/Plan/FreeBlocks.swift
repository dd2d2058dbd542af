#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Blocks of memory that were given back and may be handed out again, by their size.
///
/// Vectors of one size come and go by the thousand. The system clears each page of a new one when it is first touched: measured
/// for 2.7 MB, that took as long as a Hessian-vector product of 64 samples. Small blocks the C library recycles itself.
struct FreeBlocks {
    /// Blocks from this size on are kept.
    static let smallest = 64 << 10

    /// Bytes of all blocks.
    private(set) var bytes = 0
    private var blocks: [Int: [(base: UnsafeMutableRawPointer, age: Int)]] = [:]
    private var clock = 0

    /// The block of this size that was given back last.
    mutating func take(_ size: Int) -> UnsafeMutableRawPointer? {
        guard let block = blocks[size]?.popLast() else { return nil }
        bytes -= size
        return block.base
    }

    mutating func put(_ base: UnsafeMutableRawPointer, size: Int) {
        clock += 1
        bytes += size
        blocks[size, default: []].append((base, clock))
    }

    /// Gives blocks back to the system, the longest unused first, until there are at most so many bytes.
    mutating func shrink(to most: Int) {
        while bytes > most,
            let size = blocks.filter({ !$0.value.isEmpty }).min(by: { $0.value[0].age < $1.value[0].age })?.key,
            let block = blocks[size]?.removeFirst()
        {
            if blocks[size]?.isEmpty ?? false { blocks[size] = nil }
            free(block.base)
            bytes -= size
        }
    }
}
