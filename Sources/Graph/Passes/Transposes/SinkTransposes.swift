/// Moves transpositions through the graph so that they cancel, or are absorbed by contractions and convolutions, which name their
/// axes. Activations then stay as convolutions write them, channels last, in a whole network and in all its derivatives, without
/// any layout in the graph's author's hands.
///
/// Every value may be stored plainly or in one other layout, that in which a transposition somewhere before or behind it would
/// leave it. Elementwise operations, broadcasts, reductions, slices, pads and the like work in either, reshapes where what they
/// split or merge lies together. Where neighbours are stored differently, the elements between them are moved; which values to
/// store how, so that the fewest elements are moved, is a minimum cut. The graph comes back as it is where none are saved.
public func sinkTransposes(_ g: Graph) -> Graph {
    if !g.hasAvoidableTransposes() { return g }
    let before = g.elementsTransposed()
    var layouts = LayoutChoice(g)
    guard layouts.choose() else { return g }
    let sunk = eliminateDeadCode(layouts.rewritten())
    return foldTransposes(sunk).elementsTransposed() < before ? sunk : g
}

extension Graph {
    /// Elements that transpositions move.
    func elementsTransposed() -> Int {
        nodes.reduce(0) { $1.operation is Transpose ? $0.addingSaturated(type(of: $1.result).count) : $0 }
    }

    /// Whether there are transpositions beside those of a convolution's result on its way out, as of a weight gradient.
    fileprivate func hasAvoidableTransposes() -> Bool {
        let transposes = nodes.filter { $0.operation is Transpose }
        if transposes.isEmpty { return false }
        let producers = producers()
        var uses = useCounts()
        for output in outputs { uses[output.value.id] -= 1 }
        return transposes.contains { node in
            let producer = producers[node.operands[0].id]
            return uses[node.result.id] > 0 || !(producer.map { nodes[$0].operation is Convolution } ?? false)
        }
    }
}

private struct LayoutChoice {
    private let g: Graph
    private let producers: [Int?]
    /// For each value the layout it may be stored in beside the plain one.
    private var candidates: [Layout?]
    /// Values of which a transposition takes the plain form to make a candidate.
    private var isTakenPlain: [Bool]
    private var isChosen: [Bool] = []

    init(_ g: Graph) {
        self.g = g
        producers = g.producers()
        candidates = [Layout?](repeating: nil, count: g.types.count)
        isTakenPlain = [Bool](repeating: false, count: g.types.count)
    }

    private func shape(_ value: Value) -> [Int] { g.types[value.id].shape }
    private func plain(_ value: Value) -> Layout { .plain(rank: shape(value).count) }
    private func rule(_ node: Graph.Node) -> LayoutRule {
        LayoutRule(operation: node.operation, operands: node.operands.map(shape), result: shape(node.result))
    }

    /// Whether anything is gained.
    mutating func choose() -> Bool {
        // Forwards from transpositions, backwards to what meets the values found, and both again from there. A broadcast may be
        // stored in many layouts, so what it meets is asked first.
        offer(throughBroadcasts: false)
        require()
        offer(throughBroadcasts: true)
        require()
        return cut()
    }

    // MARK: Candidates

    private mutating func offer(throughBroadcasts: Bool) {
        for node in g.nodes where node.operation.carriesLayouts && candidates[node.result.id] == nil {
            if node.operation is BroadcastInDim && !throughBroadcasts { continue }
            let isTranspose = node.operation is Transpose
            if !isTranspose && node.operands.allSatisfy({ candidates[$0.id] == nil }) { continue }
            let rule = rule(node)
            if isTranspose {
                let operand = node.operands[0]
                if candidates[operand.id] == nil { isTakenPlain[operand.id] = true }
                adopt(rule.offered(candidates[operand.id] ?? plain(operand), at: 0), for: node.result)
                continue
            }
            // What most elements ask for.
            var offers: [(layout: Layout, elements: Int)] = []
            for (place, operand) in node.operands.enumerated() {
                guard let candidate = candidates[operand.id], let offered = rule.offered(candidate, at: place) else {
                    continue
                }
                let elements = g.type(of: operand).count
                if let known = offers.firstIndex(where: { $0.layout.equals(offered, for: shape(node.result)) }) {
                    offers[known].elements = offers[known].elements.addingSaturated(elements)
                } else {
                    offers.append((offered, elements))
                }
            }
            let best = offers.reduce(nil) { best, offer in
                best.map { $0.elements >= offer.elements ? $0 : offer } ?? offer
            }
            adopt(best?.layout, for: node.result)
        }
    }

