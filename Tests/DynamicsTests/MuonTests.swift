import Compute
import Foundation
import Objectives
import Testing

@testable import Dynamics

/// Muon against its equations in plain loops.
@Suite struct MuonSteps {
    private typealias Matrix = [[Double]]

    private static func product(_ a: Matrix, _ b: Matrix) -> Matrix {
        a.map { row in b[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * b[$1][j] } } }
    }

    private static func transposed(_ a: Matrix) -> Matrix { a[0].indices.map { j in a.map { $0[j] } } }

    private static func orthogonalised(_ matrix: Matrix) -> Matrix {
        let isTall = matrix.count > matrix[0].count
        var x = isTall ? transposed(matrix) : matrix
        let norm = x.flatMap { $0 }.reduce(0) { $0 + $1 * $1 }.squareRoot() + 1e-7
        x = x.map { $0.map { $0 / norm } }
        for _ in 0..<5 {
            let a = product(x, transposed(x))
            let square = product(a, a)
            let b = a.indices.map { i in a.indices.map { j in -4.7750 * a[i][j] + 2.0315 * square[i][j] } }
            let moved = product(b, x)
            x = x.indices.map { i in x[0].indices.map { j in 3.4445 * x[i][j] + moved[i][j] } }
        }
        return isTall ? transposed(x) : x
    }

    @Test(arguments: [true, false]) func everyStepIsThatOfTheEquations(_ isNesterov: Bool) throws {
        let problem = try SmallProblem()
        let (rate, beta, decay) = (0.03, 0.8, 0.1)
        let rule = Muon(learningRate: rate, factor: beta, isNesterov: isNesterov, weightDecay: decay)
        var theta = problem.start.values
        var velocity = [Double](repeating: 0, count: theta.count)
        // As a field's vector is taken, without the gradient in the program; the bound is never reached.
        let clipped = FieldRule(rule, nil, clip: 1e9)
        let paths = (try problem.path(of: rule), try problem.path(of: clipped))
        for (step, batch) in problem.batches.enumerated() {
            let gradient = try problem.gradient(theta, batch)
            for entry in problem.oracle.model.layout.entries {
                let range = entry.offset..<entry.offset + entry.count
                for i in range { velocity[i] = beta * velocity[i] + gradient[i] }
                let direction = range.map { isNesterov ? gradient[$0] + beta * velocity[$0] : velocity[$0] }
                var unit = direction
                if entry.shape.count == 2 {
                    let (rows, columns) = (entry.shape[0], entry.shape[1])
                    let matrix = (0..<rows).map { Array(direction[$0 * columns..<($0 + 1) * columns]) }
                    let scale = max(1, Double(rows) / Double(columns)).squareRoot()
                    unit = Self.orthogonalised(matrix).flatMap { $0 }.map { scale * $0 }
                } else {
                    let mean = direction.reduce(0) { $0 + $1 * $1 } / Double(direction.count)
                    unit = direction.map { $0 / mean.squareRoot() }
                }
                for (i, u) in zip(range, unit) { theta[i] = (1 - rate * decay) * theta[i] - rate * u }
            }
            // The iteration multiplies differences of rounding by up to 3.4⁵, and they grow along the path.
            #expect(distance(paths.0[step].values, theta) < 1e-9, "step \(step)")
            #expect(distance(paths.1[step].values, theta) < 1e-9, "step \(step)")
        }
    }

    /// Of a vector the step has root mean square 1; nothing moves where the gradient is 0.
    @Test func withoutGradientNothingMoves() throws {
        let flat = try Quadratic(curvature: 4)
        var (rule, theta): (any UpdateRule, Vector) = (Muon(learningRate: 0.1), try Vector([0], element: .f64))
        _ = try rule.step(&theta, StepOracle(flat.oracle, batch: nil))
        #expect(theta[0] == 0)
    }
}
