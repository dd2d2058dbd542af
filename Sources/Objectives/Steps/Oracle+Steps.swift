import Compute
import Graph
import Networks

/// What a training step gives beside the parameters.
public struct StepResult: Sendable {
    /// L_B before the step.
    public let loss: Double
    /// Curvature of the batch along its gradient before the step, where it was asked for.
    public let curvature: BatchCurvature?
    /// What that took, in multiply-adds of the cost model.
    public let curvatureWork: Double
}

/// Training steps. The programs of the last few kinds of steps are kept bound: a step that is taken again looks nothing up and
/// allocates nothing.
extension Oracle {
    /// A step of θ and of the update's state over a batch, in place; running statistics move.
    ///
    /// Where the batch is one piece, gradient and update are one program. Else gradients are summed over the pieces, and the update
    /// follows; one that takes the gradient elsewhere (``ElementwiseUpdate/byGradient(at:)``) asks ``isOneProgram(_:batch:)`` before.
    /// - Parameters:
    ///   - state: empty before the first step.
    ///   - batch: sample numbers; nil for all samples.
    ///   - measuringCurvature: whether g_BᵀH_Bg_B and ‖g_B‖² are wanted, before the step: of the same forward and backward passes
    ///     where they can be. θ after the step has the same bits either way.
    ///   - scalars: the update's, for this step.
    public func step(
        _ update: ElementwiseUpdate, _ theta: inout Vector, _ state: inout UpdateState,
        batch: UnsafeBufferPointer<Int>?, measuringCurvature: Bool = false,
        scalars: UnsafeBufferPointer<Double>
    ) throws -> StepResult {
        try check(theta)
        try begin(&state, of: update, like: theta)
        let rows = try batch.map { try transientRows($0, batches: $0.count) } ?? rows(of: .all)
        var curvature: BatchCurvature?
        var work = 0.0
        let loss: Double
        if let program = try program(update, count: rows.count, measuresCurvature: measuringCurvature) {
            cache.work += program.plan.work
            loss = try program.run(
                &theta, &state, inputs: rows.inputs, targets: rows.targets, weights: rows.weights, scalars: scalars,
                unless: cancellationOfSteps)
            if measuringCurvature { (curvature, work) = (program.curvature, program.plan.companionCost.total(.cpu)) }
        } else {
            if measuringCurvature {
                let before = cache.work
                curvature = try stepCurvature(at: theta, rows: rows)
                work = cache.work - before
            }
            loss = try stepInPieces(update, &theta, &state, rows, scalars)
        }
        state.steps += 1
        return StepResult(loss: loss, curvature: curvature, curvatureWork: work)
    }

    /// Whether a batch is one piece, so that gradient and update are one program.
    public func isOneProgram(_ update: ElementwiseUpdate, batch: UnsafeBufferPointer<Int>?) throws -> Bool {
        try program(update, count: batch?.count ?? samples.count, measuresCurvature: false) != nil
    }

    private func stepInPieces(
        _ update: ElementwiseUpdate, _ theta: inout Vector, _ state: inout UpdateState, _ rows: Rows,
        _ scalars: UnsafeBufferPointer<Double>
    ) throws -> Double {
        // A program that measures on the way may not fit where the step alone does.
        if let program = try program(update, count: rows.count, measuresCurvature: false) {
            cache.work += program.plan.work
            return try program.run(
                &theta, &state, inputs: rows.inputs, targets: rows.targets, weights: rows.weights, scalars: scalars,
                unless: cancellationOfSteps)
        }
        // Planning may be cancelled: it comes before running values move.
        precondition(update.ahead == nil, "only as one program")
        let alone = update == .descent ? nil : try updateAlone(update)
        let (loss, gradient) = try gradient(at: theta, rows: rows, training: true)
        guard let program = alone else {
            // Rounded once an element, as in the program of the whole batch.
            try theta.add(-scalars[0], gradient)
            return loss
        }
        cache.work += program.plan.work
        try program.run(&theta, &state, gradient: gradient, scalars: scalars)
        return loss
    }

