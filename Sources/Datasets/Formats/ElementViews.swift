import Compute
import Graph
import Synchronization

/// The same numbers as different elements: each view is made from the table once, when it is first asked for.
final class ElementViews: Sendable {
    let table: any NumberTable
    private let what: String
    private let views = Mutex<[ElementType: Buffer]>([:])

    /// - Parameter what: what the numbers are, in errors: `the inputs of chebyshev`.
    init(_ table: any NumberTable, for what: String) {
        (self.table, self.what) = (table, what)
    }

    /// - Throws: `DatasetError` for an element that there is no view of, the memory account's error.
    func view(_ element: ElementType) throws -> Buffer {
        guard let width = table.width(as: element) else {
            let possible: [ElementType] = [.f32, .f64, .i32].filter { table.width(as: $0) != nil }
            throw DatasetError(
                "\(what) cannot be had as \(element.rawValue), only as "
                    + possible.map(\.rawValue).joined(separator: " or "))
        }
        return try views.withLock { views in
            if let view = views[element] { return view }
            let view: Buffer
            if let ready = table.ready(as: element) {
                view = ready
            } else {
                let (count, overflow) = table.rows.multipliedReportingOverflow(by: width)
                view = try MemoryAccount.shared.allocate(
                    count: overflow ? Int.max : count, stride: element.byteCount, for: "\(what) (\(element.rawValue))")
                try table.fill(view.base, as: element, what: what)
            }
            views[element] = view
            return view
        }
    }

    /// The samples with these numbers, in this order; each must exist.
    func taking(_ chosen: [Int]) throws -> ElementViews {
        ElementViews(try table.taking(chosen, for: what), for: what)
    }
}
