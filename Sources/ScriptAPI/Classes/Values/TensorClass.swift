import Graph
import LuaBridge
import Networks

/// A tensor of a function that is being traced.
final class TensorObject: LuaObject {
    let symbolic: Symbolic
    let trace: Trace

    init(_ symbolic: Symbolic, _ trace: Trace) { (self.symbolic, self.trace) = (symbolic, trace) }
}

extension ScriptHost {
    /// `tensor`: a value of a network or loss that is being traced.
    func tensorClass() -> ObjectClass<TensorObject> {
        let tensors = ObjectClass<TensorObject>("tensor", "A value of a network or loss while its function is traced.")
        tensors.method(
            "shape", "The extents of its axes.", results: [Parameter("extents", .list(of: .integer), "The extents.")]
        ) { tensor, _ in try tensor.symbol().shape }
        let shape = Parameter.optional("shape", .shape, "The extents; {} for a scalar; those of the tensor by default.")
        let result = [Parameter("tensor", .object("tensor"), "The constant.")]
        tensors.method(
            "zeros", "A tensor of zeros, of the same element type: a recurrence's first state, say.",
            parameters: [shape],
            results: result
        ) { tensor, call in
            let shape = try call.shape("shape")
            return try tensor.map { try $0.constant(0, shape: shape ?? $0.shape) }
        }
        tensors.method(
            "full", "A tensor with the same number everywhere, of the same element type.",
            parameters: [Parameter("value", .number, "The number."), shape], results: result
        ) { tensor, call in
            let (value, shape): (Double, [Int]?) = (try call.get("value"), try call.shape("shape"))
            return try tensor.map { try $0.constant(value, shape: shape ?? $0.shape) }
        }
        addArithmetic(to: tensors)
        tensors.infix(.power, "tensor ^ number", .object("tensor")) { (x: TensorObject, p: Double) in
            try x.map { try $0.power(p) }
        }
        tensors.negation { try $0.map { try $0.negated() } }
        tensors.length("The extent of the first axis.") { try $0.symbol().shape.first ?? 1 }
        // x[i] is eoss.at(x, i); nil just behind the last place, where ipairs ends.
        tensors.elements(
            LuaType.object("tensor").orNil,
            "The i-th place of the first axis, as eoss.at(x, i); nil just behind the last."
        ) { tensor, place in
            guard let count = try tensor.symbol().shape.first else {
                throw ArgumentError("place \(place) of a scalar: it has no axes")
            }
            if place == count + 1 { return TensorObject?.none }
            guard (1...max(1, count)).contains(place) else {
                throw ArgumentError(
                    "place \(place) of a tensor of shape \(try tensor.symbol().shape): its first axis has places 1 to \(count)"
                )
            }
            return try tensor.map { try $0.at(place - 1) }
        }
        tensors.description { tensor in
            guard let symbol = try? tensor.symbol() else { return "tensor of a function that has ended" }
            return "tensor \(symbol.type)"
        }
        return tensors
    }
}
