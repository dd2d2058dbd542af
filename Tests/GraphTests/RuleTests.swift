import Compute
import Graph
import Testing

/// Each operation's own rules: alone on random operands, then under tanh, so that what comes before and after has curvature.
struct RuleCase: Sendable, CustomTestStringConvertible {
    let name: String
    let shapes: [[Int]]
    let build: @Sendable (GraphBuilder, [Value]) -> Value
    var testDescription: String { name }

    var graph: Graph { graph { _, x in x } }
    var composed: Graph { graph { b, x in b.tanh(x) } }

    private func graph(_ wrap: (GraphBuilder, Value) -> Value) -> Graph {
        let b = GraphBuilder()
        let inputs = shapes.enumerated().map { b.input("x\($0)", TensorType(.f64, $1)) }
        return b.build(outputs: [("y", wrap(b, build(b, inputs.map { wrap(b, $0) })))])
    }
}

private func positive(_ b: GraphBuilder, _ x: Value) -> Value { b.add(b.constant(1.8, b.type(of: x)), x) }

private func rows(_ b: GraphBuilder, _ shape: [Int], _ numbers: [Double]) -> Value {
    b.constant(Tensor(TensorType(.i32, shape), numbers))
}

private let m = [3, 4]
let ruleCases: [RuleCase] = [
    RuleCase(name: "negate", shapes: [m]) { b, x in b.negate(x[0]) },
    RuleCase(name: "exponential", shapes: [m]) { b, x in b.exponential(x[0]) },
    RuleCase(name: "log", shapes: [m]) { b, x in b.log(positive(b, x[0])) },
    RuleCase(name: "log_plus_one", shapes: [m]) { b, x in b.logPlusOne(b.square(x[0])) },
    RuleCase(name: "sqrt", shapes: [m]) { b, x in b.sqrt(positive(b, x[0])) },
    RuleCase(name: "sqrt of what may be 0", shapes: [m]) { b, x in b.sqrt(b.exponential(x[0])) },
    RuleCase(name: "exponential_minus_one", shapes: [m]) { b, x in b.exponentialMinusOne(x[0]) },
    RuleCase(name: "a power between 1 and 2", shapes: [m]) { b, x in b.power(positive(b, x[0]), 1.5) },
    RuleCase(name: "a power below 0", shapes: [m]) { b, x in b.power(positive(b, x[0]), -0.7) },
    RuleCase(name: "a whole power", shapes: [m]) { b, x in b.power(x[0], 3) },
    RuleCase(name: "a square as a power", shapes: [m]) { b, x in b.emit(Power(exponent: 2), x[0]) },
    RuleCase(name: "multiply_nonzero", shapes: [m, m]) { b, x in b.multiplyNonzero(x[0], x[1]) },
    RuleCase(name: "tanh", shapes: [m]) { b, x in b.tanh(x[0]) },
    RuleCase(name: "logistic", shapes: [m]) { b, x in b.logistic(x[0]) },
    RuleCase(name: "abs", shapes: [m]) { b, x in b.abs(x[0]) },
    RuleCase(name: "sign", shapes: [m]) { b, x in b.multiply(b.sign(x[0]), x[0]) },
    RuleCase(name: "add", shapes: [m, m]) { b, x in b.add(x[0], x[1]) },
    RuleCase(name: "subtract", shapes: [m, m]) { b, x in b.subtract(x[0], x[1]) },
    RuleCase(name: "subtract from a constant", shapes: [m]) { b, x in b.subtract(b.ones(like: x[0]), x[0]) },
    RuleCase(name: "multiply", shapes: [m, m]) { b, x in b.multiply(x[0], x[1]) },
    RuleCase(name: "square", shapes: [m]) { b, x in b.square(x[0]) },
    RuleCase(name: "divide", shapes: [m, m]) { b, x in b.divide(x[0], positive(b, x[1])) },
    RuleCase(name: "reciprocal", shapes: [m]) { b, x in b.divide(b.ones(like: x[0]), positive(b, x[0])) },
    RuleCase(name: "maximum", shapes: [m, m]) { b, x in b.maximum(x[0], x[1]) },
    RuleCase(name: "minimum", shapes: [m, m]) { b, x in b.minimum(x[0], x[1]) },
    RuleCase(name: "relu", shapes: [m]) { b, x in b.relu(x[0]) },
    RuleCase(name: "select", shapes: [m, m, m]) { b, x in
        b.select(b.compare(x[0], .lt, x[1]), b.multiply(x[1], x[2]), b.square(x[0]))
    },
    RuleCase(name: "convert", shapes: [m]) { b, x in b.emit(Convert(to: .f64), x[0]) },
    RuleCase(name: "detach", shapes: [m]) { b, x in
        b.multiply(b.emit(Convert(to: .f64), x[0]), b.constant(0.5, b.type(of: x[0])))
    },
    RuleCase(name: "broadcast_in_dim", shapes: [m]) { b, x in b.broadcast(x[0], to: [2, 3, 5, 4], dimensions: [1, 3]) },
    RuleCase(name: "broadcast of a scalar", shapes: [[]]) { b, x in b.broadcast(x[0], to: [2, 3]) },
    RuleCase(name: "reshape", shapes: [m]) { b, x in b.reshape(x[0], to: [2, 6]) },
    RuleCase(name: "transpose", shapes: [[2, 3, 4]]) { b, x in b.transpose(x[0], [2, 0, 1]) },
    RuleCase(name: "reduce_sum", shapes: [[2, 3, 4]]) { b, x in b.sum(x[0], dimensions: [2, 0]) },
    RuleCase(name: "reduce_max", shapes: [[2, 3, 4]]) { b, x in b.max(x[0], dimensions: [0, 2]) },
    RuleCase(name: "matrix product", shapes: [[3, 4], [4, 2]]) { b, x in b.matmul(x[0], x[1]) },
    RuleCase(name: "product with a transposed matrix", shapes: [[3, 4], [2, 4]]) { b, x in
        b.dot(x[0], x[1], contracting: ([1], [1]))
    },
    RuleCase(name: "Gram matrix", shapes: [[3, 4]]) { b, x in b.dot(x[0], x[0], contracting: ([1], [1])) },
    RuleCase(name: "batched product, axes in any order", shapes: [[2, 3, 5, 2], [3, 2, 2, 4]]) { b, x in
        b.dot(x[0], x[1], contracting: ([3], [2]), batch: ([1, 0], [0, 1]))
    },
    RuleCase(name: "two contracted axes, crossed", shapes: [[2, 3, 5], [3, 4, 2]]) { b, x in
        b.dot(x[0], x[1], contracting: ([0, 1], [2, 0]))
    },
    RuleCase(name: "outer product", shapes: [[3], [2]]) { b, x in b.dot(x[0], x[1], contracting: ([], [])) },
    RuleCase(name: "full contraction", shapes: [m, m]) { b, x in b.inner(x[0], x[1]) },
    RuleCase(name: "slice", shapes: [[4, 5]]) { b, x in
        b.slice(x[0], starts: [1, 0], limits: [4, 5], strides: [1, 2])
    },
    RuleCase(name: "slice that stops short", shapes: [[7, 2]]) { b, x in
        b.slice(x[0], axis: 0, from: 1, to: 6, stride: 3)
    },
    RuleCase(name: "slice of nothing", shapes: [m]) { b, x in b.slice(x[0], axis: 1, from: 2, to: 2) },
    RuleCase(name: "pad", shapes: [m]) { b, x in
        b.pad(x[0], low: [1, 0], high: [0, 2], interior: [2, 1], value: 0.7)
    },
    RuleCase(name: "pad that takes away", shapes: [m]) { b, x in
        b.pad(x[0], low: [-1, 2], high: [3, -1], interior: [0, 1], value: -0.4)
    },
    RuleCase(name: "concatenate", shapes: [[2, 1, 3], [2, 2, 3], [2, 3, 3]]) { b, x in b.concatenate(x, axis: 1) },
    RuleCase(name: "reverse", shapes: [[2, 3, 4]]) { b, x in b.reverse(x[0], dimensions: [2, 0]) },
    RuleCase(name: "erf", shapes: [m]) { b, x in b.erf(x[0]) },
    RuleCase(name: "gather", shapes: [[4, 2]]) { b, x in b.gather(x[0], rows(b, [2, 3], [0, 3, 3, 1, 7, -1])) },
    RuleCase(name: "gather of one row", shapes: [[4, 2]]) { b, x in b.gather(x[0], rows(b, [], [2])) },
    RuleCase(name: "gather, each from its own table", shapes: [[2, 3, 2]]) { b, x in
        b.gather(x[0], rows(b, [2, 2], [2, 0, 1, 1]), batch: 1)
    },
    RuleCase(name: "gather of one element each", shapes: [[2, 3]]) { b, x in
        b.gather(x[0], rows(b, [2], [2, 1]), batch: 1)
    },
    RuleCase(name: "scatter_add", shapes: [[2, 3, 2]]) { b, x in
        b.scatterAdd(rows(b, [2, 3], [0, 3, 3, 1, 7, -1]), x[0], rows: 5)
    },
    RuleCase(name: "scatter_add, each into its own rows", shapes: [[2, 2]]) { b, x in
        b.scatterAdd(rows(b, [2, 2], [2, 0, 1, 1]), x[0], rows: 3, batch: 1)
    },
    RuleCase(name: "concatenate with a constant and itself", shapes: [[3], [2]]) { b, x in
        b.concatenate([x[0], b.constant(2, TensorType(.f64, [2])), b.square(x[0]), x[1]], axis: 0)
    },
]

