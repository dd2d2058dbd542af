import Compute
import Datasets
import Graph
import Networks

/// A split of a data set as an objective sees it, in the element of the model.
public struct DatasetSamples: SampleSource {
    public let count: Int
    public let inputShape: [Int]
    public let targetShape: [Int]
    private let inputs: Rows
    private let targets: Rows

    /// - Parameter first: how many of the split's samples, from its start; nil for all.
    /// - Throws: `MemoryError` when the samples do not fit in the element's size.
    public init(_ dataset: Dataset, _ split: Split? = nil, first: Int? = nil, as element: ElementType) throws {
        let split = split ?? dataset.train
        count = min(first ?? split.count, split.count)
        inputShape = dataset.inputShape
        targetShape = dataset.targetShape
        inputs = try split.inputs(as: element)
        targets = try split.targets(as: element)
    }

    public func rows(as element: ElementType) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        (inputs.base, targets.base)
    }

    public func gather(
        _ indices: UnsafeBufferPointer<Int>, as element: ElementType, inputs inputTarget: UnsafeMutableRawPointer,
        targets targetTarget: UnsafeMutableRawPointer
    ) throws {
        try inputs.gather(indices, into: inputTarget)
        try targets.gather(indices, into: targetTarget)
    }
}
