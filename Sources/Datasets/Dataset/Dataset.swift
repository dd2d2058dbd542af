import Compute
import Graph

/// Samples to train on and samples to test on. A value: nothing in it ever changes.
public struct Dataset: Sendable {
    /// The name in messages and run files, e.g. `fashion_mnist`.
    public let name: String
    /// The name in texts, e.g. `Fashion-MNIST`.
    public let title: String
    /// The shape of one input; images are channels, rows, columns, sequences one axis of tokens.
    public let inputShape: [Int]
    /// How many different tokens there are, where the inputs are tokens, 0 ..< vocabulary.
    public let vocabulary: Int?
    public let train: Split
    public let test: Split?
    /// The names of the classes, where they have names.
    public let classNames: [String]?
    /// The folder or file that the samples were read from; `nil` for generated ones.
    public let source: String?
    /// Where the samples come from and what was done to them, as phrases.
    public let notes: [String]
    /// What a generator made the samples of, by name: the weights of a teacher, the means of a mixture.
    public let truth: [String: NDArray]

    init(
        name: String, title: String? = nil, inputShape: [Int], vocabulary: Int? = nil, train: Split, test: Split? = nil,
        classNames: [String]? = nil, source: String? = nil, notes: [String] = [], truth: [String: NDArray] = [:]
    ) {
        self.name = name
        self.title = title ?? name
        self.inputShape = inputShape
        self.vocabulary = vocabulary
        self.train = train
        self.test = test
        self.classNames = classNames
        self.source = source
        self.notes = notes
        self.truth = truth
    }

    /// The number of elements of one input.
    public var inputWidth: Int { train.inputWidth }

    /// The number of classes where the data have labels; for real targets the number of elements of one.
    public var outputs: Int { train.outputs }

    /// The shape of one target: `[classes]`, `[places, classes]` for labelled sequences, or the shape of real targets.
    public var targetShape: [Int] { train.targetShape }

    /// Other samples of the same kind, with one more thing done to them.
    func with(train: Split, test: Split?, classNames: [String]?, note: String) -> Dataset {
        Dataset(
            name: name, title: title, inputShape: inputShape, vocabulary: vocabulary, train: train, test: test,
            classNames: classNames, source: source, notes: notes + [note], truth: truth)
    }
}
