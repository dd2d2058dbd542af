import Glibc

/// Threads with room for the deep stacks that Lua calling Swift calling Lua makes.
public enum LuaThread {
    /// Has the thread of a script, which waits, do something, and waits for it.
    ///
    /// Around the function, for Swift 6.3, optimizing, makes code that crashes where a task-local variable is bound to a function itself.
    public struct HandOver: Sendable {
        public let perform: @Sendable (_ body: () -> Void) -> Void

        public init(_ perform: @escaping @Sendable (_ body: () -> Void) -> Void) { self.perform = perform }
    }

    /// On a thread that works for a script while the script's own thread waits.
    ///
    /// Where there is one, a ``LuaCallback`` may be called on a thread that is not the state's.
    @TaskLocal public static var handOver: HandOver?

    /// Runs `body` on a new thread with this much stack, and waits for it.
    public static func run<Result>(stackSize: Int = 16 << 20, _ body: () throws -> Result) throws -> Result {
        try withoutActuallyEscaping(body) { body in
            let work = Work { Swift.Result(catching: body) }
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            defer { pthread_attr_destroy(&attributes) }
            pthread_attr_setstacksize(&attributes, stackSize)
            var thread = pthread_t()
            let code = pthread_create(&thread, &attributes, runWork, Unmanaged.passUnretained(work).toOpaque())
            guard code == 0 else { throw LuaError(.misuse, "no thread for Lua: \(String(cString: strerror(code)))") }
            pthread_join(thread, nil)  // so `work` and `body` outlive the thread
            guard let result = work.result as? Swift.Result<Result, any Error> else {
                throw LuaError(.misuse, "the thread for Lua ended without a result")
            }
            return try result.get()
        }
    }
}

private final class Work {
    private let body: () -> Any
    private(set) var result: Any?

    init(_ body: @escaping () -> Any) { self.body = body }

    func run() { result = body() }
}

private func runWork(_ work: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let work { Unmanaged<Work>.fromOpaque(work).takeUnretainedValue().run() }
    return nil
}
