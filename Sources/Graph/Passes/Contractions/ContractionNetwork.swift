/// A sum of products over labelled axes (an Einstein sum): the view of an expression made of contractions, sums, products,
/// transpositions and scalings in which their order is open.
///
///     result[output] = coefficient · Σ over labels that are not in the output of Π factorᵢ[labelsᵢ]
struct ContractionNetwork: Hashable {
    struct Factor: Hashable {
        var value: Value
        /// One label an axis, all different.
        var labels: [Int]
    }

    /// By label.
    var extents: [Int]
    var output: [Int]
    var factors: [Factor]
    var coefficient: Double
    /// The element of the result.
    var result: ElementType
    /// The element that products are computed in. In f32 small sums may be kept in f64.
    var element: ElementType

    mutating func newLabel(extent: Int) -> Int {
        extents.append(extent)
        return extents.count - 1
    }
}

/// Reads networks from a graph: which operations are looked through is decided here.
struct ContractionReader {
    /// More factors than this are not viewed at once: the search for the best order takes 3ⁿ steps.
    static let factorLimit = 8
    /// Labels are held in a machine word.
    static let labelLimit = 60

    let g: Graph
    let producers: [Int?]
    /// How often each value is used by something that is not looked through.
    let effectiveUses: [Int]
    /// Constants with one value throughout.
    private let splats: [Double?]

    init(_ g: Graph) {
        self.g = g
        producers = g.producers()
        var splats = [Double?](repeating: nil, count: g.types.count)
        for node in g.nodes {
            if let constant = node.operation as? Constant { splats[node.result.id] = constant.splat }
        }
        self.splats = splats
        var uses = [Int](repeating: 0, count: g.types.count)
        for output in g.outputs { uses[output.value.id] += 1 }
        for node in g.nodes.reversed() {
            let isTransparent = Self.isTransparent(node, in: g, splats: splats)
            for operand in node.operands { uses[operand.id] += isTransparent ? uses[node.result.id] : 1 }
        }
        effectiveUses = uses
    }

    func node(of value: Value) -> Graph.Node? { producers[value.id].map { g.nodes[$0] } }

    /// Operations that only move or scale numbers: a network reads through them at no cost.
    private static func isTransparent(_ node: Graph.Node, in g: Graph, splats: [Double?]) -> Bool {
        switch node.operation {
        case is Transpose, is Negate, is BroadcastInDim, is Convert: true
        case is Multiply: node.operands.contains { splats[$0.id] != nil }
        case let reshape as Reshape: reshape.keptAxes(of: g.type(of: node.operands[0]).shape) != nil
        default: false
        }
    }

    /// Whether a value is computed as a network of its own where it is needed.
    func isRoot(_ value: Value) -> Bool {
        guard g.type(of: value).element.isFloating, let node = node(of: value) else { return false }
        return node.operation is DotGeneral || node.operation is ReduceSum
    }

    /// Intermediates with several uses, one of them in a network: computed once, or inlined into the networks that use them.
    func candidates() -> [Value] {
        var isInNetwork = [Bool](repeating: false, count: g.types.count)
        for node in g.nodes.reversed() {
            let isNetwork = node.operation is DotGeneral || node.operation is ReduceSum || node.operation is Multiply
            let isTransparent = Self.isTransparent(node, in: g, splats: splats) && isInNetwork[node.result.id]
            if isNetwork || isTransparent { for operand in node.operands { isInNetwork[operand.id] = true } }
        }
        return g.nodes.compactMap { node in
            guard effectiveUses[node.results.lowerBound] > 1, isInNetwork[node.results.lowerBound] else { return nil }
            return node.operation is DotGeneral || isScaledContraction(node) ? node.result : nil
        }
    }

    /// Whether a value is a contraction, moved and scaled.
    private func reachesContraction(_ value: Value) -> Bool {
        var value = value
        while let node = node(of: value) {
            switch node.operation {
            case is DotGeneral: return true
            case is Transpose, is Negate, is Convert, is BroadcastInDim, is Reshape: value = node.operands[0]
            case is Multiply:
                guard let splat = node.operands.firstIndex(where: { splats[$0.id] != nil }) else {
                    return isScaledContraction(node)
                }
                value = node.operands[1 - splat]
            default: return false
            }
        }
        return false
    }

    /// A contraction times something repeated along some of its axes, as a number for each member of a batch.
    private func isScaledContraction(_ node: Graph.Node) -> Bool {
        guard node.operation is Multiply, !node.operands.contains(where: { splats[$0.id] != nil }) else { return false }
        func isRepeated(_ value: Value) -> Bool { self.node(of: value)?.operation is BroadcastInDim }
        return (0...1).contains { isRepeated(node.operands[$0]) && reachesContraction(node.operands[1 - $0]) }
    }

