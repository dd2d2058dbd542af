import Compute

/// The identity and the sign of eigenvectors along a run.
///
/// Solvers return eigenpairs sorted by eigenvalue. Where two eigenvalues cross, the first of them is another direction
/// than before, though its value looks like a smooth continuation with a kink. The tracker matches each solve's vectors
/// with those last seen, by the assignment that makes the sum of |overlaps| largest, and gives a vector the number of the
/// one it continues. So a trajectory of eigenvalue number 0 stays one direction's, above or below the others.
public struct EigenTracker: Sendable {
    /// What a solve's pairs continue, one entry a pair in the order of the solve.
    public struct Matches: Sendable {
        /// The number of the direction: 0, 1, … in the order in which directions were first seen.
        public let identities: [Int]
        /// ⟨vector, the same direction when last seen⟩, with the sign of the solve's vector; 0 for a new direction.
        public let cosines: [Double]
        /// Whether two directions that were seen in the solve before too have changed their order.
        public let crossed: Bool
        /// The solve's vectors, each turned so that it continues its direction: ⟨vector, last seen⟩ ≥ 0.
        public let vectors: [Vector]
    }

    /// A vector continues a direction if |⟨v, w⟩| is at least this: below it, more than three quarters of it are new.
    public let leastOverlap: Double
    /// Directions that a solve did not return are remembered until so many others have been seen since.
    public let memory: Int

    private struct Direction {
        let identity: Int
        var vector: Vector
    }
    /// Most recently seen first.
    private var directions: [Direction] = []
    private var lastOrder: [Int] = []
    private var seen = 0

    /// - Parameters:
    ///   - leastOverlap: between 0 and 1.
    ///   - memory: directions to remember beside those of the last solve, each a vector in memory.
    public init(leastOverlap: Double = 0.5, memory: Int = 4) {
        self.leastOverlap = min(max(leastOverlap, 0), 1)
        self.memory = max(0, memory)
    }

    /// All that it remembers, to be kept in a checkpoint. As many vectors as identities.
    public struct Memory: Sendable {
        public var identities: [Int]
        public var vectors: [Vector]
        public var lastOrder: [Int]
        public var seen: Int
    }

    public var kept: Memory {
        get {
            Memory(
                identities: directions.map(\.identity), vectors: directions.map(\.vector), lastOrder: lastOrder,
                seen: seen)
        }
        set {
            directions = zip(newValue.identities, newValue.vectors).map { Direction(identity: $0, vector: $1) }
            (lastOrder, seen) = (newValue.lastOrder, newValue.seen)
        }
    }

    /// Matches the pairs of a solve with the directions known so far.
    ///
    /// - Throws: `VectorError` if the vectors are of another space than those before; `MemoryError`.
    public mutating func follow(_ pairs: Eigenpairs) throws -> Matches {
        try follow(pairs.vectors)
    }

    /// As ``follow(_:)-(Eigenpairs)``, for unit vectors in the order of their eigenvalues.
    public mutating func follow(_ vectors: [Vector]) throws -> Matches {
        let known = try directions.map { direction in
            try vectors.first.map { try direction.vector.converted(to: $0.element) } ?? direction.vector
        }
        let overlaps = try VectorBlock.dots(known, vectors)
        let choice = Assignment.largestSum(overlaps.mapColumns { _, x in abs(x) })
        var identities: [Int] = []
        var cosines: [Double] = []
        var turned = vectors
        for j in vectors.indices {
            if let i = choice[j], abs(overlaps[i, j]) >= leastOverlap {
                identities.append(directions[i].identity)
                cosines.append(overlaps[i, j])
                if overlaps[i, j] < 0 { try turned[j].scale(-1) }
            } else {
                identities.append(seen)
                cosines.append(0)
                seen += 1
            }
        }
        let present = Set(identities)
        let others = directions.filter { !present.contains($0.identity) }.prefix(memory)
        directions = zip(identities, turned).map { Direction(identity: $0, vector: $1) } + others
        let common = Set(lastOrder).intersection(present)
        let crossed = lastOrder.filter(common.contains) != identities.filter(common.contains)
        lastOrder = identities
        return Matches(identities: identities, cosines: cosines, crossed: crossed, vectors: turned)
    }
}

/// Who belongs to whom.
enum Assignment {
    /// For each column the row assigned to it, no row twice, such that the sum of the entries is the largest possible;
    /// nil for columns that are left over where there are fewer rows.
    ///
    /// Shortest augmenting paths with potentials (the Hungarian method; Jonker and Volgenant 1987): n³ steps.
    static func largestSum(_ gain: DenseMatrix) -> [Int?] {
        let n = max(gain.rows, gain.columns)
        guard n > 0 else { return [] }
        // Square by worthless entries; costs are minimised. Index 0 of the arrays is the root of the paths.
        func cost(_ column: Int, _ row: Int) -> Double {
            row < gain.rows && column < gain.columns ? -gain[row, column] : 0
        }
        var columnPotential = [Double](repeating: 0, count: n + 1)
        var rowPotential = [Double](repeating: 0, count: n + 1)
        var columnOf = [Int](repeating: 0, count: n + 1)
        for column in 1...n {
            var previous = [Int](repeating: 0, count: n + 1)
            var distance = [Double](repeating: .infinity, count: n + 1)
            var visited = [Bool](repeating: false, count: n + 1)
            var row = 0
            columnOf[0] = column
            repeat {
                visited[row] = true
                let from = columnOf[row]
                var nearest = 0
                var step = Double.infinity
                for other in 1...n where !visited[other] {
                    let reduced = cost(from - 1, other - 1) - columnPotential[from] - rowPotential[other]
                    if reduced < distance[other] {
                        distance[other] = reduced
                        previous[other] = row
                    }
                    if distance[other] < step || nearest == 0 {
                        step = distance[other]
                        nearest = other
                    }
                }
                for other in 0...n {
                    if visited[other] {
                        columnPotential[columnOf[other]] += step
                        rowPotential[other] -= step
                    } else {
                        distance[other] -= step
                    }
                }
                row = nearest
            } while columnOf[row] != 0
            while row != 0 {
                let before = previous[row]
                columnOf[row] = columnOf[before]
                row = before
            }
        }
        var result = [Int?](repeating: nil, count: gain.columns)
        for row in 1...n where row <= gain.rows && columnOf[row] <= gain.columns { result[columnOf[row] - 1] = row - 1 }
        return result
    }
}
