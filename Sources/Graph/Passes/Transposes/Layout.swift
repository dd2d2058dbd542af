/// The order in which a value's axes are stored: the place j in memory holds the value's axis `axes[j]`. What is stored is the
/// value transposed by `axes`; a plain value is stored as it is.
struct Layout: Hashable {
    var axes: [Int]

    init(_ axes: [Int]) { self.axes = axes }
    static func plain(rank: Int) -> Layout { Layout(Array(0..<rank)) }

    /// For each axis of the value the place where it is stored.
    var places: [Int] { Transpose(permutation: axes).inverse }

    /// The shape of what is stored for a value of this shape.
    func stored(_ shape: [Int]) -> [Int] { axes.map { shape[$0] } }

    /// Whether a value of this shape is stored as in the other layout: axes of extent 1 may lie anywhere.
    func equals(_ other: Layout, for shape: [Int]) -> Bool {
        axes.filter { shape[$0] != 1 } == other.axes.filter { shape[$0] != 1 }
    }

    func isPlain(for shape: [Int]) -> Bool {
        let wide = axes.filter { shape[$0] != 1 }
        return zip(wide, wide.dropFirst()).allSatisfy { $0 < $1 }
    }

    /// The axes that `kept` has, renumbered by their places in it.
    func restricted(to kept: [Int]) -> Layout {
        var number: [Int: Int] = [:]
        for (place, axis) in kept.enumerated() { number[axis] = place }
        return Layout(axes.compactMap { number[$0] })
    }

    /// The layout of a value of `rank` axes that has this one's axes at `kept`, each other axis behind the one before it.
    func extended(from kept: [Int], rank: Int) -> Layout {
        var axes: [Int] = []
        var next = 0
        while next < rank, !kept.contains(next) {
            axes.append(next)
            next += 1
        }
        for axis in self.axes {
            var place = kept[axis]
            repeat {
                axes.append(place)
                place += 1
            } while place < rank && !kept.contains(place)
        }
        return Layout(axes)
    }
}
