import Compute
import Graph
import Networks

/// A training step as one graph: the gradient of a batch and what an update does with it.
extension Objective {
    /// Outputs `loss`, of the batch before the step, then with batch statistics what the running values become (at θ, also where the
    /// gradient is taken elsewhere), then parameters and state.
    public func step(_ update: ElementwiseUpdate, count: Int, use: StatisticsUse = .batch) throws -> Graph {
        let gradient = try gradient(count: count, use: use, updating: updatesBuffers(use))
        try Cancellation.check()
        let builder = GraphBuilder()
        let inputs = gradient.inputs.map { builder.input($0.name, $0.type) }
        let values = builder.inline(gradient, inputs: inputs)
        let first = gradient.outputs.count - parameterNames.count
        let state = declareState(of: update, in: builder)
        let theta = Array(inputs.prefix(parameterNames.count))
        var (slope, scalars) = (Array(values[first...]), state.scalars)
        if let (ascent, _) = update.ahead {
            let there = try ascent.next(
                theta: theta, gradient: slope, states: [], scalars: Array(scalars.prefix(ascent.scalars.count)),
                numbers: [], in: builder
            ).theta
            slope = Array(
                builder.inline(gradient, inputs: there + inputs.dropFirst(parameterNames.count))[first...])
            scalars.removeFirst(ascent.scalars.count)
        }
        let next = try (update.ahead?.update ?? update).next(
            theta: theta, gradient: slope, states: state.vectors, scalars: scalars, numbers: state.numbers, in: builder)
        let outputs = zip(gradient.outputs, values).prefix(first).map { ($0.name, $1) }
        let slots = signature(of: update, use).outputs.dropFirst(outputs.count > 1 ? 2 : 1)
        return builder.build(
            outputs: outputs + zip(slots.flatMap(names), next.theta + next.states.flatMap { $0 } + next.numbers))
    }

    /// One step of gradient descent: `step` of `ElementwiseUpdate.descent`.
    public func descent(count: Int, use: StatisticsUse = .batch) throws -> Graph {
        try step(.descent, count: count, use: use)
    }

    /// The update alone, of vectors that are cut into parameters only where it is by tensor, for a gradient that is summed over pieces
    /// of the data: inputs and outputs by the signature of `update`, without samples and loss, with the gradient behind the states.
    func update(_ update: ElementwiseUpdate) throws -> Graph {
        let builder = GraphBuilder()
        let shapes = update.isByTensor ? model.layout.entries.map(\.shape) : [[model.layout.count]]
        let signature = Objective.signature(ofUpdateAlone: update)
        let element = update.scalarElement(model.element)
        var places: [ProgramSlot: [Value]] = [:]
        for (number, slot) in signature.inputs.enumerated() {
            let types: [TensorType] =
                switch slot {
                case .scalar: [TensorType(element)]
                case .number: [TensorType(.f64)]
                default: shapes.map { TensorType(model.element, $0) }
                }
            places[slot] = types.enumerated().map { builder.input("\(number).\($0)", $1) }
        }
        func values(_ slot: ProgramSlot) -> [Value] {
            guard let values = places[slot] else { preconditionFailure("\(slot) is no input of an update") }
            return values
        }
        let next = try update.next(
            theta: values(.parameters), gradient: values(.results("gradient")),
            states: update.states.map { values(.state($0)) }, scalars: update.scalars.flatMap { values(.scalar($0)) },
            numbers: update.numbers.flatMap { values(.number($0)) }, in: builder)
        let results = [next.theta] + next.states + next.numbers.map { [$0] }
        return builder.build(
            outputs: results.enumerated().flatMap { number, parts in
                parts.enumerated().map { ("\(number).\($0).next", $1) }
            })
    }

    /// Curvature along the gradient of a batch, beside a step: inputs those of `gradient`; outputs `quadratic` = g_BᵀH_Bg_B and
    /// `square` = ‖g_B‖², in f64.
    func stepCurvature(count: Int, use: StatisticsUse) throws -> Graph {
        let (gradient, form) = (try gradient(count: count, use: use), try quadratic(count: count, use: use))
        try Cancellation.check()
        let builder = GraphBuilder()
        let inputs = gradient.inputs.map { builder.input($0.name, $0.type) }
        let along = Array(builder.inline(gradient, inputs: inputs).dropFirst())
        let value = builder.inline(form, inputs: inputs + along)[0]
        return builder.build(outputs: [
            ("quadratic", builder.convert(value, to: .f64)),
            ("square", try innerProduct(along, along, in: builder).value),
        ])
    }

    private func declareState(
        of update: ElementwiseUpdate, in builder: GraphBuilder
    ) -> (vectors: [[Value]], scalars: [Value], numbers: [Value]) {
        let element = update.scalarElement(model.element)
        return (
            update.states.map { declare(.state($0), in: builder) },
            update.scalars.flatMap { declare(.scalar($0), in: builder, scalars: element) },
            update.numbers.flatMap { declare(.number($0), in: builder) }
        )
    }

    func signature(of update: ElementwiseUpdate, _ use: StatisticsUse) -> ProgramSignature {
        let moves = updatesBuffers(use)
        let running: [ProgramSlot] =
            (model.fixed.entries.isEmpty ? [] : [.fixed]) + (moves || use == .running ? [.running] : [])
        let own = Objective.signature(ofUpdateAlone: update)
        return ProgramSignature(
            [.parameters, .input, .target, .weights] + running
                + own.inputs.filter { $0 != .parameters && $0 != .results("gradient") },
            to: [.value("loss")] + (moves ? [.next(.running)] : []) + own.outputs)
    }

    static func signature(ofUpdateAlone update: ElementwiseUpdate) -> ProgramSignature {
        let states = update.states.map { ProgramSlot.state($0) }
        let (scalars, numbers) = (
            update.scalars.map { ProgramSlot.scalar($0) }, update.numbers.map { ProgramSlot.number($0) }
        )
        return ProgramSignature(
            [.parameters] + states + [.results("gradient")] + scalars + numbers,
            to: ([.parameters] + states + numbers).map { .next($0) })
    }
}
