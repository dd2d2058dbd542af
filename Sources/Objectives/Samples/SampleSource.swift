import Graph
import Networks

/// Samples that an objective is evaluated on: inputs and targets as rows in memory, in the elements of the model.
public protocol SampleSource: Sendable {
    /// n, the number of samples.
    var count: Int { get }
    var inputShape: [Int] { get }
    var targetShape: [Int] { get }

    /// Which labels count; nil where all do.
    var mask: SampleMask? { get }

    /// The first row of the inputs `[n, …]` and of the targets `[n, …]`, contiguous, valid as long as the source lives.
    func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer)

    /// Copies the samples of these numbers, in this order, to contiguous rows.
    func gather(
        _ indices: UnsafeBufferPointer<Int>, as elements: SampleElements, inputs: UnsafeMutableRawPointer,
        targets: UnsafeMutableRawPointer) throws
}

extension SampleSource {
    public var mask: SampleMask? { nil }

    /// Row by row out of ``rows(as:)``; the numbers are not checked.
    public func gather(
        _ indices: UnsafeBufferPointer<Int>, as elements: SampleElements, inputs: UnsafeMutableRawPointer,
        targets: UnsafeMutableRawPointer
    ) throws {
        let from = try rows(as: elements)
        let inputBytes = inputShape.reduce(elements.inputs.byteCount, *)
        let targetBytes = targetShape.reduce(elements.targets.byteCount, *)
        for (row, index) in indices.enumerated() {
            (inputs + row * inputBytes).copyMemory(from: from.inputs + index * inputBytes, byteCount: inputBytes)
            (targets + row * targetBytes).copyMemory(from: from.targets + index * targetBytes, byteCount: targetBytes)
        }
    }
}

/// The element types of rows: inputs may be tokens (i32) where targets are real.
public struct SampleElements: Sendable, Hashable {
    public let inputs: ElementType
    public let targets: ElementType

    public init(inputs: ElementType, targets: ElementType) {
        self.inputs = inputs
        self.targets = targets
    }
}

/// Samples, or positions of samples, that are left out of losses and means (labels −1).
public struct SampleMask: Sendable {
    /// The number of labels of one sample: 1, or one at each position of a sequence.
    public let positions: Int
    /// For each sample, for each of its positions, whether it counts.
    public let isKept: [Bool]

    public init(positions: Int, isKept: [Bool]) {
        self.positions = positions
        self.isKept = isKept
    }

    /// The mask of labels, −1 standing for one that is left out; nil where there is none.
    public init?(labels: [Int32], positions: Int) {
        guard labels.contains(where: { $0 < 0 }) else { return nil }
        self.init(positions: positions, isKept: labels.map { $0 >= 0 })
    }

    /// Whether position `position` of sample `sample` counts, for losses at `count` positions of a sample: with one loss for
    /// all its positions a sample counts if any of them does.
    func keeps(sample: Int, position: Int, of count: Int) -> Bool {
        if positions == count { return isKept[sample * positions + position] }
        return isKept[sample * positions..<(sample + 1) * positions].contains(true)
    }
}

/// Which samples of a source a quantity is taken over.
public enum BatchSelection: Sendable, Hashable {
    case all
    /// These samples, from 0, in this order; a sample may stand more than once.
    case indices([Int])
}