    private mutating func require() {
        for node in g.nodes.reversed() where node.operation.carriesLayouts && !(node.operation is DotGeneral) {
            guard let candidate = candidates[node.result.id] else { continue }
            for (place, operand) in node.operands.enumerated() {
                guard candidates[operand.id] == nil, !isTakenPlain[operand.id], let producer = producers[operand.id],
                    g.nodes[producer].operation.carriesLayouts, !(g.nodes[producer].operation is DotGeneral)
                else { continue }
                adopt(rule(node).required(candidate, at: place), for: operand)
            }
        }
    }

    private mutating func adopt(_ layout: Layout?, for value: Value) {
        guard let layout, !layout.isPlain(for: shape(value)) else { return }
        candidates[value.id] = layout
    }

    // MARK: The cut

    /// What stands for values in the network: those with a candidate, which are on the first side where it is chosen, and the
    /// copies in another layout that their neighbours need.
    private struct Network {
        var cut = MinimumCut()
        var nodes: [Value: Int] = [:]
        private var plainCopies: [Value: Int] = [:]
        private var movedCopies: [Moved: Int] = [:]
        private struct Moved: Hashable {
            let value: Value
            let layout: Layout?
        }

        /// On the first side where a value stored otherwise is copied into the plain layout, which costs so much.
        mutating func plainCopy(of value: Value, _ elements: Int) -> Int {
            if let known = plainCopies[value] { return known }
            let copy = cut.addNode()
            if let node = nodes[value] { cut.addEdge(from: node, to: copy, capacity: elements) }
            plainCopies[value] = copy
            return copy
        }

        /// On the second side but where a value is copied into its candidate (`nil`), or into a further layout.
        mutating func movedCopy(of value: Value, into layout: Layout?, _ elements: Int) -> Int {
            let key = Moved(value: value, layout: layout)
            if let known = movedCopies[key] { return known }
            let copy = cut.addNode()
            let end = layout == nil ? nodes[value] ?? MinimumCut.second : MinimumCut.second
            cut.addEdge(from: copy, to: end, capacity: elements)
            movedCopies[key] = copy
            return copy
        }
    }

    private mutating func cut() -> Bool {
        var network = Network()
        for value in candidates.indices where candidates[value] != nil {
            network.nodes[Value(value)] = network.cut.addNode()
        }
        for node in g.nodes where !(node.operation is Convolution) {
            let carries = node.results.count == 1 && node.operation.carriesLayouts
            var target = carries ? network.nodes[node.result] : nil
            if target == nil && node.operands.allSatisfy({ network.nodes[$0] == nil }) { continue }
            let rule = carries ? rule(node) : nil
            if let rule, let own = target, !isProducible(node, rule) {
                // Made plainly, then moved.
                network.cut.addEdge(from: own, to: MinimumCut.second, capacity: g.type(of: node.result).count)
                target = nil
            }
            for (place, operand) in node.operands.enumerated() where !isMadeInAnyLayout(operand) {
                if let rule {
                    connect(operand, at: place, node.result, rule, target, &network)
                } else {
                    keepPlain(operand, &network)
                }
            }
        }
        for output in g.outputs { keepPlain(output.value, &network) }
        let isFirst = network.cut.solve()
        isChosen = candidates.indices.map { network.nodes[Value($0)].map { isFirst[$0] } ?? false }
        // With all values plain every edge from the first side is cut: those of the transpositions.
        return network.cut.flow < network.cut.supply
    }

    private func isMadeInAnyLayout(_ value: Value) -> Bool {
        producers[value.id].map { g.nodes[$0].operation.isMadeInAnyLayout } ?? false
    }

