import Datasets
import Foundation
import Graph
import LuaBridge
import Networks

extension ScriptHost {
    /// `+ - * /` with tensors and numbers, on either side.
    func addArithmetic<Object>(to objects: ObjectClass<Object>) {
        let operators: [(LuaOperator, String, (Symbolic, Symbolic) throws -> Symbolic)] = [
            (.add, "+", { try $0 + $1 }), (.subtract, "-", { try $0 - $1 }), (.multiply, "*", { try $0 * $1 }),
            (.divide, "/", { try $0 / $1 }),
        ]
        for (symbol, spelling, body) in operators {
            let operands = "\(objects.name) \(spelling) numbers, numbers \(spelling) \(objects.name)"
            objects.infix(symbol, operands, .object(objects.name)) { (a: Operand, b: Operand) in
                let rules = Operand.Rules(ofNumbers: { integers($0, symbol) })
                return try Operand.computed([a, b], "'\(spelling)'", rules) { try body($0[0], $0[1]) }
            }
        }
    }
}

/// The numbers with the other sign; integers stay integers.
func negated(_ numbers: Numbers) throws -> LuaValue {
    let rules = Operand.Rules(ofNumbers: { integers($0, .multiply) })
    return try Operand.computed([.numbers(.integer(-1)), .numbers(numbers)], "'-'", rules) { try $0[0] * $0[1] }
}

extension ScriptHost {
    /// `^` with numbers on either side, by the same function as Lua's.
    func addPowers<Object>(to objects: ObjectClass<Object>) {
        objects.infix(.power, "\(objects.name) ^ numbers, numbers ^ \(objects.name)", .object(objects.name)) {
            (a: Numbers, b: Numbers) in
            try Numbers.requireOneShape([a, b], for: "'^'")
            return try Numbers.mapped(a, b, luaPower)
        }
    }
}

/// xᵖ as Lua computes it.
func luaPower(_ x: Double, _ p: Double) -> Double { p == 2 ? x * x : pow(x, p) }

/// x − ⌊x/y⌋·y, with the sign of y, as Lua computes it.
func luaModulo(_ x: Double, _ y: Double) -> Double {
    let rest = fmod(x, y)
    return rest > 0 && y < 0 || rest < 0 && y > 0 ? rest + y : rest
}

/// Sums, differences and products of integers are integers, which wrap around as Lua's do.
private func integers(_ operands: [Numbers], _ symbol: LuaOperator) -> LuaValue? {
    guard operands.contains(where: { !$0.shape.isEmpty }), let left = operands[0].integers,
        let right = operands[1].integers
    else { return nil }
    let combine: (Int64, Int64) -> Int64
    switch symbol {
    case .add: combine = { $0 &+ $1 }
    case .subtract: combine = { $0 &- $1 }
    case .multiply: combine = { $0 &* $1 }
    default: return nil
    }
    let shape = operands[0].shape.isEmpty ? operands[1].shape : operands[0].shape
    let count = max(left.count, right.count)
    let results = (0..<count).map {
        combine(left[left.count == 1 ? 0 : $0], right[right.count == 1 ? 0 : $0])
    }
    return (try? NDArray(results, shape: shape)).map { .object(ArrayObject($0)) }
}
