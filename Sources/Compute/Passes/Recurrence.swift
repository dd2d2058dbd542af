import CKernels
import Graph

/// A scan whose step is elementwise, executed in one walk: each block of elements goes through all steps, its carries never
/// leave the first-level cache, and threads share the elements. Introduced by `unrollScans`, which writes out the others.
///
/// The body is that of a region (`Fusion`) with one output for each carry; carries are read where they are written.
public struct Recurrence: Operation {
    public static let mnemonic = "recurrence"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    public let scan: Scan

    /// Nil where the step does more than a region can, or reads a carry at another place than it writes.
    init?(_ scan: Scan) {
        let body = scan.body
        let shape = body.type(of: body.outputs[0].value).shape
        let isOfElements = body.nodes.allSatisfy { node in
            node.operation.facts.isElementwise || node.operation.facts.isView || node.operation is Constant
        }
        guard isOfElements, body.outputs.allSatisfy({ body.type(of: $0.value).shape == shape }) else { return nil }
        var compiler = RegionCompiler(body)
        guard (try? compiler.compile(steps: scan)) != nil else { return nil }
        self.scan = scan
    }

    public var bodies: [Graph] { scan.bodies }
    public var attributes: String { scan.attributes }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try scan.resultTypes(of: operands)
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        scan.evaluate(operands, as: types)
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        preconditionFailure("transformations work on the expansion")
    }

    public func expansion(of operands: [TensorType]) -> Graph? {
        let b = GraphBuilder()
        let inputs = operands.enumerated().map { b.input("x\($0.offset)", $0.element) }
        let results = b.emitAll(scan, inputs)
        return b.build(outputs: results.enumerated().map { ("y\($0.offset)", $0.element) })
    }
}

extension RegionCompiler {
    /// The program of a step that all steps are walked with; `nil` where there is none.
    mutating func compile(steps scan: Scan) throws(GraphError) -> RegionCall? {
        guard var call = try compile() else { return nil }
        call.steps = RegionCall.Steps(count: scan.length, isReversed: scan.reverse)
        let rowMajor = Axes.rowMajorStrides(call.extents)
        for (index, source) in sources.enumerated() {
            guard case .bodyInput(let input) = source else { continue }
            if input < scan.carries {
                // Each element depends on itself alone: blocks can go through all steps one after the other.
                let operand = call.operands[index]
                guard operand.offset == 0, operand.strides == rowMajor || call.count == 1 else { return nil }
                call.operands[index].carry = input
            } else if scan.isStacked(input) {
                call.operands[index].step = scan.body.inputs[input].type.count
            }
        }
        RegionTiling.choose(&call)
        return call
    }
}