    /// Whether the operation can give its result in the candidate's layout.
    private func isProducible(_ node: Graph.Node, _ rule: LayoutRule) -> Bool {
        guard let candidate = candidates[node.result.id] else { return false }
        return node.operands.indices.allSatisfy { rule.required(candidate, at: $0) != nil }
    }

    private func keepPlain(_ value: Value, _ network: inout Network) {
        if network.nodes[value] == nil { return }
        network.cut.addEdge(
            from: network.plainCopy(of: value, g.type(of: value).count), to: MinimumCut.second,
            capacity: MinimumCut.infinite)
    }

    /// What an operand costs for each choice of its layout and of the result's, which is plain where `target` is `nil`.
    private func connect(
        _ operand: Value, at place: Int, _ result: Value, _ rule: LayoutRule, _ target: Int?, _ network: inout Network
    ) {
        let elements = g.type(of: operand).count
        let source = network.nodes[operand]
        func isFree(_ layout: Layout?, _ resultLayout: Layout?) -> Bool {
            guard let layout, let resultLayout else { return false }
            return rule.accepts(layout, at: place, for: resultLayout)
        }
        let (own, wanted) = (candidates[operand.id], target == nil ? nil : candidates[result.id])
        let (plainOwn, plainResult) = (plain(operand), plain(result))
        let isCarried = isFree(own, wanted)
        if !isFree(plainOwn, plainResult) {
            // A transposition, free only where it takes what is stored as what is stored.
            if let source, let target, isCarried {
                network.cut.addEdge(from: MinimumCut.first, to: source, capacity: elements)
                network.cut.addEdge(from: source, to: target, capacity: elements)
            } else if let target, isFree(plainOwn, wanted) {
                network.cut.addEdge(from: MinimumCut.first, to: target, capacity: elements)
            } else if let source, isFree(own, plainResult) {
                network.cut.addEdge(from: MinimumCut.first, to: source, capacity: elements)
            }
            return
        }
        let isCopied = target != nil && !isFree(plainOwn, wanted)
        if source != nil && !isFree(own, plainResult) {
            // Where the result's layout does not help, it must be plain whatever that is.
            let needsPlain = target == nil || (!isCarried && !isCopied)
            network.cut.addEdge(
                from: network.plainCopy(of: operand, elements),
                to: needsPlain ? MinimumCut.second : target ?? MinimumCut.second, capacity: MinimumCut.infinite)
        }
        if isCopied, let target, let wanted {
            let layout = isCarried ? nil : rule.required(wanted, at: place)
            network.cut.addEdge(
                from: target, to: network.movedCopy(of: operand, into: layout, elements), capacity: MinimumCut.infinite)
        }
    }

    // MARK: The graph with values stored as chosen

    func rewritten() -> Graph {
        let b = GraphBuilder()
        var stored = StoredValues(b, shapes: g.types.map(\.shape))
        for (index, input) in g.inputs.enumerated() {
            stored.add(b.input(input.name, input.type), for: Value(index), in: .plain(rank: input.type.rank))
        }
        for node in g.nodes {
            if let convolution = node.operation as? Convolution {
                let (x, w) = (stored.first(node.operands[0]), stored.first(node.operands[1]))
                let moved = convolution.reading(lhs: x.layout.places).reading(rhs: w.layout.places)
                stored.add(b.emit(moved, x.value, w.value), for: node.result, in: plain(node.result))
            } else if node.operation.isMadeInAnyLayout {
                stored.addMade(node.operation, node.result)
            } else if node.results.count == 1 && node.operation.carriesLayouts {
                emit(node, &stored)
            } else {
                let operands = node.operands.map { stored.value($0, in: plain($0)) }
                for (result, value) in zip(node.results, b.emitAll(node.operation, operands)) {
                    stored.add(value, for: Value(result), in: plain(Value(result)))
                }
            }
        }
        return b.build(outputs: g.outputs.map { ($0.name, stored.value($0.value, in: plain($0.value))) })
    }

