import Compute
import Graph
import Objectives

/// Block Lanczos with thick restart and full reorthogonalisation (Wu and Simon 2000).
///
/// The block is as wide as what is wanted, up to eight vectors, so eigenvalues of multiplicity up to that come with
/// their multiplicity. Where more is wanted, fresh random vectors join the basis once all has converged, until they
/// bring nothing new: with them come the copies that one block cannot see.
extension EigenProblem {
    /// A block this wide has products at the full rate of matrix–matrix kernels; a wider one gains nothing.
    private static let widestBlock = 8

    /// Products with each start vector and what comes of it. Where all eigenvalues but a few are the same, one in fifty random vectors has so little of
    /// the few that it passes for an eigenvector; but they are what its residual is made of.
    private static let leastProducts = 2

    private func blockWidth() -> Int {
        switch goal {
        case .largest(let k): min(k, Self.widestBlock)
        case .magnitude: 1
        case .above: min(max(2, warmStart.count), Self.widestBlock, matrix.dimension)
        }
    }

    /// The most vectors of a basis for so many wanted ones. Twice as many as wanted is the usual compromise between
    /// products lost at restarts and orthogonalisation.
    static func largestBasis(wanted: Int) -> Int {
        wanted <= widestBlock ? max(4 * wanted, 32) : 2 * wanted + 16
    }

    func lanczos(_ stream: inout RandomStream) throws -> Eigenpairs {
        let watch = Stopwatch()
        let width = blockWidth()
        let start = try EigenStart(matrix, warmStart: warmStart, width: width, stream: &stream)
        var basis = try KrylovBasis(start: start.block, dimension: matrix.dimension, element: matrix.element)
        var shares = start.randomShares
        var miss = 1.0
        var restarted = false
        /// Wanted values at the time when fresh random vectors joined; nil while none are being looked through.
        var before: [Double]?
        var nextLook = 0
        while true {
            let isFinished = try unlessCancelled { try basis.extend(by: self) } != nil
            let size = basis.vectors.count
            if !isFinished, size < fewestVectors { throw Cancelled() }
            let limit = Self.largestBasis(wanted: max(wantedCount(basis), width))
            let isFull = size + basis.next.count > limit
            let isOver = basis.next.isEmpty || basis.products + basis.next.count > maxProducts
            // Small problems look at each step; in large ones the dense eigenvalue problem would cost more than products.
            guard size >= nextLook || isFull || isOver || !isFinished else { continue }
            nextLook = size + size / 16

            let ritz = RitzPairs(DenseEigen(symmetric: basis.projected), for: goal) { basis.residuals(of: $0) }
            miss = missProbability(basis, ritz, start, shares, width) ?? miss
            guard isFinished else {
                return try eigenpairs(
                    basis, ritz, converged: false, miss: miss, factor: start.residualFactor, watch, isFinished: false)
            }
            // A restart ends what can be said of the start; by then it has had at least 32 products to show itself.
            let explored = restarted || miss <= start.allowedMiss
            let known = ritz.areKnown(
                goal, tolerance: tolerance * start.residualFactor, roundoff: unitRoundoff)
            let missing = missingCount(ritz, basis)
            if missing > 0 {
                if basis.next.isEmpty { try basis.refill(count: missing, stream: &stream) }
            } else if known && explored && basis.products >= Self.leastProducts * width || isOver {
                let ranOut = basis.products + max(1, basis.next.count) > maxProducts
                let isWhole = size == matrix.dimension
                let nothingNew = before.map { Self.agree($0, ritz, tolerance: tolerance) } ?? false
                if ranOut || isWhole || ritz.wanted <= width || known && explored && nothingNew {
                    return try eigenpairs(
                        basis, ritz, converged: known && (explored || isWhole), miss: isWhole ? 0 : miss,
                        factor: start.residualFactor, watch)
                }
                before = Array(ritz.values.prefix(ritz.wanted))
                if isFull { try restart(&basis, ritz, limit) }
                try basis.refill(count: width, stream: &stream)
                shares = Array(repeating: 1, count: basis.startCount)
                restarted = false
                miss = 1
                continue
            }
            if isFull {
                restarted = true
                try restart(&basis, ritz, limit)
            }
        }
    }

    /// With fewer vectors in the basis not all that is wanted has a Ritz value.
    private var fewestVectors: Int {
        if case .largest(let k) = goal { return k }
        return 1
    }

    /// How many vectors a basis of the present one's knowledge is to be made for.
    private func wantedCount(_ basis: KrylovBasis) -> Int {
        switch goal {
        case .largest(let k): return k
        case .magnitude: return 1
        case .above(let threshold, let atMost):
            // Sylvester's law would give the count; the diagonal of T, whose large entries are Ritz values after a
            // restart, gives it well enough to size a basis.
            let t = basis.projected
            return min(atMost, (0..<t.rows).count { t[$0, $0] > threshold })
        }
    }

