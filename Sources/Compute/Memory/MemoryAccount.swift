import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The one account that all large buffers of the process come from: parameters, arenas, data sets, vectors.
///
/// It counts bytes that are alive and refuses an allocation that would pass ``limit``, so that an experiment that does
/// not fit ends in an error with figures and not in the kernel's out-of-memory killer. All members may be used from
/// any thread.
public final class MemoryAccount: Sendable {
    private struct Books {
        var limit: Int
        var used = 0
        var peak = 0
        var free = FreeBlocks()
        /// The innermost of a thread last.
        var reclaimers: [Reclaimer] = []

        /// Makes room beside blocks that are free: with what is used they never pass the most that was used at a time, nor is a
        /// large part of the limit kept.
        mutating func shrinkFree() {
            free.shrink(to: min(max(peak, used) - used, limit / MemoryAccount.freeShare))
        }
    }

    private let books: Mutex<Books>

    /// One part of the limit in so many may be held free, to be handed out again.
    static let freeShare = 32

    /// The account of the process. Its limit is half of the machine's memory until `--memory` sets another.
    public static let shared = MemoryAccount(limit: MachineMemory.total / 2)

    /// Buffers start at a multiple of this many bytes: one cache line, one AVX-512 register.
    public static let alignment = 64

    /// An account of its own, for a part of a program that must stay within its own limit, in bytes.
    public init(limit: Int) {
        books = Mutex(Books(limit: max(0, limit)))
    }

    /// Bytes that may be alive at a time. Lowering it below ``used`` frees nothing: it refuses what comes after.
    public var limit: Int {
        get { books.withLock { $0.limit } }
        set { books.withLock { $0.limit = max(0, newValue) } }
    }

    /// Bytes alive now.
    public var used: Int { books.withLock { $0.used } }

    /// Bytes given back that are held to be handed out again.
    var freeBytes: Int { books.withLock { $0.free.bytes } }

    /// The most bytes that were alive at a time since the account was made.
    public var peak: Int { books.withLock { $0.peak } }

    // MARK: - Garbage

    /// While `work` runs, what this thread asks for is not refused before `reclaim` has been called, once, to give back what nobody
    /// needs; where it says that it did, the request is tried again. It is called with no lock of the account's held.
    public func reclaiming<Result>(by reclaim: @escaping () -> Bool, during work: () throws -> Result) rethrows
        -> Result
    {
        let reclaimer = Reclaimer(thread: Reclaimer.currentThread, reclaim: reclaim)
        books.withLock { $0.reclaimers.append(reclaimer) }
        defer {
            books.withLock { books in
                if let last = books.reclaimers.lastIndex(where: { $0.thread == reclaimer.thread }) {
                    books.reclaimers.remove(at: last)
                }
            }
        }
        return try work()
    }

    /// True if something may have been given back that a second try at `refusal` would find.
    private func reclaims(after refusal: MemoryError) -> Bool {
        switch refusal {
        case .impossibleSize: return false
        case .overLimit(_, let needed, _, let limit) where needed > limit: return false
        case .overLimit, .refusedBySystem: break
        }
        let thread = Reclaimer.currentThread
        let own = books.withLock { $0.reclaimers.filter { $0.thread == thread } }
        return own.reduce(false) { $1.reclaim() || $0 }
    }

    // MARK: - Allocation

    /// Memory for `bytes` bytes, 64-byte aligned, with undefined contents.
    ///
    /// - Parameters:
    ///   - bytes: the size; 0 is allowed and gives a valid pointer to nothing.
    ///   - what: what the memory is for, a noun phrase for the error message (`"the parameters of the model"`).
    /// - Throws: ``MemoryError`` if the limit would be passed, the system refuses, or `bytes` is negative.
    public func allocate(bytes: Int, for what: String) throws(MemoryError) -> Buffer {
        try allocate(bytes: bytes, for: what, replacing: nil)
    }

    /// As above, for memory that takes the place of other memory of this account, whose contents are not needed any more: that is
    /// not counted from now on, and is to be let go of before the new memory is written. Where this throws, it stays as it was.
    func allocate(bytes: Int, for what: String, replacing old: Buffer?) throws(MemoryError) -> Buffer {
        do { return try take(bytes: bytes, for: what, replacing: old) } catch {
            guard reclaims(after: error) else { throw error }
            return try take(bytes: bytes, for: what, replacing: old)
        }
    }

    private func take(bytes: Int, for what: String, replacing old: Buffer?) throws(MemoryError) -> Buffer {
        guard bytes >= 0 else { throw .impossibleSize(what: what) }
        // Rounded up to whole cache lines, because aligned_alloc asks for it and because the account then tells the truth.
        let (padded, overflow) = bytes.addingReportingOverflow(Self.alignment - 1)
        guard !overflow else { throw .impossibleSize(what: what) }
        let size = padded & ~(Self.alignment - 1)
        let replaced = old?.charge ?? 0
        let (refusal, known, peak): (MemoryError?, Block?, Int) = books.withLock { books in
            let others = books.used - replaced
            let (after, overflow) = others.addingReportingOverflow(size)
            guard !overflow, after <= books.limit else {
                return (.overLimit(what: what, needed: size, used: others, limit: books.limit), nil, books.peak)
            }
            let peak = books.peak
            let known = books.free.take(size)
            books.used = after
            if known == nil { books.shrinkFree() }
            books.peak = max(books.peak, after)
            return (nil, known.map(Block.init), peak)
        }
        if let refusal { throw refusal }
        guard let base = known?.base ?? aligned_alloc(Self.alignment, max(size, Self.alignment)) else {
            books.withLock { books in
                if books.peak == books.used { books.peak = peak }
                books.used += replaced - size
            }
            throw .refusedBySystem(what: what, needed: size)
        }
        old?.charge = 0
        return Buffer(base: base, byteCount: bytes, size: size, account: self)
    }

