// The derivatives of a scan. All that can be done for every step at once is done outside of the loop, over the stack of steps,
// where products are wide; what stays a scan is the linear recurrence of the carries' tangents,
//
//     ḣ_t = A_t ḣ_{t−1} + q_t,
//
// with A_t the body's derivative in the carries at step t and q_t the contributions of everything else. Its transpose runs
// the other way,
//
//     λ_{t−1} = A_tᵀ λ_t + ȳ_{t−1},
//
// and is a scan of the same kind; the cotangent of q_t is λ_t itself.

/// A value that is the same at every step, or a stack of one for each.
struct StepValue {
    let value: Value
    let isStacked: Bool
}

/// The linear recurrence of some of a scan's carries.
struct LinearRecurrence {
    let length: Int
    let reverse: Bool
    let types: [TensorType]
    /// A_t. Inputs: the residuals, then the carries; outputs: by the names of `outputs`, those that are not zero.
    let step: Graph
    let outputs: [String]
    /// What A_t depends on.
    let residuals: [StepValue]

    /// The carries after every step, from those before the first and what is added at each; `nil` stands for zero.
    func forward(from initial: [Value?], adding addends: [Value?], in b: GraphBuilder) -> [Value?] {
        loop(step, from: initial, adding: addends, reverse: reverse, in: b).results
    }

    /// The transpose: the cotangents of the addends and of the initial carries, from those of the results.
    func backward(from cotangents: [Value?], in b: GraphBuilder) -> (addends: [Value?], initial: [Value?]) {
        let back = transposedStep()
        let (first, last) = reverse ? (length - 1, 0) : (0, length - 1)
        let final = cotangents.map { $0.map { b.slice($0, at: last) } }
        let addends = zip(cotangents, types).map { cotangent, type in
            length == 1 ? nil : cotangent.map { b.shifted($0, entering: b.zeros(type), reverse: reverse) }
        }
        let (before, recurs) = loop(back, from: final, adding: addends, reverse: !reverse, in: b)
        let after = before.indices.map { index -> Value? in
            guard recurs[index], let results = before[index] else { return cotangents[index] }
            return b.shifted(results, entering: final[index] ?? b.zeros(types[index]), reverse: !reverse)
        }
        return (after, before.indices.map { recurs[$0] ? before[$0].map { b.slice($0, at: first) } : nil })
    }

    /// A_tᵀ, in the form of `step`.
    private func transposedStep() -> Graph {
        let names = step.inputs.suffix(types.count).map(\.name)
        let transposed = known { () throws(GraphError) in try transpose(step, linearIn: names) }
        let b = GraphBuilder()
        let kept = step.inputs.prefix(residuals.count).map { b.input($0.name, $0.type) }
        let adjoints = zip(names, types).map { b.input($0, $1) }
        let own = step.outputs.compactMap { output in outputs.firstIndex(of: output.name).map { adjoints[$0] } }
        return b.build(outputs: zip(outputs, b.inline(transposed, inputs: kept + own)).map { ($0, $1) })
    }

    /// A scan of what recurs. A carry that no carry reaches is what is added to it; one that is zero throughout is left out.
    private func loop(
        _ whole: Graph, from initial: [Value?], adding addends: [Value?], reverse: Bool, in b: GraphBuilder
    ) -> (results: [Value?], recurs: [Bool]) {
        let names = whole.inputs.suffix(types.count).map(\.name)
        var isPresent = types.indices.map { initial[$0] != nil || addends[$0] != nil }
        var step = whole
        while true {
            step = whole.restricted(linearIn: names, to: types.indices.filter { isPresent[$0] }.map { names[$0] })
            let reached = types.indices.filter { !isPresent[$0] && step.outputIndex(outputs[$0]) != nil }
            if reached.isEmpty { break }
            for index in reached { isPresent[index] = true }
        }
        let recurs = outputs.map { step.outputIndex($0) != nil }
        let carries = types.indices.filter { recurs[$0] }
        if carries.isEmpty { return (addends, recurs) }

        let body = GraphBuilder()
        var inside: [String: Value] = [:]
        var operands: [Value] = []
        func enter(_ name: String, _ type: TensorType, _ value: Value) {
            inside[name] = body.input(name, type)
            operands.append(value)
        }
        for index in carries { enter(names[index], types[index], initial[index] ?? b.zeros(types[index])) }
        let isUsed = step.usedInputs()
        func enterResiduals(stacked: Bool) {
            for (input, residual) in zip(step.inputs, residuals)
            where residual.isStacked == stacked && isUsed.contains(input.name) {
                enter(input.name, input.type, residual.value)
            }
        }
        enterResiduals(stacked: true)
        for index in types.indices where isPresent[index] && !recurs[index] && isUsed.contains(names[index]) {
            let first = initial[index] ?? b.zeros(types[index])
            let added = addends[index] ?? b.zeros(stack(types[index]))
            enter(names[index], types[index], b.shifted(added, entering: first, reverse: reverse))
        }
        var sums: [String: Value] = [:]
        for index in carries {
            guard let addend = addends[index] else { continue }
            enter(outputs[index] + ".added", types[index], addend)
            sums[outputs[index]] = inside[outputs[index] + ".added"]
        }
        let stacked = operands.count - carries.count
        enterResiduals(stacked: false)

        // What the step does not use is not there.
        let values = step.inputs.map { inside[$0.name] ?? body.zeros($0.type) }
        for (output, value) in zip(step.outputs, body.inline(step, inputs: values)) {
            sums[output.name] = body.add(value, sums[output.name])
        }
        let graph = body.build(
            outputs: carries.compactMap { index in sums[outputs[index]].map { (outputs[index], $0) } })
        let scan = Scan(
            body: graph.simplified(), carries: carries.count, stacked: stacked, length: length, reverse: reverse)
        var results = addends
        for (index, result) in zip(carries, b.emitAll(scan, operands)) { results[index] = result }
        return (results, recurs)
    }

