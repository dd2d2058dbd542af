import Datasets
import Graph
import Networks
import Objectives

extension Run {
    /// The share of labels that are right: the largest output is the label's, or for real targets that of the largest target;
    /// for a single output, that it lies on the label's side of ½ (of 0 for `bce`, whose output is a logit). Sequences count at
    /// each position; labels of −1 do not count.
    /// - Throws: `ExperimentError` where outputs cannot be compared with targets, or no label counts.
    public func accuracy(of evaluation: Oracle.Evaluation, on split: Split) throws -> Double {
        let width = objective.model.outputCount
        let places = split.labels == nil ? objective.positionCount : split.labelsPerSample
        let classes = width / max(1, places)
        let threshold = objective.loss?.decisionThreshold ?? 0.5
        func predicted(_ sample: Int, _ place: Int) -> Int {
            let first = sample * width + place * classes
            if classes == 1 { return evaluation.outputs[first] > threshold ? 1 : 0 }
            return Self.largest(first..<first + classes) { evaluation.outputs[$0] } - first
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
                    kept += 1
                    right += predicted(sample, place) == Int(label) ? 1 : 0
                }
            }
        } else {
            guard split.targetWidth == width else {
                throw ExperimentError.invalid("accuracy compares \(width) outputs with \(split.targetWidth) targets")
            }
            let targets = try split.targets(as: objective.model.element)
            withExtendedLifetime(targets) {
                func target(_ i: Int) -> Double {
                    targets.element == .f64
                        ? targets.base.load(fromByteOffset: i * 8, as: Double.self)
                        : Double(targets.base.load(fromByteOffset: i * 4, as: Float.self))
                }
                for sample in 0..<split.count where split.kept(sample) > 0 {
                    for place in 0..<places {
                        let first = sample * width + place * classes
                        let answer =
                            classes == 1
                            ? (target(first) > 0.5 ? 1 : 0)
                            : Self.largest(first..<first + classes, target) - first
                        kept += 1
                        right += predicted(sample, place) == answer ? 1 : 0
                    }
                }
            }
        }
        guard kept > 0 else { throw ExperimentError.invalid("accuracy: no sample has a label that counts: all are -1") }
        return Double(right) / Double(kept)
    }

    /// The first place of the largest value.
    private static func largest(_ places: Range<Int>, _ value: (Int) -> Double) -> Int {
        var best = places.lowerBound
        for place in places.dropFirst() where value(place) > value(best) { best = place }
        return best
    }
}
