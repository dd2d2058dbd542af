/// A recurrence: the body is applied `length` times, each time to the carries that the time before left, to a slice of each
/// stacked operand and to the constants. The loop of recurrent networks (LSTM, Mamba's selective scan).
///
/// Operands: the initial carries, then the stacked tensors, whose leading axis is the steps', then the constants. The body's
/// inputs follow the same order, stacked ones without the leading axis; its outputs are the carries after the step. Results: the
/// carries after every step, stacked: `[length, …]`. A reversed scan goes from the last slice to the first; its results lie
/// where their slices do.
///
/// Derivatives are in `Scan+Derivatives.swift`, the spelling in `Scan+StableHLO.swift`. What is executed has no scans
/// (`unrollScans`).
public struct Scan: Operation {
    public static let mnemonic = "scan"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    /// Inputs `h0`, …, `x0`, …, `c0`, …; outputs `h0`, ….
    public let body: Graph
    /// The number of carries, and of stacked operands.
    public let carries: Int
    public let stacked: Int
    /// The number of steps, at least one.
    public let length: Int
    public let reverse: Bool

    /// The body's inputs and outputs may have any names; here they get their own.
    public init(body: Graph, carries: Int, stacked: Int, length: Int, reverse: Bool = false) {
        let inputs = body.inputs.enumerated().map { index, input in
            let name =
                index < carries
                ? "h\(index)" : index < carries + stacked ? "x\(index - carries)" : "c\(index - carries - stacked)"
            return Graph.Input(name: name, type: input.type)
        }
        let outputs = body.outputs.enumerated().map { Graph.Output(name: "h\($0)", value: $1.value) }
        self.body = Graph(inputs: inputs, nodes: body.nodes, outputs: outputs, types: body.types)
        self.carries = carries
        self.stacked = stacked
        self.length = length
        self.reverse = reverse
    }

    /// The same loop around another body of the same inputs and outputs, or with more inputs after these.
    package func with(body: Graph, stacked: Int? = nil) -> Scan {
        Scan(body: body, carries: carries, stacked: stacked ?? self.stacked, length: length, reverse: reverse)
    }

    public var bodies: [Graph] { [body] }
    public var attributes: String {
        "carries = \(carries), stacked = \(stacked), length = \(length)" + (reverse ? ", reverse" : "")
    }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(body.inputs.count, of: operands)
        if carries < 1 || stacked < 0 || carries + stacked > operands.count {
            throw GraphError("scan: \(carries) carries and \(stacked) stacked operands among \(operands.count)")
        }
        if body.containsBatchMean {
            // The steps become a batch in derivatives.
            throw GraphError(
                "scan: its body takes a mean over the batch; take batch statistics outside of the recurrence")
        }
        if length < 1 { throw GraphError("scan takes at least one step, not \(length)") }
        for (index, (operand, input)) in zip(operands, body.inputs).enumerated() {
            let isStacked = (carries..<carries + stacked).contains(index)
            let expected = isStacked ? stack(input.type) : input.type
            if operand != expected {
                throw GraphError("scan of \(length) steps: operand \(index) is \(operand), its body needs \(expected)")
            }
        }
        let after = body.outputs.map { body.type(of: $0.value) }
        let before = body.inputs.prefix(carries).map(\.type)
        if after != before {
            throw GraphError("scan: carries \(before) before a step, but \(after) after it")
        }
        return after.map(stack)
    }

    /// The type of a value at every step.
    func stack(_ type: TensorType) -> TensorType { TensorType(type.element, [length] + type.shape) }

    /// The steps in the order in which they are taken.
    package var steps: [Int] { reverse ? (0..<length).reversed() : Array(0..<length) }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        var current = Array(operands.prefix(carries))
        var results = types.map { [[Double]](repeating: [], count: $0.shape[0]) }
        for step in steps {
            let slices = (carries..<carries + stacked).map { index in
                let count = body.inputs[index].type.count
                return Tensor(
                    body.inputs[index].type, Array(operands[index].values[step * count..<(step + 1) * count]))
            }
            do {
                current = try Interpreter.run(body, current + slices + operands.dropFirst(carries + stacked))
            } catch { preconditionFailure("scan: \(error)") }
            for (index, carry) in current.enumerated() { results[index][step] = carry.values }
        }
        return zip(types, results).map { Tensor($0, $1.flatMap { $0 }) }
    }

    /// The body over the batch. All carries get the batch's axis, since all results must have it. Stacks are turned so that the
    /// steps stay in front.
    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        let isBatched = marked.indices.map { $0 < carries || marked[$0] }
        let names = body.inputs.indices.filter { isBatched[$0] }.map { body.inputs[$0].name }
        let batchedBody = known { () throws(GraphError) in try vmap(body, over: names, size: size) }
        let values = operands.indices.map { index in
            if index < carries { return marked[index] ? operands[index] : b.stacked(operands[index], size: size) }
            return isStacked(index) && marked[index] ? b.axesExchanged(operands[index]) : operands[index]
        }
        return b.emitAll(with(body: batchedBody), values).map(b.axesExchanged)
    }

    /// The most steps, those of recurrences in the body counted in each, that a network may have: what runs is written out step by
    /// step (`unrollScans`) unless the step is elementwise, and takes memory and time to plan for each.
    public static let mostSteps = 10_000

    /// - Throws: `GraphError` where this is a recurrence of more than `mostSteps` steps. For those who write networks: derivatives
    ///   may have more.
    public func checkLength() throws(GraphError) {
        if allSteps > Self.mostSteps {
            throw GraphError(
                "a recurrence of \(allSteps) steps, those of recurrences in it counted: at most \(Self.mostSteps) can be run"
            )
        }
    }

    private var allSteps: Int {
        let inner = body.nodes.reduce(0) { $0.addingSaturated(($1.operation as? Scan)?.allSteps ?? 0) }
        return length.multipliedSaturated(by: max(1, inner))
    }

    package func isStacked(_ operand: Int) -> Bool { (carries..<carries + stacked).contains(operand) }

    /// That of the steps, and of stacking the results.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        let step = body.cost()
        return Cost(
            multiplyAdds: step.multiplyAdds.multipliedSaturated(by: length),
            elements: results.reduce(step.elements.multipliedSaturated(by: length)) { $0.addingSaturated($1.count) })
    }
}

