import Graph
import Networks
import Testing

/// Where two pieces of a function meet, its derivatives are those of one of them, to every order: `docs/definitions.md`.
@Suite struct Kinks {
    /// The sum of f over a tensor, its gradient, and the second and third derivatives along ones.
    private func derivatives(
        of f: (Symbolic) throws -> Symbolic, at point: Tensor
    ) throws -> [[Double]] {
        let b = GraphBuilder()
        let result = try f(Symbolic(b.input("x", point.type), in: b))
        let g = b.build(outputs: [("y", result.value), ("f", try result.sum().value)])
        let gradient = try vjp(g, of: "f", withRespectTo: ["x"]).selecting(outputs: ["x.gradient"])
        let second = try jvp(gradient, along: ["x"]).selecting(outputs: ["x.gradient.tangent"])
        let third = try jvp(second, along: ["x"]).selecting(outputs: ["x.gradient.tangent.tangent"])
        let ones = Tensor(point.type, repeating: 1)
        return try [
            Interpreter.run(g, [point])[0], Interpreter.run(gradient, [point])[0],
            Interpreter.run(second, [point, ones])[0], Interpreter.run(third, [point, ones, ones])[0],
        ].map(\.values)
    }

    /// αλ of selu, the slope of its lower piece at 0.
    private static let selu = 1.0507009873554804934193349852946 * 1.6732632423543772848170429916717
    private static let table: [(Activation, Double, [Double])] = [
        (.relu, 0, [0, 0, 0, 0]), (.leakyRelu, 0, [0, 0.01, 0, 0]), (.elu, 0, [0, 1, 1, 1]),
        (.selu, 0, [0, selu, selu, selu]), (.relu6, 0, [0, 0, 0, 0]), (.relu6, 6, [6, 0, 0, 0]),
        (.hardtanh, -1, [-1, 0, 0, 0]), (.hardtanh, 1, [1, 0, 0, 0]), (.hardSigmoid, -3, [0, 0, 0, 0]),
        (.hardSigmoid, 3, [1, 0, 0, 0]), (.hardSwish, -3, [0, 0, 0, 0]), (.hardSwish, 3, [3, 1, 0, 0]),
        (.softsign, 0, [0, 1, 0, 0]),
    ]

    @Test func activationsHaveTheDerivativesOfOnePiece() throws {
        for (activation, point, expected) in Self.table {
            for zero in point == 0 ? [0, -0.0] : [point] {
                let found = try derivatives(of: { try activation($0) }, at: Tensor(TensorType(.f64, [1]), [zero]))
                // Two constants multiplied and added again.
                #expect(
                    zip(found, expected).allSatisfy { abs($0[0] - $1) <= 4e-16 * abs($1) },
                    "\(activation) at \(zero): \(found)")
            }
        }
    }

    /// eˣ − 1 of a small x is x + x²/2 + …: a difference of eˣ and 1 would have no digit of it in f32.
    @Test func eluKeepsTheDigitsOfSmallNumbers() throws {
        for element in [ElementType.f32, .f64] {
            let x = Tensor(TensorType(element, [3]), [-1e-7, -1e-3, -1e-20])
            let exact = ([-1e-7, -1e-3, -1e-20] as [Double]).map { (x: Double) -> Double in
                // Horner's scheme, from the inside.
                var factor: Double = 1
                for k in [5.0, 4, 3, 2] { factor = 1 + x / k * factor }
                return x * factor
            }
            let found = try derivatives(of: { try Activation.elu($0) }, at: x)[0]
            let unit = element == .f32 ? 0x1p-23 : 1e-15
            for (value, expected) in zip(found, exact) { #expect(abs(value - expected) <= unit * abs(expected)) }
            let selu = try derivatives(of: { try Activation.selu($0) }, at: x)[0]
            for (value, expected) in zip(selu, exact) {
                #expect(abs(value - Self.selu * expected) <= 4 * unit * abs(Self.selu * expected))
            }
        }
    }

    @Test func ofEqualElementsTheMedianIsTheMiddleOneInTheirOrder() throws {
        for (elements, slopes) in [
            ([2, 1, 2, 3, 2], [0, 0, 1, 0, 0]), ([2, 2, 2], [0, 1, 0]), ([3, 2, 1, 2], [0, 0.5, 0, 0.5]),
            ([4, 1, 3, 2], [0, 0, 0.5, 0.5]),
        ] as [([Double], [Double])] {
            let found = try derivatives(
                of: { try $0.median() }, at: Tensor(TensorType(.f64, [elements.count]), elements))
            #expect(found[1] == slopes, "\(elements): \(found[1])")
            #expect((found[2] + found[3]).allSatisfy { $0 == 0 })
        }
    }

    /// Of equal elements the first of a window, row by row, whether windows lie side by side or overlap: PyTorch's choice.
    @Test func theFirstOfAWindowHasTheDerivative() throws {
        let zeros = Tensor(TensorType(.f64, [1, 3, 3]), repeating: 0)
        let overlapping = try derivatives(of: { try $0.maxPool2d(2, stride: 1) }, at: zeros)
        #expect(overlapping[1] == [1, 1, 0, 1, 1, 0, 0, 0, 0])
        let square = Tensor(TensorType(.f64, [1, 2, 2]), [0, 1, 1, 0])
        let other = Tensor(TensorType(.f64, [1, 2, 2]), [0, 0, 2, 2])
        for stride in [1, 2] {
            func pool(_ x: Symbolic) throws -> Symbolic {
                let y = try x.maxPool2d(2, stride: stride)
                return try y * y
            }
            #expect(try derivatives(of: pool, at: square) == [[1], [0, 2, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]])
            #expect(try derivatives(of: pool, at: other) == [[4], [0, 0, 4, 0], [0, 0, 2, 0], [0, 0, 0, 0]])
        }
        let three = Tensor(TensorType(.f64, [1, 3, 3]), [0, 0, 1, 0, 1, 0, 1, 0, 0])
        for stride in [1, 3] {
            #expect(
                try derivatives(of: { try $0.maxPool2d(3, stride: stride) }, at: three)[1] == [
                    0, 0, 1, 0, 0, 0, 0, 0, 0,
                ])
        }
    }
}
