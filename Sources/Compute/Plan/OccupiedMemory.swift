/// Which bytes of an arena are taken during which steps of a plan.
///
/// A segment tree over the steps. Each node stands for a range of them and knows the bytes taken during all of it, by buffers
/// that cover it, and those taken at any time of it. A life is the union of O(log n) nodes; what meets it lies in these, or covers
/// one of their ancestors. Since buffers are packed, what is taken are few pieces, and a question costs O(log² n).
struct OccupiedMemory {
    private struct Node {
        var throughout = IntervalSet()
        var sometime = IntervalSet()
    }

    private let leaves: Int
    private var nodes: [Node]

    init(steps: Int) {
        var leaves = 1
        while leaves < steps { leaves *= 2 }
        self.leaves = leaves
        nodes = [Node](repeating: Node(), count: 2 * leaves)
    }

    /// The lowest place with so many bytes that nobody takes at any time of a life.
    func lowestPlace(for size: Int, during life: ClosedRange<Int>) -> Int {
        var place = 0
        var isFree = false
        while !isFree {
            isFree = true
            forEachSet(during: life) { set in
                if let end = set.end(ofFirstThatMeets: place, size) {
                    place = end
                    isFree = false
                }
            }
        }
        return place
    }

    mutating func insert(_ interval: Range<Int>, during life: ClosedRange<Int>) {
        var (first, last) = (life.lowerBound + leaves, life.upperBound + leaves)
        let ends = [first, last]
        while first <= last {
            if first % 2 == 1 {
                nodes[first].throughout.insert(interval)
                nodes[first].sometime.insert(interval)
                first += 1
            }
            if last % 2 == 0 {
                nodes[last].throughout.insert(interval)
                nodes[last].sometime.insert(interval)
                last -= 1
            }
            (first, last) = (first / 2, last / 2)
        }
        // Each node of the union hangs below an ancestor of one of the ends.
        for var node in ends {
            while node > 1 {
                node /= 2
                nodes[node].sometime.insert(interval)
            }
        }
    }

    /// Calls `body` with sets that together hold what meets a life, and nothing else.
    private func forEachSet(during life: ClosedRange<Int>, _ body: (IntervalSet) -> Void) {
        var (first, last) = (life.lowerBound + leaves, life.upperBound + leaves)
        for var node in first == last ? [first] : [first, last] {
            while node > 0 {
                body(nodes[node].throughout)
                node /= 2
            }
        }
        while first <= last {
            if first % 2 == 1 {
                body(nodes[first].sometime)
                first += 1
            }
            if last % 2 == 0 {
                body(nodes[last].sometime)
                last -= 1
            }
            (first, last) = (first / 2, last / 2)
        }
    }
}

/// A set of numbers, as intervals in order that do not touch.
private struct IntervalSet {
    private var intervals: [Range<Int>] = []

    /// The end of the first interval that meets `place..<place + size`; nil where none does.
    func end(ofFirstThatMeets place: Int, _ size: Int) -> Int? {
        let index = firstIndex { $0.upperBound > place }
        guard index < intervals.count, intervals[index].lowerBound - place < size else { return nil }
        return intervals[index].upperBound
    }

    mutating func insert(_ interval: Range<Int>) {
        let first = firstIndex { $0.upperBound >= interval.lowerBound }
        var merged = interval
        var end = first
        while end < intervals.count, intervals[end].lowerBound <= interval.upperBound {
            let other = intervals[end]
            merged = min(merged.lowerBound, other.lowerBound)..<max(merged.upperBound, other.upperBound)
            end += 1
        }
        if end == first + 1 {
            intervals[first] = merged
        } else {
            intervals.replaceSubrange(first..<end, with: CollectionOfOne(merged))
        }
    }

    /// The first place where a condition holds that holds from there on.
    private func firstIndex(where holds: (Range<Int>) -> Bool) -> Int {
        var (low, high) = (0, intervals.count)
        while low < high {
            let middle = (low + high) / 2
            if holds(intervals[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
