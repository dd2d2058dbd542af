import Foundation

/// A number at each point of a grid, drawn as colours with lines of equal value. Where one is not finite there is no colour.
public struct Surface: Sendable {
    /// Ascending, at equal distances; at least two.
    public var x: [Double]
    public var y: [Double]
    /// Row by row: `values[i + x.count·j]` is at (x_i, y_j).
    public var values: [Double]
    /// What the colours stand for.
    public var label: String
    /// Of the colours and the lines' values.
    public var scale: Panel.Scale

    public init(x: [Double], y: [Double], values: [Double], label: String = "", scale: Panel.Scale = .linear) {
        (self.x, self.y, self.values, self.label, self.scale) = (x, y, values, label, scale)
    }

    /// The axes that show the whole of it: half a step beyond the outermost points, where their colour ends.
    public var ends: (x: ClosedRange<Double>, y: ClosedRange<Double>) {
        func range(_ places: [Double]) -> ClosedRange<Double> {
            guard places.count > 1, let first = places.first, let last = places.last, first < last else { return 0...1 }
            let half = (last - first) / Double(places.count - 1) / 2
            return first - half...last + half
        }
        return (range(x), range(y))
    }

    /// The smallest and the largest value that can be drawn; nil where none can.
    var range: (low: Double, high: Double)? {
        let drawn = values.filter { Curve.canBeDrawn($0, scale) }
        guard let low = drawn.min(), let high = drawn.max() else { return nil }
        return (low, high)
    }

    private func transformed(_ value: Double) -> Double {
        Curve.canBeDrawn(value, scale) ? (scale == .log ? log10(value) : value) : .nan
    }

    /// The pieces of the lines of equal value: at `levels` values between the smallest and the largest, as far apart from each other
    /// as the scale has it. By marching squares (Lorensen & Cline 1987, in two dimensions): in each cell a line is straight.
    func contours(levels: Int = 12) -> [[(x: Double, y: Double)]] {
        let heights = values.map(transformed)
        let finite = heights.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max(), low < high else { return [] }
        var pieces: [[(x: Double, y: Double)]] = []
        for j in 0..<max(0, y.count - 1) {
            for i in 0..<max(0, x.count - 1) {
                // The corners in turn about the cell.
                let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)].map { i, j in
                    (x: x[i], y: y[j], height: heights[i + x.count * j])
                }
                guard corners.allSatisfy({ $0.height.isFinite }) else { continue }
                for number in 1...levels {
                    let level = low + (high - low) * Double(number) / Double(levels + 1)
                    var crossings: [(x: Double, y: Double)] = []
                    for side in 0..<4 {
                        let (a, b) = (corners[side], corners[(side + 1) % 4])
                        guard (a.height < level) != (b.height < level) else { continue }
                        let share = (level - a.height) / (b.height - a.height)
                        crossings.append((a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)))
                    }
                    // Of a saddle both pairs, in turn.
                    for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                        pieces.append([crossings[pair], crossings[pair + 1]])
                    }
                }
            }
        }
        return pieces
    }
}
