import Compute
import Curvature
import LuaBridge

final class DiagonalObject: LuaObject {
    let estimate: DiagonalEstimate
    let space: OperatorSpace

    init(_ estimate: DiagonalEstimate, in space: OperatorSpace) { (self.estimate, self.space) = (estimate, space) }
}

extension ScriptHost {
    /// `diagonal`: what `H:diagonal` gives.
    func diagonalClass() -> ObjectClass<DiagonalObject> {
        let diagonals = ObjectClass<DiagonalObject>("diagonal", "The diagonal of an operator with its errors; a value.")
        diagonals.property("values", .vector, "The diagonal.") { VectorObject($0.estimate.values, $0.space.layout) }
        diagonals.property("stderrs", .vector, "The standard error of each entry; 0 where it is exact.") {
            VectorObject($0.estimate.standardErrors, $0.space.layout)
        }
        diagonals.property("samples", .integer, "How many random vectors it took.") { $0.estimate.samples }
        diagonals.property("products", .integer, "How many products or quadratic forms it took.") {
            $0.estimate.products
        }
        diagonals.property("seconds", .number, unit: "seconds", "How long it took.") { $0.estimate.seconds }
        diagonals.property("finished", .boolean, "False where it was cancelled: from the vectors until then.") {
            $0.estimate.isFinished
        }
        diagonals.length("The number of parameters.") { $0.estimate.values.count }
        diagonals.elements(.number.orNil, "The i-th entry of the diagonal.") { object, i in
            (1...max(1, object.estimate.values.count)).contains(i) ? object.estimate.values[i - 1] : nil
        }
        diagonals.description { object in
            let estimate = object.estimate
            let size = estimate.values.norm()
            let error = estimate.standardErrors.norm()
            let errors = error == 0 ? "exact" : "relative error \(short(error / size))"
            return
                "diagonal of \(estimate.values.count) entries (norm \(short(size)), \(errors)), \(estimate.samples) samples: "
                + listed((0..<min(4, estimate.values.count)).map { estimate.values[$0] })
                + (estimate.values.count > 4 ? ", …" : "") + (estimate.isFinished ? "" : unfinished)
        }
        diagonals.external { 2 * $0.estimate.values.count * $0.estimate.values.element.byteCount }
        return diagonals
    }
}
