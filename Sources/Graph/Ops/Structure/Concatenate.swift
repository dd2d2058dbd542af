/// Tensors one after the other along an axis; they agree in element and in all other extents.
///
/// Of any element, any number of operands but none. Linear; its transpose takes a slice of the cotangent for each operand.
public struct Concatenate: Operation {
    public static let mnemonic = "concatenate"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .ruled)
    public let axis: Int
    public init(axis: Int) { self.axis = axis }

    public var attributes: String { "axis = \(axis)" }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        guard let first = operands.first else { throw GraphError("concatenate takes at least one operand") }
        if !first.shape.indices.contains(axis) { throw GraphError("concatenate: \(first) has no axis \(axis)") }
        var result = first
        for type in operands.dropFirst() {
            guard type.element == first.element, type.rank == first.rank,
                type.shape.indices.allSatisfy({ $0 == axis || type.shape[$0] == first.shape[$0] })
            else {
                throw GraphError("concatenate along axis \(axis): \(first) and \(type) differ in more than that axis")
            }
            let (sum, overflow) = result.shape[axis].addingReportingOverflow(type.shape[axis])
            if overflow { throw GraphError("concatenate: more elements along axis \(axis) than can be addressed") }
            result.shape[axis] = sum
        }
        return [result]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let outer = types[0].shape[..<axis].reduce(1, *)
        var result: [Double] = []
        result.reserveCapacity(types[0].count)
        for index in 0..<outer {
            for operand in operands {
                let run = operand.values.count / outer
                result += operand.values[index * run..<(index + 1) * run]
            }
        }
        return [Tensor(types[0], result)]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let some = tangents.indices.filter { tangents[$0] != nil }
        if some.count == 1, let tangent = tangents[some[0]] {
            let extents = site.operandTypes.map { $0.shape[axis] }
            let (before, after) = (extents[..<some[0]].reduce(0, +), extents[(some[0] + 1)...].reduce(0, +))
            return [b.pad(tangent, axis: axis, low: before, high: after)]
        }
        return [b.concatenate(zip(tangents, site.operandTypes).map { $0 ?? b.zeros($1) }, axis: axis)]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        var start = 0
        return zip(site.operandTypes, linear).map { type, isLinear in
            let from = start
            start += type.shape[axis]
            guard isLinear, let cotangent = cotangents[0] else { return nil }
            return b.slice(cotangent, axis: axis, from: from, to: start)
        }
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(Concatenate(axis: axis + 1), b.aligned(operands, marked: marked, size: size))
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.concatenate \(site.operands.joined(separator: ", ")), dim = \(axis) : "
                + writer.signature(site))
    }
}
