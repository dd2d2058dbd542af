import Graph

/// Which values share memory: a reshape, and a slice that is one piece of its operand, are read where the operand lies. Parts and
/// transpositions that only products read are never made: products read through strides.
struct ValueMemory {
    /// A value read where another lies.
    struct View {
        /// The value that is in memory.
        var base: Int
        /// Of the first element in it, and elements per step of each axis.
        var offset: Int
        var strides: [Int]
    }
    /// For each value, the value in whose memory it lies.
    private(set) var roots: [Int]
    /// Where in it, in elements.
    private(set) var offsets: [Int]
    /// Whether it is all of that memory.
    private(set) var isWhole: [Bool]
    /// The values that are never made.
    private(set) var views: [Int: View] = [:]

    /// For each value, the value whose memory is read where it is.
    var readRoots: [Int] {
        roots.indices.map { value in views[value].map { roots[$0.base] } ?? roots[value] }
    }

    init(_ graph: Graph) {
        roots = Array(graph.types.indices)
        offsets = [Int](repeating: 0, count: graph.types.count)
        isWhole = [Bool](repeating: true, count: graph.types.count)
        for node in graph.nodes {
            guard let operand = node.operands.first,
                let start = Self.start(of: node.operation, in: graph.type(of: operand), graph.type(of: node.result))
            else { continue }
            roots[node.result.id] = roots[operand.id]
            offsets[node.result.id] = offsets[operand.id] + start
            isWhole[node.result.id] =
                isWhole[operand.id] && graph.type(of: node.result).elements == graph.type(of: operand).elements
        }
        views = Self.views(graph, roots: roots)
    }

    // MARK: Views

    private static func views(_ graph: Graph, roots: [Int]) -> [Int: View] {
        var views: [Int: View] = [:]
        for node in graph.nodes where node.results.count == 1 {
            guard let operand = node.operands.first, graph.types[node.result.id].elements > 0 else { continue }
            let shape = graph.type(of: operand).shape
            let known = views[operand.id]
            // A reshape of what lies in one piece is no view: it has the same memory.
            if known == nil && roots[node.result.id] != node.result.id { continue }
            let own = known ?? View(base: operand.id, offset: 0, strides: Axes.rowMajorStrides(shape))
            views[node.result.id] = own.seen(through: node.operation, shape)
        }
        // From the last to the first: a view that something else reads, or a view that has to be made, has to be made.
        var isMade = [Bool](repeating: false, count: graph.types.count)
        for output in graph.outputs { isMade[output.value.id] = true }
        for node in graph.nodes.reversed() {
            let isView = views[node.results.lowerBound] != nil && !isMade[node.results.lowerBound]
            for (place, operand) in node.operands.enumerated() where !isView && !reads(node, place, in: graph) {
                isMade[operand.id] = true
            }
        }
        for node in graph.nodes where views[node.results.lowerBound] != nil {
            // What is made is a base for those that see it.
            if isMade[node.results.lowerBound] { views[node.results.lowerBound] = nil }
        }
        return views
    }

    /// Whether a node reads this operand through strides: a product its factors, unless it is an inner product.
    static func reads(_ node: Graph.Node, _ place: Int, in graph: Graph) -> Bool {
        guard let dot = dot(of: node.operation), place < 2 else { return false }
        let (a, b) = (graph.type(of: node.operands[0]).shape, graph.type(of: node.operands[1]).shape)
        let rows = dot.lhsFree(rank: a.count).reduce(1) { $0 * a[$1] }
        return rows * dot.rhsFree(rank: b.count).reduce(1) { $0 * b[$1] } > 1
    }

    /// The contraction of an operation's first two operands.
    static func dot(of operation: any Operation) -> DotGeneral? {
        switch operation {
        case let dot as DotGeneral: dot
        case let accumulated as AccumulateDot: accumulated.dot
        case let arranged as ArrangedDot: arranged.dot
        case let fused as DotFusion: fused.dot
        default: nil
        }
    }

    /// Where in its operand the result of an operation begins, if it lies there in one piece; `nil` otherwise.
    private static func start(of operation: any Operation, in type: TensorType, _ result: TensorType) -> Int? {
        switch operation {
        case is Reshape, is Detach, is BatchMean: return 0
        case let slice as Slice:
            let strides = Axes.rowMajorStrides(type.shape)
            let axes = Axes(extents: result.shape, strides: zip(slice.strides, strides).map { $0 * $1 }).collapsed()
            guard result.elements == 0 || axes.strides.allSatisfy({ $0 == 1 }) else { return nil }
            return result.elements == 0 ? 0 : zip(slice.starts, strides).reduce(0) { $0 + $1.0 * $1.1 }
        default: return nil
        }
    }

    /// Operations that give a value, repeated, for an operand with one value throughout.
    static func moves(_ operation: any Operation) -> Bool {
        switch operation {
        case is BroadcastInDim, is Reshape, is Detach, is BatchMean, is Slice, is Reverse, is Transpose: true
        default: false
        }
    }
}

extension ValueMemory.View {
    /// What an operation that moves gives of this, if it can be read in the same memory; `nil` otherwise.
    /// - Parameter shape: of the operand.
    fileprivate func seen(through operation: any Operation, _ shape: [Int]) -> Self? {
        var view = self
        switch operation {
        case let slice as Slice:
            view.offset += zip(slice.starts, strides).reduce(0) { $0 + $1.0 * $1.1 }
            view.strides = zip(slice.strides, strides).map { $0 * $1 }
        case let transpose as Transpose: view.strides = transpose.permutation.map { strides[$0] }
        case let reshape as Reshape:
            guard let strides = Axes(extents: shape, strides: strides).reshaped(to: reshape.shape) else { return nil }
            view.strides = strides
        default: return nil
        }
        return view
    }
}

extension Axes {
    /// The strides of the same elements in another shape; `nil` where an axis of it has no single one.
    func reshaped(to shape: [Int]) -> [Int]? {
        var groups = collapsed()
        var result = [Int](repeating: 0, count: shape.count)
        var (rest, stride) = (1, 1)
        for axis in shape.indices.reversed() where shape[axis] != 1 {
            if rest == 1 {
                guard let extent = groups.extents.popLast(), let step = groups.strides.popLast() else { return nil }
                (rest, stride) = (extent, step)
            }
            guard rest % shape[axis] == 0 else { return nil }
            result[axis] = stride
            stride *= shape[axis]
            rest /= shape[axis]
        }
        return result
    }
}
