// What the reductions share. Each one's own file holds what is particular to it.

/// Folds a tensor along some axes, which disappear.
public protocol Reduction: Operation {
    var dimensions: [Int] { get }
    init(dimensions: [Int])

    /// What an empty axis gives, as StableHLO spells it and as a number.
    func identity(_ element: ElementType) -> Double
    static func combine(_ x: Double, _ y: Double) -> Double
    /// The StableHLO operation that combines two elements.
    static var combiner: String { get }
}

extension Reduction {
    public var attributes: String { "dims = \(dimensions)" }

    /// The axes that stay.
    func kept(rank: Int) -> [Int] { (0..<rank).filter { !dimensions.contains($0) } }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        let type = operands[0]
        if Set(dimensions).count != dimensions.count || !dimensions.allSatisfy(type.shape.indices.contains) {
            throw GraphError("\(Self.mnemonic): \(type) has no axes \(dimensions)")
        }
        if type.element == .bool { throw GraphError("\(Self.mnemonic) is not defined for bool") }
        return [TensorType(type.element, kept(rank: type.rank).map { type.shape[$0] })]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let shape = operands[0].type.shape
        var strides = [Int](repeating: 0, count: shape.count)
        for (axis, stride) in zip(kept(rank: shape.count), Places.strides(types[0].shape)) { strides[axis] = stride }
        var result = [Double](repeating: identity(types[0].element), count: types[0].count)
        for (x, place) in zip(operands[0].values, Places.offsets(shape: shape, strides: strides)) {
            result[place] = Self.combine(result[place], x)
        }
        return [Tensor(wrapping: types[0], result)]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        [b.emit(Self(dimensions: dimensions.map { $0 + 1 }), operands[0])]
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        let element = site.resultType.element
        let initial = writer.scalarConstant(writer.spell(identity(element), element), element)
        writer.write(
            "\(site.result) = stablehlo.reduce(\(site.operands[0]) init: \(initial)) applies stablehlo.\(Self.combiner)"
                + " across dimensions = \(writer.spell(dimensions)) : (\(writer.spell(site.operandTypes[0])), "
                + "\(writer.spell(TensorType(element)))) -> \(writer.spell(site.resultType))")
    }
}