/// What a transformation makes of a graph whose names are known to be right.
func known<Made>(_ make: () throws(GraphError) -> Made) -> Made {
    do { return try make() } catch { preconditionFailure("\(error)") }
}

extension GraphBuilder {
    /// A recurrence; `Scan` says what goes in and comes out.
    /// - Parameters:
    ///   - carries: the carries before the first step.
    ///   - stacked: tensors with the steps along their leading axis.
    ///   - length: the number of steps, where there are no stacked tensors to tell.
    ///   - step: writes one step: from the carries, one slice of each stacked tensor and the constants, the carries after it.
    /// - Returns: the carries after every step.
    /// - Throws: `GraphError` when the shapes do not fit, or what the step throws.
    public func scan(
        carries: [Value], stacked: [Value] = [], constants: [Value] = [], length: Int? = nil, reverse: Bool = false,
        step: (_ b: GraphBuilder, _ carries: [Value], _ slices: [Value], _ constants: [Value]) throws -> [Value]
    ) throws -> [Value] {
        for x in stacked where shape(of: x).isEmpty {
            throw GraphError("scan: a stacked operand is a scalar: it has no axis of steps")
        }
        guard let steps = length ?? stacked.first.map({ shape(of: $0)[0] }) else {
            throw GraphError("scan without stacked operands takes a length")
        }
        let body = GraphBuilder()
        let h = carries.indices.map { body.input("h\($0)", type(of: carries[$0])) }
        let x = stacked.indices.map { index in
            let type = type(of: stacked[index])
            return body.input("x\(index)", TensorType(type.element, Array(type.shape.dropFirst())))
        }
        let c = constants.indices.map { body.input("c\($0)", type(of: constants[$0])) }
        let after = try step(body, h, x, c)
        let graph = body.build(outputs: after.enumerated().map { ("h\($0)", $1) })
        let scan = Scan(body: graph, carries: h.count, stacked: x.count, length: steps, reverse: reverse)
        return try applyAll(scan, carries + stacked + constants)
    }

    /// x with its first two axes exchanged.
    func axesExchanged(_ x: Value) -> Value { transpose(x, [1, 0] + shape(of: x).indices.dropFirst(2)) }

    /// One slice of a stack, without the leading axis.
    package func slice(_ stack: Value, at step: Int) -> Value {
        reshape(slice(stack, axis: 0, from: step, to: step + 1), to: Array(shape(of: stack).dropFirst()))
    }

    /// A stack moved by one step of the scan's time: `entering` comes first, and what was last leaves.
    func shifted(_ stack: Value, entering: Value, reverse: Bool) -> Value {
        let length = shape(of: stack)[0]
        let first = reshape(entering, to: [1] + shape(of: entering))
        if length == 1 { return first }
        return reverse
            ? concatenate([slice(stack, axis: 0, from: 1, to: length), first], axis: 0)
            : concatenate([first, slice(stack, axis: 0, from: 0, to: length - 1)], axis: 0)
    }
}
