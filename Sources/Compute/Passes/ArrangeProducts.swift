import Graph

/// Lets contractions write their results in the order of axes in which these are read: heads of attention that are brought together,
/// and gradients of them, are not copied for it.
///
/// - A transposition of a contraction's result that would be made becomes part of the contraction.
/// - A value that only contractions read, and some of them not where it lies, is laid out as they need it: a contraction's result, or a
///   concatenation of such. They read it through the transposition that undoes this, which is never made.
func arrangeProducts(_ g: Graph) -> Graph {
    let arrangement = ProductArrangement(g)
    guard !arrangement.plans.isEmpty else { return g }
    let b = GraphBuilder()
    var copies = g.inputs.indices.map(Value.init)
    let arranged = g.rewritten(in: b) { node, operands in
        let results =
            arrangement.plans[node.results.lowerBound].map { [$0.emit(in: b) { copies[$0.id] }] }
            ?? b.emitAll(node.operation, operands)
        copies += results
        return results
    }
    return eliminateDeadCode(arranged)
}

/// What contractions write in another order, found in a graph.
private struct ProductArrangement {
    /// A value in another order of its axes.
    enum Part {
        /// By a contraction, whose result is then seen in a shape.
        case written(ArrangedDot, lhs: Value, rhs: Value, shape: [Int])
        /// By a pass over memory.
        case moved(Value, [Int])

        func emit(in b: GraphBuilder, _ copy: (Value) -> Value) -> Value {
            switch self {
            case .written(let dot, let lhs, let rhs, let shape):
                let result = b.emit(dot, copy(lhs), copy(rhs))
                return b.shape(of: result) == shape ? result : b.reshape(result, to: shape)
            case .moved(let value, let permutation): return b.transpose(copy(value), permutation)
            }
        }
    }

    /// What stands for a value: its parts side by side along an axis, or the only one, and then the transposition.
    struct Plan {
        var parts: [Part]
        var axis = 0
        var transpose: [Int]?

        func emit(in b: GraphBuilder, _ copy: (Value) -> Value) -> Value {
            let parts = parts.map { $0.emit(in: b, copy) }
            let whole = parts.count == 1 ? parts[0] : b.concatenate(parts, axis: axis)
            return transpose.map { b.transpose(whole, $0) } ?? whole
        }
    }

    /// A contraction that gives a value, through reshapes and transpositions that nothing else sees: the axes of its result that each
    /// axis of the value consists of.
    private struct Source {
        var node: Graph.Node
        var dot: DotGeneral
        var axes: [[Int]]
    }

    private let g: Graph
    private let producers: [Int?]
    private var users: [[(node: Graph.Node, place: Int)]]
    private var isOutput: [Bool]
    private(set) var plans: [Int: Plan] = [:]

    /// Of so many axes all orders are looked at.
    private static let mostAxes = 4

    init(_ g: Graph) {
        self.g = g
        producers = g.producers()
        users = Array(repeating: [], count: g.types.count)
        isOutput = [Bool](repeating: false, count: g.types.count)
        for node in g.nodes {
            for (place, operand) in node.operands.enumerated() { users[operand.id].append((node, place)) }
        }
        for output in g.outputs { isOutput[output.value.id] = true }
        for node in g.nodes where node.results.count == 1 {
            switch node.operation {
            case let transpose as Transpose where !isReadByProducts(node.result):
                guard let source = source(of: node.operands[0]) else { continue }
                plans[node.result.id] = written(node.operands[0], source, transpose.permutation).map {
                    Plan(parts: [$0])
                }
            case is DotGeneral, is Concatenate: plans[node.result.id] = layout(of: node)
            default: break
            }
        }
    }

    /// Whether contractions alone read a value, through strides.
    private func isReadByProducts(_ value: Value) -> Bool {
        !isOutput[value.id] && !users[value.id].isEmpty
            && users[value.id].allSatisfy { ValueMemory.reads($0.node, $0.place, in: g) }
    }

    // MARK: Contractions behind a value

    /// - Parameter isWhole: whether the value itself may have several readers.
    private func source(of value: Value, isWhole: Bool = false) -> Source? {
        guard isWhole || !isOutput[value.id] && users[value.id].count == 1, let place = producers[value.id] else {
            return nil
        }
        let node = g.nodes[place]
        switch node.operation {
        case let dot as DotGeneral:
            return Source(node: node, dot: dot, axes: g.type(of: value).shape.indices.map { [$0] })
        case let transpose as Transpose:
            guard var source = source(of: node.operands[0]) else { return nil }
            source.axes = transpose.permutation.map { source.axes[$0] }
            return source
        case let reshape as Reshape:
            guard var source = source(of: node.operands[0]),
                let merged = Self.merged(g.type(of: node.operands[0]).shape, into: reshape.shape)
            else { return nil }
            source.axes = merged.map { $0.flatMap { source.axes[$0] } }
            return source
        default: return nil
        }
    }

