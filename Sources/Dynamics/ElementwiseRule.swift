import Compute
import Graph
import Networks
import Objectives

/// A rule that does the same with each element of the gradient: it runs as one program with it.
public protocol ElementwiseRule: UpdateRule {
    /// What it does, settings aside: one for each form of the rule, not for each rule.
    var update: ElementwiseUpdate { get }
    /// The vectors and numbers of the update.
    var state: UpdateState { get set }
    /// Writes the update's scalars for the next step.
    func write(_ scalars: UnsafeMutableBufferPointer<Double>)
}

extension ElementwiseRule {
    public var measuresCurvatureOnTheWay: Bool { true }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        if let own = state.vectors.first, own.count != theta.count || own.element != theta.element {
            throw UpdateRuleError.otherModel(rule: name, state: own.count, parameters: theta.count)
        }
        let update = update
        return try withUnsafeTemporaryAllocation(of: Double.self, capacity: update.scalars.count) { scalars in
            scalars.initialize(repeating: 0)
            write(scalars)
            return try batch.step(update, &theta, &state, scalars: UnsafeBufferPointer(scalars))
        }
    }
}

extension Symbolic {
    /// The quotient, 0 where the divisor is 0: of a gradient that always was 0 by the root of its squares.
    func quotient(by divisor: Symbolic) throws(GraphError) -> Symbolic {
        let isZero = try divisor.compared(.eq, to: divisor.constant(0))
        let zeros = try constant(0).broadcast(to: shape)
        return try zeros.selected(where: isZero, otherwise: self / divisor)
    }

    /// The quotient by a divisor that can be 0 only where ε is.
    func quotient(by divisor: Symbolic, isGuarded: Bool) throws(GraphError) -> Symbolic {
        isGuarded ? try quotient(by: divisor) : try self / divisor
    }
}

extension ElementwiseUpdate {
    /// From here on ε keeps a divisor away from 0 in f32 and f64.
    static func isGuarded(_ epsilon: Double) -> Bool { epsilon < 1e-30 }
}
