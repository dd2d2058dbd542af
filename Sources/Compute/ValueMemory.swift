import Graph

/// Which values share memory: a reshape, and a slice that is one piece of its operand, are read where the operand lies.
struct ValueMemory {
    /// For each value, the value in whose memory it lies.
    private(set) var roots: [Int]
    /// Where in it, in elements.
    private(set) var offsets: [Int]
    /// Whether it is all of that memory.
    private(set) var isWhole: [Bool]

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
