import Compute

/// Which samples of a training set are taken.
public enum SampleSelection: Sendable, Hashable {
    /// All of them, in the order of the file.
    case all
    /// So many at random, in a random order. With the same seed a smaller number gives the beginning of a larger one.
    case random(Int)
    /// The first so many in the order of the file.
    case first(Int)
    /// So many of each class at random, in a random order.
    case perClass(Int)
    /// These, in this order, counted from 0.
    case indices([Int])

    /// The numbers of the samples taken.
    /// - Parameters:
    ///   - labels: the label of every sample there is; `nil` where samples have none.
    ///   - classes: only samples with these labels are taken (of `indices` all have to be such); `nil`: all samples.
    ///   - seed: of the random choice, with ``RandomPurpose/subset``.
    /// - Throws: `DatasetError` when more samples are asked for than there are, or none, or one twice.
    func chosen(labels: [Int32]?, count: Int, classes: [Int]?, seed: UInt64, name: String) throws -> [Int] {
        let wanted = classes.map { Set($0.map(Int32.init)) }
        let eligible: [Int]
        if let labels, let wanted {
            eligible = labels.indices.filter { wanted.contains(labels[$0]) }
        } else {
            eligible = Array(0..<count)
        }
        let ofThese = wanted == nil ? "" : " of these classes"
        func check(_ n: Int, _ option: String) throws {
            guard n > 0 else { throw DatasetError("\(option) = \(n): at least one sample is needed") }
            guard n <= eligible.count else {
                throw DatasetError("\(option) = \(n), but \(name) has \(eligible.count) training samples\(ofThese)")
            }
        }
        var stream = RandomStream(seed: seed, purpose: .subset)
        switch self {
        case .all:
            guard !eligible.isEmpty else { throw DatasetError("\(name) has no training samples\(ofThese)") }
            return eligible
        case .random(let n):
            try check(n, "n")
            return stream.sample(n, from: eligible.count).map { eligible[$0] }
        case .first(let n):
            try check(n, "first")
            return Array(eligible.prefix(n))
        case .perClass(let n):
            try check(n, "per_class")
            guard let labels, let wanted else {
                throw DatasetError("per_class = \(n): the samples of \(name) have no classes")
            }
            var taken = [Int32: Int](uniqueKeysWithValues: wanted.map { ($0, 0) })
            let chosen = stream.permutation(eligible.count).map { eligible[$0] }.filter { sample in
                taken[labels[sample], default: 0] += 1
                return taken[labels[sample], default: 0] <= n
            }
            for (label, count) in taken.sorted(by: { $0.key < $1.key }) where count < n {
                throw DatasetError("per_class = \(n), but class \(label) of \(name) has \(count) training samples")
            }
            return chosen
        case .indices(let indices):
            guard !indices.isEmpty else { throw DatasetError("indices is empty: at least one sample is needed") }
            var seen: Set<Int> = []
            for index in indices {
                guard (0..<count).contains(index) else {
                    throw DatasetError(
                        "there is no training sample \(min(index, .max - 1) + 1): \(name) has samples 1 to \(count)")
                }
                if let labels, let wanted, !wanted.contains(labels[index]) {
                    throw DatasetError(
                        "training sample \(index + 1) has label \(labels[index]), which is none of the classes asked for"
                    )
                }
                guard seen.insert(index).inserted else { throw DatasetError("indices holds sample \(index + 1) twice") }
            }
            return indices
        }
    }

    /// How the samples were chosen, in words.
    func phrase(seed: UInt64) -> String {
        switch self {
        case .all: "all"
        case .random: "by seed \(seed)"
        case .first: "the first"
        case .perClass(let n): "\(n) of each class by seed \(seed)"
        case .indices: "by their numbers"
        }
    }
}

/// A choice of classes: some of 0 ..< count, each once.
func checkedClasses(_ classes: [Int], of count: Int, in title: String) throws -> [Int] {
    guard !classes.isEmpty, Set(classes).count == classes.count, classes.allSatisfy({ (0..<count).contains($0) }) else {
        throw DatasetError("classes = \(classes): \(title) has the classes 0 to \(count - 1), each may be named once")
    }
    return classes
}

/// ⌊qn⌋ for a share q of n samples. 0.29 · 100 is 28.999…96 in f64: the product is allowed its rounding error, four units in the
/// last place.
func wholeShare(_ q: Double, of n: Int) -> Int {
    Int((q * Double(n) * (1 + 4 * Double.ulpOfOne)).rounded(.down))
}

/// Gives ⌊qn⌋ of the labels, drawn without replacement, another class, uniform over the other ones. Labels of −1 are no samples.
/// - Returns: how many were changed.
/// - Throws: `DatasetError` for q outside [0, 1], or fewer than two classes.
func addLabelNoise(_ q: Double, to labels: inout [Int32], classes: Int, seed: UInt64) throws -> Int {
    guard q >= 0, q <= 1 else {
        throw DatasetError("label_noise = \(q): it is a share of the samples, between 0 and 1")
    }
    guard q > 0 else { return 0 }
    guard classes > 1 else { throw DatasetError("label_noise needs at least two classes") }
    let kept = labels.indices.filter { labels[$0] >= 0 }
    let count = min(kept.count, wholeShare(q, of: kept.count))
    var stream = RandomStream(seed: seed, purpose: .labels)
    for place in stream.sample(count, from: kept.count) {
        let sample = kept[place]
        let other = Int32(stream.below(classes - 1))
        labels[sample] = other < labels[sample] ? other : other + 1
    }
    return count
}