    /// For each axis of the second shape the axes of the first that are one there; `nil` where one is taken apart.
    private static func merged(_ shape: [Int], into other: [Int]) -> [[Int]]? {
        var (result, axis) = ([[Int]](), 0)
        for extent in other {
            var (group, product) = ([Int](), 1)
            while axis < shape.count, product * shape[axis] <= extent, product < extent || shape[axis] == 1 {
                group.append(axis)
                product *= shape[axis]
                axis += 1
            }
            guard product == extent else { return nil }
            result.append(group)
        }
        return axis == shape.count ? result : nil
    }

    /// A value in another order, by the contraction behind it; `nil` where no kernel writes it so.
    private func written(_ value: Value, _ source: Source, _ permutation: [Int]) -> Part? {
        let (lhs, rhs) = (source.node.operands[0], source.node.operands[1])
        let (a, b) = (g.type(of: lhs), g.type(of: rhs))
        if ColumnDotsCall(ProductShape(source.dot, a, b)) != nil { return nil }
        let shape = permutation.map { g.type(of: value).shape[$0] }
        let arranged = ArrangedDot(dot: source.dot, permutation: permutation.flatMap { source.axes[$0] })
        if arranged.strides(a, b) != nil { return .written(arranged, lhs: lhs, rhs: rhs, shape: shape) }
        let swapped = arranged.swapped(a, b)
        return swapped.strides(b, a) != nil ? .written(swapped, lhs: rhs, rhs: lhs, shape: shape) : nil
    }

    // MARK: Values that contractions read

    /// The order of axes with the fewest elements to copy, if it is not the one that there is.
    private func layout(of node: Graph.Node) -> Plan? {
        let (value, shape) = (node.result, g.type(of: node.result).shape)
        guard shape.count > 2, shape.count <= Self.mostAxes, isReadByProducts(value) else { return nil }
        var (least, best) = (copied(value, Array(shape.indices)), Plan?.none)
        for permutation in Self.permutations(shape.count).dropFirst() where least > 0 {
            guard let parts = parts(of: node, permutation) else { continue }
            let moved = parts.reduce(0) { sum, part in
                if case .moved(let value, _) = part { sum + g.types[value.id].elements } else { sum }
            }
            let cost = copied(value, permutation).addingSaturated(moved)
            guard cost < least else { continue }
            least = cost
            var plan = Plan(parts: parts, transpose: Transpose(permutation: permutation).inverse)
            if let axis = (node.operation as? Concatenate)?.axis { plan.axis = permutation.firstIndex(of: axis) ?? 0 }
            best = plan
        }
        return best
    }

    private func parts(of node: Graph.Node, _ permutation: [Int]) -> [Part]? {
        guard node.operation is Concatenate else {
            return source(of: node.result, isWhole: true).flatMap { written(node.result, $0, permutation) }.map { [$0] }
        }
        return node.operands.map { operand in
            source(of: operand).flatMap { written(operand, $0, permutation) } ?? .moved(operand, permutation)
        }
    }

    /// Elements that its readers copy of a value that lies in this order.
    private func copied(_ value: Value, _ permutation: [Int]) -> Int {
        let shape = g.type(of: value).shape
        var strides = shape
        for (axis, stride) in zip(permutation, Axes.rowMajorStrides(permutation.map { shape[$0] })) {
            strides[axis] = stride
        }
        return users[value.id].reduce(0) { sum, user in
            let types = user.node.operands.prefix(2).map { g.type(of: $0) }
            guard let dot = ValueMemory.dot(of: user.node.operation) else { return sum }
            let product = ProductShape(
                dot, types[0], types[1], strides: [0, 1].map { $0 == user.place ? strides : nil })
            let operand = product.operand(left: user.place == 0)
            let isRead = operand.map { $0.free == 1 || $0.contracted == 1 } ?? false
            return isRead ? sum : sum.addingSaturated(g.types[value.id].elements)
        }
    }

    /// All orders of so many axes, the first as they are.
    private static func permutations(_ count: Int) -> [[Int]] {
        guard count > 0 else { return [[]] }
        return permutations(count - 1).flatMap { shorter in
            (0..<count).map { place in
                var longer = shorter
                longer.insert(count - 1, at: count - 1 - place)
                return longer
            }
        }
    }
}
