import Compute
import Datasets
import Graph
import Networks
import Objectives

/// A split of a data set as an objective sees it, in the elements of the model.
public struct DatasetSamples: SampleSource {
    public let count: Int
    public let inputShape: [Int]
    public let targetShape: [Int]
    public let mask: SampleMask?
    private let inputs: Rows
    private let targets: Rows

    /// - Parameters:
    ///   - first: how many of the split's samples, from its start; nil for all.
    ///   - inputElement: of the inputs; by default that of the targets.
    /// - Throws: `MemoryError` when the samples do not fit in the element's size, `DatasetError` for inputs that cannot be had
    ///   in theirs.
    public init(
        _ dataset: Dataset, _ split: Split? = nil, first: Int? = nil, as element: ElementType,
        inputs inputElement: ElementType? = nil
    ) throws {
        let split = split ?? dataset.train
        let count = min(first ?? split.count, split.count)
        self.count = count
        inputShape = dataset.inputShape
        targetShape = dataset.targetShape
        let places = split.labelsPerSample
        mask = split.labels.flatMap { SampleMask(labels: Array($0.prefix(count * places)), positions: places) }
        if inputElement == .i32, dataset.vocabulary == nil {
            throw ExperimentError.invalid(
                "the network takes tokens, and the inputs of \(dataset.name) are not declared as tokens: give the data a "
                    + "vocabulary, and whole numbers from 0 below it")
        }
        inputs = try split.inputs(as: inputElement ?? element)
        targets = try split.targets(as: element)
    }

    public func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        (inputs.base, targets.base)
    }

    public func gather(
        _ indices: UnsafeBufferPointer<Int>, as elements: SampleElements, inputs inputTarget: UnsafeMutableRawPointer,
        targets targetTarget: UnsafeMutableRawPointer
    ) throws {
        try inputs.gather(indices, into: inputTarget)
        try targets.gather(indices, into: targetTarget)
    }
}
