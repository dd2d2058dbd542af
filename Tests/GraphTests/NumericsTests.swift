import Graph
import Testing

/// Where a function is smooth but its formula meets an infinity or a kink: forms whose derivatives stay right to third order,
/// and what the plain forms give.
@Suite struct Numerics {
    private let scalar = TensorType(.f64)

    /// Value, gradient, Hessian-vector product and third derivative along ones, of the sum of the outputs.
    private func derivatives(
        _ type: TensorType, at values: [Double], _ f: (GraphBuilder, Value) -> Value
    ) throws -> [[Double]] {
        let b = GraphBuilder()
        let x = b.input("x", type)
        let g = b.build(outputs: [("f", b.sum(f(b, x)))])
        let gradient = try vjp(g, of: "f", withRespectTo: ["x"]).selecting(outputs: ["x.gradient"])
        let product = try jvp(gradient, along: ["x"]).selecting(outputs: ["x.gradient.tangent"])
        let third = try jvp(product, along: ["x"]).selecting(outputs: ["x.gradient.tangent.tangent"])
        let form = try quadraticForm(g, of: "f", along: ["x"]).selecting(outputs: ["f.quadratic"])
        let (point, ones) = (Tensor(type, values), Tensor(type, repeating: 1))
        let results = try [
            Interpreter.run(g, [point]), Interpreter.run(gradient, [point]), Interpreter.run(product, [point, ones]),
            Interpreter.run(third, [point, ones, ones]),
        ].map { $0[0].values }
        let curvature = try Interpreter.run(form, [point, ones])[0].scalar
        if isFinite(results) {
            let expected = results[2].reduce(0, +)
            #expect(abs(curvature - expected) < 1e-9 * max(1, abs(expected)), "quadraticForm is vᵀHv")
        }
        return results
    }
    private func isFinite(_ results: [[Double]]) -> Bool { results.joined().allSatisfy(\.isFinite) }

    // MARK: Masks

    /// softmax over the last axis, shifted by the largest, as a quotient.
    private func softmax(_ b: GraphBuilder, _ x: Value) -> Value {
        let last = b.shape(of: x).count - 1
        func spread(_ v: Value) -> Value { b.broadcast(v, to: b.shape(of: x), dimensions: Array(0..<last)) }
        let e = b.exponential(b.subtract(x, spread(b.detach(b.max(x, dimensions: [last])))))
        return b.divide(e, spread(b.sum(e, dimensions: [last])))
    }
    private func logSoftmax(_ b: GraphBuilder, _ x: Value) -> Value {
        let last = b.shape(of: x).count - 1
        func spread(_ v: Value) -> Value { b.broadcast(v, to: b.shape(of: x), dimensions: Array(0..<last)) }
        let shifted = b.subtract(x, spread(b.detach(b.max(x, dimensions: [last]))))
        return b.subtract(shifted, spread(b.log(b.sum(b.exponential(shifted), dimensions: [last]))))
    }
    /// Row i of the scores keeps columns 0...i; the others are `fill`.
    private func causal(_ b: GraphBuilder, _ scores: Value, fill: Double = -.infinity) -> Value {
        let shape = b.shape(of: scores)
        let (i, j) = (
            b.emit(Iota(type: TensorType(.i32, shape), dimension: 0)),
            b.emit(Iota(type: TensorType(.i32, shape), dimension: 1))
        )
        return b.select(b.compare(j, .le, i), scores, b.constant(fill, b.type(of: scores)))
    }

    @Test func attentionWithAMaskOfMinusInfinityIsSmoothToThirdOrder() throws {
        let b = GraphBuilder()
        let (q, k, v) = (
            b.input("q", TensorType(.f64, [4, 3])), b.input("k", TensorType(.f64, [4, 3])),
            b.input("v", TensorType(.f64, [4, 2]))
        )
        let scores = b.dot(q, k, contracting: ([1], [1]))
        for softmax in [softmax, { b, x in b.exponential(self.logSoftmax(b, x)) }] {
            let attended = b.matmul(softmax(b, causal(b, scores)), v)
            var laws = DerivativeLaws(b.build(outputs: [("y", attended)]), seed: 5)
            try laws.check("causal attention")
        }
    }

