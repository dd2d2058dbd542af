import Compute
import Graph
import Objectives

/// Locally optimal block preconditioned conjugate gradients (Knyazev 2001), in orthonormal bases (Hetmaniuk and Lehoucq
/// 2006; Duersch, Shao, Yang and Gu 2018).
///
/// A step finds the best vectors in the span of S = [X W P]: the present vectors X, their residuals W (preconditioned
/// where there is a preconditioner), and the directions P of the step before. What kills simpler forms is S becoming
/// dependent, or its Gram matrix indefinite by rounding. Here W is made orthogonal to X and P and dropped where nothing
/// is left of it; P is chosen orthogonal to X as coefficients, in f64; and the Rayleigh–Ritz problem is solved in the
/// eigenbasis of SᵀS, from which directions that are rounding are left out. It cannot be indefinite.
extension EigenProblem {
    /// - Parameter preconditioner: about (σI − A)⁻¹ for some σ above the eigenvalues wanted, positive definite.
    func lobpcg(_ stream: inout RandomStream, preconditioner: ((Vector) throws -> Vector)? = nil) throws -> Eigenpairs {
        let watch = Stopwatch()
        let wanted: Int
        let width: Int
        switch goal {
        case .largest(let k): (wanted, width) = (k, k + k / 4)
        case .magnitude, .above: (wanted, width) = (1, 2)
        }
        guard 3 * width <= matrix.dimension else { return try lanczos(&stream) }

        var start = try EigenStart(matrix, warmStart: warmStart, width: width, stream: &stream)
        var block = try LocallyOptimalBlock(self, &start, &stream)
        var miss = 1.0
        var stalled = Stall(limit: Roundoff.stall * unitRoundoff)
        var refreshes = 0
        func unfinished(_ best: [Int]) throws -> Eigenpairs {
            try eigenpairs(
                block, best, best.map { block.residualNorms[$0] }, converged: false, miss, watch, isFinished: false)
        }
        while true {
            let limits = block.values.map { tolerance * start.residualFactor * block.scale(of: $0) }
            let floor = unitRoundoff * block.norm
            let errors = block.residualNorms
            var known: Bool
            let best: [Int]
            if case .magnitude = goal {
                let order = abs(block.values[0]) >= abs(block.values[1]) ? [0, 1] : [1, 0]
                best = [order[0]]
                known =
                    order.allSatisfy { errors[$0] <= max(limits[$0], floor) }
                    || errors[best[0]] <= max(limits[best[0]], floor)
                        && abs(block.values[order[1]]) + errors[order[1]] <= abs(block.values[best[0]])
            } else {
                best = Array(0..<wanted)
                known = best.allSatisfy { errors[$0] <= max(limits[$0], floor) }
            }
            if known && miss > start.allowedMiss { miss = missProbability(block, start, best[0]) }
            // What a preconditioner makes of an unseen eigenvector is not known: then residuals alone decide.
            let explored = miss <= start.allowedMiss || preconditioner != nil

            // Where nothing is left to improve, what is known of the start stays as it is.
            let active = block.values.indices.filter {
                errors[$0] > (known ? 2 * floor : max(0.5 * limits[$0], floor)) && errors[$0] > .leastNormalMagnitude
            }
            let over =
                active.isEmpty || block.isExhausted || block.products + active.count > maxProducts
                || stalled.isStalled(errors[best.last ?? 0], block.norm)
            // Not before a residual has been looked along: see `leastProducts` of Lanczos.
            if known && explored && block.steps > 0 || over {
                // The products of X have been updated, not computed, since: rounding may have made up the residuals.
                let drift = unitRoundoff * block.norm * Double(block.steps + 1)
                let isDoubtful = best.contains { limits[$0] < Roundoff.doubt * drift }
                if isDoubtful, block.steps > block.refreshedAt {
                    guard try unlessCancelled({ try block.refresh(self) }) != nil else { return try unfinished(best) }
                    refreshes += 1
                    if refreshes <= 3 && !over { continue }
                }
                let residuals = best.map { block.residualNorms[$0] }
                return try eigenpairs(
                    block, best, residuals,
                    converged: explored && zip(best, residuals).allSatisfy { $1 <= limits[$0] }, miss, watch)
            }
            guard try unlessCancelled({ try block.step(self, active: active, preconditioner) }) != nil else {
                return try unfinished(best)
            }
        }
    }

    private func missProbability(_ block: LocallyOptimalBlock, _ start: EigenStart, _ best: Int) -> Double {
        func miss(at mu: Double, side: Double) -> Double {
            EigenStart.missProbability(
                allowed: block.largestMissed(at: mu, side: side), shares: start.randomShares,
                dimension: matrix.dimension)
        }
        // All of A that the start has shown is 0: any other eigenvalue would have shown itself.
        guard block.norm > 0 else { return 0 }
        let value = block.values[best]
        guard case .magnitude = goal else { return miss(at: value + start.margin * block.scale(of: value), side: 1) }
        let beyond = (1 + start.margin) * abs(value)
        return min(1, miss(at: beyond, side: 1) + miss(at: -beyond, side: -1))
    }

    private func eigenpairs(
        _ block: LocallyOptimalBlock, _ best: [Int], _ residuals: [Double], converged: Bool, _ miss: Double,
        _ watch: Stopwatch, isFinished: Bool = true
    ) throws -> Eigenpairs {
        var vectors = best.map { block.x[$0] }
        for j in vectors.indices where try continuesReversed(vectors[j], warmStart) { try vectors[j].scale(-1) }
        // Guard vectors, and the last step's directions as runners-up, dealt out over the vectors in turn.
        let others = block.x.indices.filter { !best.contains($0) }.map { block.x[$0] } + block.p.prefix(best.count)
        var warm = vectors
        for (i, other) in others.enumerated() { try warm[i % warm.count].add(1, other) }
        return Eigenpairs(
            values: best.map { block.values[$0] }, vectors: vectors, residuals: residuals, products: block.products,
            converged: converged, missProbability: miss, seconds: watch.seconds, warmStart: warm, solver: .lobpcg,
            isComplete: true, isFinished: isFinished)
    }
}

/// Notices residuals that rounding keeps from falling further.
private struct Stall {
    /// Above this part of the norm a residual that does not fall is slow, not stalled.
    let limit: Double
    private var best = Double.infinity
    private var since = 0

    init(limit: Double) { self.limit = limit }

    mutating func isStalled(_ residual: Double, _ norm: Double) -> Bool {
        guard residual <= limit * norm else { return false }
        if residual < 0.7 * best {
            best = residual
            since = 0
        } else {
            since += 1
        }
        return since >= 10
    }
}
