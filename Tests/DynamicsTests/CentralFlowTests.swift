import Compute
import Curvature
import Foundation
import Networks
import Objectives
import Testing

@testable import Dynamics

/// One step of each central flow against its equations, written out over dense matrices: third derivatives by central differences of Hessians,
/// X by a search over its supports.
@Suite struct CentralFlows {
    /// The flow at one point, densely.
    private struct Dense {
        let problem: SmallProblem
        let kind: CentralFlow.Kind
        let rate: Double
        let factor: Double
        let epsilon: Double
        let theta: Vector
        /// One for each parameter, whatever the kind; of no meaning for gradient descent.
        let nu: [Double]

        func hessian(_ point: Vector) throws -> DenseMatrix {
            try dense(of: CurvatureOperator(of: problem.oracle, at: point))
        }
        var p: [Double] { nu.map { kind == .descent ? 1 / rate : ($0.squareRoot() + epsilon) / rate } }

        /// λ and u, the largest first: P^{−½}HP^{−½}v = λv, u = P^{−½}v.
        func modes() throws -> (values: [Double], vectors: [[Double]]) {
            var matrix = try hessian(theta)
            let roots = p.map { $0.squareRoot() }
            for i in roots.indices { for j in roots.indices { matrix[i, j] /= roots[i] * roots[j] } }
            let (values, vectors) = try #require(matrix.symmetricEigen())
            let order = values.indices.sorted { values[$0] > values[$1] }
            return (order.map { values[$0] }, order.map { c in roots.indices.map { vectors[$0, c] / roots[$0] } })
        }

        /// vᵀ(dH/ds)w along a direction: dH/ds by central differences.
        func third(_ direction: [Double]) throws -> DenseMatrix {
            let size = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let step = 1e-4 / size
            let move = try Vector(direction.map { $0 * step }, element: .f64)
            let (ahead, behind) = (try hessian(theta + move), try hessian(theta - move))
            return DenseMatrix(
                rows: ahead.rows, columns: ahead.columns,
                values: zip(ahead.values, behind.values).map { ($0 - $1) / (2 * step) })
        }

        static func form(_ v: [Double], _ matrix: DenseMatrix, _ w: [Double]) -> Double {
            var sum = 0.0
            for i in v.indices { for j in w.indices { sum += v[i] * matrix[i, j] * w[j] } }
            return sum
        }

        /// dθ/dt, dν/dt, tr X and tr((HU)X(HU)ᵀ).
        func flow(_ dt: Double, oscillating k: Int) throws -> (
            theta: [Double], nu: [Double], trace: Double, squares: Double
        ) {
            let g = try problem.oracle.gradient(at: theta).gradient.values
            let (values, all) = try modes()
            let u = Array(all.prefix(k))
            #expect(values[..<k].allSatisfy { $0 >= 1.95 } && values[k] < 1.95, "\(values.prefix(k + 1))")
            let p = p
            let changes = try u.map(third)
            // ∇³L[uᵢ, uⱼ] = (dH/duᵢ)uⱼ.
            let terms = (0..<k).map { i in
                (0..<k).map { j in g.indices.map { a in g.indices.reduce(0) { $0 + changes[i][a, $1] * u[j][$1] } } }
            }
            func velocity(_ x: [[Double]]) -> [Double] {
                g.indices.map { a in
                    var slope = g[a]
                    for i in 0..<k { for j in 0..<k { slope += x[i][j] * terms[i][j][a] / 2 } }
                    return -slope / p[a]
                }
            }
            func squares(_ x: [[Double]]) -> [Double] {
                g.indices.map { a in
                    var sum = 0.0
                    for i in 0..<k { for j in 0..<k { sum += x[i][j] * 4 * p[a] * p[a] * u[i][a] * u[j][a] } }
                    return sum
                }
            }
            func drift(_ x: [[Double]]) -> [Double] {
                guard kind != .descent else { return g.map { _ in 0 } }
                let mean = zip(g, squares(x)).map { $0 * $0 + $1 }
                let sum = mean.reduce(0, +)
                return nu.indices.map { (1 - factor) / factor * ((kind == .rmsprop ? mean[$0] : sum) - nu[$0]) }
            }
            func slack(_ x: [[Double]]) throws -> [[Double]] {
                let (velocity, drift) = (velocity(x), drift(x))
                return (0..<k).map { i in
                    (0..<k).map { j in
                        var value = i == j ? 2 - values[i] : 0
                        for a in g.indices {
                            let turned = kind == .descent ? 0 : drift[a] / (rate * nu[a].squareRoot())
                            value += dt * (u[i][a] * u[j][a] * turned - terms[i][j][a] * velocity[a])
                        }
                        return value
                    }
                }
            }
            let x = try k == 1 ? one(slack) : two(slack)
            let total = squares(x).reduce(0, +)
            return (velocity(x), drift(x), (0..<k).reduce(0) { $0 + x[$1][$1] }, total)
        }