    /// The first position sees itself alone, whatever stands behind.
    @Test func aMaskedScoreHasNoInfluenceOfAnyOrder() throws {
        let results = try derivatives(TensorType(.f64, [2, 2]), at: [0.3, 1e200, -0.4, 0.9]) { b, x in
            b.tanh(b.slice(softmax(b, causal(b, x)), starts: [0, 0], limits: [1, 2]))
        }
        #expect(isFinite(results) && results.dropFirst().joined().allSatisfy { $0 == 0 })
    }

    /// 0 · (−∞) is no number: a log-probability that is masked is chosen away, not multiplied away.
    @Test func aMaskedLogProbabilityIsChosenAway() throws {
        let target = Tensor(TensorType(.f64, [2, 2]), [1, 0, 0, 1])
        let type = TensorType(.f64, [2, 2])
        let point = [0.3, 0.7, -0.4, 0.9]
        let multiplied = try derivatives(type, at: point) { b, x in
            b.multiply(b.constant(target), logSoftmax(b, causal(b, x)))
        }
        #expect(multiplied[0][0].isNaN)
        let chosen = try derivatives(type, at: point) { b, x in
            b.multiply(b.constant(target), causal(b, logSoftmax(b, causal(b, x)), fill: 0))
        }
        #expect(isFinite(chosen))
    }

    /// A row without anything left has no softmax; the largest finite negative number instead of −∞ gives it a uniform one.
    @Test func aRowThatIsMaskedWhollyNeedsAFiniteMask() throws {
        func row(_ fill: Double) throws -> [[Double]] {
            try derivatives(TensorType(.f64, [1, 3]), at: [1, 2, 3]) { b, x in
                let mask = b.constant(Tensor(TensorType(.bool, [1, 3]), [0, 0, 0]))
                return b.square(softmax(b, b.select(mask, x, b.constant(fill, b.type(of: x)))))
            }
        }
        #expect(try !isFinite(row(-.infinity)))
        let finite = try row(-1e30)
        #expect(isFinite(finite) && abs(finite[0][0] - 1.0 / 3) < 1e-15)
    }

    @Test func theLargestOfARowOfMinusInfinitiesHasAFiniteDerivative() throws {
        let results = try derivatives(TensorType(.f64, [2]), at: [-.infinity, -.infinity]) { b, x in
            b.max(x, dimensions: [0])
        }
        #expect(results[1] == [1, 0])
    }

    // MARK: Roots and norms

    /// The slope of √ at 0 is infinite, times a tangent of 0. Chosen before the root as well as after it, it is never taken.
    @Test func aNormAtZeroNeedsTheRootChosenAwayOnBothSides() throws {
        func norm(_ isGuarded: Bool) throws -> [[Double]] {
            try derivatives(TensorType(.f64, [3]), at: [0, 0, 0]) { b, x in
                let square = b.sum(b.square(x))
                guard isGuarded else { return b.sqrt(square) }
                let isPositive = b.compare(square, .gt, b.zeros(scalar))
                let safe = b.select(isPositive, square, b.constant(1, scalar))
                return b.select(isPositive, b.sqrt(safe), b.zeros(scalar))
            }
        }
        #expect(try norm(false)[1].allSatisfy(\.isNaN))
        #expect(try norm(true).joined().allSatisfy { $0 == 0 })
    }

    private func layerNorm(_ b: GraphBuilder, _ x: Value, epsilon: Double) -> Value {
        let (shape, last) = (b.shape(of: x), b.shape(of: x).count - 1)
        func mean(_ v: Value) -> Value {
            let mean = b.scale(b.sum(v, dimensions: [last]), by: 1 / Double(shape[last]))
            return b.broadcast(mean, to: shape, dimensions: Array(0..<last))
        }
        let centred = b.subtract(x, mean(x))
        let deviation = b.sqrt(b.add(mean(b.square(centred)), b.constant(epsilon, b.type(of: x))))
        return b.divide(centred, deviation)
    }

