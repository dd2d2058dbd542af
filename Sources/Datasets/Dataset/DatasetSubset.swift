import Compute

extension Dataset {
    /// A data set of some of the training samples. The test split stays (its samples of other classes left out); inputs keep their
    /// numbers: nothing is standardised anew.
    /// - Parameters:
    ///   - selection: `indices` count the samples of this data set from 0.
    ///   - classes: only these classes, renumbered from 0 in this order; `nil`: all.
    ///   - labelNoise: the share of the chosen samples that get a wrong label.
    ///   - seed: of the choice of samples and of the wrong labels.
    /// - Throws: `DatasetError` when no or not so many samples are to be had, or when classes are spoken of and the samples have
    ///   none; the memory account's error.
    public func subset(
        _ selection: SampleSelection, classes: [Int]? = nil, labelNoise: Double = 0, seed: UInt64 = 0
    ) throws -> Dataset {
        let byClass: Bool
        if case .perClass = selection { byClass = true } else { byClass = false }
        let choosesByClass = classes != nil || byClass
        guard !choosesByClass && labelNoise == 0 || train.labels != nil && train.labelsPerSample == 1 else {
            throw DatasetError(
                "the samples of \(name) do not have one class each: classes, per_class and label_noise need that")
        }
        let kept = try classes.map { try checkedClasses($0, of: outputs, in: name) } ?? Array(0..<outputs)
        let chosen = try selection.chosen(
            labels: train.labels, count: train.count, classes: choosesByClass ? kept : nil, seed: seed, name: name)
        var newTrain = try train.taking(chosen)
        var newTest = test
        var words = ["\(chosen.count) of \(train.count) samples (\(selection.phrase(seed: seed)))"]
        var newLabel: [Int32: Int32] = [:]
        for (new, old) in kept.enumerated() { newLabel[Int32(old)] = Int32(new) }
        if classes != nil {
            words.append("classes \(kept.map(String.init).joined(separator: " "))")
            newTrain = renumbered(newTrain, newLabel)
            newTest = try test.flatMap { test in
                let rows = (test.labels ?? []).enumerated().filter { newLabel[$0.element] != nil }.map(\.offset)
                return rows.isEmpty ? nil : renumbered(try test.taking(rows), newLabel)
            }
        }
        if labelNoise != 0, var labels = newTrain.labels {
            let changed = try addLabelNoise(labelNoise, to: &labels, classes: kept.count, seed: seed)
            newTrain = newTrain.relabelled(labels, classes: kept.count, name: name)
            words.append("\(changed) labels changed")
        }
        return with(
            train: newTrain, test: newTest, classNames: classNames.map { names in kept.map { names[$0] } },
            note: words.joined(separator: ", "))
    }

    private func renumbered(_ split: Split, _ newLabel: [Int32: Int32]) -> Split {
        split.relabelled((split.labels ?? []).map { newLabel[$0] ?? -1 }, classes: newLabel.count, name: name)
    }

    /// How many samples are set aside for testing.
    public enum TestShare: Sendable, Hashable {
        case count(Int)
        /// ⌊share · n⌋ samples.
        case fraction(Double)
    }

    /// A data set whose training samples are divided into ones to train on and ones to test on, at random by the seed, each part in
    /// the order of the samples. An earlier test split is left out.
    /// - Throws: `DatasetError` when one of the parts would be empty; the memory account's error.
    public func split(test share: TestShare, seed: UInt64 = 0) throws -> Dataset {
        let count: Int
        switch share {
        case .count(let n): count = n
        case .fraction(let fraction):
            guard fraction > 0, fraction < 1 else {
                throw DatasetError("test = \(fraction): the share of samples to test on lies between 0 and 1")
            }
            count = wholeShare(fraction, of: train.count)
        }
        guard count > 0, count < train.count else {
            throw DatasetError(
                "\(count) of the \(train.count) samples of \(name) to test on: at least one is needed there and one to train on"
            )
        }
        var stream = RandomStream(seed: seed, purpose: .subset, index: 1)
        let order = stream.permutation(train.count)
        return with(
            train: try train.taking(order[count...].sorted()), test: try train.taking(order[..<count].sorted()),
            classNames: classNames, note: "\(count) of \(train.count) samples set aside for testing by seed \(seed)")
    }
}
