import Graph

/// The operations that each elementwise region makes for itself instead of reading what they give.
///
/// - What is read of an operand where it lies: constants, broadcasts, slices, reversals, and transpositions that leave the
///   innermost axis in its place.
/// - Cheap elementwise operations on one tensor that is there anyway, on inputs of the graph and on what is repeated, if
///   elementwise regions alone use them: x − μ of a normalised x is not stored beside x for the regions that want it, and of
///   several products of one tensor with values that are kept from elsewhere the tensor alone is stored.
struct RegionClones {
    /// For each node.
    private(set) var isCloned: [Bool]

    /// Operations made again for one use.
    private static let mostOperations = 6
    /// Inputs of the graph that are read for one value beside a computed tensor, or instead.
    private static let mostInputs = 2
    /// An innermost axis shorter than this is better copied once than read in pieces.
    private static let leastRun = 8

    /// How a value can be made again.
    private struct Recipe {
        /// The computed tensor that it is made of, and inputs of the graph; none for what is read where it lies.
        var source: Value?
        var inputs: Set<Value> = []
        var operations: Int

        var isOfTensors: Bool { source != nil || !inputs.isEmpty }
    }

    init(_ g: Graph, isReduction: [Bool]) {
        let producers = g.producers()
        isCloned = g.nodes.map { Self.isReadInPlace($0, in: g) }
        var users = [[Int]](repeating: [], count: g.types.count)
        var isKept = [Bool](repeating: false, count: g.types.count)
        for (index, node) in g.nodes.enumerated() {
            for operand in Set(node.operands) { users[operand.id].append(index) }
        }
        for output in g.outputs { isKept[output.value.id] = true }

        var recipes = [Recipe?](repeating: nil, count: g.types.count)
        for (index, node) in g.nodes.enumerated() where node.results.count == 1 {
            if isCloned[index] {
                recipes[node.result.id] = Self.isSmall(node, in: g) ? Recipe(source: nil, operations: 0) : nil
            } else if Self.isCheap(node.operation) {
                recipes[node.result.id] = Self.recipe(node, in: g, producers, recipes, users)
            }
        }
        for (index, node) in g.nodes.enumerated().reversed() where node.results.count == 1 && !isCloned[index] {
            guard recipes[node.result.id]?.isOfTensors ?? false, !isKept[node.result.id] else { continue }
            let users = users[node.result.id]
            let areRegions = users.allSatisfy { user in
                isReduction[user] || type(of: g.nodes[user].operation).isElementwise
            }
            isCloned[index] = areRegions && (users.count > 1 || users.allSatisfy { isCloned[$0] })
        }
    }

    private static func isReadInPlace(_ node: Graph.Node, in g: Graph) -> Bool {
        if node.operation is Constant { return true }
        guard node.operation.facts.isView else { return false }
        guard let transpose = node.operation as? Transpose else { return true }
        let last = transpose.permutation.count - 1
        return transpose.permutation.last == last && g.type(of: node.result).shape[last] >= leastRun
    }

    /// Whether reading this is next to nothing beside reading a tensor of the result's shape.
    private static func isSmall(_ node: Graph.Node, in g: Graph) -> Bool {
        if node.operation is Constant { return true }
        guard node.operation is BroadcastInDim else { return false }
        return g.type(of: node.operands[0]).count <= g.type(of: node.result).count / 4
    }

    private static func isCheap(_ operation: any Operation) -> Bool {
        operation.facts.isElementwise && operation.facts.remaking <= .division
    }

    private static func recipe(
        _ node: Graph.Node, in g: Graph, _ producers: [Int?], _ recipes: [Recipe?], _ users: [[Int]]
    ) -> Recipe? {
        var recipe = Recipe(source: nil, operations: 1)
        for operand in node.operands {
            let own: Recipe
            if let known = recipes[operand.id] {
                own = known
            } else if operand.id < g.inputs.count {
                own = Recipe(source: nil, inputs: [operand], operations: 0)
            } else if producers[operand.id].map({ type(of: g.nodes[$0].operation).isElementwise }) ?? false,
                users[operand.id].count < 2
            {
                // Of no use to others: it need not be stored at all.
                return nil
            } else {
                own = Recipe(source: operand, operations: 0)
            }
            if let source = own.source {
                if let known = recipe.source, known != source { return nil }
                recipe.source = source
            }
            recipe.inputs.formUnion(own.inputs)
            recipe.operations += own.operations
        }
        guard recipe.isOfTensors, recipe.operations <= mostOperations, recipe.inputs.count <= mostInputs else {
            return nil
        }
        // A narrower result is better stored than made again, but for what is there anyway.
        let bytes = g.type(of: node.result).element.byteCount
        if let source = recipe.source, bytes < g.type(of: source).element.byteCount { return nil }
        return recipe
    }
}

/// A sum or maximum that a region can take of its values: over neighbouring axes, so that the elements are
/// [groups, reduced, inner].
struct RegionReduction: Hashable {
    let shape: [Int]
    let dimensions: [Int]

    /// Reductions of one region.
    static let most = 4
    /// Accumulators of a reduction.
    private static let mostInner = 2048
    /// Groups of fewer elements are left to the kernel for reductions.
    private static let leastGroup = 16

    /// - Parameter type: of the operand.
    init?(_ operation: any Operation, of type: TensorType) {
        guard let reduction = operation as? any Reduction else { return nil }
        shape = type.shape
        dimensions = reduction.dimensions.sorted()
        let axes = shape.indices.filter { shape[$0] != 1 }
        let isReduced = axes.map(dimensions.contains)
        guard type.element.isFloating, !shape.contains(0), let first = isReduced.firstIndex(of: true),
            let last = isReduced.lastIndex(of: true), isReduced[first...last].allSatisfy({ $0 })
        else { return nil }
        let inner = axes[(last + 1)...].reduce(1) { $0.multipliedSaturated(by: shape[$1]) }
        let group = axes[first...].reduce(1) { $0.multipliedSaturated(by: shape[$1]) }
        guard inner <= Self.mostInner, group >= Self.leastGroup else { return nil }
    }
}
