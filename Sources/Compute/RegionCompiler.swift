import CKernels
import Graph

/// Compiles the body of a region.
///
/// Every value of the body is computed over the region's whole shape; a broadcast inside the body changes how its operand is
/// read, not what is computed, so an operation before a broadcast is repeated along it.
struct RegionCompiler {
    /// What a body value is when seen through broadcasts: axis i of it is the region's axis `axes[i]`.
    private struct View: Hashable {
        var value: Value
        var axes: [Int]
    }
    enum Source: Hashable {
        case bodyInput(Int)
        case constant(ElementType, UInt64)
    }
    private struct Draft {
        var opcode: Int
        var element: ElementType
        var resultElement: ElementType
        var sources: [Int]
    }
    /// A value of the draft: an operand or an instruction's result.
    private enum Origin {
        case operand(Int)
        case draft(Int)
    }

    private let body: Graph
    private let shape: [Int]
    private let producers: [Int: Int]
    private(set) var sources: [Source] = []
    private var strides: [[Int]] = []
    private var elements: [ElementType] = []
    private var drafts: [Draft] = []
    private var origins: [Origin] = []
    private var known: [View: Int] = [:]
    private var operandNumbers: [Source: [[Int]: Int]] = [:]

    init(_ body: Graph) {
        self.body = body
        shape = body.outputs.first.map { body.type(of: $0.value).shape } ?? []
        var producers: [Int: Int] = [:]
        for (index, node) in body.nodes.enumerated() { producers[node.result.id] = index }
        self.producers = producers
    }

    /// The program; `nil` where it needs more places than the machine has.
    mutating func compile() throws(GraphError) -> RegionCall? {
        let axes = Array(shape.indices)
        // Body order first, so that instructions follow the graph's order and not the recursion's.
        for node in body.nodes where body.type(of: node.result).shape == shape && !(node.operation is BroadcastInDim) {
            if isComputed(node) { _ = try number(of: View(value: node.result, axes: axes)) }
        }
        var results: [Int] = []
        for output in body.outputs { results.append(try number(of: View(value: output.value, axes: axes))) }
        return assemble(results)
    }

    private func isComputed(_ node: Graph.Node) -> Bool { !(node.operation is Constant) }

    private mutating func operand(_ source: Source, _ element: ElementType, _ operandStrides: [Int]) -> Int {
        if let number = operandNumbers[source]?[operandStrides] { return number }
        origins.append(.operand(sources.count))
        sources.append(source)
        strides.append(operandStrides)
        elements.append(element)
        operandNumbers[source, default: [:]][operandStrides] = origins.count - 1
        return origins.count - 1
    }

    private mutating func number(of view: View) throws(GraphError) -> Int {
        if let number = known[view] { return number }
        let number = try define(view)
        known[view] = number
        return number
    }

    private mutating func define(_ view: View) throws(GraphError) -> Int {
        let type = body.type(of: view.value)
        if view.value.id < body.inputs.count {
            var operandStrides = [Int](repeating: 0, count: shape.count)
            for (axis, stride) in zip(view.axes, Axes.rowMajorStrides(type.shape)) { operandStrides[axis] = stride }
            return operand(.bodyInput(view.value.id), type.element, operandStrides)
        }
        guard let index = producers[view.value.id] else {
            throw GraphError("an elementwise region uses a value it does not make")
        }
        let node = body.nodes[index]
        if let constant = node.operation as? Constant {
            return operand(
                .constant(type.element, constant.splat.bitPattern), type.element,
                [Int](repeating: 0, count: shape.count))
        }
        if let broadcast = node.operation as? BroadcastInDim {
            return try number(of: View(value: node.operands[0], axes: broadcast.dimensions.map { view.axes[$0] }))
        }
        if node.operation is Detach { return try number(of: View(value: node.operands[0], axes: view.axes)) }
        guard let opcode = ElementwiseOpcode.of(node.operation) else {
            throw GraphError("\(node.operation.mnemonic) is not elementwise and stands in an elementwise region")
        }
        var draftSources: [Int] = []
        for operand in node.operands { draftSources.append(try number(of: View(value: operand, axes: view.axes))) }
        let element = body.type(of: node.operands[node.operation is Select ? 1 : 0]).element
        drafts.append(Draft(opcode: opcode, element: element, resultElement: type.element, sources: draftSources))
        origins.append(.draft(drafts.count - 1))
        return origins.count - 1
    }

