import Compute
import Curvature
import Dynamics
import Networks
import Objectives
import Testing

@testable import Experiments

/// Curvature in the norms of sign descent and of Muon.
@Suite struct NormSharpnesses {
    /// A linear network, whose Hessian is positive: 15 parameters.
    private func linear(_ rule: any UpdateRule) throws -> Run {
        let model = try Model.multilayerPerceptron(
            inputShape: [4], hidden: [], outputs: 3, activation: .identity, initScale: 1, seed: 1, element: .f64)
        return try Run(
            name: "linear", objective: Objective(model: model, loss: .mse), data: SmallRun.data(), rule: rule,
            batchSize: .full, seed: 1)
    }

    private func hessian(_ run: Run) throws -> [[Double]] {
        let p = run.parameters.count
        let matrix = CurvatureOperator(of: run.oracle, at: run.parameters)
        return try (0..<p).map { i in
            try matrix.apply(Vector((0..<p).map { $0 == i ? 1 : 0 }, element: .f64)).values
        }
    }

    /// Over the corners of the cube, of which one has the maximum of a convex function.
    @Test func signsAgainstAllCorners() throws {
        let run = try linear(SGD(learningRate: 0.01))
        let h = try hessian(run)
        let p = h.count
        // From corner to corner, one sign at a time (Gray): dᵀHd falls by 4dᵢ(Hd)ᵢ − 4Hᵢᵢ.
        var (d, image) = ([Double](repeating: 1, count: p), h.map { $0.reduce(0, +) })
        var value = image.reduce(0, +)
        var most = value
        for corner in 1..<(1 << (p - 1)) {
            let i = corner.trailingZeroBitCount
            value -= 4 * d[i] * image[i] - 4 * h[i][i]
            for j in 0..<p { image[j] -= 2 * h[j][i] * d[i] }
            d[i] = -d[i]
            most = max(most, value)
        }
        let dual = try run.gradient().values.reduce(0) { $0 + abs($1) }
        let found = try run.measure("linf_sharpness", ["products": 200])[0]
        #expect(found.converged == true && found.value * dual <= most * (1 + 1e-9))
        // The problem is that of cutting a graph: there are many local maxima, and the best of some is near the highest.
        #expect(found.value * dual > 0.85 * most, "\(found.value * dual) of \(most)")
    }

    /// The steepest direction is orthogonal in each matrix, and ⟨v, d⟩ the sum of singular values.
    @Test func steepestDirectionsOfMatrices() throws {
        let run = try SmallRun.make()
        var stream = RandomStream(seed: 4, purpose: .test)
        let v = try Vector.randomNormal(count: run.parameters.count, element: .f64, stream: &stream)
        let d = try StepNorm.spectral.steepest(v, run.oracle)
        var dual = 0.0
        for entry in run.objective.model.layout.entries {
            let (rows, columns) = (entry.shape[0], entry.shape.count > 1 ? entry.shape[1] : 1)
            func part(_ vector: Vector, _ i: Int, _ j: Int) -> Double { vector[entry.offset + i * columns + j] }
            if entry.shape.count == 1 {
                let squares = (0..<rows).reduce(0) { $0 + part(d, $1, 0) * part(d, $1, 0) }
                #expect(abs(squares / Double(rows) - 1) < 1e-12)
                let length = (0..<rows).reduce(0) { $0 + part(v, $1, 0) * part(v, $1, 0) }.squareRoot()
                dual += length * Double(rows).squareRoot()
                continue
            }
            // Over the shorter side: the products of d with itself, and the singular values of v.
            let (short, long) = (min(rows, columns), max(rows, columns))
            func entryOf(_ vector: Vector, _ s: Int, _ l: Int) -> Double {
                rows <= columns ? part(vector, s, l) : part(vector, l, s)
            }
            func gram(_ vector: Vector, _ a: Int, _ b: Int) -> Double {
                (0..<long).reduce(0) { $0 + entryOf(vector, a, $1) * entryOf(vector, b, $1) }
            }
            let scale = max(1, Double(rows) / Double(columns)).squareRoot()
            var square = DenseMatrix(zeros: short, short)
            for a in 0..<short {
                for b in 0..<short {
                    #expect(abs(gram(d, a, b) - (a == b ? scale * scale : 0)) < 1e-6, "\(entry.name)")
                    square[a, b] = gram(v, a, b)
                }
            }
            let values = try #require(square.symmetricEigen()).values
            dual += scale * values.reduce(0) { $0 + max(0, $1).squareRoot() }
        }
        #expect(abs(try v.dot(d) / dual - 1) < 1e-6)
        // No other direction of the norm does better.
        #expect(try v.dot(d) > v.norm())
    }

    /// Descent in a norm goes to and fro at its edge: of one number w at |w| = η/2.
    @Test func descentInANormEndsAtItsEdge() throws {
        for (name, settings) in [("sign", ["lr": 0.002]), ("muon", ["lr": 0.002, "beta": 0, "nesterov": 0])] {
            let rule = try #require(RuleCatalogue.declaration(of: name)).make(settings)
            let run = try linear(rule)
            let probe = name == "sign" ? "linf_sharpness" : "spectral_sharpness"
            try run.track(ProbeCatalogue.probe(probe, for: run), every: 10)
            try run.train(TrainingGoal(step: 2000))
            let edge = try #require(run.edge(of: name == "sign" ? .linfSharpness : .spectralSharpness))
            #expect(edge == 1000)
            let series = try run.series(probe)
            let late = series.values.suffix(50)
            let mean = late.reduce(0, +) / Double(late.count)
            #expect(series.values[0] < 0.2 * edge && abs(mean / edge - 1) < 0.3, "\(name): \(mean) of \(edge)")
        }
        let momentum = try linear(#require(RuleCatalogue.declaration(of: "lion")).make(["lr": 0.01]))
        #expect(momentum.edge(of: .linfSharpness) == nil)
    }
}
