/// x ⋚ y, element by element, as bool. Comparisons with NaN are false, but for `ne`.
public struct Compare: Operation {
    public enum Direction: String, Hashable, Sendable, CaseIterable {
        case eq, ne, lt, le, gt, ge
    }

    public static let mnemonic = "compare"
    public static let facts: OperationFacts = .elementwise(.light)
    public let direction: Direction
    public init(direction: Direction) { self.direction = direction }

    public var attributes: String { direction.rawValue }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(2, of: operands)
        if operands[0] != operands[1] {
            throw GraphError("compare takes operands of one type, not \(operands[0]) and \(operands[1])")
        }
        return [TensorType(.bool, operands[0].shape)]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        [Tensor(types[0], zip(operands[0].values, operands[1].values).map { holds($0, $1) ? 1 : 0 })]
    }

    private func holds(_ x: Double, _ y: Double) -> Bool {
        switch direction {
        case .eq: x == y
        case .ne: x != y
        case .lt: x < y
        case .le: x <= y
        case .gt: x > y
        case .ge: x >= y
        }
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, b.aligned(operands, marked: marked, size: size))
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.compare \(direction.rawValue.uppercased()), "
                + "\(site.operands.joined(separator: ", ")) : \(writer.signature(site))")
    }
}
