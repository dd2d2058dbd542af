import Glibc

/// A thread that acts when a stop is not answered: when the script, or the Swift code under it, goes on.
///
/// A stop is answered when the outermost call from Swift into Lua has returned with it, or when it is cleared. The thread
/// looks ten times a second, because a stop may come from a signal handler, which can wake nobody.
public final class Watchdog: Sendable {
    private let watch: Watch

    /// Calls `onUnanswered`, on the watchdog's own thread, once for each stop that stays unanswered for `seconds`. The closure
    /// usually saves what can be saved and ends the process, or warns. Nil where the system has no thread left.
    public init?(_ interrupt: Interrupt, after seconds: Double = 2, onUnanswered: @escaping @Sendable () -> Void) {
        watch = Watch(interrupt: interrupt, seconds: seconds, onUnanswered: onUnanswered)
        let retained = Unmanaged.passRetained(watch)
        var thread = pthread_t()
        guard pthread_create(&thread, nil, keepWatch, retained.toOpaque()) == 0 else {
            retained.release()
            return nil
        }
        pthread_detach(thread)
    }

    deinit { watch.end() }
}

/// What the thread holds; it outlives its `Watchdog` by one interval at most.
private final class Watch: @unchecked Sendable {
    // Sendable: `isOver` and `hasActed` are only used under the mutex; the rest never changes.
    private let interrupt: Interrupt
    private let seconds: Double
    private let onUnanswered: @Sendable () -> Void
    private var isOver = false
    /// It was called for the present stop.
    private var hasActed = false
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init(interrupt: Interrupt, seconds: Double, onUnanswered: @escaping @Sendable () -> Void) {
        self.interrupt = interrupt
        self.seconds = seconds
        self.onUnanswered = onUnanswered
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func end() {
        pthread_mutex_lock(mutex)
        isOver = true
        pthread_mutex_unlock(mutex)
    }

    /// Acts under the mutex, so that the closure never runs after `end` has returned.
    func look() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if isOver { return false }
        guard let age = interrupt.stopAge, age >= seconds else {
            hasActed = false
            return true
        }
        if !hasActed { onUnanswered() }
        hasActed = true
        return true
    }
}

private func keepWatch(_ watch: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let watch else { return nil }
    let held = Unmanaged<Watch>.fromOpaque(watch).takeRetainedValue()
    while held.look() { usleep(100_000) }
    return nil
}
