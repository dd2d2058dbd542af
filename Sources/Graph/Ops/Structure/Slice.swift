/// Part of a tensor: along axis i the places `starts[i]`, `starts[i] + strides[i]`, … below `limits[i]`.
///
/// Of any element. Linear; its transpose is `Pad`, which puts zeros where nothing was read.
public struct Slice: Operation {
    public static let mnemonic = "slice"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .ruled, isView: true)
    public let starts: [Int]
    public let limits: [Int]
    public let strides: [Int]

    public init(starts: [Int], limits: [Int], strides: [Int]) {
        self.starts = starts
        self.limits = limits
        self.strides = strides
    }

    /// `[0:2, 1:7:3]`, as StableHLO writes it: from, to and, where it is not 1, the stride of each axis.
    private var ranges: String {
        let parts = starts.indices.map { axis in
            "\(starts[axis]):\(limits[axis])" + (strides[axis] == 1 ? "" : ":\(strides[axis])")
        }
        return "[" + parts.joined(separator: ", ") + "]"
    }
    public var attributes: String { ranges }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        let type = operands[0]
        if [starts.count, limits.count, strides.count] != [type.rank, type.rank, type.rank] {
            throw GraphError(
                "slice of \(type) takes \(type.rank) starts, limits and strides, not \(starts), \(limits) and \(strides)"
            )
        }
        for axis in type.shape.indices {
            if strides[axis] < 1 {
                throw GraphError("slice: the stride of axis \(axis) is \(strides[axis]), not positive")
            }
            if max(strides[axis], type.shape[axis]) > Pad.limit {
                throw GraphError("slice: axis \(axis) of \(type) or its stride is beyond what can be addressed")
            }
            if starts[axis] < 0 || limits[axis] < starts[axis] || limits[axis] > type.shape[axis] {
                throw GraphError(
                    "slice: \(starts[axis]):\(limits[axis]) does not lie within axis \(axis) of \(type), 0:\(type.shape[axis])"
                )
            }
        }
        return [TensorType(type.element, type.shape.indices.map(extent))]
    }

    /// The number of places read along an axis.
    private func extent(_ axis: Int) -> Int {
        limits[axis] > starts[axis] ? (limits[axis] - starts[axis] - 1) / strides[axis] + 1 : 0
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let steps = Places.strides(operands[0].type.shape)
        let first = zip(starts, steps).reduce(0) { $0 + $1.0 * $1.1 }
        let offsets = Places.offsets(shape: types[0].shape, strides: zip(strides, steps).map { $0 * $1 })
        return [Tensor(types[0], offsets.map { operands[0].values[first + $0] })]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map { b.emit(self, $0) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        let shape = site.operandTypes[0].shape
        let high = shape.indices.map { axis in
            // Past the last place read.
            shape[axis] - starts[axis] - (extent(axis) == 0 ? 0 : (extent(axis) - 1) * strides[axis] + 1)
        }
        return [cotangents[0].map { b.pad($0, low: starts, high: high, interior: strides.map { $0 - 1 }) }]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        [b.emit(Slice(starts: [0] + starts, limits: [size] + limits, strides: [1] + strides), operands[0])]
    }

    /// What is not read costs nothing.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        Cost(elements: results[0].count.multipliedSaturated(by: 2))
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write("\(site.result) = stablehlo.slice \(site.operands[0]) \(ranges) : \(writer.signature(site))")
    }
}