    private func stepCurvature(at theta: Vector, rows: Rows) throws -> BatchCurvature {
        let (loss, gradient) = try gradient(at: theta, rows: rows)
        return BatchCurvature(
            loss: loss, quadratic: try quadratic(.hessian, at: theta, along: gradient, rows: rows),
            squaredGradientNorm: gradient.squaredNorm)
    }

    func begin(_ state: inout UpdateState, of update: ElementwiseUpdate, like theta: Vector) throws {
        if state.vectors.isEmpty, !update.states.isEmpty {
            state.vectors = try update.states.map {
                try Vector(zeros: theta.count, element: theta.element, for: "the state of an update, \($0)")
            }
        }
        if state.numbers.isEmpty, !update.numbers.isEmpty {
            state.numbers = [Double](repeating: 0, count: update.numbers.count)
        }
        precondition(
            state.vectors.count == update.states.count && state.numbers.count == update.numbers.count,
            "the state of another update")
        for index in state.vectors.indices { try check(state.vectors[index]) }
    }

    // MARK: - Bound programs

    /// Programs kept bound: two batch sizes, with and without curvature.
    private static var mostBound: Int { 4 }

    /// The bound program of such a step; nil where a batch of this size is walked in pieces.
    private func program(_ update: ElementwiseUpdate, count: Int, measuresCurvature: Bool) throws -> BoundStep? {
        forgetBoundElsewhere()
        for index in 0..<bound.count
        where bound[index].count == count && bound[index].measuresCurvature == measuresCurvature
            && bound[index].update === update
        {
            return bound[index]
        }
        guard try fitsWhole(.update(update), count: count) else { return nil }
        let signature = objective.signature(of: update, use)
        let made: Plan
        if measuresCurvature {
            guard let joined = try planWithCurvature(update, count, signature) else { return nil }
            made = joined
        } else {
            made = try plan(.update(update), count: count)
        }
        return keep(
            BoundStep(
                update, count: count, measuresCurvature: measuresCurvature, plan: made, signature: signature,
                offsets: layout.entries.map { $0.offset * element.byteCount }, element: element,
                fixed: fixed.views, running: running.views))
    }

    /// The plan of a step that measures curvature on the way; nil where that does not fit into the budget.
    private func planWithCurvature(
        _ update: ElementwiseUpdate, _ count: Int, _ signature: ProgramSignature
    ) throws -> Plan? {
        do {
            return try engine.plan(
                for: objective.step(update, count: count, use: use),
                with: objective.stepCurvature(count: count, use: use),
                donating: objective.donations(signature), arenaLimit: budget)
        } catch is ArenaLimitError { return nil }
    }

    func updateAlone(_ update: ElementwiseUpdate) throws -> BoundStep {
        forgetBoundElsewhere()
        if let known = bound.first(where: { $0.count == 0 && $0.update === update }) { return known }
        let signature = Objective.signature(ofUpdateAlone: update)
        let graph = try objective.update(update)
        let parts = update.isByTensor ? layout.entries.map { $0.offset * element.byteCount } : [0]
        var donations: [String: String] = [:]
        for (number, output) in signature.outputs.enumerated() {
            guard let input = signature.overwritten(by: output).flatMap(signature.inputs.firstIndex) else { continue }
            for part in parts.indices { donations["\(number).\(part).next"] = "\(input).\(part)" }
        }
        return keep(
            BoundStep(
                update, count: 0, measuresCurvature: false, plan: try engine.plan(for: graph, donating: donations),
                signature: signature, offsets: parts, element: element, fixed: [], running: []))
    }

    private func keep(_ program: BoundStep) -> BoundStep {
        if bound.count == Self.mostBound { bound.removeLast() }
        bound.insert(program, at: 0)
        return program
    }
}

extension Oracle {
    /// θ ← θ − η∇L_B(θ) in place, over a batch or over all samples: a training step, which moves running statistics.
    /// - Returns: L_B before the step.
    public func descend(
        _ theta: inout Vector, rate: Double, batch: UnsafeBufferPointer<Int>? = nil
    ) throws -> Double {
        var state = UpdateState()
        return try withUnsafePointer(to: rate) {
            try step(.descent, &theta, &state, batch: batch, scalars: UnsafeBufferPointer(start: $0, count: 1)).loss
        }
    }
}