    /// The network of a root, as far as it reaches: through intermediates used once, and through those inlined. With it the
    /// intermediates with several uses that it has come to: whether they are inlined decides what the network is.
    func network(
        of root: Value, as result: ElementType, inlined: Set<Value>
    ) -> (network: ContractionNetwork, visited: [Value]) {
        let shape = g.type(of: root).shape
        var network = ContractionNetwork(
            extents: shape, output: Array(shape.indices), factors: [.init(value: root, labels: Array(shape.indices))],
            coefficient: 1, result: result, element: .f32)
        /// Whether a factor is a term of a sum directly, so that a product there is a contraction.
        var isSummed = [false]
        var visited: [Value] = []
        var index = 0
        while index < network.factors.count {
            let factor = network.factors[index]
            if effectiveUses[factor.value.id] > 1, factor.value != root { visited.append(factor.value) }
            guard
                let (parts, summed) = expand(
                    factor, isRoot: factor.value == root, isSummed: isSummed[index], inlined: inlined, network: &network
                )
            else {
                index += 1
                continue
            }
            network.factors.replaceSubrange(index...index, with: parts)
            isSummed.replaceSubrange(index...index, with: parts.map { _ in summed })
        }
        if network.factors.contains(where: { g.type(of: $0.value).element == .f64 }) && network.result == .f64 {
            network.element = .f64
        }
        return (network, visited)
    }

    /// One factor as the product of others, `nil` where it stays what it is.
    private func expand(
        _ factor: ContractionNetwork.Factor, isRoot: Bool, isSummed: Bool, inlined: Set<Value>,
        network: inout ContractionNetwork
    ) -> (parts: [ContractionNetwork.Factor], isSummed: Bool)? {
        guard let node = node(of: factor.value), g.type(of: factor.value).element.isFloating else { return nil }
        let labels = factor.labels
        let isOpen = isRoot || effectiveUses[factor.value.id] == 1 || inlined.contains(factor.value)
        let hasRoom = network.factors.count < Self.factorLimit && network.extents.count < Self.labelLimit
        switch node.operation {
        case is Constant:
            guard let value = splats[factor.value.id], value.isFinite,
                g.type(of: factor.value).element.canCombine(network.coefficient, value)
            else { return nil }
            network.coefficient *= value
            return ([], false)
        case let transpose as Transpose:
            return ([.init(value: node.operands[0], labels: transpose.inverse.map { labels[$0] })], isSummed)
        case is Negate:
            network.coefficient *= -1
            return ([.init(value: node.operands[0], labels: labels)], isSummed)
        case is Convert:
            guard g.type(of: node.operands[0]).element.isFloating else { return nil }
            return ([.init(value: node.operands[0], labels: labels)], isSummed)
        case let broadcast as BroadcastInDim:
            return ([.init(value: node.operands[0], labels: broadcast.dimensions.map { labels[$0] })], false)
        case let reshape as Reshape:
            guard let axes = reshape.keptAxes(of: g.type(of: node.operands[0]).shape), hasRoom else { return nil }
            let operandLabels = axes.map { axis in axis.map { labels[$0] } ?? network.newLabel(extent: 1) }
            return ([.init(value: node.operands[0], labels: operandLabels)], isSummed)
        case let sum as ReduceSum:
            guard isOpen, hasRoom else { return nil }
            var operandLabels = labels
            for axis in sum.dimensions.sorted() {
                operandLabels.insert(network.newLabel(extent: g.type(of: node.operands[0]).shape[axis]), at: axis)
            }
            return ([.init(value: node.operands[0], labels: operandLabels)], true)
        case is Multiply:
            let scale = node.operands.lazy.compactMap { splats[$0.id] }.first
            let isScaling = scale != nil
            // A factor whose product with the others is no number stays where it is.
            if let scale, !isRoot, !g.type(of: factor.value).element.canCombine(network.coefficient, scale) {
                return nil
            }
            let isProduct = isOpen && hasRoom && (isSummed || isScaledContraction(node))
            guard isScaling || isProduct else { return nil }
            return (node.operands.map { .init(value: $0, labels: labels) }, isSummed)
        case let dot as DotGeneral:
            guard isOpen, hasRoom else { return nil }
            if g.type(of: node.operands[0]).element == .f64 { network.element = .f64 }
            return (operands(of: dot, node, labels, network: &network), false)
        default: return nil
        }
    }

    private func operands(
        of dot: DotGeneral, _ node: Graph.Node, _ labels: [Int], network: inout ContractionNetwork
    ) -> [ContractionNetwork.Factor] {
        let (left, right) = (g.type(of: node.operands[0]).shape, g.type(of: node.operands[1]).shape)
        var leftLabels = [Int](repeating: 0, count: left.count)
        var rightLabels = [Int](repeating: 0, count: right.count)
        var place = 0
        for (i, j) in zip(dot.lhsBatch, dot.rhsBatch) {
            leftLabels[i] = labels[place]
            rightLabels[j] = labels[place]
            place += 1
        }
        for axis in dot.lhsFree(rank: left.count) {
            leftLabels[axis] = labels[place]
            place += 1
        }
        for axis in dot.rhsFree(rank: right.count) {
            rightLabels[axis] = labels[place]
            place += 1
        }
        for (i, j) in zip(dot.lhsContracting, dot.rhsContracting) {
            let label = network.newLabel(extent: left[i])
            leftLabels[i] = label
            rightLabels[j] = label
        }
        return [
            .init(value: node.operands[0], labels: leftLabels), .init(value: node.operands[1], labels: rightLabels),
        ]
    }
}
