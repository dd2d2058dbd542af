/// The mean over the samples of the batch that this graph, written for one sample, will be vmapped over. It lets a network be
/// written for one sample and still use batch statistics.
///
/// Alone a graph has one sample, and the mean is the operand. The first `vmap` decides: where the operand differs between the
/// samples it is their mean, the same for each of them; where it does not, the operand. A further `vmap` finds nothing left of
/// it, so that batches of batches have means of their own.
///
/// Linear and its own transpose: with cotangents cᵢ of the samples' results, each sample's operand gets (1/n) Σ cᵢ. So reverse
/// derivatives before `vmap` are, sample by sample, those of the sum of all samples' outputs, as they are after it.
public struct BatchMean: Operation {
    public static let mnemonic = "batch_mean"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    public init() {}

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        if !operands[0].element.isFloating {
            throw GraphError("batch_mean is not defined for \(operands[0].element.rawValue)")
        }
        return operands
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] { operands }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map { b.emit(self, $0) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [cotangents[0].map { b.emit(self, $0) }]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        [b.stacked(b.scale(b.sum(operands[0], dimensions: [0]), by: 1 / Double(size)), size: size)]
    }

    /// Nothing is moved: without a batch it is its operand.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost { Cost() }

    /// One sample's graph: the operand.
    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.optimization_barrier \(site.operands[0]) : \(writer.spell(site.resultType))")
    }
}

extension Graph {
    /// Whether a mean over the samples of a batch is waiting for its `vmap`, here or in a body.
    public var containsBatchMean: Bool {
        nodes.contains { $0.operation is BatchMean || $0.operation.bodies.contains(where: \.containsBatchMean) }
    }
}