@Suite struct Rules {
    @Test(arguments: ruleCases) func derivativesOfEachOrderAgreeWithFiniteDifferences(_ rule: RuleCase) throws {
        var alone = DerivativeLaws(rule.graph, seed: 3)
        try alone.check("alone")
        var composed = DerivativeLaws(rule.composed, seed: 4)
        try composed.check("composed")
    }

    @Test(arguments: ruleCases) func aBatchIsALoopForEverySubsetOfOperands(_ rule: RuleCase) throws {
        let names = rule.graph.inputs.map(\.name)
        for subset in 1..<(1 << names.count) {
            let marked = names.indices.filter { subset >> $0 & 1 == 1 }.map { names[$0] }
            try checkBatching(rule.graph, over: marked, size: 3)
            // One more axis, over another subset.
            let again = try vmap(rule.graph, over: marked, size: 3)
            try checkBatching(again, over: [names[names.count - 1]], size: 2)
        }
    }

    @Test func aDetachedValueHasNoDerivative() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [3]))
        let g = b.build(outputs: [("y", b.sum(b.multiply(b.detach(x), x)))])
        let point = Tensor(TensorType(.f64, [3]), [1, 2, 3])
        let gradient = try vjp(g, of: "y", withRespectTo: ["x"]).selecting(outputs: ["x.gradient"])
        #expect(try Interpreter.run(gradient, [point])[0] == point)
    }

    @Test func atATieTheDerivativeIsTheSecondOperandsAndReluHasNone() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64))
        let y = b.input("y", TensorType(.f64))
        let g = b.build(outputs: [("f", b.add(b.maximum(x, y), b.relu(x)))])
        let gradient = try vjp(g, of: "f", withRespectTo: ["x", "y"])
        let zero = Tensor(TensorType(.f64), [0])
        let result = try Interpreter.run(gradient, ["x": zero, "y": zero])
        #expect(result["x.gradient"]?.scalar == 0)
        #expect(result["y.gradient"]?.scalar == 1)
    }

    @Test func theFirstOfTheLargestElementsHasTheDerivative() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [4]))
        let g = b.build(outputs: [("f", b.max(x, dimensions: [0]))])
        let gradient = try vjp(g, of: "f", withRespectTo: ["x"]).selecting(outputs: ["x.gradient"])
        let point = Tensor(TensorType(.f64, [4]), [1, 2, 0, 2])
        #expect(try Interpreter.run(gradient, [point])[0].values == [0, 1, 0, 0])
    }

    /// In row-major order over the axes that disappear, whatever order they are named in; a row of its own for each that stays.
    @Test func theFirstIsTheFirstInRowMajorOrder() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [2, 2, 3]))
        let g = b.build(outputs: [("f", b.sum(b.square(b.max(x, dimensions: [2, 0]))))])
        let point = Tensor(TensorType(.f64, [2, 2, 3]), [0, 4, 4, 1, 0, 0, 4, 0, 0, 3, 0, 3])
        for graph in [g, g.optimized()] {
            let gradient = try vjp(graph, of: "f", withRespectTo: ["x"])
            let results = try Interpreter.run(gradient, [point])
            #expect(results[1].values == [0, 8, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0])
            let product = try jvp(gradient, along: ["x"]).selecting(outputs: ["x.gradient.tangent"])
            let ones = Tensor(point.type, repeating: 1)
            #expect(try Interpreter.run(product, [point, ones])[0].values == [0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0])
        }
    }
}
