import Graph
import LuaBridge
import Networks

/// One tracing of a Lua function: its tensors are symbols, which mean nothing outside of it.
///
/// The function of a recurrence (`eoss.scan`) is traced inside of the function that calls it, into a graph of its own. It may use
/// tensors of the functions around it: these become inputs of its graph, and constants of the recurrence.
final class Trace {
    private let function: ([any LuaPushable]) throws -> [LuaValue]
    let name: String
    private(set) var isOpen = true
    /// The function around this one.
    let outer: Trace?
    /// Where the tensors from around become inputs; nil where there is nothing around.
    private let builder: GraphBuilder?
    /// The function inside of this one that is being traced now.
    private var inner: Trace?
    /// Tensors of the function around that were used here, in the order of their first use, and what stands for them.
    private(set) var lifted: [(outside: Symbolic, inside: Symbolic)] = []
    /// Places in `lifted` by the number of the value outside.
    private var liftedPlaces: [Int: Int] = [:]

    private init(_ function: @escaping ([any LuaPushable]) throws -> [LuaValue], _ name: String) {
        self.function = function
        self.name = name
        (outer, builder) = (nil, nil)
    }

    private init(_ function: LuaFunction, _ name: String, in outer: Trace, _ builder: GraphBuilder) {
        self.function = { try function.call(arguments: $0) }
        self.name = name
        self.outer = outer
        self.builder = builder
    }

    /// Calls `body`, in which the function may be called; its tensors are dead afterwards.
    static func run<Result>(
        _ function: LuaFunction, named name: String, _ body: (Trace) throws -> Result
    ) throws -> Result {
        let trace = Trace({ try function.call(arguments: $0) }, name)
        defer { trace.isOpen = false }
        return try body(trace)
    }

    /// As above, for a function that an object keeps.
    static func run<Result>(
        _ callback: LuaCallback, named name: String, _ body: (Trace) throws -> Result
    ) throws -> Result {
        let trace = Trace({ try callback.call(arguments: $0) }, name)
        defer { trace.isOpen = false }
        return try body(trace)
    }

    /// The same inside of this trace, into a graph of its own.
    func nested<Result>(
        _ function: LuaFunction, named name: String, into builder: GraphBuilder, _ body: (Trace) throws -> Result
    ) throws -> Result {
        let trace = Trace(function, name, in: self, builder)
        inner = trace
        defer {
            trace.isOpen = false
            inner = nil
        }
        return try body(trace)
    }

    /// The innermost function that is being traced: what this one's code runs in.
    var innermost: Trace { inner?.innermost ?? self }

    /// Calls the function and returns the tensor it returns.
    func call(_ arguments: any LuaPushable...) throws -> Symbolic {
        let results = try function(arguments)
        guard let tensor = TensorObject.read(results.first ?? .nil) else {
            throw ArgumentError("\(name) must return a tensor, it returned \(described(results.first ?? .nil))")
        }
        return try symbol(of: tensor)
    }

    /// Calls the function and returns what it returns first.
    func value(_ arguments: [LuaValue]) throws -> LuaValue { try function(arguments).first ?? .nil }

    /// What a tensor is in this function: itself, or an input that stands for a tensor of a function around.
    func symbol(of tensor: TensorObject) throws -> Symbolic {
        if tensor.trace === self { return try tensor.symbol() }
        guard let outer, let builder else {
            throw ArgumentError(
                tensor.trace.isOpen
                    ? "tensors of two different functions cannot be combined" : Trace.lateUse(tensor.trace))
        }
        let outside = try outer.symbol(of: tensor)
        if let place = liftedPlaces[outside.value.id] { return lifted[place].inside }
        let inside = Symbolic(builder.input(" \(lifted.count)", outside.type), in: builder)
        liftedPlaces[outside.value.id] = lifted.count
        lifted.append((outside, inside))
        return inside
    }

    static func lateUse(_ trace: Trace) -> String {
        trace.outer == nil
            ? "a tensor was used after the function it belongs to: keep numbers, not tensors"
            : "a tensor of a step of eoss.scan was used outside of the step: what is needed there must be a carry"
    }

    /// How many functions are around this one.
    private var depth: Int { (outer?.depth).map { $0 + 1 } ?? 0 }

    /// The innermost of the functions that these tensors belong to: where what is computed of them belongs.
    static func of(_ tensors: [TensorObject]) throws -> Trace? {
        for tensor in tensors { _ = try tensor.symbol() }
        return tensors.map(\.trace).max { $0.depth < $1.depth }
    }
}

/// What a function returned, for a message: `a number`, `nothing`.
func described(_ value: LuaValue) -> String {
    switch value {
    case .nil: "nothing (is there a return?)"
    case .object(let object): object is TensorObject ? "a tensor" : "no tensor but another object"
    case .table, .numbers: "a table"
    case .boolean, .integer, .number, .string, .bytes, .function, .foreign: "a \(value.typeName)"
    }
}

extension TensorObject {
    /// The symbol, if its function is still being traced.
    func symbol() throws -> Symbolic {
        guard trace.isOpen else { throw ArgumentError(Trace.lateUse(trace)) }
        return symbolic
    }

    /// An operation on this tensor.
    func map(_ body: (Symbolic) throws -> Symbolic) throws -> TensorObject {
        TensorObject(try body(symbol()), trace)
    }

    /// An operation on two tensors of one function, or of one inside the other.
    func combined(_ other: TensorObject, _ body: (Symbolic, Symbolic) throws -> Symbolic) throws -> TensorObject {
        if trace === other.trace { return TensorObject(try body(symbol(), other.symbol()), trace) }
        return try TensorObject.combined([self, other], "an operation") { try body($0[0], $0[1]) }
    }

    /// An operation on several tensors of one function, or of functions inside each other.
    static func combined(
        _ tensors: [TensorObject], _ what: String, _ body: ([Symbolic]) throws -> Symbolic
    ) throws -> TensorObject {
        guard let trace = try Trace.of(tensors) else { throw ArgumentError("\(what): the list of tensors is empty") }
        return TensorObject(try body(try tensors.map(trace.symbol(of:))), trace)
    }
}
