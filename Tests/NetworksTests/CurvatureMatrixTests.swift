import Compute
import Graph
import Testing

@testable import Networks

@Suite struct CurvatureMatrices {
    /// (1/n) Σ of outer products of Jacobians' rows by central differences of losses or outputs, in f64 with step 1e-5: an
    /// error of about 1e-10.
    @Test(arguments: [CurvatureMatrix.fisher, .ntk])
    func productsAreThoseOfTheDenseMatrix(_ matrix: CurvatureMatrix) throws {
        let problem = try Problem(.tanh, loss: .crossEntropy, hidden: [4])
        let (oracle, theta, h) = (problem.oracle, problem.theta, 1e-5)
        func values(_ theta: Vector) throws -> [Double] {
            let result = try oracle.evaluate(at: theta)
            return matrix == .fisher ? result.losses : result.outputs
        }
        let columns = try (0..<theta.count).map { index in
            var unit = [Double](repeating: 0, count: theta.count)
            unit[index] = h
            let step = try Vector(unit, element: .f64)
            return try zip(values(theta + step), values(theta - step)).map { ($0 - $1) / (2 * h) }
        }
        let v = try problem.direction(1)
        let pushed = columns[0].indices.map { row in zip(columns, v.values).reduce(0) { $0 + $1.0[row] * $1.1 } }
        let n = Double(oracle.samples.count)
        let expected = try Vector(
            columns.map { column in zip(column, pushed).reduce(0) { $0 + $1.0 * $1.1 } / n }, element: .f64)
        let product = try oracle.linearize(matrix, at: theta).apply(v)
        #expect(try relativeDifference(product, expected) < 1e-8)
        let form = try oracle.quadratic(matrix, at: theta, along: v)
        #expect(abs(form - (try v.dot(product))) < 1e-12 * abs(form))
    }

    /// For `mse` the second derivative of the loss by the outputs is 2I.
    @Test func ofMSETheGaussNewtonMatrixIsTwiceTheTangentKernel() throws {
        let problem = try Problem(.silu, loss: .mse)
        let v = try problem.direction(1)
        let ggn = try problem.oracle.linearize(.ggn, at: problem.theta).apply(v)
        let ntk = try problem.oracle.linearize(.ntk, at: problem.theta).apply(v)
        #expect(try relativeDifference(ggn, 2 * ntk) < 1e-14)
    }

    /// Of a model that is linear in its parameters.
    @Test(arguments: [LossName.mse, .halfMSE, .mseMean, .crossEntropy])
    func ofALinearModelTheGaussNewtonMatrixIsTheHessian(_ loss: LossName) throws {
        let problem = try Problem(loss: loss, hidden: [])
        let v = try problem.direction(1)
        let ggn = try problem.oracle.linearize(.ggn, at: problem.theta).apply(v)
        #expect(try relativeDifference(ggn, problem.oracle.linearize(at: problem.theta).apply(v)) < 1e-13)
    }
}
