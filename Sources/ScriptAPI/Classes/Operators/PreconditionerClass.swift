import Compute
import Curvature
import Dynamics
import Experiments
import LuaBridge
import Objectives

/// What an adaptive rule divides its step by, at the parameters of a model.
final class PreconditionerObject: LuaObject {
    let preconditioner: Preconditioner
    let space: OperatorSpace
    /// The rule it belongs to.
    let rule: String

    init(_ preconditioner: Preconditioner, of run: Run) {
        self.preconditioner = preconditioner
        space = OperatorSpace(run.objective.model)
        rule = run.rule.name
    }
}

extension ScriptHost {
    /// `preconditioner`: what `run:preconditioner()` gives.
    func preconditionerClass() -> ObjectClass<PreconditionerObject> {
        let preconditioners = ObjectClass<PreconditionerObject>(
            "preconditioner", "P, the positive diagonal matrix that a rule divides its step by, without lr; a value.")
        preconditioners.property("rule", .string, "The optimizer it belongs to.") { $0.rule }
        preconditioners.property("diagonal", .vector, "Its diagonal.") {
            VectorObject(try $0.diagonal(), $0.space.layout)
        }
        preconditioners.method(
            "precondition",
            "P^(−½)AP^(−½), with the eigenvalues of P⁻¹A: the curvature that the rule sees. For a block of A the same block of P.",
            parameters: [Parameter("operator", .object("operator"), "A, such as the Hessian.")],
            results: [Parameter("operator", .object("operator"), "The preconditioned operator.")]
        ) { object, call in try object.precondition(call.get("operator")) }
        preconditioners.method(
            "power", "P^s v: an eigenvector w of P^(−½)HP^(−½) stands for the direction P^(−½)w of parameters.",
            parameters: [
                Parameter("s", .number(.finite), "The power."), Parameter("v", .vector, "A vector of all parameters."),
            ], results: [Parameter("vector", .vector, "The vector.")]
        ) { object, call in
            let v = try object.space.fitting(call.get("v"))
            return VectorObject(try object.preconditioner.power(call.get("s"), times: v), object.space.layout)
        }
        preconditioners.length("The number of parameters.") { $0.space.dimension }
        preconditioners.description { object in
            let text = "preconditioner of \(object.rule): "
            switch object.preconditioner {
            case .scalar(let p): return text + "\(short(p)) for all of \(object.space.dimension) parameters"
            case .diagonal(let diagonal):
                let values = diagonal.values
                return text
                    + "\(values.count) numbers from \(short(values.min() ?? .nan)) to \(short(values.max() ?? .nan))"
            }
        }
        preconditioners.external { object in
            if case .diagonal(let diagonal) = object.preconditioner {
                return diagonal.count * diagonal.element.byteCount
            }
            return 0
        }
        return preconditioners
    }
}

extension PreconditionerObject {
    fileprivate func diagonal() throws -> Vector {
        switch preconditioner {
        case .diagonal(let diagonal): return diagonal
        case .scalar(let p):
            return try Vector([Double](repeating: p, count: space.dimension), element: space.element)
        }
    }

    func precondition(_ object: OperatorObject) throws -> OperatorObject {
        try space.requireSame(as: object.space.whole, for: "preconditioner:precondition")
        let part: Preconditioner
        switch preconditioner {
        case .scalar: part = preconditioner
        case .diagonal(let diagonal):
            guard object.space.layout != nil else {
                throw ArgumentError(
                    "a preconditioner is diagonal in the parameters, not in \(object.space.name): precondition first, then "
                        + "restrict")
            }
            part = .diagonal(try object.space.fitting(VectorObject(diagonal)))
        }
        return OperatorObject(
            try object.matrix.preconditioned(by: part), kind: "preconditioned",
            "\(rule)-preconditioned \(object.factor)", on: object.space, of: [object], samples: object.samples,
            keeping: object.matrix.dimension * object.matrix.element.byteCount)
    }
}

extension Run {
    /// What the rule divides its step by at a point: P once the gradient there, over all samples, has entered, or what a gradient field
    /// has in its place.
    /// - Throws: as ``preconditioner(after:)``.
    func preconditioner(at point: Vector?) throws -> PreconditionerObject {
        guard rule.hasPreconditioner else { return try preconditioner() }
        return try preconditioner(after: point.map { try gradientOfStep(at: $0) } ?? gradientOfStep())
    }

    /// What the rule divides its step by.
    /// - Throws: where it divides by nothing, naming the rules that do.
    func preconditioner(after gradient: Vector? = nil) throws -> PreconditionerObject {
        guard let preconditioner = try rule.preconditioner(after: gradient) else {
            throw ArgumentError(
                "\(rule.name) has no preconditioner: its step is a multiple of the gradient. adam, adamw, rmsprop, "
                    + "scalar_rmsprop and adagrad have one")
        }
        return PreconditionerObject(preconditioner, of: self)
    }
}
