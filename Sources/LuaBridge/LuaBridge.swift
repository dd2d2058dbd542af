/// # LuaBridge: Swift and Lua 5.4, both ways
///
/// A `LuaState` runs scripts. What scripts may use is declared first, as values that need no state, and then installed:
///
/// ```swift
/// final class Counter: LuaObject {             // or `extension Run: LuaObject {}` for a class from elsewhere
///     var count = 0
///     var listeners: [LuaCallback] = []
/// }
///
/// let counters = ObjectClass<Counter>("counter", "Counts.")
/// counters.property("count", .integer(.nonNegative), "How many so far.", get: { $0.count }, set: { $0.count = $1 })
/// counters.procedure("listen", "Calls a function at each count.", parameters: [
///     Parameter("fn", .function("(counter)"), "The function."),
/// ]) { counter, call in
///     counter.listeners.append(try call.capture("fn", in: counter))
/// }
/// counters.method("add", "Counts on.", options: [Parameter("by", .integer, default: 1, "By how many.")]) { counter, call in
///     counter.count += try call.get("by", as: Int.self)
///     for listener in counter.listeners { try listener.call(counter) }
///     return counter.count
/// }
/// counters.iterator("each", "Counts up.", results: [Parameter("i", .integer, "The count.")]) { counter, _ in
///     { counter.count += 1; return LuaResults(counter.count) }
/// }
/// counters.infix(.add, "counter + number") { (counter: Counter, n: Int) in counter.count + n }
/// counters.description { "counter at \($0.count)" }
///
/// let lab = Namespace("lab", "A laboratory.")
/// lab.function("counter", "A new counter.", options: [
///     .optional("from", .integer, "Where to begin."),
/// ], results: [Parameter("counter", .object("counter"), "The counter.")]) { call in
///     let counter = Counter()
///     counter.count = try call.get("from", as: Int?.self) ?? 0
///     return counter
/// }
///
/// let state = try LuaState()
/// try state.install(counters)
/// try state.install(lab)
/// try state.run("local c = lab.counter{ from = 3 }; for i in c:each() do if i > 5 then break end end", name: "x.lua")
/// ```
///
/// ## Declarations
/// `FunctionDeclaration` says how a function may be called (positional parameters, a trailing table of options, elements of that
/// table, further arguments); `Parameter` and `LuaType` what each may be. A call that does not fit never reaches the
/// Swift closure: the script gets an error with its file and line, what was expected and what came. Help, completion and
/// reference read the same declarations: `Namespace.members`, `ObjectClass.methods` and `.properties`, `LuaFunction.declaration`.
///
/// ## Errors
/// A closure may throw any Swift error. The script sees an error value with a readable `tostring` and the fields `message`,
/// `position`, `traceback`; when no `pcall` catches it, `LuaState.run` throws a `LuaError` whose `underlying` is the
/// error thrown, with the script's position and traceback. Nothing that Lua does crosses a Swift frame.
///
/// ## Lifetimes
/// An object handed to Lua lives as long as Lua reaches it; the same object is always the same Lua value. A Lua function
/// argument is valid during the call only: `LuaCall.capture(_:in:)` hands it over to an object, and the collector frees
/// both even where the function refers to the object. What an object needs of another object that Lua knows (a model with a
/// loss function in Lua, held by a run) it keeps with `LuaCall.keep(_:in:)`. Objects are released between two calls, never inside
/// the collector, so a `deinit` may do what it likes.
///
/// ## Re-entrance
/// A callback may do anything, such as assign a property of the object whose method is calling it. Hold no `inout` access open
/// across `LuaCallback.call` or `LuaFunction.call`: read what is needed, call, then write.
///
/// ## Stops
/// `LuaState.interrupt` may be used from any thread and from signal handlers. A stop ends the script whatever it does; Swift code
/// that works long between two calls into Lua looks at `interrupt.stopReason` and `interrupt.isPauseRequested`
/// itself.
public enum LuaBridge {}
