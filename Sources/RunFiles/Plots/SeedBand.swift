/// The median of several curves at each place that at least two of them have, and what lies about it.
struct SeedBand {
    private(set) var x: [Double] = []
    private(set) var median: [Double] = []
    private(set) var low: [Double] = []
    private(set) var high: [Double] = []

    /// Quartiles lie between two values in proportion (type 7 of Hyndman & Fan 1996). Where a curve is not finite, as that of a run which
    /// has diverged, there are none: a median of the others would hide it.
    init(_ curves: [(x: [Double], y: [Double])], _ band: RunPlot.Band) {
        var values: [Double: [Double]] = [:]
        for curve in curves {
            for (x, y) in zip(curve.x, curve.y) where x.isFinite { values[x, default: []].append(y) }
        }
        let least = min(2, curves.count)
        for (place, own) in values.sorted(by: { $0.key < $1.key }) where own.count >= least {
            guard own.allSatisfy(\.isFinite) else {
                x.append(place)
                median.append(.nan)
                low.append(.nan)
                high.append(.nan)
                continue
            }
            let sorted = own.sorted()
            func quantile(_ share: Double) -> Double {
                let position = share * Double(sorted.count - 1)
                let below = Int(position)
                guard below + 1 < sorted.count else { return sorted[below] }
                return sorted[below] + (position - Double(below)) * (sorted[below + 1] - sorted[below])
            }
            x.append(place)
            median.append(quantile(0.5))
            low.append(band == .seeds ? quantile(0.25) : sorted[0])
            high.append(band == .seeds ? quantile(0.75) : sorted[sorted.count - 1])
        }
    }
}