    @Test func layerNormIsRightToThirdOrder() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [3, 5]))
        var laws = DerivativeLaws(b.build(outputs: [("y", layerNorm(b, x, epsilon: 1e-5))]), seed: 6)
        try laws.check("layer norm")
    }

    /// Of a constant row the variance is 0 and ε alone stands under the root: steep, but smooth. (ε = 0.1, so that finite
    /// differences see it.)
    @Test func layerNormOfAConstantRowIsSmooth() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [2, 4]))
        let point = Tensor(TensorType(.f64, [2, 4]), [2, 2, 2, 2, 0, 0, 0, 0])
        var laws = DerivativeLaws(
            b.build(outputs: [("y", layerNorm(b, x, epsilon: 0.1))]), point: [point], seed: 7)
        try laws.check("constant rows")
        #expect(
            isFinite(
                try derivatives(point.type, at: point.values) { b, x in b.tanh(layerNorm(b, x, epsilon: 1e-5)) }))
    }

    // MARK: Branches

    /// e^x of the branch that is not taken overflows, and 0 · ∞ is no number: what may overflow is chosen before. At the seam
    /// `minimum` has the derivative of its second operand, which has to be x.
    @Test func anELUChoosesBeforeItsExponential() throws {
        let type = TensorType(.f64, [3])
        let point = [800, 0, -1.0]
        func elu(_ negative: @escaping (GraphBuilder, Value, Value) -> Value) throws -> [[Double]] {
            try derivatives(type, at: point) { b, x in
                let isPositive = b.compare(x, .gt, b.zeros(like: x))
                let below = b.exponentialMinusOne(negative(b, x, isPositive))
                return b.select(isPositive, x, below)
            }
        }
        #expect(try elu { _, x, _ in x }[1][0].isNaN)
        #expect(try elu { b, x, _ in b.minimum(x, b.zeros(like: x)) }[1][1] == 0, "not ELU's slope at 0, which is 1")
        #expect(try elu { b, x, _ in b.minimum(b.zeros(like: x), x) }[1][1] == 1)
        let e = [0, 1, 0.36787944117144233]
        let chosen = try elu { b, x, isPositive in b.select(isPositive, b.zeros(like: x), x) }
        #expect(chosen == [[chosen[0][0]], [1, e[1], e[2]], e, e])
    }

    /// log(1 + e^x) as log(1 + e^−|x|) + max(x, 0): |x| by `select`, of whose branches the derivatives add up to ½ at 0.
    @Test func softplusIsSmoothAtItsSeam() throws {
        func softplus(_ magnitude: @escaping (GraphBuilder, Value) -> Value) throws -> [[Double]] {
            try derivatives(TensorType(.f64, [3]), at: [0, 800, -800]) { b, x in
                b.add(b.logPlusOne(b.exponential(b.negate(magnitude(b, x)))), b.relu(x))
            }
        }
        #expect(try softplus { b, x in b.abs(x) }[1] == [0, 1, 0], "|x| has derivative 0 at 0")
        let chosen = try softplus { b, x in
            b.select(b.compare(x, .gt, b.zeros(like: x)), x, b.negate(x))
        }
        #expect(chosen == [[chosen[0][0]], [0.5, 1, 0], [0.25, 0, 0], [0, 0, 0]])
        // log 2 + 800 to the last place.
        #expect(abs(chosen[0][0] - 800 - 0.6931471805599453) < 1e-12)
    }

    @Test func theDerivativesOfErfVanishFarOut() throws {
        let results = try derivatives(TensorType(.f64, [4]), at: [40, -40, 1e160, -1e160]) { b, x in b.erf(x) }
        #expect(results.dropFirst().joined().allSatisfy { $0 == 0 })
        // GELU: x·½(1 + erf(x/√2)).
        let gelu = try derivatives(TensorType(.f64, [2]), at: [60, -60]) { b, x in
            b.multiply(x, b.scale(b.add(b.ones(like: x), b.erf(b.scale(x, by: 0.5.squareRoot()))), by: 0.5))
        }
        #expect(gelu == [[60], [1, 0], [0, 0], [0, 0]])
    }
}
