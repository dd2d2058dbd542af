import Compute

/// 0 ⪯ X ⊥ B + M(X) ⪰ 0 for symmetric k × k matrices, M linear and positive semidefinite: who oscillates, and how strongly, in a central
/// flow. The minimum of ½⟨X, M(X)⟩ + ⟨B, X⟩ over the cone of positive semidefinite X, by accelerated projected gradients (Beck & Teboulle 2009)
/// with restarts.
public struct ConeComplementarity {
    /// k.
    public let size: Int
    /// B, row by row.
    public let offset: [Double]
    /// M, by the k² entries of a matrix, row by row.
    public let map: [Double]

    public init(size: Int, offset: [Double], map: [Double]) {
        precondition(offset.count == size * size && map.count == offset.count * offset.count, "matrices of one size")
        (self.size, self.offset, self.map) = (size, offset, map)
    }

    /// B + M(X).
    public func slack(_ x: [Double]) -> [Double] {
        let n = offset.count
        return (0..<n).map { row in (0..<n).reduce(offset[row]) { $0 + map[row * n + $1] * x[$1] } }
    }

    /// How far X is from a solution: |⟨X, B + M(X)⟩| and how much of B + M(X) is negative.
    public func residual(_ x: [Double]) -> Double {
        let slack = slack(x)
        let product = abs(zip(x, slack).reduce(0) { $0 + $1.0 * $1.1 })
        let negative = Self.projected(slack.map { -$0 }, size)
        return product + negative.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    /// X, row by row.
    /// - Parameter start: of a problem near by.
    public func solve(from start: [Double]? = nil, tolerance: Double = 1e-12, most: Int = 20_000) -> [Double] {
        let n = offset.count
        if size == 1 { return [map[0] > 0 ? max(0, -offset[0] / map[0]) : 0] }
        // The largest eigenvalue of M is at most its trace.
        let bound = (0..<n).reduce(0) { $0 + map[$1 * n + $1] }
        guard bound > 0 else { return [Double](repeating: 0, count: n) }
        let scale = offset.reduce(0) { max($0, abs($1)) }
        var x = start?.count == n ? start ?? [] : [Double](repeating: 0, count: n)
        var (ahead, momentum) = (x, 1.0)
        for _ in 0..<most {
            let slack = slack(ahead)
            let next = Self.projected((0..<n).map { ahead[$0] - slack[$0] / bound }, size)
            // Against the direction of travel: begin anew.
            var along = 0.0
            for i in 0..<n { along += (ahead[i] - next[i]) * (next[i] - x[i]) }
            let turned = along > 0
            let following: Double = turned ? 1 : (1 + (1 + 4 * momentum * momentum).squareRoot()) / 2
            let reach = turned ? 0 : (momentum - 1) / following
            let moved = zip(next, x).reduce(0) { max($0, abs($1.0 - $1.1)) }
            ahead = (0..<n).map { next[$0] + reach * (next[$0] - x[$0]) }
            (x, momentum) = (next, following)
            if moved * bound <= tolerance * scale { break }
        }
        return x
    }

    /// The nearest positive semidefinite matrix.
    static func projected(_ x: [Double], _ size: Int) -> [Double] {
        var matrix = DenseMatrix(zeros: size, size)
        for i in 0..<size { for j in 0..<size { matrix[i, j] = (x[i * size + j] + x[j * size + i]) / 2 } }
        guard let (values, vectors) = matrix.symmetricEigen() else { return x }
        var result = [Double](repeating: 0, count: x.count)
        for (place, value) in values.enumerated() where value > 0 {
            for i in 0..<size {
                for j in 0..<size { result[i * size + j] += value * vectors[i, place] * vectors[j, place] }
            }
        }
        return result
    }
}
