import Foundation

/// What the samples of some inputs should give: real numbers, or classes.
public enum Answers: Sendable {
    /// `[n]` or `[n, width]`: one-hot rows or any real numbers.
    case targets(NDArray)
    /// `[n]`: whole numbers from 0; −1 for a sample that the loss leaves out.
    case labels(NDArray)
}

extension Dataset {
    /// Samples from arrays: inputs `[n, shape...]` (or `[n]`, inputs of shape [1]) and their targets or labels.
    /// - Parameters:
    ///   - classes: the number of classes; `nil`: the largest label plus one.
    ///   - test: test samples of the same kind.
    /// - Throws: `DatasetError` when counts or shapes do not fit each other, a number is not finite or a label is not a class.
    public static func arrays(
        name: String = "arrays", inputs: NDArray, answers: Answers, classes: Int? = nil,
        test: (inputs: NDArray, answers: Answers)? = nil
    ) throws -> Dataset {
        let inputShape = inputs.shape.count == 1 ? [1] : Array(inputs.shape.dropFirst())
        var classCount = classes ?? 0
        if classes == nil {
            for answers in [answers, test?.answers] {
                if case .labels(let labels)? = answers {
                    classCount = max(classCount, Int(try checkedLabels(labels, "labels").max() ?? 0) + 1)
                }
            }
        }
        let train = try split(name, "", inputs, answers, classCount)
        var testSplit: Split?
        if let test {
            let given = try split(name, "test_", test.inputs, test.answers, classCount)
            let shape = test.inputs.shape.count == 1 ? [1] : Array(test.inputs.shape.dropFirst())
            guard shape == inputShape else {
                throw DatasetError("test_inputs have samples of shape \(shape), inputs of shape \(inputShape)")
            }
            guard given.outputs == train.outputs, (given.labels == nil) == (train.labels == nil) else {
                throw DatasetError(
                    "the test samples have other targets than the training samples: both need labels, or targets of one width"
                )
            }
            testSplit = given
        }
        return Dataset(
            name: name, inputShape: inputShape, outputs: train.outputs, train: train, test: testSplit, notes: [])
    }

    /// - Parameter prefix: before the names of the options in errors.
    private static func split(
        _ name: String, _ prefix: String, _ inputs: NDArray, _ answers: Answers, _ classes: Int
    ) throws -> Split {
        guard let count = inputs.shape.first, inputs.count > 0 else {
            throw DatasetError("\(prefix)inputs of shape \(inputs.shape) hold no samples: [n, …] with n > 0 is needed")
        }
        try checkFinite(inputs, "\(prefix)inputs")
        let inputViews = ElementViews(inputs, for: "the \(prefix)inputs of \(name)")
        func checkCount(_ array: NDArray, _ option: String) throws {
            guard array.shape.first == count else {
                throw DatasetError(
                    "\(prefix)inputs hold \(count) samples, \(prefix)\(option) of shape \(array.shape) do not")
            }
        }
        switch answers {
        case .targets(let targets):
            try checkCount(targets, "targets")
            guard targets.shape.count <= 2, targets.count > 0 else {
                throw DatasetError("\(prefix)targets of shape \(targets.shape): [n] or [n, width] is needed")
            }
            try checkFinite(targets, "\(prefix)targets")
            return Split(
                count: count, inputs: inputViews, outputs: targets.count / count,
                targets: ElementViews(targets, for: "the \(prefix)targets of \(name)"))
        case .labels(let array):
            try checkCount(array, "labels")
            let labels = try checkedLabels(array, "\(prefix)labels")
            guard classes > 0 else {
                throw DatasetError("\(prefix)labels need at least one class: classes = \(classes)")
            }
            if let place = labels.firstIndex(where: { $0 >= classes }) {
                throw DatasetError(
                    "\(prefix)labels: sample \(place) has the label \(labels[place]), and the classes are 0 to \(classes - 1)"
                )
            }
            return Split(inputs: inputViews, labels: labels, classes: classes, name: name)
        }
    }

    /// The labels as integers: each is whole and at least −1.
    private static func checkedLabels(_ array: NDArray, _ option: String) throws -> [Int32] {
        guard array.shape.count == 1 || array.shape.count == 2 && array.shape[1] == 1 else {
            throw DatasetError("\(option) of shape \(array.shape): one whole number for each sample, [n], is needed")
        }
        return try (0..<array.count).map { i in
            guard let label = Int32(exactly: array[flat: i]), label >= -1, label < Int32.max else {
                throw DatasetError(
                    "\(option): sample \(i) (counted from 0) has the label \(array[flat: i]); classes are whole numbers "
                        + "from 0, and -1 leaves a sample out")
            }
            return label
        }
    }

    private static func checkFinite(_ array: NDArray, _ option: String) throws {
        guard let place = array.firstNonFinite() else { return }
        let sample = place / max(1, array.count / max(1, array.shape.first ?? 1))
        throw DatasetError(
            "\(option): sample \(sample) (counted from 0) holds \(array[flat: place]); all numbers must be finite")
    }
}

extension NDArray {
    /// The first place, in row-major order, of a NaN or an infinity.
    func firstNonFinite() -> Int? {
        withUnsafeBytes { bytes in
            switch element {
            case .f32: bytes.bindMemory(to: Float.self).firstIndex { !$0.isFinite }
            case .f64: bytes.bindMemory(to: Double.self).firstIndex { !$0.isFinite }
            default: nil
            }
        }
    }
}
