import Compute
import Foundation
import Graph
import Testing

/// xᵖ at and around 0, where its derivatives end, vanish or are infinite.
@Suite struct Powers {
    private let scalar = TensorType(.f64)

    /// f, f', f'', … as graphs, each the forward or the reverse derivative of the one before.
    private func derivatives(of g: Graph, orders: Int, reverse: Bool) throws -> [Graph] {
        var graphs = [g]
        for _ in 0..<orders {
            let last = graphs[graphs.count - 1]
            let next =
                try reverse
                ? vjp(last, of: "f", withRespectTo: ["x"]).selecting(outputs: ["x.gradient"])
                : jvp(last, along: ["x"]).selecting(outputs: ["f.tangent"])
            let b = GraphBuilder()
            let x = b.input("x", scalar)
            let values = next.inputs.map { $0.name == "x" ? x : b.constant(1, scalar) }
            graphs.append(b.build(outputs: [("f", b.inline(next, inputs: values)[0])]))
        }
        return graphs
    }

    /// p(p − 1)…(p − k + 1)·xᵖ⁻ᵏ.
    private func derivative(of p: Double, at x: Double, order k: Int) -> Double {
        let coefficient = (0..<k).reduce(1) { $0 * (p - Double($1)) }
        return coefficient == 0 ? 0 : coefficient * pow(x, p - Double(k))
    }

