import Foundation

/// A curve in one line of text.
package enum Sparkline {
    private static let levels = Array("▁▂▃▄▅▆▇█")

    /// The values from left to right in at most `width` characters, from the least to the largest. Several values in one character are
    /// shown by the largest of them, so that a spike is seen. Where all are positive and far apart (a factor of 100 or more) heights
    /// go with the logarithm. `·` stands for values that are not finite.
    package static func text(_ values: [Double], width: Int = 24) -> String {
        guard width > 0, !values.isEmpty else { return "" }
        let count = min(width, values.count)
        let largest = (0..<count).map { cell -> Double? in
            let first = cell * values.count / count
            let end = (cell + 1) * values.count / count
            return values[first..<end].lazy.filter(\.isFinite).max()
        }
        let finite = largest.compactMap { $0 }
        guard let low = finite.min(), let high = finite.max() else { return String(repeating: "·", count: count) }
        let isLogarithmic = low > 0 && high / low >= 100
        func height(_ value: Double) -> Double { isLogarithmic ? log(value) : value / 2 }
        // Half of each: the difference of two large numbers may be none.
        let (bottom, span) = (height(low), height(high) - height(low))
        return String(
            largest.map { value -> Character in
                guard let value else { return "·" }
                let part = span > 0 ? (height(value) - bottom) / span : 0
                return levels[min(levels.count - 1, Int(part * Double(levels.count)))]
            })
    }
}
