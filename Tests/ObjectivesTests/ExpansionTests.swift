import Compute
import Foundation
import Graph
import Networks
import SmallNetworks
import Testing

@testable import Objectives

/// Sums by two plans are rounded differently.
private let rounding = 1e-11

/// Expansions of a loss about a point θ₀, against the loss's own derivatives there.
@Suite struct Expansions {
    private static func expanded(_ kind: Expansion, of problem: Problem) throws -> Oracle {
        let objective = try problem.oracle.objective.expanded(kind, about: problem.theta)
        return try Oracle(objective: objective, samples: problem.oracle.samples)
    }

    private static let parts: [BatchSelection] = [.all, .indices([1, 4, 5, 9])]

    @Test(arguments: [LossName.mse, .crossEntropy], [Expansion.hessian, .gaussNewton])
    func valueGradientAndHessianAreThoseOfTheOrigin(_ loss: LossName, _ kind: Expansion) throws {
        let problem = try Problem(.tanh, loss: loss)
        let (oracle, origin) = (problem.oracle, problem.theta)
        let expanded = try Self.expanded(kind, of: problem)
        let matrix: CurvatureMatrix = kind == .hessian ? .hessian : .ggn
        let (delta, u) = (try 0.5 * problem.direction(1), try problem.direction(2))
        for part in Self.parts {
            let (loss, gradient) = try oracle.gradient(at: origin, over: part)
            let curvature = try oracle.linearize(matrix, at: origin, over: part)
            let moved = try curvature.apply(delta)
            let (value, slope) = try expanded.gradient(at: origin + delta, over: part)
            let predicted = try loss + gradient.dot(delta) + 0.5 * delta.dot(moved)
            #expect(abs(value - predicted) < rounding * max(1, abs(predicted)))
            #expect(try relativeDifference(slope, gradient + moved) < rounding)
            // Its Hessian is the same everywhere.
            let product = try expanded.linearize(.hessian, at: origin + delta, over: part).apply(u)
            #expect(try relativeDifference(product, curvature.apply(u)) < rounding)
            let third = try expanded.directional(at: origin, along: [delta, u], over: part)
            #expect(third.norm() < 1e-10 * product.norm())
        }
    }

    @Test func outputsOfTheLinearizedNetwork() throws {
        let problem = try Problem(.tanh, loss: .crossEntropy)
        let (oracle, origin) = (problem.oracle, problem.theta)
        let delta = try problem.direction(1)
        func outputs(_ oracle: Oracle, _ theta: Vector) throws -> [Double] {
            try oracle.evaluate(at: theta).outputs.values
        }
        let h = 1e-4
        let (ahead, behind) = (try outputs(oracle, origin + h * delta), try outputs(oracle, origin - h * delta))
        let here = try outputs(oracle, origin)
        let linear = here.indices.map { here[$0] + (ahead[$0] - behind[$0]) / (2 * h) }
        let second = here.indices.map { linear[$0] + 0.5 * (ahead[$0] - 2 * here[$0] + behind[$0]) / (h * h) }
        for (kind, expected) in [(Expansion.linearized, linear), (.gaussNewton, linear), (.hessian, second)] {
            let own = try outputs(Self.expanded(kind, of: problem), origin + delta)
            // Differences of second order in h² and in ε/h².
            #expect(distance(own, expected) < 1e-6, "\(kind)")
        }
        // Of these outputs the loss is that of the network's loss function.
        let expanded = try Self.expanded(.linearized, of: problem)
        let losses = try expanded.evaluate(at: origin + delta).losses.values
        let samples = try #require(oracle.samples as? RandomSamples)
        for i in losses.indices {
            let (z, y) = (linear[3 * i..<3 * i + 3], samples.targetValues[3 * i..<3 * i + 3])
            let total = z.reduce(0) { $0 + exp($1) }
            let loss = zip(z, y).reduce(0) { $0 - $1.1 * ($1.0 - log(total)) }
            #expect(abs(losses[i] - loss) < 1e-6)
        }
        #expect(throws: GraphError.self) {
            try Self.expanded(.hessian, of: problem).linearize(.ggn, at: origin).apply(delta)
        }
        _ = try expanded.linearize(.ggn, at: origin).apply(delta)
    }

    /// A network that is linear in its parameters is its own expansion under a squared loss, however far away.
    @Test(arguments: Expansion.allCases) func aQuadraticLossIsItsOwnExpansion(_ kind: Expansion) throws {
        let problem = try Problem(hidden: [])
        let expanded = try Self.expanded(kind, of: problem)
        let theta = try problem.theta + 10 * problem.direction(3)
        let (own, loss) = (try expanded.gradient(at: theta), try problem.oracle.gradient(at: theta))
        #expect(abs(own.loss - loss.loss) < rounding * loss.loss)
        #expect(try relativeDifference(own.gradient, loss.gradient) < rounding)
    }

    @Test func stepsDescendTheExpansionOfTheirBatch() throws {
        let problem = try Problem()
        let expanded = try Self.expanded(.hessian, of: problem)
        let batch = [2, 3, 7]
        let start = try problem.theta + 0.3 * problem.direction(4)
        var theta = start
        let loss = try batch.withUnsafeBufferPointer { try expanded.descend(&theta, rate: 0.1, batch: $0) }
        let (value, gradient) = try expanded.gradient(at: start, over: .indices(batch))
        #expect(abs(loss - value) < rounding)
        #expect(try relativeDifference(start - theta, 0.1 * gradient) < rounding)
    }

    @Test func whatHasNoExpansion() throws {
        let normalised = try Objective(model: normalisedModel(), loss: .mse)
        #expect(throws: GraphError.self) { try normalised.expanded(.hessian, about: normalised.model.initial) }
        let once = try Self.expanded(.hessian, of: Problem()).objective
        #expect(throws: GraphError.self) { try once.expanded(.linearized, about: once.model.initial) }
    }
}
