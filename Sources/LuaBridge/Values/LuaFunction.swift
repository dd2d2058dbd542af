import CLua
import Glibc

/// A slot that keeps a Lua value alive until the call into Swift that made it returns.
struct Anchor: Sendable {
    let slot: Int64
    /// Slots are used again; a serial number is not.
    let serial: UInt64
}

/// Leads to a state as long as there is one. In place of a weak reference, which would make every retain of the state slow.
final class StateLink {
    unowned(unsafe) var state: LuaState?

    init(_ state: LuaState) { self.state = state }
}

/// A Lua function as an argument or a result: valid until the Swift function that got it returns. To keep it longer,
/// `captured(by:)` an object.
public struct LuaFunction {
    unowned let state: LuaState
    let anchor: Anchor

    /// Calls the function. What it raises is thrown as a `LuaError`.
    @discardableResult
    public func call(_ arguments: any LuaReturnable...) throws -> [LuaValue] { try call(arguments: arguments) }

    /// The same for a list of arguments.
    @discardableResult
    public func call(arguments: [any LuaReturnable]) throws -> [LuaValue] {
        try state.call(arguments) { try state.push(anchor, to: $0) }
    }

    /// Hands the function over to an object that Lua knows: it lives as long as that object's userdata and is freed with it, even
    /// if the function refers to the object.
    public func captured(by owner: some LuaObject) throws -> LuaCallback {
        let stack = state.stack
        let top = stack.top
        defer { stack.setTop(top) }
        try state.push(anchor, to: stack.lua)
        return try state.capture(valueAt: stack.top, owner: owner)
    }

    /// The declaration, for a function that was registered by Swift.
    public var declaration: FunctionDeclaration? {
        let stack = state.stack
        let top = stack.top
        defer { stack.setTop(top) }
        guard (try? state.push(anchor, to: stack.lua)) != nil else { return nil }
        return clua_to_function(stack.lua, -1).flatMap {
            Unmanaged<FunctionObject>.fromOpaque($0).takeUnretainedValue().declaration
        }
    }
}

/// A Lua function held by a Swift object (its owner).
///
/// The function stands in a user value of the owner's userdata, so that the collector sees cycles through it; this
/// object holds neither the function nor the owner alive. Once Lua has no way to reach the owner, calling throws. An object
/// that Lua reaches only through another must be kept there: `LuaState.keep(_:in:)`.
public final class LuaCallback {
    private let link: StateLink
    private let owner: UnsafeRawPointer
    private let slot: Int64
    private let thread = pthread_self()

    init(state: LuaState, owner: UnsafeRawPointer, slot: Int64) {
        link = state.link
        self.owner = owner
        self.slot = slot
    }

    deinit {
        // Off the Lua thread, and after the owner, the slot is left to the collector.
        guard pthread_equal(thread, pthread_self()) != 0, let state = link.state else { return }
        clua_release_captured(state.stack.lua, owner, slot)
    }

    /// A table that the function may change, and what it has made of it: it belongs to `owner`.
    public func shared(_ table: LuaTable, of owner: some LuaObject) throws -> LuaKeptTable {
        guard let state = link.state else { throw LuaError(.misuse, "a callback outlived its Lua state") }
        let kept = try state.newTable(in: owner)
        try kept.replace(with: table)
        return kept
    }

    /// Calls the function. What it raises is thrown as a `LuaError`.
    @discardableResult
    public func call(_ arguments: any LuaReturnable...) throws -> [LuaValue] { try call(arguments: arguments) }

    /// The same for a list of arguments, one value each.
    @discardableResult
    public func call(arguments: [any LuaReturnable]) throws -> [LuaValue] {
        try onItsThread { try callHere(arguments) }
    }

    /// Does something on the thread of the state, which where this is another one waits for its work (``LuaThread/handOver``).
    public func onItsThread<Value>(_ body: () throws -> Value) throws -> Value {
        if pthread_equal(thread, pthread_self()) != 0 { return try body() }
        var result = Result<Value, any Error>.failure(
            LuaError(.misuse, "Lua was called on a thread that is not its own"))
        LuaThread.handOver?.perform({ result = Result(catching: body) })
        return try result.get()
    }

    private func callHere(_ arguments: [any LuaReturnable]) throws -> [LuaValue] {
        guard let state = link.state else { throw LuaError(.misuse, "a callback outlived its Lua state") }
        return try state.call(arguments) { lua in
            guard clua_push_captured(lua, owner, slot) else {
                throw LuaError(.misuse, "a callback was called after its owner was collected")
            }
        }
    }
}
