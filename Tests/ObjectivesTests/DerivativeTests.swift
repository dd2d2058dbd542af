import Compute
import Graph
import Testing

@testable import Networks
@testable import Objectives

/// Central differences in f64 with step h have an error of h²/6 times the next derivative but one and of about 1e-16/h from
/// rounding: with h = 1e-5 both lie near 1e-10 of these functions, and the bound leaves a factor of a hundred.
private let step = 1e-5
private let tolerance = 1e-8

@Suite struct DerivativesOfAnObjective {
    static let problems: [(Activation, LossName)] = [
        (.tanh, .mse), (.relu, .mse), (.silu, .halfMSE), (.softplus, .crossEntropy), (.tanh, .crossEntropy),
        (.elu, .mseMean), (.sigmoid, .mse),
    ]

    @Test(arguments: problems)
    func theGradientIsTheSlopeOfTheLoss(_ activation: Activation, _ loss: LossName) throws {
        let problem = try Problem(activation, loss: loss)
        let gradient = try problem.oracle.gradient(at: problem.theta).gradient
        let v = try problem.direction(1)
        let forward = try problem.oracle.evaluate(at: problem.theta + step * v).loss
        let backward = try problem.oracle.evaluate(at: problem.theta - step * v).loss
        let slope = (forward - backward) / (2 * step)
        #expect(abs(try gradient.dot(v) - slope) <= tolerance * max(1, abs(slope)))
    }

    @Test(arguments: problems)
    func theHessianVectorProductIsTheSlopeOfTheGradient(_ activation: Activation, _ loss: LossName) throws {
        let problem = try Problem(activation, loss: loss)
        let v = try problem.direction(1)
        let product = try problem.oracle.linearize(at: problem.theta).apply(v)
        let forward = try problem.oracle.gradient(at: problem.theta + step * v).gradient
        let backward = try problem.oracle.gradient(at: problem.theta - step * v).gradient
        #expect(try relativeDifference(product, (forward - backward) / (2 * step)) < tolerance)
        #expect(try relativeDifference(problem.oracle.directional(at: problem.theta, along: [v]), product) < 1e-12)
        let quadratic = try problem.oracle.quadratic(at: problem.theta, along: v)
        #expect(abs(quadratic - (try v.dot(product))) < 1e-11 * abs(quadratic))
    }

    @Test(arguments: problems)
    func theHessianIsSymmetric(_ activation: Activation, _ loss: LossName) throws {
        let problem = try Problem(activation, loss: loss)
        let (u, v) = (try problem.direction(1), try problem.direction(2))
        let hessian = try problem.oracle.linearize(at: problem.theta)
        let (a, b) = (try u.dot(hessian.apply(v)), try v.dot(hessian.apply(u)))
        #expect(abs(a - b) < 1e-10 * max(abs(a), 1))
    }

    @Test(arguments: problems)
    func theThirdDerivativeIsTheSlopeOfTheHessianVectorProduct(_ activation: Activation, _ loss: LossName) throws {
        let problem = try Problem(activation, loss: loss)
        let (u, v) = (try problem.direction(1), try problem.direction(2))
        let third = try problem.oracle.directional(at: problem.theta, along: [u, v])
        let forward = try problem.oracle.directional(at: problem.theta + step * u, along: [v])
        let backward = try problem.oracle.directional(at: problem.theta - step * u, along: [v])
        #expect(try relativeDifference(third, (forward - backward) / (2 * step)) < 10 * tolerance)
    }

    @Test func derivativesDoNotDependOnTheChunks() throws {
        let whole = try Problem(samples: 13)
        let chunked = try Problem(samples: 13, chunk: 5)
        let v = try whole.direction(1)
        #expect(
            try relativeDifference(
                chunked.oracle.gradient(at: chunked.theta).gradient, whole.oracle.gradient(at: whole.theta).gradient)
                < 1e-13)
        #expect(
            try relativeDifference(
                chunked.oracle.linearize(at: chunked.theta).apply(v), whole.oracle.linearize(at: whole.theta).apply(v))
                < 1e-13)
        #expect(
            abs(
                try chunked.oracle.quadratic(at: chunked.theta, along: v)
                    - whole.oracle.quadratic(at: whole.theta, along: v))
                < 1e-11)
    }

    @Test func aStepOfDescentSubtractsTheGradient() throws {
        for element in [ElementType.f32, .f64] {
            let problem = try Problem(.relu, element: element)
            let batch = [3, 1, 4, 1, 5]
            var stepped = problem.theta
            let loss = try batch.withUnsafeBufferPointer {
                try problem.oracle.descend(&stepped, rate: 0.1, batch: $0)
            }
            let (expectedLoss, gradient) = try problem.oracle.gradient(at: problem.theta, over: .indices(batch))
            let rounding = element == .f32 ? 1e-6 : 1e-14
            #expect(abs(loss - expectedLoss) <= rounding * abs(expectedLoss))
            #expect(try relativeDifference(stepped, problem.theta - 0.1 * gradient) < rounding)
        }
    }

    @Test func aHessianKeepsTheParametersOfItsMoment() throws {
        let problem = try Problem()
        let v = try problem.direction(1)
        var theta = problem.theta
        let hessian = try problem.oracle.linearize(at: theta)
        let before = try hessian.apply(v)
        _ = try problem.oracle.descend(&theta, rate: 0.5)
        #expect(try hessian.apply(v).hasSameBits(as: before))
    }
}
