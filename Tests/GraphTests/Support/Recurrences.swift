import Graph
import Testing

/// Recurrent networks as the tests' subjects, as a scan and written out step by step.
struct Recurrence: Sendable, CustomTestStringConvertible {
    typealias Step = @Sendable (_ b: GraphBuilder, _ h: [Value], _ x: [Value], _ c: [Value]) -> [Value]

    let name: String
    /// Shapes of one step.
    let carries: [[Int]]
    var stacked: [[Int]] = []
    var constants: [[Int]] = []
    let step: Step
    var testDescription: String { name }

    /// Inputs: the initial carries `h0`, …, the stacks `x0`, …, the constants `c0`, …; outputs: the results.
    func graph(length: Int, reverse: Bool = false, isUnrolled: Bool = false) throws -> Graph {
        let b = GraphBuilder()
        let h = carries.enumerated().map { b.input("h\($0)", TensorType(.f64, $1)) }
        let x = stacked.enumerated().map { b.input("x\($0)", TensorType(.f64, [length] + $1)) }
        let c = constants.enumerated().map { b.input("c\($0)", TensorType(.f64, $1)) }
        let results =
            isUnrolled
            ? unrolled(b, h, x, c, length: length, reverse: reverse)
            : try b.scan(
                carries: h, stacked: x, constants: c, length: length, reverse: reverse, step: step)
        return b.build(outputs: results.enumerated().map { ("y\($0)", $1) })
    }

    private func unrolled(
        _ b: GraphBuilder, _ h: [Value], _ x: [Value], _ c: [Value], length: Int, reverse: Bool
    ) -> [Value] {
        var current = h
        var rows: [Int: [Value]] = [:]
        for t in reverse ? Array((0..<length).reversed()) : Array(0..<length) {
            let slices = x.map { stack in
                b.reshape(b.slice(stack, axis: 0, from: t, to: t + 1), to: Array(b.shape(of: stack).dropFirst()))
            }
            current = step(b, current, slices, c)
            rows[t] = current.map { b.reshape($0, to: [1] + b.shape(of: $0)) }
        }
        return h.indices.map { carry in b.concatenate((0..<length).compactMap { rows[$0]?[carry] }, axis: 0) }
    }

    static let linear = Recurrence(name: "linear", carries: [[3]], stacked: [[3]], constants: [[3, 3]]) { b, h, x, c in
        [b.add(b.scale(b.matmul(c[0], h[0]), by: 0.5), x[0])]
    }

    /// h' = tanh(Uh + Wx + bias).
    static let rnn = Recurrence(
        name: "tanh", carries: [[3]], stacked: [[2]], constants: [[3, 3], [3, 2], [3]]
    ) { b, h, x, c in
        [b.tanh(b.add(b.add(b.matmul(c[0], h[0]), b.matmul(c[1], x[0])), c[2]))]
    }

    /// Two carries, h and c; four gates of two units each.
    static let lstm = Recurrence(
        name: "lstm", carries: [[2], [2]], stacked: [[3]], constants: [[8, 2], [8, 3], [8]]
    ) { b, h, x, c in
        let gates = b.add(b.add(b.matmul(c[0], h[0]), b.matmul(c[1], x[0])), c[2])
        let width = b.shape(of: h[0])[0]
        let parts = (0..<4).map { b.slice(gates, axis: 0, from: $0 * width, to: ($0 + 1) * width) }
        let cell = b.add(
            b.multiply(b.logistic(parts[1]), h[1]), b.multiply(b.logistic(parts[0]), b.tanh(parts[2])))
        return [b.multiply(b.logistic(parts[3]), b.tanh(cell)), cell]
    }

    /// h' = exp(Δ A) ⊙ h + Δ B x, channel by channel, as in Mamba.
    static let selective = Recurrence(
        name: "selective", carries: [[2, 3]], stacked: [[2], [3]], constants: [[2, 3]]
    ) { b, h, x, c in
        let delta = b.broadcast(x[0], to: [2, 3], dimensions: [0])
        let decay = b.exponential(b.multiply(delta, c[0]))
        return [b.add(b.multiply(decay, h[0]), b.multiply(delta, b.broadcast(x[1], to: [2, 3])))]
    }

    /// One carry that depends on the constants alone, and one that depends on it.
    static let chained = Recurrence(name: "chained", carries: [[2], [2]], stacked: [[2]], constants: [[2]]) {
        b, h, x, c in
        [b.tanh(b.add(h[0], c[0])), b.multiply(b.add(b.square(h[1]), x[0]), b.scale(h[0], by: 0.3))]
    }

    /// Nothing recurs.
    static let flat = Recurrence(name: "no recurrence", carries: [[2]], stacked: [[2]], constants: [[2]]) {
        b, h, x, c in
        [b.multiply(b.tanh(x[0]), c[0])]
    }

    /// A recurrence whose step is a recurrence: what is left of an inner scan of three steps.
    static let nested = Recurrence(name: "nested", carries: [[2]], stacked: [[3, 2]], constants: [[2]]) { b, h, x, c in
        var current = h[0]
        do {
            let inner = try b.scan(carries: [h[0]], stacked: [x[0]], constants: [c[0]]) { b, h, x, c in
                [b.tanh(b.add(b.multiply(h[0], c[0]), x[0]))]
            }
            current = b.reshape(b.slice(inner[0], axis: 0, from: 2, to: 3), to: [2])
        } catch { preconditionFailure("\(error)") }
        return [b.add(current, b.scale(h[0], by: 0.5))]
    }

    static let all = [linear, rnn, lstm, selective, chained, flat, nested]
}