        private func one(_ slack: ([[Double]]) throws -> [[Double]]) throws -> [[Double]] {
            let offset = try slack([[0]])[0][0]
            return [[max(0, -offset / (try slack([[1]])[0][0] - offset))]]
        }

        /// X of rank 0, 1 or 2: A is affine in X, so its values at 0 and at three matrices give all of it.
        private func two(_ slack: ([[Double]]) throws -> [[Double]]) throws -> [[Double]] {
            func three(_ x: [[Double]]) -> [Double] { [x[0][0], x[0][1], x[1][1]] }
            func matrix(_ x: [Double]) -> [[Double]] { [[x[0], x[1]], [x[1], x[2]]] }
            let offset = three(try slack(matrix([0, 0, 0])))
            let columns = try [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]].map { unit in
                zip(three(try slack(matrix(unit))), offset).map { $0 - $1 }
            }
            func image(_ x: [Double]) -> [Double] {
                (0..<3).map { row in (0..<3).reduce(offset[row]) { $0 + columns[$1][row] * x[$1] } }
            }
            func smallest(_ a: [Double]) -> Double {
                (a[0] + a[2]) / 2 - ((a[0] - a[2]) * (a[0] - a[2]) / 4 + a[1] * a[1]).squareRoot()
            }
            let size = offset.map(abs).max() ?? 1
            if smallest(offset) >= 0 { return matrix([0, 0, 0]) }
            // A(X) = 0, by Cramer's rule.
            func determinant(_ a: [[Double]]) -> Double {
                a[0][0] * (a[1][1] * a[2][2] - a[2][1] * a[1][2]) - a[1][0] * (a[0][1] * a[2][2] - a[2][1] * a[0][2])
                    + a[2][0] * (a[0][1] * a[1][2] - a[1][1] * a[0][2])
            }
            let whole = determinant(columns)
            let full = (0..<3).map { place -> Double in
                var changed = columns
                changed[place] = offset.map { -$0 }
                return determinant(changed) / whole
            }
            if smallest(full) >= 0 { return matrix(full) }
            // X = s·qqᵀ with A(X)q = 0, over the angle of q.
            func ray(_ angle: Double) -> [Double] {
                let (c, s) = (cos(angle), cos(angle - .pi / 2))
                let unit = [c * c, c * s, s * s]
                func along(_ a: [Double]) -> Double { c * c * a[0] + 2 * c * s * a[1] + s * s * a[2] }
                let slope = along(zip(image(unit), offset).map { $0 - $1 })
                let length = max(0, -along(offset) / slope)
                return unit.map { $0 * length }
            }
            func across(_ angle: Double) -> Double {
                let (c, s, a) = (cos(angle), cos(angle - .pi / 2), image(ray(angle)))
                return -s * (c * a[0] + s * a[1]) + c * (c * a[1] + s * a[2])
            }
            for part in 0..<4000 {
                var (low, high) = (.pi * Double(part) / 4000, .pi * Double(part + 1) / 4000)
                guard across(low) * across(high) <= 0 else { continue }
                for _ in 0..<60 {
                    let middle = (low + high) / 2
                    if across(low) * across(middle) <= 0 { high = middle } else { low = middle }
                }
                let x = ray(low)
                if x[0] + x[2] > 0, smallest(image(x)) > -1e-9 * size { return matrix(x) }
            }
            Issue.record("no X was found")
            return matrix([0, 0, 0])
        }
    }

    private static let cases: [(CentralFlow.Kind, Int)] = CentralFlow.Kind.allCases.flatMap { [($0, 1), ($0, 2)] }

    /// From where a few steps of the rule itself lead, at a rate that lets k eigenvalues oscillate.
    @Test(arguments: cases) func aStepIsThatOfTheEquations(kind: CentralFlow.Kind, k: Int) throws {
        let problem = try SmallProblem()
        let (factor, epsilon) = (0.9, 1e-3)
        var rule: any UpdateRule =
            kind == .descent
            ? SGD(learningRate: 0.01)
            : try AdaptiveGradient(
                learningRate: 0.01, kind: kind == .rmsprop ? .rmsprop : .scalarRMSProp, factor: factor, epsilon: epsilon
            )
        var theta = problem.start
        // Where the loss is small, so that what there is of ∇L does not lower the curvature by as much as is too much.
        for _ in 0..<(kind == .rmsprop ? 15 : 1500) {
            _ = try rule.step(&theta, StepOracle(problem.oracle, batch: nil))
        }
        // ν has the gradient at θ.
        let gradient = try problem.oracle.gradient(at: theta).gradient
        var nu = [Double](repeating: 1, count: theta.count)
        if kind == .rmsprop {
            nu = zip(rule.state.vectors[0].values, gradient.values).map { factor * $0 + (1 - factor) * $1 * $1 }
        } else if kind == .scalarRMSProp {
            nu = nu.map { _ in factor * rule.state.numbers[0] + (1 - factor) * gradient.squaredNorm }
        }
        func dense(_ rate: Double) -> Dense {
            Dense(problem: problem, kind: kind, rate: rate, factor: factor, epsilon: epsilon, theta: theta, nu: nu)
        }
        let values = try dense(1).modes().values
        let rate = (kind == .rmsprop ? 2.01 : 2.05) / values[k - 1]
        rule.learningRate = rate
        var flow = try #require(try CentralFlow(of: rule, substeps: 1))
        flow.tolerance = 1e-9
        let expected = try dense(rate).flow(1, oscillating: k)
        var moved = theta
        _ = try flow.step(&moved, StepOracle(problem.oracle, batch: nil))
        #expect(flow.oscillating == k && flow.oscillation > 0)
        // Central differences of third derivatives are off by about 1e-7 of them.
        #expect(distance(try (moved - theta).values, expected.theta) < 1e-5)
        #expect(abs(flow.oscillation / expected.trace - 1) < 1e-5)
        #expect(abs(flow.gradientOscillation / expected.squares - 1) < 1e-5)
        if kind != .descent {
            let own = flow.state.inner[0]
            let found = kind == .rmsprop ? own.vectors[0].values : [own.numbers[0]]
            let wanted = found.indices.map { nu[$0] + expected.nu[$0] }
            #expect(distance(found, wanted) < 1e-5)
            // What the next step is divided by.
            guard case .some(let preconditioner) = try flow.preconditioner() else {
                Issue.record("no preconditioner")
                return
            }
            let one = try preconditioner.power(
                1, times: Vector([Double](repeating: 1, count: theta.count), element: .f64))
            #expect(distance(Array(one.values.prefix(found.count)), found.map { $0.squareRoot() + epsilon }) < 1e-12)
        }
    }

    /// Below the edge all flows are dθ/dt = −P⁻¹∇L, and ν follows the squared gradient: against small steps of Euler's method over arrays.
    @Test(arguments: [CentralFlow.Kind.rmsprop, .scalarRMSProp]) func theStableFlow(kind: CentralFlow.Kind) throws {
        let problem = try SmallProblem()
        var flow = try CentralFlow(
            learningRate: 0.001, kind: kind, factor: 0.8, epsilon: 1e-2, substeps: 8, isStable: true)
        var theta = problem.start
        for _ in 0..<3 { _ = try flow.step(&theta, StepOracle(problem.oracle, batch: nil)) }
        var (point, nu) = (problem.start.values, [Double]())
        for part in 0..<24 {
            let g = try problem.oracle.gradient(at: Vector(point, element: .f64)).gradient.values
            let sum = g.reduce(0) { $0 + $1 * $1 }
            let squares = g.map { kind == .rmsprop ? $0 * $0 : sum }
            if part == 0 { nu = squares.map { 0.2 * $0 } }
            for i in point.indices {
                point[i] -= 0.001 / (nu[i].squareRoot() + 1e-2) * g[i] / 8
                nu[i] += 0.25 * (squares[i] - nu[i]) / 8
            }
        }
        #expect(flow.oscillating == 0 && distance(theta.values, point) < 1e-12)
    }

    @Test func settingsThatCannotBe() throws {
        #expect(throws: UpdateRuleError.self) { try CentralFlow(learningRate: 1, substeps: 1.5) }
        let error = #expect(throws: UpdateRuleError.self) {
            try CentralFlow(learningRate: 1, kind: .rmsprop, factor: 0)
        }
        #expect(error?.description == "rmsprop_central_flow: beta2 must be above 0 and below 1, not 0.0")
        #expect(try CentralFlow(of: Adam(learningRate: 1)) == nil)
        #expect(try CentralFlow(of: SGD(learningRate: 1, weightDecay: 0.1)) == nil)
        // Without ε a parameter that never had a gradient has nothing to be divided by.
        let flat = try Quadratic(curvature: 0)
        var flow = try CentralFlow(learningRate: 1, kind: .rmsprop)
        var w = try Vector([1], element: .f64)
        #expect(throws: UpdateRuleError.notPositive(rule: "rmsprop_central_flow", count: 1)) {
            try flow.step(&w, StepOracle(flat.oracle, batch: nil))
        }
    }
}
