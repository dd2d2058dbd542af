import Graph

/// Samples that an objective is evaluated on: inputs and targets as rows in memory, in the element type of the model.
public protocol SampleSource: Sendable {
    /// n, the number of samples.
    var count: Int { get }
    var inputShape: [Int] { get }
    var targetShape: [Int] { get }

    /// The first row of the inputs `[n, …]` and of the targets `[n, …]`, contiguous, valid as long as the source lives.
    func rows(as element: ElementType) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer)

    /// Copies the samples of these numbers, in this order, to contiguous rows.
    func gather(
        _ indices: UnsafeBufferPointer<Int>, as element: ElementType, inputs: UnsafeMutableRawPointer,
        targets: UnsafeMutableRawPointer) throws
}

/// Which samples of a source a quantity is taken over.
public enum BatchSelection: Sendable, Hashable {
    case all
    /// These samples, from 0, in this order; a sample may stand more than once.
    case indices([Int])
}