    deinit { books.withLock { $0.free.shrink(to: 0) } }

    /// Throws the refusal that an allocation of so many bytes in several parts would end in.
    ///
    /// - Throws: ``MemoryError`` if the limit would be passed.
    public func check(bytes: Int, for what: String) throws(MemoryError) {
        guard let refusal = refusal(of: bytes, for: what) else { return }
        guard reclaims(after: refusal) else { throw refusal }
        if let refusal = self.refusal(of: bytes, for: what) { throw refusal }
    }

    private func refusal(of bytes: Int, for what: String) -> MemoryError? {
        let (used, limit) = books.withLock { ($0.used, $0.limit) }
        return bytes > limit - used ? .overLimit(what: what, needed: bytes, used: used, limit: limit) : nil
    }

    /// Memory for `count` values of `stride` bytes; the product is checked for overflow.
    ///
    /// - Throws: ``MemoryError``, as ``allocate(bytes:for:)``.
    public func allocate(count: Int, stride: Int, for what: String) throws(MemoryError) -> Buffer {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: stride)
        guard !overflow, count >= 0, stride >= 0 else { throw .impossibleSize(what: what) }
        return try allocate(bytes: bytes, for: what)
    }

    fileprivate func giveBack(_ base: UnsafeMutableRawPointer, _ size: Int, charge: Int) {
        let block = Block(base: base)
        if size < FreeBlocks.smallest { free(base) }
        books.withLock { books in
            books.used -= charge
            if size < FreeBlocks.smallest { return }
            books.free.put(block.base, size: size)
            books.shrinkFree()
        }
    }
}

/// `@unchecked Sendable`: what it holds is called on its own thread only.
private struct Reclaimer: @unchecked Sendable {
    let thread: UInt
    let reclaim: () -> Bool

    static var currentThread: UInt {
        // A number here, a pointer elsewhere.
        #if canImport(Glibc)
            pthread_self()
        #else
            UInt(bitPattern: pthread_self())
        #endif
    }
}

/// `@unchecked Sendable`: memory that no one else knows of on its way into the account or out of it.
private struct Block: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
}

/// A piece of memory from a ``MemoryAccount``: 64-byte aligned, given back when the last reference goes.
///
/// It is `@unchecked Sendable` because the pointer may be read from several threads; who writes through `base` makes
/// sure that no one else uses those bytes meanwhile (``Vector`` does it by copy on write, plans by their schedule).
public final class Buffer: @unchecked Sendable {
    /// The first byte.
    public let base: UnsafeMutableRawPointer
    /// The number of bytes that were asked for.
    public let byteCount: Int

    private let size: Int
    /// What it counts for: its size, until other memory takes its place.
    fileprivate var charge: Int
    private let account: MemoryAccount

    fileprivate init(base: UnsafeMutableRawPointer, byteCount: Int, size: Int, account: MemoryAccount) {
        self.base = base
        self.byteCount = byteCount
        self.size = size
        self.account = account
        charge = size
    }

    deinit {
        account.giveBack(base, size, charge: charge)
    }
}

/// Why an allocation was refused.
public enum MemoryError: Error, Equatable, CustomStringConvertible {
    /// `needed` bytes do not fit in `limit` beside the `used` ones.
    case overLimit(what: String, needed: Int, used: Int, limit: Int)
    /// The size is negative or larger than an address space.
    case impossibleSize(what: String)
    /// The limit allows it, the operating system does not.
    case refusedBySystem(what: String, needed: Int)

    public var description: String {
        switch self {
        case .overLimit(let what, let needed, let used, let limit):
            let inUse = used == 0 ? "" : " (\(byteText(used)) in use)"
            return "out of memory for \(what): needs \(byteText(needed)), limit \(byteText(limit))\(inUse): "
                + "make it smaller or raise --memory"
        case .impossibleSize(let what):
            return "out of memory for \(what): an impossible size, more than \(byteText(Int.max)): make it smaller"
        case .refusedBySystem(let what, let needed):
            return "out of memory for \(what): the system refuses \(byteText(needed)): "
                + "make it smaller or free memory on this machine"
        }
    }
}

/// A number of bytes as a person reads it: three digits and a binary unit (`3.73 TiB`, `12 GiB`, `512 bytes`).
public func byteText(_ bytes: Int) -> String {
    guard bytes >= 1024 else { return "\(bytes) bytes" }
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var value = Double(bytes) / 1024
    var unit = 0
    // 999.5 and above would be printed with four digits.
    while value >= 999.5, unit + 1 < units.count {
        value /= 1024
        unit += 1
    }
    let decimals = value < 9.995 ? 100.0 : value < 99.95 ? 10.0 : 1.0
    let rounded = (value * decimals).rounded() / decimals
    let text = rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    return "\(text) \(units[unit])"
}

/// What the machine has.
enum MachineMemory {
    /// Bytes of memory this process may hope for: the machine's, or its control group's limit where that is smaller
    /// (containers and batch systems).
    static let total: Int = {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        let physical = pages > 0 && pageSize > 0 ? pages * pageSize : 8 << 30
        return min(physical, controlGroupLimit ?? physical)
    }()

    private static var controlGroupLimit: Int? {
        let paths = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        for path in paths {
            guard let file = fopen(path, "r") else { continue }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 64)
            guard fgets(&line, Int32(line.count), file) != nil else { continue }
            let digits = line.prefix { $0 >= 48 && $0 <= 57 }.map { UInt8($0) }
            // "max" has no digits: no limit.
            if let limit = Int(String(decoding: digits, as: UTF8.self)), limit > 0 { return limit }
        }
        return nil
    }
}
