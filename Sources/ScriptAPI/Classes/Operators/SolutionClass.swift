import Compute
import Curvature
import LuaBridge

final class SolutionObject: LuaObject {
    let solution: LinearSolution
    let space: OperatorSpace

    init(_ solution: LinearSolution, in space: OperatorSpace) { (self.solution, self.space) = (solution, space) }
}

extension ScriptHost {
    /// `solution`: what `H:solve` gives.
    func solutionClass() -> ObjectClass<SolutionObject> {
        let solutions = ObjectClass<SolutionObject>("solution", "The solution of a linear system; a value.")
        solutions.property("x", .vector, "The solution.") { VectorObject($0.solution.x, $0.space.layout) }
        solutions.property("residual", .number, "The norm of b − (A + damping·I)x over that of b.") {
            $0.solution.residual
        }
        solutions.property("products", .integer, "How many matrix-vector products it took.") { $0.solution.products }
        solutions.property("converged", .boolean, "Whether the residual meets the tolerance.") { $0.solution.converged }
        solutions.property("stagnated", .boolean, "Whether rounding keeps the residual from falling.") {
            $0.solution.stagnated
        }
        solutions.property("finished", .boolean, "False where the solve was cancelled: x is what was found by then.") {
            $0.solution.isFinished
        }
        solutions.property("seconds", .number, unit: "seconds", "How long it took.") { $0.solution.seconds }
        solutions.description { object in
            let solution = object.solution
            let end =
                if solution.converged {
                    ""
                } else if !solution.isFinished {
                    ", unfinished: it was interrupted"
                } else {
                    solution.stagnated ? ", not converged: f64 or more damping would help" : ", not converged"
                }
            return "solution of \(solution.x.count) numbers (norm \(short(solution.x.norm()))), relative residual "
                + "\(short(solution.residual)), \(solution.products) products\(end)"
        }
        solutions.external { $0.solution.x.count * $0.solution.x.element.byteCount }
        return solutions
    }
}
