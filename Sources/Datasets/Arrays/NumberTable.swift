import Compute
import Graph

/// The numbers of some samples as they came, one sample a row, from which views in other elements are made.
protocol NumberTable: Sendable {
    /// The number of samples.
    var rows: Int { get }
    /// The numbers of a sample in a view of this element; `nil` when there is no such view.
    func width(as element: ElementType) -> Int?
    /// Memory that already holds the view.
    func ready(as element: ElementType) -> Buffer?
    /// Writes the view: `rows * width(as: element)` elements, one of those that there is a width for.
    /// - Throws: `DatasetError` when a number does not fit the element.
    func fill(_ base: UnsafeMutableRawPointer, as element: ElementType, what: String) throws
    /// The samples with these numbers, in this order; each must exist.
    func taking(_ chosen: [Int], for what: String) throws -> any NumberTable
    /// The smallest and the largest number of the f64 view.
    func range() -> (least: Double, greatest: Double)
}

extension NumberTable {
    func ready(as element: ElementType) -> Buffer? { nil }
}

/// Samples from an array, whose first axis counts them.
struct ArrayTable: NumberTable {
    let array: NDArray
    var rows: Int { array.shape.first ?? 0 }

    func width(as element: ElementType) -> Int? {
        let width = array.count / max(1, rows)
        switch element {
        case .f32, .f64: return width
        case .i32: return array.element.isFloating ? nil : width
        default: return nil
        }
    }

    /// Where the array has the element that is asked for, its memory is the view.
    func ready(as element: ElementType) -> Buffer? {
        switch (array.element, element) {
        case (.f32, .f32), (.f64, .f64), (.i32, .i32): array.storage
        default: nil
        }
    }

    func fill(_ base: UnsafeMutableRawPointer, as element: ElementType, what: String) throws {
        let count = array.count
        func check(_ isWrong: (Int) -> Bool) throws {
            guard let place = try firstPlace(in: 0..<count, where: isWrong) else { return }
            throw DatasetError(
                "\(what) cannot be had as \(element.rawValue): sample \(place / max(1, count / max(1, rows)) + 1) "
                    + "holds \(array[flat: place])")
        }
        switch element {
        case .f32:
            let target = UnsafeMutableBufferPointer(
                start: base.bindMemory(to: Float.self, capacity: count), count: count)
            try array.copy(asking: target)
            if array.element == .f64 { try check { !target[$0].isFinite } }
        case .f64:
            let target = UnsafeMutableBufferPointer(
                start: base.bindMemory(to: Double.self, capacity: count), count: count)
            try array.copy(asking: target)
        default:
            if [.i64, .u32, .u64].contains(array.element) { try check { Int32(exactly: array[flat: $0]) == nil } }
            let target = base.bindMemory(to: Int32.self, capacity: count)
            for stretch in (0..<count).stretches {
                try Cancellation.check()
                for i in stretch { target[i] = Int32(array[flat: i]) }
            }
        }
    }

    func taking(_ chosen: [Int], for what: String) throws -> any NumberTable {
        ArrayTable(array: try array.taking(rows: chosen, for: what))
    }

    func range() -> (least: Double, greatest: Double) {
        var (least, greatest) = (Double.infinity, -Double.infinity)
        for i in 0..<array.count {
            let value = array[flat: i]
            least = min(least, value)
            greatest = max(greatest, value)
        }
        return (least, greatest)
    }
}

/// Classes of samples, or of the places of each sample: rows of zeros with a one at the class; as i32 the labels themselves.
/// A label of −1 has a row of zeros.
struct LabelTable: NumberTable {
    let labels: [Int32]
    /// Labels of a sample.
    let places: Int
    let classes: Int
    var rows: Int { labels.count / places }

    func width(as element: ElementType) -> Int? {
        switch element {
        case .f32, .f64: places * classes
        case .i32: places
        default: nil
        }
    }

    func fill(_ base: UnsafeMutableRawPointer, as element: ElementType, what: String) throws {
        func oneHot<Value: BinaryFloatingPoint>(_: Value.Type) throws {
            let values = base.bindMemory(to: Value.self, capacity: labels.count * classes)
            for stretch in (0..<labels.count * classes).stretches {
                try Cancellation.check()
                (values + stretch.lowerBound).initialize(repeating: 0, count: stretch.count)
            }
            for stretch in labels.indices.stretches {
                try Cancellation.check()
                for row in stretch where labels[row] >= 0 { values[row * classes + Int(labels[row])] = 1 }
            }
        }
        switch element {
        case .f32: try oneHot(Float.self)
        case .f64: try oneHot(Double.self)
        default: base.bindMemory(to: Int32.self, capacity: labels.count).initialize(from: labels, count: labels.count)
        }
    }

    func taking(_ chosen: [Int], for what: String) -> any NumberTable {
        let taken = chosen.flatMap { labels[($0 * places)..<(($0 + 1) * places)] }
        return LabelTable(labels: taken, places: places, classes: classes)
    }

    func range() -> (least: Double, greatest: Double) { (0, 1) }
}

/// The first of these places where something is so, asking now and then whether it is cancelled.
func firstPlace(in places: Range<Int>, where isSo: (Int) throws -> Bool) throws -> Int? {
    for stretch in places.stretches {
        try Cancellation.check()
        if let place = try stretch.first(where: isSo) { return place }
    }
    return nil
}

extension NDArray {
    /// The parts with these numbers along the first axis, in this order; each must exist.
    func taking(rows chosen: [Int], for what: String) throws -> NDArray {
        let rowBytes = count / max(1, shape.first ?? 1) * element.byteCount
        return try NDArray(shape: [chosen.count] + shape.dropFirst(), element: element, for: what) { target in
            var meter = CancellationMeter()
            try withUnsafeBytes { source in
                guard rowBytes > 0, let from = source.baseAddress, let to = target.baseAddress else { return }
                for (place, row) in chosen.enumerated() {
                    (to + place * rowBytes).copyMemory(from: from + row * rowBytes, byteCount: rowBytes)
                    try meter.add(rowBytes)
                }
            }
        }
    }
}