    private func stack(_ type: TensorType) -> TensorType { TensorType(type.element, [length] + type.shape) }
}

/// A scan at a point and along a direction: the body linearized at every step.
private struct ScanDerivative {
    let scan: Scan
    /// The carries that have a tangent, and all operands that have one, those carries included.
    let active: [Int]
    let along: [Int]
    let recurrence: LinearRecurrence
    /// The linear part of the body, its residuals' values, and its tangents' names in the order of `along`.
    private let linear: Graph
    private let tangentNames: [String]
    private let outputNames: [String]

    init(_ scan: Scan, at site: Site, along tangents: [Value?], in b: GraphBuilder) {
        self.scan = scan
        let body = scan.body
        let (active, along) = Self.reached(scan, from: tangents.map { $0 != nil })
        let names = along.map { body.inputs[$0].name }
        let split = known { () throws(GraphError) in try linearize(body, withRespectTo: names) }
        // The body's outputs are the scan's results: what is computed from them needs nothing else of the body.
        let residuals = b.atEveryStep(
            split.point.assuming(outputs: scan.carries),
            scan.stepInputs(at: site, in: b) + site.results.map { StepValue(value: $0, isStacked: true) },
            length: scan.length)
        tangentNames = split.linear.inputs.suffix(along.count).map(\.name)
        let carryNames = Array(tangentNames.prefix(active.count))
        let real = body.outputs.indices.filter { body.type(of: body.outputs[$0].value).element.isFloating }
        outputNames = active.compactMap { carry in
            real.firstIndex(of: carry).map { split.linear.outputs[$0].name }
        }
        recurrence = LinearRecurrence(
            length: scan.length, reverse: scan.reverse, types: active.map { body.inputs[$0].type },
            step: split.linear.restricted(linearIn: tangentNames, to: carryNames), outputs: outputNames,
            residuals: residuals)
        (linear, self.active, self.along) = (split.linear, active, along)
    }

    /// The carries whose tangents are not zero, where those of the operands marked are not, and all such operands.
    private static func reached(_ scan: Scan, from marked: [Bool]) -> (active: [Int], along: [Int]) {
        let body = scan.body
        var isReached = marked
        while true {
            let along = isReached.indices.filter { isReached[$0] }
            let program = known { () throws(GraphError) in
                try TangentProgram(body, along: along.map { body.inputs[$0].name })
            }
            let new = (0..<scan.carries).filter { index in
                !isReached[index] && program.tangent[body.outputs[index].value.id] != nil
            }
            if new.isEmpty { return (along.filter { $0 < scan.carries }, along) }
            for index in new { isReached[index] = true }
        }
    }

    /// B_t(ẋ, ċ): what the tangents of stacked and constant operands add to the carries at every step.
    func contributions(of tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let others = along.indices.filter { along[$0] >= scan.carries }
        if others.isEmpty { return active.map { _ in nil } }
        let names = others.map { tangentNames[$0] }
        let part = linear.restricted(linearIn: tangentNames, to: names)
        let inputs =
            recurrence.residuals
            + others.compactMap { index in
                tangents[along[index]].map { StepValue(value: $0, isStacked: scan.isStacked(along[index])) }
            }
        let results = b.stacked(b.atEveryStep(part, inputs, length: scan.length), length: scan.length)
        return outputNames.map { name in part.outputIndex(name).map { results[$0] } }
    }

