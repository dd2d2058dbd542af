import CLua
import Glibc

/// A Lua interpreter. It belongs to the thread that made it, which needs a stack of 8 MiB (`LuaThread`); only `interrupt` may be
/// used from others.
public final class LuaState {
    public struct Configuration {
        /// Bytes of Lua memory; buffers of Swift objects are not counted.
        public var memoryLimit = 256 << 20
        /// Seconds of Lua without a call into the host, after which the script is stopped; 0 for no limit.
        public var patience = 10.0
        /// Lifts the sandbox.
        public var isTrusted = false
        /// Writes one line of the script's `print`, without its newline: bytes, which need not be text. What it throws is an error
        /// in the script; of an `OutputError` the system's reason is said.
        public var print: (LuaBytes) throws -> Void = { line in
            for byte in line.bytes + [UInt8(ascii: "\n")] where putchar(Int32(byte)) == EOF {
                throw OutputError(code: errno)
            }
        }
        /// The message of a Swift error, as scripts read it.
        public var describe: (any Error) -> String = { String(describing: $0) }
        /// Whether a Swift error ends the script as a stop does, which nothing in Lua can catch: what it called was cancelled.
        public var isStop: (any Error) -> Bool = { _ in false }
        /// What a name means that nothing has here: a sentence, for who knows it from elsewhere.
        public var hint: (String) -> String? = { _ in nil }
        /// For tests: which allocations are refused (see `clua_options`).
        var firstFailure: Int64 = 0
        var failureCount: Int64 = 0

        public init() {}
    }

    public let interrupt: Interrupt
    let context: OpaquePointer
    let configuration: Configuration
    /// The serial numbers of the anchors in use; slot i + 1 has serial `anchors[i]`.
    private var anchors: [UInt64] = []
    private var lastSerial: UInt64 = 0
    private var classes: [ObjectIdentifier: InstalledClass] = [:]
    /// Held so that their addresses stay theirs: they are the classes' keys in Lua.
    private var installed: [InstalledClass] = []

    public init(_ configuration: Configuration = Configuration(), interrupt: Interrupt? = nil) throws {
        guard let interrupt = interrupt ?? Interrupt() else { throw LuaError(.memory, "no memory for a Lua state") }
        guard clua_start_ticker() else {
            throw LuaError(
                .misuse, "no thread left for the one that stops scripts: close other programs, or raise `ulimit -u`")
        }
        self.interrupt = interrupt
        self.configuration = configuration
        var options = clua_options(
            memory_limit: configuration.memoryLimit, patience: configuration.patience,
            trusted: configuration.isTrusted, fail_first: configuration.firstFailure,
            fail_count: configuration.failureCount)
        let printer = Unmanaged.passRetained(Printer(configuration.print))
        var host = clua_host(call: callFunction, release: releaseObject, print: printLine)
        guard let context = clua_open(&options, interrupt.control, &host, printer.toOpaque()) else {
            printer.release()
            throw LuaError(.memory, "not enough memory for a Lua state")
        }
        self.context = context
        self.printer = printer
        try installErrorClass()
    }

    /// A trusted state's `require` asks a searcher of ours.
    var hasSearcher = false
    private let printer: Unmanaged<Printer>
    private(set) lazy var link = StateLink(self)

    deinit {
        link.state = nil
        clua_close(context)
        drain()
        clua_free(context)
        printer.release()
    }

    /// The stack of the innermost call.
    var stack: LuaStack { LuaStack(state: self, lua: clua_current(context)) }

    // MARK: memory

    public struct MemoryUse: Sendable {
        /// Bytes of Lua memory, and the most there were.
        public let used: Int, peak: Int
        /// Swift objects, functions included, that Lua holds.
        public let liveObjects: Int
        /// Bytes outside of Lua that these objects told of.
        public let external: Int
        /// Requests for Lua memory so far, and those refused.
        public let allocations: Int, refused: Int
    }

    public var memory: MemoryUse {
        let count = clua_count(context)
        return MemoryUse(
            used: count.used, peak: count.peak, liveObjects: Int(count.live_objects), external: count.external,
            allocations: Int(count.allocations), refused: Int(count.refused))
    }

    /// Collects garbage and releases the Swift objects that Lua no longer reaches. May run any `deinit`.
    public func collectGarbage() {
        clua_collect(stack.lua)
        drain()
    }

    /// The same if the caller is Swift code that this state's script has called; elsewhere nothing, and false. For an allocator that is
    /// asked for more than it has left.
    @discardableResult
    public func collectGarbageIfCalled() -> Bool {
        guard clua_collect_here(context) else { return false }
        drain()
        return true
    }

    /// Releases what finalizers have put on the release list.
    @inline(__always)
    func drain() {
        while clua_drain(context) {}
    }

    // MARK: anchors

    var anchorCount: Int { anchors.count }

    func anchor(_ index: Int32, of lua: OpaquePointer) throws -> Anchor {
        let stack = LuaStack(state: self, lua: lua)
        try stack.check(clua_push_copy(lua, index))
        lastSerial += 1
        let anchor = Anchor(slot: Int64(anchors.count + 1), serial: lastSerial)
        try stack.check(clua_anchor(lua, anchor.slot))
        anchors.append(anchor.serial)
        return anchor
    }

    func push(_ anchor: Anchor, to lua: OpaquePointer) throws {
        guard anchor.slot <= anchors.count, anchors[Int(anchor.slot) - 1] == anchor.serial else {
            throw LuaError(.misuse, "a Lua function was used after the call that it was an argument of")
        }
        try LuaStack(state: self, lua: lua).check(clua_push_anchored(lua, anchor.slot))
    }

