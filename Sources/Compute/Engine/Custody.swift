import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which thread may use something that several know of: one at a time, or none.
///
/// What is used without a lock, a run that a thread of its own trains say, is in the custody of that thread; who else comes by it is
/// refused (``check()``), and does not find it half changed.
public final class Custody: Sendable {
    /// What it is, and by whom it is used, for messages: `run 'a', which eoss.parallel trains`.
    public let words: String
    /// 0: nobody.
    private let holder = Atomic<UInt>(0)

    public init(_ words: String) { self.words = words }

    /// A number of the calling thread; never 0.
    private static var thread: UInt {
        // A number here, a pointer elsewhere.
        #if canImport(Glibc)
            pthread_self()
        #else
            UInt(bitPattern: pthread_self())
        #endif
    }

    /// From now on it is the calling thread's.
    public func take() { holder.store(Self.thread, ordering: .releasing) }

    /// From now on it is nobody's.
    public func release() { holder.store(0, ordering: .releasing) }

    /// Does something with it on the calling thread, while the thread that has it, if any, waits for that.
    public func lent<Result>(_ body: () throws -> Result) rethrows -> Result {
        let before = holder.exchange(Self.thread, ordering: .acquiringAndReleasing)
        defer { holder.store(before, ordering: .releasing) }
        return try body()
    }

    /// Whether the calling thread may use it.
    public var isHere: Bool { holder.load(ordering: .relaxed) == Self.thread }

    /// - Throws: ``CustodyError`` on another thread than its own.
    public func check() throws(CustodyError) {
        if !isHere { throw CustodyError(words: words) }
    }
}

/// Something was used by a thread that does not have it.
public struct CustodyError: Error, Sendable, CustomStringConvertible {
    let words: String
    public var description: String { "\(words), cannot be used from here meanwhile" }
}
