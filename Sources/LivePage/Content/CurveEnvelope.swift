/// A curve of any length in few points: of each stretch of values the least and the greatest, so that a single spike among a million
/// is seen; the first value and the last; and where values are no finite numbers.
///
/// Values are added as they are measured. Stretches have the same number of values; when there are too many of them each two become one.
struct CurveEnvelope: Sendable {
    struct Point: Sendable, Equatable {
        let step: Int
        let value: Double
    }

    private struct Stretch {
        var count = 0
        var least: Point?
        var greatest: Point?
        /// The first value that is not finite.
        var odd: Point?

        mutating func add(_ point: Point) {
            count += 1
            guard point.value.isFinite else {
                odd = odd ?? point
                return
            }
            if least.map({ point.value < $0.value }) ?? true { least = point }
            if greatest.map({ point.value > $0.value }) ?? true { greatest = point }
        }

        mutating func merge(_ next: Stretch) {
            count += next.count
            odd = odd ?? next.odd
            if let other = next.least, least.map({ other.value < $0.value }) ?? true { least = other }
            if let other = next.greatest, greatest.map({ other.value > $0.value }) ?? true { greatest = other }
        }

        var points: [Point] {
            let found = [least, greatest, odd].compactMap { $0 }.sorted { $0.step < $1.step }
            return found.enumerated().filter { $0 == 0 || found[$0 - 1].step != $1.step }.map(\.element)
        }
    }

    private let capacity: Int
    private var stride = 1
    private var stretches: [Stretch] = []
    private(set) var first: Point?
    private(set) var last: Point?
    /// How many values it stands for.
    private(set) var count = 0

    /// - Parameter capacity: stretches at most, two or more; there are up to three points in each.
    init(capacity: Int = 600) {
        precondition(capacity >= 2, "two stretches become one")
        self.capacity = capacity
    }

    mutating func add(_ step: Int, _ value: Double) {
        let point = Point(step: step, value: value)
        if first == nil { first = point }
        last = point
        count += 1
        if stretches.last.map({ $0.count >= stride }) ?? true {
            if stretches.count == capacity { halve() }
            if stretches.last.map({ $0.count >= stride }) ?? true { stretches.append(Stretch()) }
        }
        stretches[stretches.count - 1].add(point)
    }

    private mutating func halve() {
        stride *= 2
        var merged: [Stretch] = []
        merged.reserveCapacity(capacity)
        for (place, stretch) in stretches.enumerated() {
            if place % 2 == 0 { merged.append(stretch) } else { merged[merged.count - 1].merge(stretch) }
        }
        stretches = merged
    }

    /// In the order of their steps.
    var points: [Point] {
        var points = stretches.flatMap(\.points)
        if let first, points.first?.step != first.step { points.insert(first, at: 0) }
        if let last, points.last?.step != last.step { points.append(last) }
        return points
    }
}
