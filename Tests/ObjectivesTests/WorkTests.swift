import Compute
import Graph
import Testing

@testable import Networks
@testable import Objectives

/// The count of what an oracle has run, by the cost model.
@Suite struct Work {
    private func spent(_ oracle: Oracle, _ body: () throws -> Void) throws -> Double {
        let before = oracle.work
        try body()
        return oracle.work - before
    }

    @Test func everyRunOfAPlanIsCounted() throws {
        let problem = try Problem(samples: 12, chunk: 5)
        let (oracle, theta) = (problem.oracle, problem.theta)
        #expect(oracle.work == 0)
        // Pieces of 4, 4 and 4: the largest power of two below the chunk.
        let size = try oracle.pieceSize(of: 12, for: .gradient(updating: false))
        let once = try oracle.plan(.gradient(updating: false), count: size).work
        let last = 12 % size == 0 ? 0 : try oracle.plan(.gradient(updating: false), count: 12 % size).work
        #expect(oracle.work == 0, "a plan that is made is not run")
        #expect(try spent(oracle) { _ = try oracle.gradient(at: theta) } == Double(12 / size) * once + last)
        #expect(once > 0)
        for work in [
            { _ = try oracle.evaluate(at: theta) },
            { _ = try oracle.directional(at: theta, along: [theta]) },
            { _ = try oracle.quadratic(.ggn, at: theta, along: theta) },
            { _ = try oracle.batchGradientNorms(at: theta, batches: [0, 1], size: 1) },
            { _ = try oracle.gradientGram(at: theta) },
            {
                var stepped = theta
                _ = try oracle.descend(&stepped, rate: 0.1)
            },
        ] as [() throws -> Void] {
            let first = try spent(oracle, work)
            #expect(first > 0)
            #expect(try spent(oracle, work) == first, "the same again costs the same")
        }
    }

    @Test(arguments: CurvatureMatrix.allCases) func aProductsWorkIsKnownBefore(_ matrix: CurvatureMatrix) throws {
        let problem = try Problem(samples: 13, chunk: 5)
        let (oracle, theta) = (problem.oracle, problem.theta)
        let expected = try oracle.productWork(matrix)
        #expect(oracle.work == 0)
        let product = try oracle.linearize(matrix, at: theta)
        #expect(try product.productWork == expected)
        // The first product computes what is kept of the point.
        _ = try product.apply(theta)
        #expect(try spent(oracle) { _ = try product.apply(theta) } == expected)
        #expect(throws: GraphError.self) { try oracle.productWork(matrix, over: .indices([])) }
    }

    /// The copies with other statistics or samples count together with the oracle they come from.
    @Test func copiesShareTheCount() throws {
        let oracle = try RunningValues.oracle()
        let theta = oracle.model.initial
        let copies = [
            try oracle.with(use: .running), try oracle.with(use: .running).frozen(),
            try oracle.with(samples: RandomSamples(count: 5, inputs: 5, outputs: 3)),
        ]
        for copy in copies {
            #expect(try spent(oracle) { _ = try copy.gradient(at: theta) } > 0)
            #expect(copy.work == oracle.work)
        }
    }

    /// On any number of threads, and whatever was asked before.
    @Test func itDoesNotDependOnTheMachineOrOnHistory() throws {
        let problem = try Problem(samples: 40, hidden: [32, 32])
        func work(threads: Int, before: (Oracle) throws -> Void) throws -> Double {
            let oracle = try Oracle(
                objective: problem.oracle.objective, samples: problem.oracle.samples, engine: Engine(threads: threads))
            try before(oracle)
            return try spent(oracle) {
                _ = try oracle.linearize(at: problem.theta).apply(problem.theta)
                _ = try oracle.batchCurvature(at: problem.theta, batches: Array(0..<40), size: 4)
            }
        }
        let plain = try work(threads: 1) { _ in }
        #expect(try work(threads: 2) { _ in } == plain)
        #expect(
            try work(threads: 1) {
                _ = try $0.batchCurvature(at: problem.theta, batches: Array(0..<12), size: 4)
                _ = try $0.gradient(at: problem.theta)
            } == plain)
    }
}
