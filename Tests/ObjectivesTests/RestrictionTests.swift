import Compute
import Graph
import Networks
import SmallNetworks
import Testing

@testable import Objectives

/// A loss restricted to a space of directions, against the loss at the point that a θ stands for, and dense projectors.
@Suite struct Restrictions {
    private static let rounding = 1e-11

    /// Orthonormal vectors by Gram and Schmidt, twice.
    private static func basis(_ k: Int, of problem: Problem) throws -> [Vector] {
        var basis: [Vector] = []
        for index in 0..<k {
            var v = try problem.direction(10 + UInt64(index))
            for _ in 0..<2 { for u in basis { try v.add(-u.dot(v), u) } }
            basis.append(try (1 / v.norm()) * v)
        }
        return basis
    }

    private static func projected(_ v: Vector, _ basis: [Vector], _ kind: Restriction) throws -> Vector {
        var inside = try Vector(zeros: v.count, element: v.element)
        for u in basis { try inside.add(u.dot(v), u) }
        return kind == .topSubspace ? inside : try v - inside
    }

    @Test(arguments: Restriction.allCases, [1, 3])
    func gradientAndHessianAreProjected(_ kind: Restriction, _ k: Int) throws {
        let problem = try Problem(.tanh, loss: .crossEntropy)
        let (oracle, origin) = (problem.oracle, problem.theta)
        let basis = try Self.basis(k, of: problem)
        let restricted = try Oracle(
            objective: oracle.objective.restricted(kind, by: basis, about: origin), samples: oracle.samples)
        let (delta, u, w) = (try problem.direction(1), try problem.direction(2), try problem.direction(3))
        func project(_ v: Vector) throws -> Vector { try Self.projected(v, basis, kind) }
        let (theta, point) = (try origin + delta, try origin + project(delta))
        for part in [BatchSelection.all, .indices([1, 4, 5, 9])] {
            let (loss, gradient) = try oracle.gradient(at: point, over: part)
            let (own, slope) = try restricted.gradient(at: theta, over: part)
            #expect(abs(own - loss) < Self.rounding * abs(loss))
            #expect(try relativeDifference(slope, project(gradient)) < Self.rounding)
            for matrix in [CurvatureMatrix.hessian, .ggn] {
                let product = try oracle.linearize(matrix, at: point, over: part).apply(project(u))
                #expect(
                    try relativeDifference(
                        restricted.linearize(matrix, at: theta, over: part).apply(u), project(product))
                        < Self.rounding)
            }
            let third = try oracle.directional(at: point, along: [project(u), project(w)], over: part)
            #expect(
                try relativeDifference(
                    restricted.directional(at: theta, along: [u, w], over: part), project(third)) < Self.rounding)
        }
        let batches = Array(0..<12)
        let found = try restricted.batchCurvature(at: theta, batches: batches, size: 4)
        for (index, batch) in found.enumerated() {
            let rows = Array(batches[4 * index..<4 * index + 4])
            let g = try project(oracle.gradient(at: point, over: .indices(rows)).gradient)
            let product = try oracle.linearize(.hessian, at: point, over: .indices(rows)).apply(g)
            #expect(try abs(batch.ratio - g.dot(product) / g.squaredNorm) < 1e-9 * abs(batch.ratio))
        }
    }

    @Test func aStepStaysInside() throws {
        let problem = try Problem()
        let basis = try Self.basis(2, of: problem)
        let objective = try problem.oracle.objective.restricted(.topSubspace, by: basis, about: problem.theta)
        let oracle = try Oracle(objective: objective, samples: problem.oracle.samples)
        var theta = problem.theta
        let batch = [2, 3, 7]
        for _ in 0..<5 { _ = try batch.withUnsafeBufferPointer { try oracle.descend(&theta, rate: 0.1, batch: $0) } }
        let moved = try theta - problem.theta
        #expect(try moved.norm() > 0 && relativeDifference(moved, Self.projected(moved, basis, .topSubspace)) < 1e-12)
    }

    /// With batch statistics, of both kinds.
    @Test(arguments: [StatisticsUse.batch, .running]) func normalisedNetworks(_ use: StatisticsUse) throws {
        let base = try Objective(model: normalisedModel(), loss: .mse)
        let samples = try RandomSamples(count: 8, inputs: 5, outputs: base.model.outputCount)
        let oracle = try Oracle(objective: base, samples: samples).with(use: use)
        let origin = base.model.initial
        var u = try Vector(zeros: origin.count, element: origin.element)
        for i in 0..<u.count { u[i] = Double(i % 5) - 2 }
        u = try (1 / u.norm()) * u
        let restricted = try Oracle(
            objective: base.restricted(.bulkSubspace, by: [u], about: origin), samples: samples
        ).with(use: use)
        var theta = origin
        for i in 0..<u.count { theta[i] += 0.1 * Double(i % 3) }
        let delta = try theta - origin
        let point = try origin + Self.projected(delta, [u], .bulkSubspace)
        let (loss, gradient) = try oracle.gradient(at: point)
        let (own, slope) = try restricted.gradient(at: theta)
        #expect(abs(own - loss) < Self.rounding * abs(loss))
        #expect(try relativeDifference(slope, Self.projected(gradient, [u], .bulkSubspace)) < Self.rounding)
    }

    @Test func oneRestrictionAtATime() throws {
        let problem = try Problem()
        let basis = try Self.basis(1, of: problem)
        let once = try problem.oracle.objective.restricted(.topSubspace, by: basis, about: problem.theta)
        #expect(throws: GraphError.self) { try once.restricted(.bulkSubspace, by: basis, about: problem.theta) }
        #expect(throws: GraphError.self) { try once.expanded(.hessian, about: problem.theta) }
    }
}
