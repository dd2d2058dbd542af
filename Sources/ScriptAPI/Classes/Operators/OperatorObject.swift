import Compute
import Curvature
import Experiments
import Graph
import LuaBridge
import Networks
import Objectives

/// A symmetric matrix as scripts hold it: a curvature matrix of a run, or what is composed of such.
final class OperatorObject: LuaObject {
    let counted: CountedOperator
    let space: OperatorSpace
    /// In a word: "hessian", "sum", "restriction".
    let kind: String
    /// As an expression of the matrices it is made of: "hessian + 2 * ggn".
    let expression: String
    /// The samples it is taken over; nil for what is composed.
    let samples: Int?
    /// About how many bytes it keeps.
    let externalBytes: Int

    var matrix: any LinearOperator { counted }

    /// A curvature matrix of a run, which keeps its point and, once it is linearized, the activations of its samples.
    init(_ matrix: any LinearOperator, kind: String, of run: Run, over selection: BatchSelection) {
        let count: Int
        switch selection {
        case .all: count = run.data.train.count
        case .indices(let indices): count = indices.count
        }
        // Activations, deltas, derivatives of activations and their like: some six numbers a unit and sample.
        let units = run.objective.model.layout.entries.reduce(0) { $0 + ($1.shape.count > 1 ? $1.shape[0] : 0) }
        counted = CountedOperator(matrix)
        space = OperatorSpace(run.objective.model)
        (self.kind, expression, samples) = (kind, kind, count)
        externalBytes = (matrix.dimension + 6 * units * count) * matrix.element.byteCount
    }

    /// What is composed of others, and keeps them and so many bytes of its own.
    init(
        _ matrix: any LinearOperator, kind: String, _ expression: String, on space: OperatorSpace,
        of parts: [OperatorObject], samples: Int? = nil, keeping bytes: Int = 0
    ) {
        counted = CountedOperator(matrix)
        self.space = space
        self.kind = kind
        self.expression = expression.count <= 80 ? expression : "\(kind) of \(parts.count) operators"
        self.samples = samples
        externalBytes = parts.reduce(bytes) { sum, part in
            let (total, overflow) = sum.addingReportingOverflow(part.externalBytes)
            return overflow ? .max : total
        }
    }

    /// The expression as a factor: in parentheses where it is a sum.
    var factor: String { expression.contains(" ") ? "(\(expression))" : expression }
}

/// An operator that counts the products made with it, also through what is composed of it.
final class CountedOperator: LinearOperator {
    let matrix: any LinearOperator
    private(set) var products = 0

    init(_ matrix: any LinearOperator) { self.matrix = matrix }

    var dimension: Int { matrix.dimension }
    var element: ElementType { matrix.element }
    var productWork: Double? { matrix.productWork }

    func apply(_ v: Vector) throws -> Vector {
        products += 1
        return try matrix.apply(v)
    }

    func apply(block: [Vector]) throws -> [Vector] {
        products += block.count
        return try matrix.apply(block: block)
    }

    func quadratic(block: [Vector]) throws -> [Double] {
        products += block.count
        return try matrix.quadratic(block: block)
    }
}

/// Numbers of the streams of `.vector` that operators draw from: beyond those of sketches (`RandomProjection`) and of the user's
/// own vectors, so that with the same seed no two of them are the same numbers.
enum OperatorStream {
    static let trace: UInt64 = 1 << 40 | 1
    static let diagonal: UInt64 = 1 << 40 | 2
    static let density: UInt64 = 1 << 40 | 3
    static let frobenius: UInt64 = 1 << 40 | 4
    static let labels: UInt64 = 1 << 40 | 5
    static let layers: UInt64 = 1 << 40 | 6
    // 7 is that of planes of points on a line (`SlicePlane`).
    static let slices: UInt64 = 1 << 40 | 8
}
