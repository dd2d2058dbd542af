import Compute
import Graph

/// Some samples: inputs `[count, inputShape...]` and targets `[count, targetShape...]`, row-major.
///
/// The numbers are kept as they came. A view of them in another element is made when it is first asked for, in the memory
/// account, and kept as long as the split.
public struct Split: Sendable {
    public let count: Int
    /// The number of elements of one input.
    public let inputWidth: Int
    /// The shape of one target: `[classes]`, `[places, classes]` for sequences with a label at each place, or the shape of
    /// real targets.
    public let targetShape: [Int]
    /// The classes, from 0, of each sample, or of each place of each sample: `[count × labelsPerSample]`, row-major. −1 where
    /// the loss leaves the sample or the place out. `nil` where the targets are real numbers.
    public let labels: [Int32]?
    /// Labels of a sample: 1, or the places of a sequence.
    public let labelsPerSample: Int
    /// The number of classes; for real targets the number of elements of one target.
    public let outputs: Int
    /// For each sample the number of labels that are not −1; `nil` when none is left out.
    public let keptCounts: [Int32]?

    let inputViews: ElementViews
    let targetViews: ElementViews

    /// Real targets.
    init(inputs: ElementViews, targets: ElementViews, targetShape: [Int]) {
        count = inputs.table.rows
        inputWidth = inputs.table.width(as: .f64) ?? 0
        self.targetShape = targetShape
        outputs = targetShape.reduce(1, *)
        (labels, labelsPerSample, keptCounts) = (nil, 1, nil)
        (inputViews, targetViews) = (inputs, targets)
    }

    /// Classes of samples, or with `places` > 1 of the places of each sample.
    init(inputs: ElementViews, labels: [Int32], places: Int = 1, classes: Int, name: String) {
        let table = LabelTable(labels: labels, places: places, classes: classes)
        self.init(inputs: inputs, labels: ElementViews(table, for: "the one-hot targets of \(name)"), table)
    }

    private init(inputs: ElementViews, labels views: ElementViews, _ table: LabelTable) {
        count = table.rows
        inputWidth = inputs.table.width(as: .f64) ?? 0
        targetShape = table.places == 1 ? [table.classes] : [table.places, table.classes]
        outputs = table.classes
        (labels, labelsPerSample) = (table.labels, table.places)
        keptCounts =
            table.labels.contains(-1)
            ? (0..<table.rows).map { row in
                Int32(table.labels[(row * table.places)..<((row + 1) * table.places)].count { $0 >= 0 })
            } : nil
        (inputViews, targetViews) = (inputs, views)
    }

    /// The number of elements of one target.
    public var targetWidth: Int { targetShape.reduce(1, *) }

    /// How many labels of a sample the loss takes: for classes 0 or 1, for sequences up to ``labelsPerSample``, and 1 for real
    /// targets. `sample` counts from 0.
    public func kept(_ sample: Int) -> Int { keptCounts.map { Int($0[sample]) } ?? labelsPerSample }

    /// The sum of ``kept(_:)`` over all samples: what a mean loss divides by.
    public var keptTotal: Int { keptCounts.map { $0.reduce(0) { $0 + Int($1) } } ?? count * labelsPerSample }

    /// All inputs, one a row, as f32 or f64, and as i32 where they are integers (tokens).
    /// - Throws: the memory account's error when the view does not fit, `DatasetError` for another element or when a number does
    ///   not fit it.
    public func inputs(as element: ElementType) throws -> Rows {
        Rows(buffer: try inputViews.view(element), element: element, count: count, width: inputWidth)
    }

    /// All targets, one a row, as f32 or f64. Labels become one-hot rows; what is left out (−1) has a row of zeros.
    /// - Throws: as ``inputs(as:)``.
    public func targets(as element: ElementType) throws -> Rows {
        guard labels == nil || element != .i32 else {
            throw DatasetError("one-hot targets are had as f32 or f64; labelRows() gives the labels as i32")
        }
        return Rows(buffer: try targetViews.view(element), element: element, count: count, width: targetWidth)
    }

    /// All labels as rows of ``labelsPerSample`` i32, for gathering; `nil` where the targets are real numbers.
    public func labelRows() throws -> Rows? {
        guard labels != nil else { return nil }
        return Rows(buffer: try targetViews.view(.i32), element: .i32, count: count, width: labelsPerSample)
    }

    /// The samples with these numbers (from 0), in this order; each must exist.
    func taking(_ chosen: [Int]) throws -> Split {
        let inputs = try inputViews.taking(chosen)
        let targets = try targetViews.taking(chosen)
        if let table = targets.table as? LabelTable { return Split(inputs: inputs, labels: targets, table) }
        return Split(inputs: inputs, targets: targets, targetShape: targetShape)
    }

    /// The same answers to other inputs, as many and as wide.
    func with(inputs: ElementViews) -> Split {
        if let table = targetViews.table as? LabelTable { return Split(inputs: inputs, labels: targetViews, table) }
        return Split(inputs: inputs, targets: targetViews, targetShape: targetShape)
    }

    /// The same inputs with other labels, which may be of other classes.
    func relabelled(_ labels: [Int32], classes: Int, name: String) -> Split {
        Split(inputs: inputViews, labels: labels, places: labelsPerSample, classes: classes, name: name)
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
                throw DatasetError(
                    "there is no sample \(min(index, .max - 1) + 1): the data have samples 1 to \(count)")
            }
            place.copyMemory(from: buffer.base + index &* bytes, byteCount: bytes)
            place += bytes
        }
    }
}
