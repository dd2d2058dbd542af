import Compute
import Graph

/// Some of the coordinates of a space, as ranges: those of one layer, of several. Its own vectors have as many elements as the
/// ranges together, in their order.
public struct CoordinateBlock: Sendable, Hashable {
    public let ranges: [Range<Int>]
    /// The dimension of the space around.
    public let whole: Int
    /// How many coordinates.
    public let count: Int

    /// - Throws: ``CurvatureError`` where the ranges are empty, overlap, or leave the space.
    public init(_ ranges: [Range<Int>], of whole: Int) throws {
        var last: Range<Int>?
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= whole else {
                throw CurvatureError.badSetting(
                    "coordinates \(range) are no block of an operator of dimension \(whole)")
            }
            if let last, range.lowerBound < last.upperBound {
                throw CurvatureError.badSetting("coordinates \(range) and \(last) overlap: name each only once")
            }
            last = range
        }
        guard last != nil else { throw CurvatureError.badSetting("a block needs at least one coordinate") }
        self.ranges = ranges
        self.whole = whole
        count = ranges.reduce(0) { $0 + $1.count }
    }

    /// The vector of the space around that has these values in the block, and 0 elsewhere.
    ///
    /// - Throws: ``CurvatureError`` for a vector of another dimension; `MemoryError`.
    public func embed(_ v: Vector) throws -> Vector {
        guard v.count == count else { throw CurvatureError.wrongDimension(expected: count, got: v.count) }
        var result = try Vector(zeros: whole, element: v.element)
        try copy(v, into: &result) { offset, range in (from: offset, to: range.lowerBound) }
        return result
    }

    /// The elements of a vector of the space around that belong to the block.
    ///
    /// - Throws: as ``embed(_:)``.
    public func restrict(_ v: Vector) throws -> Vector {
        guard v.count == whole else { throw CurvatureError.wrongDimension(expected: whole, got: v.count) }
        var result = try Vector(uninitialized: count, element: v.element)
        try copy(v, into: &result) { offset, range in (from: range.lowerBound, to: offset) }
        return result
    }

    private func copy(
        _ source: Vector, into target: inout Vector, _ places: (Int, Range<Int>) -> (from: Int, to: Int)
    ) throws {
        let size = source.element.byteCount
        try target.withUnsafeMutableBytes { to in
            source.withUnsafeBytes { from in
                var offset = 0
                for range in ranges {
                    let place = places(offset, range)
                    UnsafeMutableRawBufferPointer(rebasing: to[place.to * size..<(place.to + range.count) * size])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(
                                rebasing: from[place.from * size..<(place.from + range.count) * size]))
                    offset += range.count
                }
            }
        }
    }
}
