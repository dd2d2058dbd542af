import Compute
import Graph

/// X, its products and the directions it came along: the state of ``EigenProblem/lobpcg(_:preconditioner:)``.
struct LocallyOptimalBlock {
    /// Orthonormal Ritz vectors in the order of the goal.
    private(set) var x: [Vector] = []
    private var ax: [Vector] = []
    /// Orthonormal and orthogonal to X: what the last step added to the old X, for the columns that took part.
    private(set) var p: [Vector] = []
    private var ap: [Vector] = []
    /// Ritz values.
    private(set) var values: [Double] = []
    /// AX − XΘ.
    private var residuals: [Vector] = []
    private(set) var residualNorms: [Double] = []
    /// ‖A‖ as far as it has shown itself.
    private(set) var norm = 0.0
    private(set) var products = 0
    private(set) var steps = 0
    /// The step at which AX was last computed, not updated.
    private(set) var refreshedAt = 0
    /// Whether the last step found no new direction.
    private(set) var isExhausted = false

    private let goal: EigenGoal
    private let orthonormaliser: Orthonormaliser
    private var history: ComponentHistory

    /// X from the start, whose vectors are replaced by random ones where they depend on others.
    init(_ problem: EigenProblem, _ start: inout EigenStart, _ stream: inout RandomStream) throws {
        goal = problem.goal
        orthonormaliser = Orthonormaliser(dimension: problem.matrix.dimension, element: problem.matrix.element)
        var (kept, triangle) = try orthonormaliser.basis(of: start.block, against: [])
        for _ in 0..<3 where kept.count < start.block.count {
            try start.replaceDependent(triangle, problem.matrix, &stream)
            (kept, triangle) = try orthonormaliser.basis(of: start.block, against: [])
        }
        let lengths = start.block.map { $0.norm() }
        history = ComponentHistory(
            start: triangle.inverseOfTriangle().scaledRows { $0 < lengths.count ? lengths[$0] : 1 })
        x = kept
        ax = try problem.products(of: x)
        products = x.count
        try rayleighRitz(with: [], [], new: [], active: [])
    }

    /// What residuals and distances are compared with, as in ``RitzPairs``.
    func scale(of value: Double) -> Double { max(abs(value), 0.01 * norm) }

    /// One step for the columns in `active`: a product for each.
    mutating func step(
        _ problem: EigenProblem, active: [Int], _ preconditioner: ((Vector) throws -> Vector)?
    ) throws {
        var w: [Vector] = []
        for j in active {
            var r = residuals[j]
            try r.scale(1 / residualNorms[j])
            if let preconditioner {
                r = try preconditioner(r)
                let length = r.norm()
                guard length.isFinite, r.count == problem.matrix.dimension else {
                    throw CurvatureError.notFinite(what: "a vector that the preconditioner returned")
                }
                if length > 0 { try r.scale(1 / length) }
            }
            w.append(r)
        }
        residuals = []
        let known = x + p
        let norms = w.map { $0.norm() }
        let inside = try Orthonormaliser.project(&w, outOf: known)
        let (kept, triangle) = try orthonormaliser.basis(of: w, against: known, norms: norms)
        guard !kept.isEmpty else {
            isExhausted = true
            try findResiduals()
            return
        }
        let aw = try problem.products(of: kept)
        products += kept.count
        steps += 1
        let solve = triangle.inverseOfTriangle()
        let fromKnown = inside.times(solve).mapColumns { _, c in -c }
        let fromResiduals = solve.scaledRows { 1 / residualNorms[active[$0]] }
        history.newDirections(
            shifts: active.map { values[$0] }, columns: active, fromKnown: fromKnown, fromResiduals: fromResiduals,
            isKnown: preconditioner == nil)
        try rayleighRitz(with: kept, aw, new: w, active: active)
    }

    /// Computes AX anew and forgets the old directions, whose products have gathered as much rounding.
    mutating func refresh(_ problem: EigenProblem) throws {
        ax = try problem.products(of: x)
        products += x.count
        p = []
        ap = []
        history.dropDirections()
        refreshedAt = steps
        try rayleighRitz(with: [], [], new: [], active: [])
    }

    /// For start vectors of length 1: the most that each can hold of an unseen eigenvector of eigenvalue μ.
    ///
    /// - Parameter side: 1 where "beyond μ" means above it, −1 where it means below.
    func largestMissed(at mu: Double, side: Double) -> [Double] {
        // ⟨x, u⟩(μ − θ) = ⟨r, u⟩. Those beyond μ have been found: u is orthogonal to them.
        let now = zip(values, residualNorms).map { value, error in
            let distance = side * (mu - value)
            return error == 0 || distance <= 0 ? 0 : min(1, error / distance)
        }
        return history.largestAtStart(now, at: mu)
    }

