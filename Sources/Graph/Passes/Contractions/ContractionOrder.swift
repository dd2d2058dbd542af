/// The cheapest order of a network's pairwise contractions, by dynamic programming over the subsets of its factors.
struct ContractionOrder {
    /// A set of labels, or of factors.
    typealias Mask = UInt64

    private let labels: [Mask]
    private let output: Mask
    private let extents: [Int]
    private let weights: CostWeights

    /// - Parameter labels: of the factors, none in one factor alone unless it is in the output.
    init(labels: [Mask], output: Mask, extents: [Int], weights: CostWeights) {
        self.weights = weights
        self.labels = labels
        self.output = output
        self.extents = extents
    }

    indirect enum Tree {
        case factor(Int)
        case pair(Tree, Tree)
    }

    /// The product of the extents; products that no memory holds count as the largest number there is.
    private func size(_ mask: Mask) -> Int {
        var size = 1
        var rest = mask
        while rest != 0 {
            let (product, overflow) = size.multipliedReportingOverflow(by: extents[rest.trailingZeroBitCount])
            if overflow || product > Self.largest { return Self.largest }
            size = product
            rest &= rest - 1
        }
        return size
    }

    private static let largest = 1 << 48

    /// Of two orders that cost the same the first found: subsets by their numbers.
    func best() -> Tree {
        let count = labels.count
        let all = (1 << count) - 1
        // The labels in any factor of a subset.
        var present = [Mask](repeating: 0, count: all + 1)
        for subset in 1...all {
            let lowest = subset.trailingZeroBitCount
            present[subset] = present[subset & (subset - 1)] | labels[lowest]
        }
        // Those that the subset's product still has: in the output, or in a factor outside.
        let kept = (0...all).map { present[$0] & (output | present[all ^ $0]) }
        let sizes = kept.map(size)
        var costs = [Double](repeating: .infinity, count: all + 1)
        var splits = [Int](repeating: 0, count: all + 1)
        for subset in 1...all {
            if subset & (subset - 1) == 0 {
                costs[subset] = 0
                continue
            }
            // Each split once: the part with the lowest factor is the left one.
            let lowest = subset & -subset
            let others = subset ^ lowest
            var right = others
            while right != 0 {
                let left = subset ^ right
                let before = costs[left] + costs[right]
                if before < costs[subset] {
                    let step = Cost(
                        multiplyAdds: size(kept[left] | kept[right]),
                        elements: sizes[left].addingSaturated(sizes[right]).addingSaturated(sizes[subset]))
                    let cost = before + step.total(weights)
                    if cost < costs[subset] {
                        costs[subset] = cost
                        splits[subset] = right
                    }
                }
                right = (right - 1) & others
            }
        }
        func tree(_ subset: Int) -> Tree {
            subset & (subset - 1) == 0
                ? .factor(subset.trailingZeroBitCount) : .pair(tree(subset ^ splits[subset]), tree(splits[subset]))
        }
        return tree(all)
    }
}
