import Compute
import Graph
import Synchronization

/// The same numbers as different elements: each view is computed from the source once, when it is first asked for.
final class ElementViews: Sendable {
    /// The number of elements (of the floating views).
    let count: Int
    private let what: String
    private let make: @Sendable (ElementType, UnsafeMutableRawPointer) -> Void
    private let sizes: [ElementType: Int]
    private let views: Mutex<[ElementType: Buffer]>

    private init(
        sizes: [ElementType: Int], for what: String, ready: [ElementType: Buffer] = [:],
        make: @escaping @Sendable (ElementType, UnsafeMutableRawPointer) -> Void
    ) {
        count = sizes[.f64] ?? 0
        (self.sizes, self.what, self.make) = (sizes, what, make)
        views = Mutex(ready)
    }

    /// - Throws: `DatasetError` for an element that there is no view of, the memory account's error.
    func view(_ element: ElementType) throws -> Buffer {
        guard let size = sizes[element] else {
            throw DatasetError("\(what) cannot be had as \(element.rawValue), only as f32 or f64")
        }
        return try views.withLock { views in
            if let view = views[element] { return view }
            let view = try MemoryAccount.shared.allocate(
                count: size, stride: element.byteCount, for: "\(what) (\(element.rawValue))")
            make(element, view.base)
            views[element] = view
            return view
        }
    }

    /// Numbers that each floating type can be made from.
    convenience init(
        count: Int, for what: String, ready: [ElementType: Buffer] = [:],
        floats: @escaping @Sendable (UnsafeMutableBufferPointer<Float>) -> Void,
        doubles: @escaping @Sendable (UnsafeMutableBufferPointer<Double>) -> Void
    ) {
        self.init(sizes: [.f32: count, .f64: count], for: what, ready: ready) { element, base in
            if element == .f32 {
                floats(.init(start: base.bindMemory(to: Float.self, capacity: count), count: count))
            } else {
                doubles(.init(start: base.bindMemory(to: Double.self, capacity: count), count: count))
            }
        }
    }

    /// An array's elements. Where the array has the element that is asked for, its memory is the view.
    convenience init(_ array: NDArray, for what: String) {
        let ready: [ElementType: Buffer] =
            array.element == .f32 ? [.f32: array.storage] : array.element == .f64 ? [.f64: array.storage] : [:]
        self.init(
            count: array.count, for: what, ready: ready,
            floats: { array.copy(to: $0) }, doubles: { array.copy(to: $0) })
    }

    /// Rows of zeros with a one at the label; as i32 the labels themselves.
    convenience init(oneHot labels: [Int32], classes: Int, for what: String) {
        let count = labels.count * classes
        self.init(sizes: [.f32: count, .f64: count, .i32: labels.count], for: what) { element, base in
            func fill<Value: BinaryFloatingPoint>(_: Value.Type) {
                let values = base.bindMemory(to: Value.self, capacity: count)
                values.initialize(repeating: 0, count: count)
                for (row, label) in labels.enumerated() where label >= 0 { values[row * classes + Int(label)] = 1 }
            }
            switch element {
            case .f32: fill(Float.self)
            case .f64: fill(Double.self)
            default:
                base.bindMemory(to: Int32.self, capacity: labels.count).initialize(from: labels, count: labels.count)
            }
        }
    }
}
