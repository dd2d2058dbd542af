import Compute
import Graph
import SmallNetworks
import Testing

@testable import Networks
@testable import Objectives

/// Sums over other chunks are taken in another order: f64 rounding times the number of additions, with a factor of ten.
private let rounding = 1e-13

@Suite struct Chunks {
    /// All quantities, whatever the data is cut into.
    @Test(arguments: [1, 2, 5, 8, 13])
    func noQuantityDependsOnTheChunks(_ chunk: Int) throws {
        let (whole, cut) = (try Problem(samples: 13), try Problem(samples: 13, chunk: chunk))
        let (u, v) = (try whole.direction(1), try whole.direction(2))
        let (a, b) = (whole.oracle, cut.oracle)
        let theta = whole.theta
        let (first, second) = (try a.evaluate(at: theta), try b.evaluate(at: theta))
        #expect(zip(first.losses, second.losses).allSatisfy { abs($0 - $1) <= rounding * abs($0) })
        #expect(abs(first.loss - second.loss) < rounding)
        #expect(
            zip(first.outputs, second.outputs).allSatisfy { abs($0 - $1) <= rounding } && first.outputs.count == 13 * 3)
        let alone = try b.evaluate(at: theta, keepingOutputs: false)
        #expect(alone.outputs.isEmpty && alone.loss == second.loss && alone.losses == second.losses)
        #expect(try relativeDifference(b.gradient(at: theta).gradient, a.gradient(at: theta).gradient) < rounding)
        #expect(
            try relativeDifference(b.linearize(at: theta).apply(v), a.linearize(at: theta).apply(v)) < rounding)
        #expect(
            try relativeDifference(
                b.directional(at: theta, along: [u, v]), a.directional(at: theta, along: [u, v])) < rounding)
        let pairs = [[u, u], [u, v], [v, v]]
        for (own, pair) in zip(try b.directionals(at: theta, along: pairs), pairs) {
            #expect(try relativeDifference(own, a.directional(at: theta, along: pair)) < rounding)
        }
        let (p, q) = (try a.quadratic(at: theta, along: v), try b.quadratic(at: theta, along: v))
        #expect(abs(p - q) < 10 * rounding * abs(p))
        let batches = Array(0..<12)
        let (c, d) = (
            try a.batchCurvature(at: theta, batches: batches, size: 6),
            try b.batchCurvature(at: theta, batches: batches, size: 6)
        )
        #expect(zip(c, d).allSatisfy { abs($0.ratio - $1.ratio) < 10 * rounding * abs($0.ratio) })
        var (stepped, other) = (theta, theta)
        _ = try a.descend(&stepped, rate: 0.1)
        _ = try b.descend(&other, rate: 0.1)
        #expect(try relativeDifference(other, stepped) < rounding)
    }

    /// A budget that holds the intermediate values of a few samples only.
    @Test func chunksFollowTheBudgetAndGiveTheSame() throws {
        let whole = try Problem(samples: 200, hidden: [64, 64])
        let samples = whole.oracle.samples
        let tight = try Oracle(objective: whole.oracle.objective, samples: samples, budget: 60_000)
        var chosen: [String: Int] = [:]
        tight.choseChunks = { chosen[$0] = $1 }
        let v = try whole.direction(1)
        #expect(
            try relativeDifference(
                tight.gradient(at: whole.theta).gradient, whole.oracle.gradient(at: whole.theta).gradient) < rounding)
        #expect(
            try relativeDifference(
                tight.linearize(at: whole.theta).apply(v), whole.oracle.linearize(at: whole.theta).apply(v)) < rounding)
        let sizes = try #require(chosen["gradient"].map { ($0, chosen["Hessian-vector product"] ?? 0) })
        #expect(sizes.0 > 1 && sizes.0 < 200 && sizes.0.nonzeroBitCount == 1)
        #expect(sizes.1 >= 1 && sizes.1 <= sizes.0)
        // The largest power of two: the plan fits, that of twice the size does not.
        let fitting = try tight.plan(.gradient(updating: false), count: sizes.0)
        let larger = try tight.plan(.gradient(updating: false), count: 2 * sizes.0)
        #expect(fitting.arenaBytes <= 60_000)
        #expect(larger.arenaBytes > 60_000)
    }

    /// The size depends on the graph, the number of samples and the budget, not on what was asked before.
    @Test func chunksDoNotDependOnHistory() throws {
        let problem = try Problem(samples: 100, hidden: [64, 64])
        func sizes(_ counts: [Int]) throws -> [Int: Int] {
            let oracle = try Oracle(
                objective: problem.oracle.objective, samples: problem.oracle.samples, budget: 60_000)
            return try Dictionary(
                uniqueKeysWithValues: counts.map { ($0, try oracle.pieceSize(of: $0, for: .gradient(updating: false))) }
            )
        }
        #expect(try sizes([3, 10, 30, 50, 100]) == sizes([100, 50, 30, 10, 3]))
    }

    /// What is not kept is computed again by the same plans: the same bits.
    @Test func aProductHasTheSameBitsWhetherItsPointIsKeptOrNot() throws {
        let problem = try Problem(samples: 40, hidden: [32, 32], chunk: 8)
        let v = try problem.direction(1)
        let kept = try problem.oracle.linearize(at: problem.theta)
        let room = try 2 * problem.oracle.linearizedProgram(count: 8).residualBytes
        let anew = try LinearizedProduct(
            oracle: problem.oracle, theta: problem.theta, rows: problem.oracle.rows(of: .all), room: room)
        #expect(try anew.apply(v).hasSameBits(as: kept.apply(v)))
        #expect(kept.pieces == 5 && kept.recomputedPieces == 0)
        #expect(anew.recomputedPieces == 3)
    }

    /// An account that holds the parameters but not one sample's derivatives.
    @Test func whatCannotBeMadeSmallerIsAClearError() throws {
        let problem = try Problem(samples: 4, hidden: [64, 64])
        let engine = try Engine(threads: 1, account: MemoryAccount(limit: 2_000))
        let oracle = try Oracle(
            objective: problem.oracle.objective, samples: problem.oracle.samples, engine: engine, budget: 100)
        let error = #expect(throws: MemoryError.self) { try oracle.gradient(at: problem.theta) }
        let message = "\(try #require(error))"
        #expect(message.contains("one sample") && message.contains("--memory"), "\(message)")
        let normalised = try normalisedModel(channels: 64)
        let ghosts = try Oracle(
            objective: Objective(model: normalised, loss: .mse), samples: problem.oracle.samples, engine: engine)
        let refusal = #expect(throws: MemoryError.self) { try ghosts.gradient(at: normalised.initial) }
        #expect("\(try #require(refusal))".contains("ghost_batch"))
    }

    @Test func plansOfAnOracleAreBounded() throws {
        var recent = RecentlyUsed<Int, String>(capacity: 3)
        for key in 1...3 { recent[key] = "\(key)" }
        #expect(recent[1] == "1")
        recent[4] = "4"
        #expect(recent.count == 3 && recent[2] == nil && recent[1] == "1" && recent[4] == "4")
    }
}
