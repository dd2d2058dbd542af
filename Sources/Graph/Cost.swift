/// What executing a graph once costs, in counts that do not depend on a machine.
public struct Cost: Hashable, Sendable {
    /// Multiply-adds of contractions.
    public var multiplyAdds = 0
    /// Elements written by elementwise operations and read by reductions.
    public var elementwise = 0

    public init(multiplyAdds: Int = 0, elementwise: Int = 0) {
        self.multiplyAdds = multiplyAdds
        self.elementwise = elementwise
    }

    public static func + (a: Cost, b: Cost) -> Cost {
        Cost(multiplyAdds: a.multiplyAdds + b.multiplyAdds, elementwise: a.elementwise + b.elementwise)
    }
}

extension TensorType {
    /// The number of elements of a type whose size was checked when it entered a graph.
    var count: Int { shape.reduce(1, *) }
}

extension Graph {
    /// The sum over the nodes, those that no output needs included.
    public func cost() -> Cost {
        nodes.reduce(Cost()) { sum, node in
            sum + node.operation.cost(operands: node.operands.map(type), results: node.results.map { types[$0] })
        }
    }
}
