/// What executing operations costs, in counts that do not depend on a machine. A count that exceeds the largest integer stays
/// there: a graph may describe more work than any machine does.
public struct Cost: Hashable, Sendable {
    /// Of contractions.
    public var multiplyAdds = 0
    /// Elements read and written, by contractions too. A fused region reads its operands and writes its results.
    public var elements = 0

    public init(multiplyAdds: Int = 0, elements: Int = 0) {
        self.multiplyAdds = multiplyAdds
        self.elements = elements
    }

    /// Both as one number, in multiply-adds: what passes minimise.
    public func total(_ weights: CostWeights) -> Double {
        Double(multiplyAdds) + weights.multiplyAddsPerElement * Double(elements)
    }

    public static func + (a: Cost, b: Cost) -> Cost {
        Cost(
            multiplyAdds: a.multiplyAdds.addingSaturated(b.multiplyAdds),
            elements: a.elements.addingSaturated(b.elements))
    }
}

/// What the counts of a `Cost` are worth to each other on a machine.
public struct CostWeights: Sendable, Hashable {
    /// The multiply-adds that are done in the time in which an element is moved.
    public let multiplyAddsPerElement: Double

    public init(multiplyAddsPerElement: Double) { self.multiplyAddsPerElement = multiplyAddsPerElement }
}

extension Int {
    /// The sum of two counts, or the largest integer.
    package func addingSaturated(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// The product of two counts, or the largest integer.
    package func multipliedSaturated(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}

extension TensorType {
    /// The number of elements of a type whose size was checked when it entered a graph.
    package var count: Int { shape.reduce(1) { $0.multipliedSaturated(by: $1) } }
}

extension Graph {
    /// The sum over the nodes, those that no output needs included.
    public func cost() -> Cost { nodes.reduce(Cost()) { $0 + cost(of: $1) } }

    func cost(of node: Node) -> Cost {
        node.operation.cost(operands: node.operands.map(type), results: node.results.map { types[$0] })
    }
}
