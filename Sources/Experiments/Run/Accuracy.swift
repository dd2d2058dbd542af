import Datasets
import Graph
import Networks
import Objectives

extension Run {
    /// The share of labels that are right: the largest output is the label's, or for real targets that of the largest target;
    /// for a single output, that it lies on the label's side of ½ (of 0 for `bce`, whose output is a logit, and for targets ±1).
    /// Sequences count at each position; labels of −1 do not count. Not a number where an output that counts is none.
    ///
    /// Real targets name classes where each is one-hot (of a single output: 0 or 1, or −1 or 1), or a distribution for `ce` and
    /// `bce`; others are those of a regression.
    /// - Returns: nil for a regression, which has no accuracy.
    /// - Throws: `ExperimentError` where outputs cannot be compared with targets, or where no label counts.
    public func accuracy(of evaluation: Oracle.Evaluation, on split: Split) throws -> Double? {
        let width = objective.model.outputCount
        let places = split.labels == nil ? objective.positionCount : split.labelsPerSample
        let classes = width / max(1, places)
        var threshold = objective.loss?.decisionThreshold ?? 0.5
        /// The class of an output; nil where it has none.
        func predicted(_ sample: Int, _ place: Int) -> Int? {
            let first = sample * width + place * classes
            let outputs = evaluation.outputs[first..<first + classes]
            // The loss is none where parameters are not finite, though a dead unit may hide them from some outputs.
            if evaluation.loss.isNaN || outputs.contains(where: \.isNaN) { return nil }
            if classes == 1 { return outputs[first] > threshold ? 1 : 0 }
            return Self.largest(first..<first + classes) { outputs[$0] } - first
        }
        var (right, kept) = (0, 0)
        if let labels = split.labels, split.outputs > 1 {
            guard width == places * classes, classes == split.outputs || classes == 1 && split.outputs == 2 else {
                throw ExperimentError.invalid("accuracy compares \(width) outputs with \(split.targetWidth) targets")
            }
            for sample in 0..<split.count {
                for place in 0..<places {
                    let label = labels[sample * places + place]
                    if label < 0 { continue }
                    guard let answer = predicted(sample, place) else { return .nan }
                    kept += 1
                    right += answer == Int(label) ? 1 : 0
                }
            }
        } else {
            guard split.targetWidth == width else {
                throw ExperimentError.invalid("accuracy compares \(width) outputs with \(split.targetWidth) targets")
            }
            guard let targets = try classTargets(of: split, classes: classes) else { return nil }
            if targets.areSigned { threshold = 0 }
            for sample in 0..<split.count where split.kept(sample) > 0 {
                for place in 0..<places {
                    let first = sample * width + place * classes
                    let target =
                        classes == 1
                        ? (targets.values[first] > 0.5 ? 1 : 0)
                        : Self.largest(first..<first + classes) { targets.values[$0] } - first
                    guard let answer = predicted(sample, place) else { return .nan }
                    kept += 1
                    right += answer == target ? 1 : 0
                }
            }
        }
        guard kept > 0 else { throw ExperimentError.invalid("accuracy: no sample has a label that counts: all are -1") }
        return Double(right) / Double(kept)
    }

    /// The real targets of a split, and whether they are −1 and 1, where those that count name classes; nil for a regression.
    private func classTargets(
        of split: Split, classes: Int
    ) throws -> (values: [Double], areSigned: Bool)? {
        let stored = try split.targets(as: objective.model.element)
        let width = split.targetWidth
        let targets = withExtendedLifetime(stored) {
            (0..<split.count * width).map { i -> Double in
                stored.element == .f64
                    ? stored.base.load(fromByteOffset: i * 8, as: Double.self)
                    : Double(stored.base.load(fromByteOffset: i * 4, as: Float.self))
            }
        }
        // What these losses are given are probabilities of classes.
        if objective.loss == .crossEntropy || objective.loss == .binaryCrossEntropy { return (targets, false) }
        let rows = (0..<split.count).filter { split.kept($0) > 0 }.map { targets[$0 * width..<($0 + 1) * width] }
        if classes == 1 {
            let areSigned = rows.contains { $0.contains(-1) }
            let allowed: Set = areSigned ? [-1.0, 1] : [0, 1]
            return rows.allSatisfy { $0.allSatisfy(allowed.contains) } ? (targets, areSigned) : nil
        }
        let areOneHot = rows.allSatisfy { row in
            stride(from: row.startIndex, to: row.endIndex, by: classes).allSatisfy { first in
                let place = row[first..<first + classes]
                return place.count { $0 == 1 } == 1 && place.count { $0 == 0 } == classes - 1
            }
        }
        return areOneHot ? (targets, false) : nil
    }

    /// The first place of the largest value.
    private static func largest(_ places: Range<Int>, _ value: (Int) -> Double) -> Int {
        var best = places.lowerBound
        for place in places.dropFirst() where value(place) > value(best) { best = place }
        return best
    }
}