    /// Gives each draft a place: a result, or a register that is free by then.
    private func assemble(_ resultNumbers: [Int]) -> RegionCall? {
        var drafts = drafts
        var origins = origins
        var resultOf: [Int: Int] = [:]
        for (result, number) in resultNumbers.enumerated() {
            if case .draft(let draft) = origins[number], resultOf[draft] == nil {
                resultOf[draft] = result
            } else {
                // An operand, or a value that is already a result, is copied.
                let element = elementOf(number)
                drafts.append(
                    Draft(opcode: Int(CK_COPY.rawValue), element: element, resultElement: element, sources: [number]))
                origins.append(.draft(drafts.count - 1))
                resultOf[drafts.count - 1] = result
            }
        }
        var lastUse = [Int](repeating: -1, count: drafts.count)
        for (index, draft) in drafts.enumerated() {
            for source in draft.sources {
                if case .draft(let producer) = origins[source] { lastUse[producer] = index }
            }
        }
        var places = [RegionCall.Place?](repeating: nil, count: drafts.count)
        var registerSizes: [Int] = []
        var free: [Int: [Int]] = [:]
        var instructions: [RegionCall.Instruction] = []
        for (index, draft) in drafts.enumerated() {
            let sources = draft.sources.map { source -> RegionCall.Place in
                switch origins[source] {
                case .operand(let operand): return .operand(operand)
                case .draft(let producer): return places[producer] ?? .register(0)
                }
            }
            // A block operation reads each entry before it writes it, so a register may be an operand and the result at once.
            for case .draft(let producer) in Set(draft.sources).sorted().map({ origins[$0] })
            where lastUse[producer] == index {
                if case .register(let register)? = places[producer] {
                    free[registerSizes[register], default: []].append(register)
                }
            }
            let place: RegionCall.Place
            if let result = resultOf[index] {
                place = .result(result)
            } else {
                let size = draft.resultElement.byteCount
                if let register = free[size]?.popLast() {
                    place = .register(register)
                } else {
                    registerSizes.append(size)
                    place = .register(registerSizes.count - 1)
                }
                if lastUse[index] < 0, case .register(let register) = place { free[size, default: []].append(register) }
            }
            places[index] = place
            instructions.append(
                RegionCall.Instruction(opcode: draft.opcode, element: draft.element, result: place, sources: sources))
        }
        let collapsed = Axes.collapsed(shape, strides + [Axes.rowMajorStrides(shape)])
        let rowMajor = collapsed.strides[strides.count]
        let operands = elements.indices.map { index -> RegionCall.Operand in
            let operandStrides = collapsed.strides[index]
            let access: RegionCall.Access =
                operandStrides.allSatisfy { $0 == 0 } ? .scalar : operandStrides == rowMajor ? .contiguous : .strided
            return RegionCall.Operand(element: elements[index], strides: operandStrides, access: access)
        }
        var call = RegionCall(
            count: shape.reduce(1, *), extents: collapsed.extents, operands: operands,
            resultElements: resultNumbers.map(elementOf), registerSizes: registerSizes, instructions: instructions,
            block: 64,
            tile: 64)
        guard call.places <= Int(CK_REGION_PLACES), collapsed.extents.count < 16 else { return nil }
        RegionTiling.choose(&call)
        return call
    }

    private func elementOf(_ number: Int) -> ElementType {
        switch origins[number] {
        case .operand(let operand): elements[operand]
        case .draft(let draft): drafts[draft].resultElement
        }
    }
}