    @Test(arguments: [0, 1, 2, 3, 4, 0.5, 1.5, 2.5, 3.5, 1.0 / 3, -0.5, -1, -2])
    func derivativesAreTheTrueOnesAtZeroToo(
        _ p: Double
    ) throws {
        let b = GraphBuilder()
        let x = b.input("x", scalar)
        let plain = b.build(outputs: [("f", b.emit(Power(exponent: p), x))])
        let other = GraphBuilder()
        let simplest = other.build(outputs: [("f", other.power(other.input("x", scalar), p))])
        for g in [plain, simplest, plain.simplified()] {
            for reverse in [false, true] {
                for (order, graph) in try derivatives(of: g, orders: 4, reverse: reverse).enumerated() {
                    for point in [0, 0.7, 2] {
                        let expected = derivative(of: p, at: point, order: order)
                        for graph in [graph, graph.optimized()] {
                            let value = try Interpreter.run(graph, [Tensor(scalar, [point])])[0].scalar
                            // A handful of roundings.
                            #expect(
                                value == expected || abs(value - expected) < 1e-14 * abs(expected),
                                "order \(order) at \(point): \(value), not \(expected)\n\(graph)")
                        }
                    }
                }
            }
        }
    }

    @Test func aNegativeBaseHasPowersOfWholeExponentsAlone() throws {
        let x = f64([4], [-2, -.infinity, -0.0, .nan])
        #expect(try run(Power(exponent: 3), x).values.prefix(2) == [-8, -.infinity])
        #expect(try run(Power(exponent: -2), x).values.prefix(3) == [0.25, 0, .infinity])
        #expect(try run(Power(exponent: 1.5), x).values.enumerated().allSatisfy { $1.isNaN == ($0 != 2) })
        #expect(try run(Power(exponent: 0), x).values == [1, 1, 1, 1])
        // A number beside f32 is one in f32, and 10⁸ + ½ is whole there.
        #expect(try run(Power(exponent: 1e8 + 0.5), Tensor(TensorType(.f32, [1]), [-1])).values == [1])
        #expect(
            refusal(Power(exponent: .infinity), TensorType(.f32)) == "power takes a finite exponent, not inf")
        #expect(refusal(Power(exponent: 1.5), TensorType(.i32)) == "power is not defined for i32")
    }

    /// f(v, w) = v·relu(w)ᵖ: its Hessian in all the ways there are to it.
    private func hessians(_ p: Double, v: Double, w: Double) throws -> [[Double]] {
        let b = GraphBuilder()
        let (x, y) = (b.input("v", scalar), b.input("w", scalar))
        let g = b.build(outputs: [("f", b.multiply(x, b.power(b.relu(y), p)))])
        let (names, point) = (["v", "w"], [Tensor(scalar, [v]), Tensor(scalar, [w])])
        let gradients = names.map { $0 + ".gradient" }
        let gradient = try vjp(g, of: "f", withRespectTo: names).selecting(outputs: gradients)
        let forward = try jvp(gradient, along: names).selecting(outputs: gradients.map { $0 + ".tangent" })
        let twice = try jvp(jvp(g, along: names).selecting(outputs: ["f.tangent"]), along: names)
            .selecting(outputs: ["f.tangent.tangent"])
        let form = try quadraticForm(g, of: "f", along: names).selecting(outputs: ["f.quadratic"])
        var ways: [[Double]] = [[], [], [], []]
        for direction in [[1.0, 0], [0, 1]] {
            let tangents = direction.map { Tensor(scalar, [$0]) }
            ways[0] += try Interpreter.run(forward, point + tangents).map(\.scalar)
            let row = GraphBuilder()
            let values = [row.input("v", scalar), row.input("w", scalar)]
            let sum = zip(row.inline(gradient, inputs: values), direction).map { row.scale($0, by: $1) }.reduce(
                row.zeros(scalar), row.add)
            let reverse = try vjp(row.build(outputs: [("s", sum)]), of: "s", withRespectTo: names)
            ways[1] += try Interpreter.run(reverse.selecting(outputs: gradients), point).map(\.scalar)
        }
        // By polarisation: uᵀHv = ½((u + v)ᵀH(u + v) − uᵀHu − vᵀHv).
        for (way, graph, doubled) in [(2, twice, true), (3, form, false)] {
            func value(_ direction: [Double]) throws -> Double {
                let tangents = direction.map { Tensor(scalar, [$0]) }
                return try Interpreter.run(graph, point + tangents + (doubled ? tangents : []))[0].scalar
            }
            let (first, second, both) = (try value([1, 0]), try value([0, 1]), try value([1, 1]))
            let mixed = (both - first - second) / 2
            ways[way] = [first, mixed, mixed, second]
        }
        return ways
    }

    /// The derivative of a unit that is off is 0 to every order, whatever the slope of the power that it is put through.
    @Test(arguments: [0.5, 1.0 / 3, 1.5, 2.5, -0.5]) func aUnitThatIsOffHasNoCurvature(_ p: Double) throws {
        for v in [2.0, 0] {
            for w in [0.0, -0.0, -1] where p > 0 {
                for way in try hessians(p, v: v, w: w) { #expect(way.allSatisfy { $0 == 0 }, "\(v), \(w): \(way)") }
            }
            let slope = derivative(of: p, at: 2, order: 1)
            let expected = [0, slope, slope, v * derivative(of: p, at: 2, order: 2)]
            for way in try hessians(p, v: v, w: 2) { #expect(distance([f64([4], way)], [f64([4], expected)]) < 1e-14) }
        }
    }

    @Test func aCoefficientCountsOnlyWhereItsFactorIsNotZero() throws {
        let c = f64([6], [.infinity, -.infinity, .nan, .infinity, 3, .nan])
        let x = f64([6], [0, -0.0, 0, -2, 0, 1])
        let values = try run(MultiplyNonzero(), c, x).values
        #expect(values.prefix(5) == [0, 0, 0, -.infinity, 0] && values[5].isNaN)
        #expect(refusal(MultiplyNonzero(), TensorType(.i32), TensorType(.i32)) != nil)
    }

    /// sqrt(x) for x > 0, else 0: behind a root or a power, a branch that is not taken may be infinite or NaN.
    @Test func aBranchThatIsNotTakenMayBeARootOfANegativeNumber() throws {
        for p in [0.5, 1.5] {
            let b = GraphBuilder()
            let x = b.input("x", TensorType(.f64, [3]))
            let chosen = b.select(b.compare(x, .gt, b.zeros(like: x)), b.power(x, p), b.zeros(like: x))
            let g = b.build(outputs: [("f", b.sum(chosen))])
            let gradient = try vjp(g, of: "f", withRespectTo: ["x"]).selecting(outputs: ["x.gradient"])
            let point = f64([3], [-1, 0, 4])
            #expect(try Interpreter.run(gradient, [point])[0].values == [0, 0, p * pow(4, p - 1)])
            let product = try jvp(gradient, along: ["x"]).selecting(outputs: ["x.gradient.tangent"])
            let expected = [0, 0, p * (p - 1) * pow(4, p - 2)]
            #expect(try Interpreter.run(product, [point, f64([3], [1, 1, 1])])[0].values == expected)
        }
    }

    /// The root of a variance plus ε keeps the plain rule, whose products may be reordered.
    @Test func aRootThatIsKeptFromZeroNeedsNoCare() throws {
        for (epsilon, isPlain) in [(1e-5, true), (0, false), (-1, false)] {
            let b = GraphBuilder()
            let x = b.input("x", TensorType(.f64, [2]))
            let g = b.build(outputs: [("y", b.sqrt(b.add(b.square(x), b.constant(epsilon, b.type(of: x)))))])
            for graph in [try jvp(g, along: ["x"]), try jvp(vmap(g, over: ["x"], size: 3), along: ["x"])] {
                #expect(graph.nodes.contains { $0.operation is MultiplyNonzero } == !isPlain, "\(graph)")
            }
        }
    }
}
