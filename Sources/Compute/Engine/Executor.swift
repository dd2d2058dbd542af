import CKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The threads of an engine and the arena that its plans share, as one plan runs at a time.
///
/// `@unchecked Sendable`: `arena` and all that runs is touched under the pool's lock alone; the pool has its own.
final class Executor: @unchecked Sendable {
    let pool: OpaquePointer
    private let account: MemoryAccount
    private var arena: Buffer?

    init(threads: Int, account: MemoryAccount) throws(MemoryError) {
        guard let pool = ck_pool_create(Int32(clamping: threads)) else {
            throw .refusedBySystem(what: "the threads of the engine", needed: Int(CK_SCRATCH_BYTES))
        }
        self.pool = pool
        self.account = account
    }

    deinit { ck_pool_destroy(pool) }

    /// The arena, for the length of a run.
    func withArena<Result>(of bytes: Int, _ body: (_ arena: UnsafeMutableRawPointer?) throws -> Result) rethrows
        -> Result
    {
        ck_pool_lock(pool)
        defer { ck_pool_unlock(pool) }
        precondition((arena?.byteCount ?? 0) >= bytes, "a plan reserves its arena when it is made")
        return try body(arena?.base)
    }

    /// The arena for the length of a run, with the number of threads, which does not change meanwhile.
    func withWholeArena<Result>(
        _ body: (_ arena: UnsafeMutableRawBufferPointer, _ threads: Int) throws -> Result
    ) rethrows -> Result {
        ck_pool_lock(pool)
        defer { ck_pool_unlock(pool) }
        let whole = UnsafeMutableRawBufferPointer(start: arena?.base, count: arena?.byteCount ?? 0)
        return try body(whole, Int(ck_pool_threads(pool)))
    }

    /// Makes the arena at least this large where that leaves most of the account's memory to others.
    func reserveIfSpare(bytes: Int) {
        let before = arenaBytes
        guard bytes > before, bytes - before <= (account.limit - account.used) / 8 else { return }
        // A refusal costs speed only.
        try? reserve(bytes: bytes)
    }

    /// Makes the arena at least this large. It never shrinks, whether the account or the system refuses more, so a plan once made
    /// can always run.
    func reserve(bytes: Int) throws(MemoryError) {
        ck_pool_lock(pool)
        defer { ck_pool_unlock(pool) }
        guard bytes > arena?.byteCount ?? 0 else { return }
        // The account has room for the larger one in the place of the present one; memory that is not written takes none.
        let larger = try account.allocate(
            bytes: bytes, for: "the intermediate values of a plan", replacing: arena)
        Executor.useLargePages(larger)
        arena = larger
    }

    var threads: Int { Int(ck_pool_threads(pool)) }

    var arenaBytes: Int {
        ck_pool_lock(pool)
        defer { ck_pool_unlock(pool) }
        return arena?.byteCount ?? 0
    }

    /// Products walk many rows at once: with small pages most of their time goes into address translation.
    private static func useLargePages(_ buffer: Buffer) {
        #if os(Linux)
            let page = 1 << 21
            let start = (Int(bitPattern: buffer.base) + page - 1) / page * page
            let end = (Int(bitPattern: buffer.base) + buffer.byteCount) / page * page
            // 14 is MADV_HUGEPAGE. A refusal costs speed only.
            if end > start, let address = UnsafeMutableRawPointer(bitPattern: start) {
                _ = madvise(address, end - start, 14)
            }
        #endif
    }
}
