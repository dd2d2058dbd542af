import Compute
import Graph

/// Samples to train on and samples to test on. A value: nothing in it ever changes.
public struct Dataset: Sendable {
    /// The name in messages and run files, e.g. `fashion_mnist`.
    public let name: String
    /// The shape of one input; images are channels, rows, columns.
    public let inputShape: [Int]
    /// The width of a target: the number of classes where the data have labels.
    public let outputs: Int
    public let train: Split
    public let test: Split?
    /// Where the samples come from and what was done to them, as phrases.
    public let notes: [String]

    init(name: String, inputShape: [Int], outputs: Int, train: Split, test: Split?, notes: [String]) {
        self.name = name
        self.inputShape = inputShape
        self.outputs = outputs
        self.train = train
        self.test = test
        self.notes = notes
    }

    /// The number of elements of one input.
    public var inputWidth: Int { train.inputWidth }

    /// The data set in a line: sizes, and what was done to the samples.
    public func describe() -> String {
        let shape = inputShape.isEmpty ? "scalar" : inputShape.map(String.init).joined(separator: "×")
        let width = train.labels == nil ? "targets of width \(outputs)" : "\(outputs) classes"
        let tests = test.map { "\($0.count) test samples" } ?? "no test samples"
        let parts = ["\(train.count) training samples", tests, "inputs \(shape)", width] + notes
        return "\(name): \(parts.joined(separator: ", "))"
    }
}

/// Some samples: inputs `[count, inputShape...]` and targets `[count, outputs]`, row-major.
///
/// The numbers are kept as they came. A view of them in f32 or f64 is made when it is first asked for, in the memory account,
/// and kept as long as the split.
public struct Split: Sendable {
    public let count: Int
    /// The number of elements of one input.
    public let inputWidth: Int
    /// The width of a target.
    public let outputs: Int
    /// The class of each sample, from 0; −1 for a sample that the loss leaves out. `nil` where the targets are real numbers.
    public let labels: [Int32]?

    private let inputViews: ElementViews
    private let targetViews: ElementViews

    init(count: Int, inputs: ElementViews, outputs: Int, targets: ElementViews) {
        self.count = count
        inputWidth = inputs.count / max(1, count)
        self.outputs = outputs
        labels = nil
        (inputViews, targetViews) = (inputs, targets)
    }

    init(inputs: ElementViews, labels: [Int32], classes: Int, name: String) {
        count = labels.count
        inputWidth = inputs.count / max(1, labels.count)
        outputs = classes
        self.labels = labels
        inputViews = inputs
        targetViews = ElementViews(oneHot: labels, classes: classes, for: "the one-hot targets of \(name)")
    }

    /// All inputs, one a row, as f32 or f64.
    /// - Throws: the memory account's error when the view does not fit, `DatasetError` for another element.
    public func inputs(as element: ElementType) throws -> Rows {
        Rows(buffer: try inputViews.view(element), element: element, count: count, width: inputWidth)
    }

    /// All targets, one a row, as f32 or f64. Labels become one-hot rows; a sample that is left out (−1) has a row of zeros.
    /// - Throws: as ``inputs(as:)``.
    public func targets(as element: ElementType) throws -> Rows {
        Rows(buffer: try targetViews.view(element), element: element, count: count, width: outputs)
    }

    /// All labels as rows of one i32, for gathering; `nil` where the targets are real numbers.
    public func labelRows() throws -> Rows? {
        guard labels != nil else { return nil }
        return Rows(buffer: try targetViews.view(.i32), element: .i32, count: count, width: 1)
    }
}

/// A table in memory, row-major and contiguous, that batches are gathered from.
public struct Rows: Sendable {
    public let element: ElementType
    /// The number of rows.
    public let count: Int
    /// Elements in a row.
    public let width: Int
    private let buffer: Buffer

    init(buffer: Buffer, element: ElementType, count: Int, width: Int) {
        (self.buffer, self.element, self.count, self.width) = (buffer, element, count, width)
    }

    /// Bytes of a row.
    public var rowByteCount: Int { width * element.byteCount }

    /// The first row; the rows follow one another. Valid as long as this value, or the split it comes from, is alive.
    public var base: UnsafeRawPointer { UnsafeRawPointer(buffer.base) }

    /// Copies the rows with these numbers (from 0), one after the other, to `target`, which has room for
    /// `indices.count * rowByteCount` bytes.
    /// - Throws: `DatasetError` when there is no row of some number; rows before it have been copied.
    public func gather(_ indices: some Collection<Int>, into target: UnsafeMutableRawPointer) throws(DatasetError) {
        let bytes = rowByteCount
        var place = target
        for index in indices {
            guard index >= 0, index < count else {
                throw DatasetError("there is no sample \(index): the data have \(count), counted from 0")
            }
            place.copyMemory(from: buffer.base + index &* bytes, byteCount: bytes)
            place += bytes
        }
    }
}
