import Compute
import SmallNetworks
import Testing

@testable import Networks
@testable import Objectives

/// The Fisher matrix of labels that the model itself draws.
@Suite struct DrawnTargetsTests {
    private func columns(_ matrix: CurvatureMatrix, _ oracle: Oracle, _ theta: Vector) throws -> [[Double]] {
        let product = try oracle.linearize(matrix, at: theta)
        return try (0..<theta.count).map { index in
            var unit = try Vector(zeros: theta.count, element: .f64)
            unit[index] = 1
            return try product.apply(unit).values
        }
    }

    private func norm(_ columns: [[Double]]) -> Double {
        columns.reduce(0) { $0 + dot($1, $1) }.squareRoot()
    }

    /// 300 draws of the labels of 12 samples: some 3,600 matrices of rank one, whose mean has a relative error of about √(3/3600)
    /// to √(20/3600); a factor of two or of T places would be ten times as much.
    @Test(
        arguments: [
            DenseCurvature.Kind.crossEntropy, .mse, .halfMSE, .mseMean, .binary, .recurrent, .maskedSamples,
            .maskedPlaces, .maskedPlacesOfMSE, .runningStatistics,
        ].map(DenseCurvature.init))
    func theirMeanIsTheGaussNewtonMatrix(_ problem: DenseCurvature) throws {
        let (oracle, theta) = try problem.make()
        let expected = try columns(.ggn, oracle, theta)
        var mean = expected.map { $0.map { _ in 0.0 } }
        let draws = 300
        for seed in 1...draws {
            var stream = RandomStream(seed: UInt64(seed), purpose: .vector, index: 5)
            let fisher = try columns(.fisher, oracle.drawingTargets(at: theta, stream: &stream), theta)
            for j in mean.indices { mean[j] = moved(mean[j], 1 / Double(draws), fisher[j]) }
        }
        let difference = zip(mean, expected).map { moved($0, -1, $1) }
        #expect(norm(difference) < 0.12 * norm(expected), "\(norm(difference) / norm(expected))")
    }

    /// One draw is one matrix: symmetric, and the same whatever it is asked; another seed gives another.
    @Test func oneDrawIsOneMatrix() throws {
        let (oracle, theta) = try DenseCurvature(kind: .crossEntropy).make()
        func fisher(_ seed: UInt64) throws -> [[Double]] {
            var stream = RandomStream(seed: seed, purpose: .vector, index: 5)
            return try columns(.fisher, oracle.drawingTargets(at: theta, stream: &stream), theta)
        }
        let (first, again, other) = (try fisher(1), try fisher(1), try fisher(2))
        #expect(first == again)
        #expect(norm(zip(first, other).map { moved($0, -1, $1) }) > 1e-3 * norm(first))
        for i in first.indices { for j in 0..<i { #expect(abs(first[i][j] - first[j][i]) < 1e-14) } }
    }

    /// Over some samples the matrix is that of these alone, whose labels are drawn in their order.
    @Test func aSelectionIsItsOwnData() throws {
        let (oracle, theta) = try DenseCurvature(kind: .mse).make()
        var stream = RandomStream(seed: 3, purpose: .vector, index: 5)
        let some = try oracle.drawingTargets(at: theta, over: .indices([7, 2, 2]), stream: &stream)
        #expect(some.samples.count == 3)
        let outputs = try oracle.evaluate(at: theta, over: .indices([7, 2, 2])).outputs
        #expect(try some.evaluate(at: theta).outputs == outputs)
    }

    @Test func aLossOfTheUsersSaysNothingOfLabels() throws {
        let (oracle, theta) = try DenseCurvature(kind: .function).make()
        var stream = RandomStream(seed: 3, purpose: .vector, index: 5)
        let error = #expect(throws: (any Error).self) { try oracle.drawingTargets(at: theta, stream: &stream) }
        #expect("\(try #require(error))".contains("'function'"))
    }
}
