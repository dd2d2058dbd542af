import Compute

/// A random linear map from parameters to a few thousand numbers that keeps distances: E‖Sx‖² = ‖x‖², with a relative standard
/// deviation of ‖Sx‖² of at most √(2/rows), 2 % for 5,000 rows (Johnson & Lindenstrauss 1984; Kane & Nelson 2014). Nothing of
/// it is stored: its entries are counter-based random numbers, the same on every machine.
public struct RandomProjection: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Four entries ±½ in each column, in different rows; that of the EoSS code.
        case sparse
        /// Independent entries of variance 1/rows. Costs a random number for each row and parameter.
        case gaussian
    }

    public let kind: Kind
    public let rows: Int
    public let seed: UInt64

    /// Entries in a column of a sparse projection.
    private static let entries = 4
    /// At most 2²⁵ rows are told apart.
    private static let mostRows = 1 << 25

    /// - Throws: `ExperimentError.invalid` for fewer than 4 rows, or more than 2²⁵.
    public init(_ kind: Kind = .sparse, rows: Int = 5000, seed: UInt64 = 1337) throws {
        guard rows >= Self.entries, rows <= Self.mostRows else {
            throw ExperimentError.invalid(
                "a sketch has \(Self.entries) to \(Self.mostRows) rows, not \(rows)")
        }
        (self.kind, self.rows, self.seed) = (kind, rows, seed)
    }

    /// Multiply-adds of the cost model that a sketch of so many numbers takes: an element moved counts as eight.
    public func operations(for count: Int) -> Double {
        switch kind {
        // Each number is read, and four rows are read and written.
        case .sparse: 72 * Double(count)
        // A random number is drawn, some ten operations, and moved for each row.
        case .gaussian: 20 * Double(rows) * Double(count)
        }
    }

    /// S·x, of `rows` numbers.
    public func callAsFunction(_ x: Vector) -> [Double] {
        x.withUnsafeBytes { bytes in
            x.element == .f64
                ? project(bytes.bindMemory(to: Double.self)) : project(bytes.bindMemory(to: Float.self))
        }
    }

    private func project<Real: BinaryFloatingPoint>(_ x: UnsafeBufferPointer<Real>) -> [Double] {
        switch kind {
        case .sparse: sparse(x)
        case .gaussian: gaussian(x)
        }
    }

    /// Purposes other than this have streams 0 and up of their own; of `.vector` the user has number 0.
    private func stream(_ index: UInt64) -> RandomStream {
        RandomStream(seed: seed, purpose: .vector, index: index + 1)
    }

    /// How many random numbers are made at a time.
    private static let chunk = 4096

    /// Column j takes the doubles 2j and 2j + 1 of the stream: 53 random bits each, of which 26 make an entry's row and its sign.
    /// The rows fall into four nearly equal blocks, and each entry lies in one of its own.
    @inline(__always)
    private func sparse<Real: BinaryFloatingPoint>(_ x: UnsafeBufferPointer<Real>) -> [Double] {
        var stream = stream(0)
        var result = [Double](repeating: 0, count: rows)
        let starts = (0...4).map { UInt64($0 * rows / 4) }
        let (first, second, third, fourth) = (starts[0], starts[1], starts[2], starts[3])
        let sizes = (
            starts[1] - starts[0], starts[2] - starts[1], starts[3] - starts[2], starts[4] - starts[3]
        )
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * Self.chunk) { uniform in
            result.withUnsafeMutableBufferPointer { result in
                @inline(__always)
                func add(_ value: Double, _ bits: UInt64, _ start: UInt64, _ size: UInt64) {
                    // 25 bits choose the row, the lowest the sign.
                    let row = start &+ ((bits >> 1 & 0x1FF_FFFF) &* size) >> 25
                    // A branch on the sign would be mispredicted half the time.
                    result[Int(row)] += Double(bitPattern: value.bitPattern ^ bits << 63)
                }
                for begin in stride(from: 0, to: x.count, by: Self.chunk) {
                    let count = min(Self.chunk, x.count - begin)
                    stream.fillUniform(UnsafeMutableBufferPointer(rebasing: uniform[0..<2 * count]))
                    for j in 0..<count {
                        let half = 0.5 * Double(x[begin + j])
                        let one = UInt64(uniform[2 * j] * 0x1p53)
                        let two = UInt64(uniform[2 * j + 1] * 0x1p53)
                        add(half, one, first, sizes.0)
                        add(half, one >> 26, second, sizes.1)
                        add(half, two, third, sizes.2)
                        add(half, two >> 26, fourth, sizes.3)
                    }
                }
            }
        }
        return result
    }

    /// Row i is the stream with its number.
    @inline(__always)
    private func gaussian<Real: BinaryFloatingPoint>(_ x: UnsafeBufferPointer<Real>) -> [Double] {
        let scale = 1 / Double(rows).squareRoot()
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.chunk) { normal in
            (0..<rows).map { row in
                var stream = stream(UInt64(row) + 1)
                var sum = 0.0
                for begin in stride(from: 0, to: x.count, by: Self.chunk) {
                    let count = min(Self.chunk, x.count - begin)
                    stream.fillNormal(UnsafeMutableBufferPointer(rebasing: normal[0..<count]))
                    for j in 0..<count { sum += normal[j] * Double(x[begin + j]) }
                }
                return scale * sum
            }
        }
    }
}
