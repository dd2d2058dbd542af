import Compute
import Curvature
import Dynamics
import Objectives

/// A rule of a checkpoint whose code only its program knows, until the program, executed again, has given it.
struct AbsentRule: UpdateRule {
    let name: String
    var learningRate: Double
    var state = UpdateState()

    mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        throw ExperimentError.invalid("the checkpoint's optimizer is '\(name)', which only its program knows")
    }

    func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? { nil }
}

extension Run {
    /// A rule that the program assigns on its way to the checkpoint: the last one of this name is the checkpoint's.
    func bind(_ rule: any UpdateRule) {
        guard isProgram, replay != nil, let absent, absent.name == rule.name else { return }
        var own = rule
        own.state = absent.state
        own.learningRate = absent.learningRate
        self.rule = own
    }
}
