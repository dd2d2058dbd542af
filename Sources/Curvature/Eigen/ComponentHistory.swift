import Compute

/// What the steps of a subspace iteration would have made of an unseen eigenvector: the certificate of LOBPCG.
///
/// Let u be an eigenvector of eigenvalue μ. All that the iteration does is linear combinations and residuals Ax − θx, and
/// ⟨Ax − θx, u⟩ = (μ − θ)⟨x, u⟩. So the components of its vectors along u are a known linear function Φ(μ) of the
/// components c of the start vectors: they grow as those of X do in a Krylov space. At any time they are no larger than
/// the residuals allow, |⟨x, u⟩| = |⟨r, u⟩|/|μ − θ| ≤ ‖r‖/|μ − θ|. So the start can have had no more than c = Φ⁻¹ of
/// that: what a random start is likely to have more of would have been seen. For one vector without a preconditioner it
/// is the bound that ``KrylovBasis/largestMissed(at:_:side:)`` has from its basis. It costs no product.
struct ComponentHistory {
    private struct Step {
        /// θ of the columns of X whose residuals were taken.
        var shifts: [Double] = []
        var columns: [Int] = []
        /// W = [X P]·fromKnown + R·fromResiduals.
        var fromKnown = DenseMatrix(zeros: 0, 0)
        var fromResiduals = DenseMatrix(zeros: 0, 0)
        /// The new X and P in terms of [X P W].
        var toX = DenseMatrix(zeros: 0, 0)
        var toP = DenseMatrix(zeros: 0, 0)
        var dropsDirections = false
    }
    private let start: DenseMatrix
    private var steps: [Step] = []
    private var open = Step()
    /// Whether a preconditioner has taken part: what it makes of u is not known.
    private var isLost = false

    /// - Parameter start: the first X in terms of the start vectors of length 1.
    init(start: DenseMatrix) { self.start = start }

    mutating func newDirections(
        shifts: [Double], columns: [Int], fromKnown: DenseMatrix, fromResiduals: DenseMatrix, isKnown: Bool
    ) {
        open.shifts = shifts
        open.columns = columns
        open.fromKnown = fromKnown
        open.fromResiduals = fromResiduals
        if !isKnown { isLost = true }
    }

    mutating func combine(toX: DenseMatrix, toP: DenseMatrix) {
        open.toX = toX
        open.toP = toP
        if !isLost { steps.append(open) }
        open = Step()
    }

    mutating func dropDirections() { open.dropsDirections = true }

    /// The most that each start vector can have of u, given the most that each vector of X has of it now.
    func largestAtStart(_ now: [Double], at mu: Double) -> [Double] {
        let unknown = [Double](repeating: 1, count: start.rows)
        guard !isLost, start.rows == start.columns else { return unknown }
        var x = start
        var p = DenseMatrix(zeros: start.rows, 0)
        for step in steps {
            if step.dropsDirections { p = DenseMatrix(zeros: start.rows, 0) }
            var s = x.beside(p)
            if !step.columns.isEmpty {
                let r = x.columns(step.columns).mapColumns { j, c in (mu - step.shifts[j]) * c }
                s = s.beside(s.times(step.fromKnown).plus(r.times(step.fromResiduals)))
            }
            x = s.times(step.toX)
            p = s.times(step.toP)
        }
        guard x.rows == x.columns, x.values.allSatisfy(\.isFinite), let inverse = x.inverse() else { return unknown }
        // Rows of c: c = now·Φ⁻¹.
        return (0..<start.rows).map { i in
            min(1, now.indices.reduce(0) { $0 + now[$1] * abs(inverse[$1, i]) })
        }
    }
}

extension DenseMatrix {
    /// The columns of one matrix, then those of another with as many rows.
    func beside(_ other: DenseMatrix) -> DenseMatrix {
        DenseMatrix(rows: rows, columns: columns + other.columns, values: values + other.values)
    }

    /// The inverse by Gauss–Jordan elimination with partial pivoting; nil for a singular matrix.
    func inverse() -> DenseMatrix? {
        let n = rows
        var a = self
        var result = DenseMatrix(zeros: n, n)
        for i in 0..<n { result[i, i] = 1 }
        for j in 0..<n {
            guard let pivot = (j..<n).max(by: { abs(a[$0, j]) < abs(a[$1, j]) }), a[pivot, j] != 0 else { return nil }
            for l in 0..<n {
                (a[j, l], a[pivot, l]) = (a[pivot, l], a[j, l])
                (result[j, l], result[pivot, l]) = (result[pivot, l], result[j, l])
            }
            let scale = 1 / a[j, j]
            for l in 0..<n {
                a[j, l] *= scale
                result[j, l] *= scale
            }
            for i in 0..<n where i != j && a[i, j] != 0 {
                let factor = a[i, j]
                for l in 0..<n {
                    a[i, l] -= factor * a[j, l]
                    result[i, l] -= factor * result[j, l]
                }
            }
        }
        return result.values.allSatisfy(\.isFinite) ? result : nil
    }
}