    /// The tangents of the active carries after every step.
    func results(along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        recurrence.forward(
            from: active.map { tangents[$0] }, adding: contributions(of: tangents, in: b), in: b)
    }

    /// q_t: the body's own second-order term at every step, along the tangents of everything it takes.
    func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let body = scan.body
        let names = along.map { body.inputs[$0].name }
        let terms = known { () throws(GraphError) in try body.secondOrder(along: names) }.simplified()
            .assuming(outputs: scan.carries)
        let after = results(along: tangents, in: b)
        let directions = along.indices.compactMap { index -> StepValue? in
            let operand = along[index]
            if index < active.count {
                let first = tangents[operand] ?? b.zeros(body.inputs[operand].type)
                let own = after[index] ?? b.zeros(scan.stack(body.inputs[operand].type))
                let before = b.shifted(own, entering: first, reverse: scan.reverse)
                return StepValue(value: before, isStacked: true)
            }
            return tangents[operand].map { StepValue(value: $0, isStacked: scan.isStacked(operand)) }
        }
        let results = b.stacked(
            b.atEveryStep(
                terms,
                scan.stepInputs(at: site, in: b) + directions
                    + site.results.map { StepValue(value: $0, isStacked: true) }, length: scan.length),
            length: scan.length)
        return active.map { carry in
            terms.outputIndex(body.outputs[carry].name + ".second").map { results[$0] }
        }
    }
}

extension Scan {
    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let derivative = ScanDerivative(self, at: site, along: tangents, in: b)
        return scattered(derivative.results(along: tangents, in: b), to: derivative.active)
    }

    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let derivative = ScanDerivative(self, at: site, along: tangents, in: b)
        let terms = derivative.secondOrder(at: site, along: tangents, in: b)
        if terms.allSatisfy({ $0 == nil }) { return scattered([], to: []) }
        let none = terms.map { _ in Value?.none }
        return scattered(
            derivative.recurrence.forward(from: none, adding: terms, in: b), to: derivative.active)
    }

    /// Σ_t ⟨λ_t, q_t⟩ with the adjoints λ of the backward sweep instead of ⟨ȳ, s⟩ with a further forward scan for
    /// s_t = A_t s_{t−1} + q_t. The backward scan is the one that the sweep over the graph makes, and is computed once.
    public func quadraticTerm(
        at site: Site, along tangents: [Value?], cotangents: [Value?], in b: GraphBuilder
    ) -> Value? {
        let derivative = ScanDerivative(self, at: site, along: tangents, in: b)
        let terms = derivative.secondOrder(at: site, along: tangents, in: b)
        if terms.allSatisfy({ $0 == nil }) { return nil }
        let adjoints = derivative.recurrence.backward(from: derivative.active.map { cotangents[$0] }, in: b).addends
        return b.inner(adjoints, terms)
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let active = reached(from: linear)
        let isLinear = linear.indices.map { linear[$0] || active.contains($0) }
        let names = isLinear.indices.filter { isLinear[$0] }.map { body.inputs[$0].name }
        let others = linear.indices.filter { linear[$0] && $0 >= carries }
        let residuals = pointInputs(at: site, isLinear: isLinear, in: b)
        let carryNames = active.map { body.inputs[$0].name }
        let recurrence = LinearRecurrence(
            length: length, reverse: reverse, types: active.map { body.inputs[$0].type },
            step: body.restricted(linearIn: names, to: carryNames), outputs: active.map { body.outputs[$0].name },
            residuals: residuals)
        let (adjoints, initial) = recurrence.backward(from: active.map { cotangents[$0] }, in: b)

        var result = [Value?](repeating: nil, count: linear.count)
        for (carry, cotangent) in zip(active, initial) where linear[carry] { result[carry] = cotangent }
        if others.isEmpty { return result }
        // What the other operands add to the carries, at every step: one wide linear map, transposed.
        let otherNames = others.map { body.inputs[$0].name }
        let part = body.restricted(linearIn: names, to: otherNames)
        if part.outputs.isEmpty { return result }
        let inputs = residuals.map(\.isStacked) + others.map(isStacked)
        let wide = part.atEveryStep(isStacked: inputs, length: length)
        let transposed = wide.transposed(linearIn: otherNames)
        let own = part.outputs.compactMap { output in
            active.firstIndex { body.outputs[$0].name == output.name }.map { index in
                adjoints[index] ?? b.zeros(stack(body.inputs[active[index]].type))
            }
        }
        for (operand, value) in zip(others, b.inline(transposed, inputs: residuals.map(\.value) + own)) {
            result[operand] = value
        }
        return result
    }

    /// The carries that depend on the operands marked.
    private func reached(from marked: [Bool]) -> [Int] {
        var isReached = marked
        while true {
            let depends = body.dependents(on: isReached.indices.filter { isReached[$0] })
            let new = (0..<carries).filter { !isReached[$0] && depends[body.outputs[$0].value.id] }
            if new.isEmpty { return (0..<carries).filter { isReached[$0] } }
            for index in new { isReached[index] = true }
        }
    }

    /// The values of the body's inputs at every step, the carries' as they are before it.
    fileprivate func stepInputs(at site: Site, in b: GraphBuilder) -> [StepValue] {
        body.inputs.indices.map { index in
            index < carries
                ? StepValue(
                    value: b.shifted(site.results[index], entering: site[index], reverse: reverse), isStacked: true)
                : StepValue(value: site[index], isStacked: isStacked(index))
        }
    }

    /// The same for the inputs that are not linear, where the scan's results are not known: carries among them are computed by
    /// a scan of their own.
    private func pointInputs(at site: Site, isLinear: [Bool], in b: GraphBuilder) -> [StepValue] {
        let own = (0..<carries).filter { !isLinear[$0] }
        var before: [Int: Value] = [:]
        if !own.isEmpty {
            let inputs = isLinear.indices.filter { !isLinear[$0] }
            let graph = eliminateDeadCode(body.selecting(outputs: own.map { body.outputs[$0].name }))
            let scan = Scan(
                body: graph.keeping(inputs: inputs), carries: own.count, stacked: inputs.count(where: isStacked),
                length: length, reverse: reverse)
            for (carry, result) in zip(own, b.emitAll(scan, inputs.map { site[$0] })) {
                before[carry] = b.shifted(result, entering: site[carry], reverse: reverse)
            }
        }
        return isLinear.indices.filter { !isLinear[$0] }.map { index in
            StepValue(value: before[index] ?? site[index], isStacked: index < carries || isStacked(index))
        }
    }

    private func scattered(_ values: [Value?], to places: [Int]) -> [Value?] {
        var result = [Value?](repeating: nil, count: carries)
        for (place, value) in zip(places, values) { result[place] = value }
        return result
    }
}

