import Graph
import LuaBridge
import Networks

/// One tracing of a Lua function: its tensors are symbols, which mean nothing outside of it.
final class Trace {
    private let function: LuaFunction
    private let name: String
    fileprivate(set) var isOpen = true

    private init(_ function: LuaFunction, _ name: String) {
        self.function = function
        self.name = name
    }

    /// Calls `body`, in which the function may be called; its tensors are dead afterwards.
    static func run<Result>(
        _ function: LuaFunction, named name: String, _ body: (Trace) throws -> Result
    ) throws -> Result {
        let trace = Trace(function, name)
        defer { trace.isOpen = false }
        return try body(trace)
    }

    /// Calls the function with these arguments and returns the tensor it returns.
    func call(_ first: some LuaPushable, _ second: some LuaPushable) throws -> Symbolic {
        let results = try function.call(first, second)
        guard let tensor = TensorObject.read(results.first ?? .nil) else {
            throw ArgumentError("\(name) must return a tensor, it returned \(results.first?.typeName ?? "nothing")")
        }
        return try tensor.symbol()
    }
}

extension TensorObject {
    /// The symbol, if its function is still being traced.
    func symbol() throws -> Symbolic {
        guard trace.isOpen else {
            throw ArgumentError("a tensor was used after the function it belongs to: keep numbers, not tensors")
        }
        return symbolic
    }

    /// An operation on this tensor.
    func map(_ body: (Symbolic) throws -> Symbolic) throws -> TensorObject {
        TensorObject(try body(symbol()), trace)
    }

    /// An operation on two tensors of one function.
    func combined(_ other: TensorObject, _ body: (Symbolic, Symbolic) throws -> Symbolic) throws -> TensorObject {
        guard trace === other.trace else {
            throw ArgumentError("tensors of two different functions cannot be combined")
        }
        return TensorObject(try body(symbol(), other.symbol()), trace)
    }
}