    /// The best vectors in the span of X, P and W become X; what they have from P and W becomes P.
    private mutating func rayleighRitz(with w: [Vector], _ aw: [Vector], new: [Vector], active: [Int]) throws {
        let width = x.count
        let s = x + p + w
        let asVectors = ax + ap + aw
        let gram = try VectorBlock.dots(s, s)
        let projected = try VectorBlock.dots(s, asVectors).symmetrised()
        // SᵀS is the identity but for rounding; where it is not, its small eigenvalues belong to no direction.
        let metric = DenseEigen(symmetric: gram.symmetrised())
        let rank = metric.values.prefix { $0 > 1e-3 }.count
        let whiten = metric.vectors.prefix(columns: rank).mapColumns { j, v in v / metric.values[j].squareRoot() }
        let ritz = DenseEigen(symmetric: whiten.transposed.times(projected).times(whiten).symmetrised())
        norm = ritz.values.reduce(norm) { max($0, abs($1)) }
        let chosen: [Int]
        if case .magnitude = goal {
            chosen = width > 1 ? [0, rank - 1] : [0]
        } else {
            chosen = Array(0..<min(width, rank))
        }
        values = chosen.map { ritz.values[$0] }
        let inner = ritz.vectors.columns(chosen)
        let toX = whiten.times(inner)

        // Directions: the new X without its part in the old one, made orthogonal to the new X. In the eigenbasis of the
        // Gram matrix coefficients of orthonormal vectors are orthonormal.
        var toP = DenseMatrix(zeros: s.count, 0)
        if s.count > width {
            var part = toX.columns(active.filter { $0 < chosen.count })
            for j in 0..<part.columns { for i in 0..<width { part[i, j] = 0 } }
            let coefficients = whiten.transposed.times(gram).times(part)
            toP = whiten.times(coefficients.orthonormalColumns(against: inner))
        }
        let newX = try VectorBlock.combinations(s, toX)
        let newP = try VectorBlock.combinations(s, toP)
        ax = try VectorBlock.combinations(asVectors, toX)
        ap = try VectorBlock.combinations(asVectors, toP)
        x = newX
        p = newP
        history.combine(toX: toX, toP: toP)
        try findResiduals()
    }

    private mutating func findResiduals() throws {
        residuals = ax
        for j in x.indices { try residuals[j].add(-values[j], x[j]) }
        residualNorms = residuals.map { $0.norm() }
    }
}

extension DenseMatrix {
    /// (A + Aᵀ)/2.
    func symmetrised() -> DenseMatrix {
        var result = self
        for j in 0..<columns { for i in 0..<rows { result[i, j] = (self[i, j] + self[j, i]) / 2 } }
        return result
    }

    /// These columns.
    func columns(_ which: [Int]) -> DenseMatrix {
        DenseMatrix(rows: rows, columns: which.count, values: which.flatMap { column($0) })
    }

    /// Every row times a factor.
    func scaledRows(_ factor: (Int) -> Double) -> DenseMatrix {
        var result = self
        for i in 0..<rows {
            let f = factor(i)
            for j in 0..<columns { result[i, j] *= f }
        }
        return result
    }

    /// An orthonormal basis of the columns' part that is orthogonal to the orthonormal columns given; columns of which
    /// nothing but rounding is left are dropped. Some tens of numbers each, whose own errors the metric has amplified: not
    /// vectors of the memory account, as ``Orthonormaliser`` takes them.
    func orthonormalColumns(against others: DenseMatrix) -> DenseMatrix {
        var kept: [[Double]] = (0..<others.columns).map { others.column($0) }
        for j in 0..<columns {
            var v = column(j)
            let original = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard original > .leastNormalMagnitude else { continue }
            for _ in 0..<2 {
                for q in kept {
                    let c = zip(q, v).reduce(0) { $0 + $1.0 * $1.1 }
                    for i in v.indices { v[i] -= c * q[i] }
                }
            }
            let length = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 1e-12 * original else { continue }
            kept.append(v.map { $0 / length })
        }
        let new = kept.dropFirst(others.columns)
        return DenseMatrix(rows: rows, columns: new.count, values: new.flatMap { $0 })
    }
}
