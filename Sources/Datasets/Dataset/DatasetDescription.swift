import Foundation

extension Dataset {
    /// The data set in a line: sizes, and what was done to the samples.
    public var summary: String {
        let tests = test.map { "\($0.count) test samples" } ?? "no test samples"
        let parts = ["\(train.count) training samples", tests, "inputs \(shapeText)", targetText] + notes
        return "\(name): \(parts.joined(separator: ", "))"
    }

    /// The data set in some lines: where it comes from, what was done, and for each split the number of samples, the range of
    /// the inputs and of real targets, and the number of samples of each class.
    public func describe() -> String {
        var lines = [name == title ? name : "\(name): \(title)"]
        func line(_ label: String, _ text: String) {
            lines.append("  " + label.padding(toLength: max(10, label.count + 1), withPad: " ", startingAt: 0) + text)
        }
        if let source { line("source", source) }
        for (i, note) in notes.enumerated() { line(i == 0 ? "samples" : "", note) }
        for (label, split) in [("training", train), ("test", test)] {
            guard let split else { continue }
            let tokens = vocabulary.map { " of tokens 0 to \($0 - 1)" } ?? ""
            line(
                label,
                "\(split.count) samples: inputs \(shapeText)\(tokens), \(rangeText(split.inputViews)); \(targetText)")
            if let labels = split.labels {
                line("", classText(labels, split.outputs))
            } else {
                line("", "targets \(rangeText(split.targetViews))")
            }
            if split.keptCounts != nil {
                line("", "\(split.keptTotal) of \(split.count * split.labelsPerSample) labels kept, the others are -1")
            }
        }
        for (name, array) in truth.sorted(by: { $0.key < $1.key }) {
            line("truth", "\(name) \(array.shape.map(String.init).joined(separator: "×"))")
        }
        return lines.joined(separator: "\n")
    }

    private var shapeText: String {
        inputShape.isEmpty ? "scalar" : inputShape.map(String.init).joined(separator: "×")
    }

    private var targetText: String {
        guard train.labels != nil else {
            return targetShape.count <= 1
                ? "targets of width \(outputs)" : "targets \(targetShape.map(String.init).joined(separator: "×"))"
        }
        return "\(outputs) classes" + (train.labelsPerSample == 1 ? "" : " at each of \(train.labelsPerSample) places")
    }

    private func rangeText(_ views: ElementViews) -> String {
        let (least, greatest) = views.table.range()
        return "from \(number(least)) to \(number(greatest))"
    }

    private func number(_ value: Double) -> String { String(format: "%.4g", value) }

    /// `airplane 512, automobile 498, …`; of more than twenty classes only the extremes.
    private func classText(_ labels: [Int32], _ classes: Int) -> String {
        var counts = [Int](repeating: 0, count: classes)
        for label in labels where label >= 0 { counts[Int(label)] += 1 }
        guard classes <= 20 else {
            return "each class from \(counts.min() ?? 0) to \(counts.max() ?? 0) times"
        }
        return counts.enumerated().map { "\(classNames?[$0] ?? "class \($0)") \($1)" }.joined(separator: ", ")
    }
}