    private func emit(_ node: Graph.Node, _ stored: inout StoredValues) {
        if !isChosen[node.result.id], !(node.operation is Transpose), node.operands.allSatisfy(stored.isPlain) {
            let operands = node.operands.map { stored.first($0).value }
            stored.add(stored.b.emitAll(node.operation, operands)[0], for: node.result, in: plain(node.result))
            return
        }
        let rule = rule(node)
        if node.operation is Transpose {
            let operand = stored.first(node.operands[0])
            guard let layout = rule.offered(operand.layout, at: 0) else { return }
            stored.add(operand.value, for: node.result, in: layout)
            return
        }
        let isMoved = isChosen[node.result.id] && isProducible(node, rule)
        let layout = isMoved ? candidates[node.result.id] ?? plain(node.result) : plain(node.result)
        var layouts: [Layout] = []
        var operands: [Value] = []
        for (place, operand) in node.operands.enumerated() {
            let needed = rule.required(layout, at: place) ?? plain(operand)
            let found = stored.value(operand, in: needed) { rule.takes($0, at: place, for: layout) }
            layouts.append(found.layout)
            operands.append(found.value)
        }
        let produced = rule.produced(layouts, wanted: layout)
        guard let operation = rule.moved(layouts, to: produced) else { return }
        stored.add(stored.b.emitAll(operation, operands)[0], for: node.result, in: produced)
    }
}

/// The values of a graph as they are stored in another: in one layout or several.
private struct StoredValues {
    let b: GraphBuilder
    private let shapes: [[Int]]
    private var forms: [[(layout: Layout, value: Value)]]
    /// Constants, made in each layout that is asked for.
    private var made: [Value: any Operation] = [:]

    init(_ b: GraphBuilder, shapes: [[Int]]) {
        self.b = b
        self.shapes = shapes
        forms = shapes.map { _ in [] }
    }

    mutating func add(_ stored: Value, for value: Value, in layout: Layout) { forms[value.id].append((layout, stored)) }
    mutating func addMade(_ operation: any Operation, _ value: Value) { made[value] = operation }

    /// Whether a value was stored plainly first, or may be.
    func isPlain(_ value: Value) -> Bool {
        forms[value.id].first.map { $0.layout.axes == Array($0.layout.axes.indices) } ?? true
    }

    /// As a value was stored first.
    mutating func first(_ value: Value) -> (layout: Layout, value: Value) {
        if let first = forms[value.id].first { return first }
        let plain = Layout.plain(rank: shapes[value.id].count)
        return (plain, self.value(value, in: plain))
    }

    mutating func value(_ value: Value, in layout: Layout) -> Value {
        self.value(value, in: layout) { $0 == layout }.value
    }

    /// A form of a value that is accepted: one that there is, or else the one in the layout needed.
    mutating func value(
        _ value: Value, in needed: Layout, where isAccepted: (Layout) -> Bool
    ) -> (layout: Layout, value: Value) {
        if let known = forms[value.id].first(where: { isAccepted($0.layout) }) { return known }
        let shape = shapes[value.id]
        let result: Value
        if let operation = made[value] {
            result = emit(operation, needed, shape)
        } else {
            guard let source = forms[value.id].first else { preconditionFailure("a node before its operand") }
            if let same = forms[value.id].first(where: { needed.equals($0.layout, for: shape) }) {
                result = b.reshape(same.value, to: needed.stored(shape))
            } else {
                let places = source.layout.places
                result = b.transpose(source.value, needed.axes.map { places[$0] })
            }
        }
        forms[value.id].append((needed, result))
        return (needed, result)
    }

    private func emit(_ operation: any Operation, _ layout: Layout, _ shape: [Int]) -> Value {
        switch operation {
        case let constant as Constant:
            return b.constant(constant.splat, TensorType(constant.type.element, layout.stored(shape)))
        case let iota as Iota:
            return b.emit(
                Iota(
                    type: TensorType(iota.type.element, layout.stored(shape)), dimension: layout.places[iota.dimension])
            )
        default: preconditionFailure("\(operation.mnemonic) is made in one layout")
        }
    }
}