    func releaseAnchors(to count: Int) {
        let lua = clua_current(context)
        while anchors.count > count {
            clua_release_anchor(lua, Int64(anchors.count))
            anchors.removeLast()
        }
    }

    /// Runs `body` and lets go of every Lua function it got as a value. Functions called from Lua have such a scope of
    /// their own.
    public func scope<Result>(_ body: () throws -> Result) rethrows -> Result {
        let count = anchors.count
        defer { releaseAnchors(to: count) }
        return try body()
    }

    // MARK: objects

    func register(_ installed: InstalledClass, for type: AnyObject.Type) {
        self.installed.append(installed)
        classes[ObjectIdentifier(type)] = installed
    }

    func installedClass(of object: AnyObject) -> InstalledClass? {
        let type: AnyObject.Type = Swift.type(of: object)
        if let known = classes[ObjectIdentifier(type)] { return known }
        guard let fitting = installed.last(where: { $0.declaration.describes(object) }) else { return nil }
        classes[ObjectIdentifier(type)] = fitting
        return fitting
    }

    func className(of object: AnyObject) -> String {
        installedClass(of: object)?.declaration.name ?? declaredName(of: object)
    }

    func push(object: AnyObject, to stack: LuaStack) throws {
        let address = Unmanaged.passUnretained(object).toOpaque()
        if clua_push_known(stack.lua, address) { return }
        guard let installed = installedClass(of: object) else {
            throw LuaError(.misuse, "no class is installed for objects of type \(type(of: object))")
        }
        let external = installed.declaration.externalBytes(of: object)
        try stack.check(clua_new_object(stack.lua, Unmanaged.passRetained(object).toOpaque(), installed.key, external))
        clua_feed_collector(stack.lua)
    }

    /// Asks the object's class anew how many bytes the object holds outside of Lua, after that has changed.
    public func updateExternalBytes(of object: some LuaObject) {
        guard let installed = installedClass(of: object) else { return }
        clua_set_external(
            stack.lua, Unmanaged.passUnretained(object).toOpaque(), installed.declaration.externalBytes(of: object))
    }

    /// Keeps `value` alive, together with what it has captured, for as long as Lua reaches `owner`. For an object that the script
    /// reaches through another only, such as the model of a run.
    public func keep(_ value: some LuaPushable, in owner: some LuaObject) throws {
        let stack = self.stack
        let top = stack.top
        defer { stack.setTop(top) }
        try stack.push(value.luaValue)
        _ = try captureSlot(valueAt: stack.top, owner: owner)
    }

    /// Gives `owner` a new table of its own, which scripts and Swift share from then on.
    public func newTable(in owner: some LuaObject) throws -> LuaKeptTable {
        let stack = self.stack
        let top = stack.top
        defer { stack.setTop(top) }
        try stack.check(clua_new_table(stack.lua, 0, 0))
        let slot = try captureSlot(valueAt: stack.top, owner: owner)
        return LuaKeptTable(state: self, owner: Unmanaged.passUnretained(owner).toOpaque(), slot: slot)
    }

    /// Where the numbers of `math.random` stand; nil where this Lua does not tell.
    public var randomState: [UInt64]? {
        get {
            var state = clua_random_state()
            guard clua_get_random(stack.lua, &state) else { return nil }
            return [state.words.0, state.words.1, state.words.2, state.words.3]
        }
        set {
            guard let words = newValue, words.count == 4 else { return }
            var state = clua_random_state(words: (words[0], words[1], words[2], words[3]))
            _ = clua_set_random(stack.lua, &state)
        }
    }

    func capture(valueAt index: Int32, owner: AnyObject) throws -> LuaCallback {
        let slot = try captureSlot(valueAt: index, owner: owner)
        return LuaCallback(state: self, owner: Unmanaged.passUnretained(owner).toOpaque(), slot: slot)
    }

    private func captureSlot(valueAt index: Int32, owner: AnyObject) throws -> Int64 {
        let stack = self.stack
        try push(object: owner, to: stack)
        // A collection before the call returns its result must not take an owner that only Swift knows yet, and the captures with it.
        _ = try anchor(-1, of: stack.lua)
        var slot: Int64 = 0
        try stack.check(clua_capture(stack.lua, -1, index, &slot))
        return slot
    }
}

/// What `print` writes to; a class so that C can hold it.
private final class Printer {
    let write: (LuaBytes) throws -> Void

    init(_ write: @escaping (LuaBytes) throws -> Void) { self.write = write }
}

/// Why a line could not be written: the system's error number.
public struct OutputError: Error, Hashable, Sendable, CustomStringConvertible {
    public let code: Int32

    public init(code: Int32) { self.code = code }

    public var description: String { "cannot write to standard output: \(String(cString: strerror(code)))" }
}

private func callFunction(_ function: UnsafeMutableRawPointer, _ lua: OpaquePointer, _ count: Int32) -> Int32 {
    Unmanaged<FunctionObject>.fromOpaque(function)._withUnsafeGuaranteedRef { $0.invoke(lua, count) }
}

private func releaseObject(_ object: UnsafeMutableRawPointer) {
    Unmanaged<AnyObject>.fromOpaque(object).release()
}

private func printLine(_ owner: UnsafeMutableRawPointer, _ text: UnsafePointer<CChar>, _ length: Int) -> Int32 {
    let bytes = UnsafeRawBufferPointer(start: text, count: length)
    return Unmanaged<Printer>.fromOpaque(owner)._withUnsafeGuaranteedRef { printer in
        do {
            try printer.write(LuaBytes(bytes))
            return 0
        } catch { return (error as? OutputError)?.code ?? EIO }
    }
}