extension Graph {
    /// The transposed linear map, under a name that no operation's rule hides.
    fileprivate func transposed(linearIn names: [String]) -> Graph {
        known { () throws(GraphError) in try transpose(self, linearIn: names) }
    }

    /// The graph at every step at once: inputs marked, and all outputs, have a leading axis of steps.
    fileprivate func atEveryStep(isStacked: [Bool], length: Int) -> Graph {
        let names = zip(inputs, isStacked).filter(\.1).map(\.0.name)
        return known { () throws(GraphError) in try vmap(self, over: names, size: length) }
    }

    /// With these inputs alone, on which all outputs depend.
    fileprivate func keeping(inputs kept: [Int]) -> Graph {
        let b = GraphBuilder()
        var values = [Value?](repeating: nil, count: types.count)
        for index in kept { values[index] = b.input(inputs[index].name, inputs[index].type) }
        b.append(self, values: &values) { _ in true }
        return b.build(outputs: outputs.compactMap { output in values[output.value.id].map { (output.name, $0) } })
    }
}

extension GraphBuilder {
    /// The outputs of a graph at every step. Those that depend on nothing stacked are computed once.
    func atEveryStep(_ graph: Graph, _ inputs: [StepValue], length: Int) -> [StepValue] {
        let depends = graph.dependents(on: inputs.indices.filter { inputs[$0].isStacked })
        let varies = graph.outputs.map { depends[$0.value.id] }
        func part(_ isVarying: Bool) -> Graph {
            eliminateDeadCode(
                Graph(
                    inputs: graph.inputs, nodes: graph.nodes,
                    outputs: zip(graph.outputs, varies).filter { $1 == isVarying }.map(\.0), types: graph.types))
        }
        let values = inputs.map(\.value)
        let wide = part(true).atEveryStep(isStacked: inputs.map(\.isStacked), length: length)
        var stacks = inline(wide, inputs: values).makeIterator()
        // Not stacked inputs have the types that the graph gives them; stacked ones are not used here.
        let fixed = part(false)
        let builder = zip(fixed.inputs, inputs).map { input, value in value.isStacked ? zeros(input.type) : value.value
        }
        var single = inline(fixed, inputs: builder).makeIterator()
        return varies.compactMap { isVarying in
            (isVarying ? stacks.next() : single.next()).map { StepValue(value: $0, isStacked: isVarying) }
        }
    }

    /// Stacks of all, the same at every step for those that are none.
    fileprivate func stacked(_ values: [StepValue], length: Int) -> [Value] {
        values.map { $0.isStacked ? $0.value : stacked($0.value, size: length) }
    }
}