    /// Ritz pairs that are lacking yet because the basis has too few vectors.
    private func missingCount(_ ritz: RitzPairs, _ basis: KrylovBasis) -> Int {
        if case .largest(let k) = goal { return max(0, k - ritz.values.count) }
        return 0
    }

    private func restart(_ basis: inout KrylovBasis, _ ritz: RitzPairs, _ limit: Int) throws {
        let keep = ritz.wanted + max(1, (limit - ritz.wanted) / 3)
        try basis.restart(keeping: ritz, count: min(ritz.values.count - 1, keep))
    }

    private static func agree(_ before: [Double], _ ritz: RitzPairs, tolerance: Double) -> Bool {
        before.count == ritz.wanted
            && before.indices.allSatisfy { abs(before[$0] - ritz.values[$0]) <= tolerance * ritz.scale($0) }
    }

    /// ``Eigenpairs/missProbability``; nil after a restart.
    private func missProbability(
        _ basis: KrylovBasis, _ ritz: RitzPairs, _ start: EigenStart, _ shares: [Double], _ width: Int
    ) -> Double? {
        let margin = ritz.margin(goal, blockWidth: width, share: start.margin)
        func miss(at mu: Double, sign: Double) -> Double? {
            basis.largestMissed(at: mu, ritz, side: sign).map {
                EigenStart.missProbability(allowed: $0, shares: shares, dimension: matrix.dimension)
            }
        }
        guard case .magnitude = goal else { return miss(at: margin, sign: 1) }
        let size = (1 + start.margin) * abs(ritz.values.first ?? 0)
        guard let above = miss(at: size, sign: 1), let below = miss(at: -size, sign: -1) else { return nil }
        return min(1, above + below)
    }

    /// The result; residuals are measured anew where rounding may have made up more of them than the basis says.
    private func eigenpairs(
        _ basis: KrylovBasis, _ ritz: RitzPairs, converged: Bool, miss: Double, factor: Double, _ watch: Stopwatch,
        isFinished: Bool = true
    ) throws -> Eigenpairs {
        let count = ritz.wanted
        let limits = (0..<count).map { tolerance * factor * ritz.scale($0) }
        var coefficients = ritz.vectors.prefix(columns: min(count + runnersUp, ritz.values.count))
        var vectors =
            count == 0 ? [] : try VectorBlock.combinations(basis.vectors, coefficients.prefix(columns: count))
        for j in vectors.indices where try continuesReversed(vectors[j], warmStart) {
            try vectors[j].scale(-1)
            for i in 0..<coefficients.rows { coefficients[i, j] = -coefficients[i, j] }
        }
        var residuals = Array(ritz.residuals.prefix(count))
        var products = basis.products
        if isFinished, limits.contains(where: { $0 < Roundoff.doubt * unitRoundoff * ritz.norm }) {
            var images = try self.products(of: vectors)
            products += count
            for j in 0..<count {
                try images[j].add(-ritz.values[j], vectors[j])
                residuals[j] = images[j].norm()
            }
        }
        // Eigenvectors and runners-up with equal weight: the runners-up are dealt out over the vectors in turn.
        var mix = DenseMatrix(zeros: coefficients.columns, max(1, count))
        for i in 0..<coefficients.columns { mix[i, i % max(1, count)] = 1 }
        let isComplete: Bool
        if case .above(let threshold, let atMost) = goal {
            isComplete = count < atMost || ritz.values.count == count || ritz.values[count] <= threshold
        } else {
            isComplete = true
        }
        return Eigenpairs(
            values: Array(ritz.values.prefix(count)), vectors: vectors, residuals: residuals, products: products,
            converged: converged && zip(residuals, limits).allSatisfy { $0 <= $1 }, missProbability: miss,
            seconds: watch.seconds,
            warmStart: try VectorBlock.combinations(basis.vectors, coefficients.times(mix)), solver: .lanczos,
            isComplete: isComplete, isFinished: isFinished)
    }
}

/// How many Ritz vectors beyond the wanted ones go into ``Eigenpairs/warmStart``.
private let runnersUp = 5

/// Whether the vector points against the one of the warm start that is most parallel to it.
func continuesReversed(_ vector: Vector, _ previous: [Vector]) throws -> Bool {
    let overlaps = try previous.map { try vector.dot($0.converted(to: vector.element)) }
    guard let most = overlaps.max(by: { abs($0) < abs($1) }) else { return false }
    return most < 0
}
