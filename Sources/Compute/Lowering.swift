import Graph

/// From the nodes of a graph to the steps of a plan: chooses kernels, shares memory between a value and its reshapes, lets
/// outputs be written where they are wanted.
struct Lowering {
    let graph: Graph
    /// For each value, the value whose memory it is.
    private(set) var roots: [Int]
    var steps: [Step] = []
    /// Bytes of each arena buffer.
    private(set) var bufferSizes: [Int] = []
    private(set) var constants = ConstantPool()
    /// Where each root lives, once it is made.
    private var storage: [Storage?]
    /// The constant operation of each value that is a splat; made in memory only where a kernel needs all of it.
    private var splats: [Int: Constant] = [:]
    /// Copies that bring results computed elsewhere to outputs, after all else.
    private var finalCopies: [Step] = []

    init(_ graph: Graph, donations: [Int: Int]) throws {
        self.graph = graph
        roots = Array(graph.types.indices)
        storage = [Storage?](repeating: nil, count: graph.types.count)
        for node in graph.nodes where node.operation is Reshape || node.operation is Detach {
            roots[node.result.id] = roots[node.operands[0].id]
        }
        for index in graph.inputs.indices { storage[index] = .input(index) }
        for node in graph.nodes {
            if let constant = node.operation as? Constant {
                splats[node.result.id] = constant
            } else if node.operation is BroadcastInDim, let constant = splats[roots[node.operands[0].id]] {
                splats[node.result.id] = Constant(type: graph.types[node.result.id], splat: constant.splat)
            }
        }

        let schedule = Schedule(graph, roots: roots, donations: donations)
        try placeOutputs(donations: donations, inPlace: schedule.inPlaceOutputs)
        for index in schedule.order { try lower(graph.nodes[index]) }
        steps += finalCopies
    }

    // MARK: Memory

    mutating func newBuffer(_ type: TensorType) throws -> Storage {
        bufferSizes.append(try type.bytes(for: "the intermediate values of a plan"))
        return .buffer(bufferSizes.count - 1)
    }

    /// Decides which values are computed straight in an output's memory; the other outputs are copied.
    private mutating func placeOutputs(donations: [Int: Int], inPlace: Set<Int>) throws {
        var producers: [Int: Int] = [:]
        for (index, node) in graph.nodes.enumerated() { producers[node.result.id] = index }
        for (index, output) in graph.outputs.enumerated() {
            let root = roots[output.value.id]
            let type = graph.type(of: output.value)
            if isMade(root) {
                let isFree = storage[root] == nil
                let mayWrite =
                    donations[index] == nil || (inPlace.contains(index) && writesInPlace(root, over: donations[index]))
                if isFree && mayWrite {
                    storage[root] = .output(index)
                    continue
                }
                if isFree { storage[root] = try newBuffer(type) }
                if let source = storage[root] {
                    finalCopies.append(try copyAll(from: source, to: .output(index), type, output.name))
                }
            } else if donations[index] == nil {
                // An input or a constant passed through: written before anything can overwrite it.
                try passThrough(root, type, to: .output(index), output.name)
            } else {
                // Written over an input that others may still read: kept aside until the end.
                let kept = try newBuffer(type)
                try passThrough(root, type, to: kept, output.name)
                finalCopies.append(try copyAll(from: kept, to: .output(index), type, output.name))
            }
        }
    }

    private mutating func passThrough(_ root: Int, _ type: TensorType, to target: Storage, _ name: String) throws {
        if let constant = splats[root] {
            steps.append(try fill(with: constant, to: target, type, name))
        } else {
            if storage[root] == nil, let node = graph.nodes.first(where: { $0.results.contains(root) }) {
                try lower(node)
            }
            if let source = storage[root] { steps.append(try copyAll(from: source, to: target, type, name)) }
        }
    }

    /// Whether a root is computed by a step, not an input or a constant.
    private func isMade(_ root: Int) -> Bool {
        guard root >= graph.inputs.count, splats[root] == nil,
            let node = graph.nodes.first(where: { $0.results.contains(root) })
        else { return false }
        return !(node.operation is ConstantTensor || node.operation is Iota)
    }

    /// Whether the node that makes this value can write it over an input that it reads itself.
    private func writesInPlace(_ root: Int, over input: Int?) -> Bool {
        guard let input, let node = graph.nodes.first(where: { $0.results.contains(root) }) else { return false }
        let reads = node.operands.indices.filter { roots[node.operands[$0].id] == input }
        if reads.isEmpty { return true }
        guard reads.count == 1, graph.types[root].elements == graph.inputs[input].type.elements else { return false }
        if node.operation is AccumulateDot { return reads == [2] }
        guard let body = regionBody(node) else { return false }
        var compiler = RegionCompiler(body)
        guard let region = try? compiler.compile() else { return false }
        let pairs = region.inPlacePairs()
        let result = root - node.results.lowerBound
        let operands = compiler.sources.indices.filter { compiler.sources[$0] == .bodyInput(reads[0]) }
        return operands.count == 1 && pairs.contains { $0.write == result && $0.read == operands[0] }
    }

    mutating func target(_ value: Int) throws -> Storage {
        if let known = storage[value] { return known }
        let made = try newBuffer(graph.types[value])
        storage[value] = made
        return made
    }

    /// The memory that holds all elements of an operand.
    mutating func source(_ value: Value) throws -> Storage {
        let root = roots[value.id]
        if let known = storage[root] { return known }
        guard let constant = splats[root] else {
            preconditionFailure("\(graph.name(of: value)) is read before it is made")
        }
        let type = graph.types[root]
        if type.elements == 1 { return .constant(constants.scalar(constant.splat, type.element)) }
        let buffer = try newBuffer(type)
        steps.append(try fill(with: constant, to: buffer, type, graph.name(of: value)))
        return buffer
    }

    // MARK: Nodes

    private mutating func lower(_ node: Graph.Node) throws {
        let result = node.results.lowerBound
        if splats[result] != nil { return }
        switch node.operation {
        case is Reshape, is Detach: break
        case let constant as ConstantTensor:
            if storage[result] == nil {
                storage[result] = .constant(try constants.tensor(constant.values, constant.type))
            }
        case let iota as Iota:
            let values = iota.evaluate([], as: [iota.type])[0].values
            if storage[result] == nil { storage[result] = .constant(try constants.tensor(values, iota.type)) }
        case let dot as DotGeneral: try lower(dot, node, accumulate: false)
        case let accumulate as AccumulateDot: try lower(accumulate.dot, node, accumulate: true)
        case let sum as ReduceSum: try lower(sum, node, isSum: true)
        case let max as ReduceMax: try lower(max, node, isSum: false)
        case let transpose as Transpose:
            let type = graph.type(of: node.operands[0])
            let strides = Axes.rowMajorStrides(type.shape)
            try lowerCopy(node, strides: transpose.permutation.map { strides[$0] })
        case let broadcast as BroadcastInDim:
            let type = graph.type(of: node.operands[0])
            var strides = [Int](repeating: 0, count: broadcast.shape.count)
            for (axis, stride) in zip(broadcast.dimensions, Axes.rowMajorStrides(type.shape)) { strides[axis] = stride }
            try lowerCopy(node, strides: strides)
        default:
            guard let body = regionBody(node) else {
                throw PlanError.unsupported(node.operation.mnemonic)
            }
            try lower(region: body, node)
        }
    }

    func label(_ node: Graph.Node) -> String {
        let operands = node.operands.map { graph.type(of: $0).description }.joined(separator: ", ")
        let results = node.results.map { graph.types[$0].description }.joined(separator: ", ")
        return "\(node.operation.mnemonic) \(operands) -> \(results)"
    }

    // MARK: Elementwise

    /// The body of a region, or a body of one operation.
    private func regionBody(_ node: Graph.Node) -> Graph? {
        if let fusion = node.operation as? Fusion { return fusion.body }
        guard ElementwiseOpcode.of(node.operation) != nil else { return nil }
        let b = GraphBuilder()
        let inputs = node.operands.enumerated().map { b.input("x\($0.offset)", graph.type(of: $0.element)) }
        return b.build(outputs: [("y", b.emitAll(node.operation, inputs)[0])])
    }

    private mutating func lower(region body: Graph, _ node: Graph.Node) throws {
        var compiler = RegionCompiler(body)
        guard let region = try compiler.compile() else { throw PlanError.regionTooLarge(nodes: body.nodes.count) }
        var call = region
        var reads: [Storage] = []
        for (index, source) in compiler.sources.enumerated() {
            switch source {
            case .constant(let element, let bits):
                reads.append(.constant(constants.scalar(Double(bitPattern: bits), element)))
            case .bodyInput(let input):
                let operand = node.operands[input]
                if let splat = splats[roots[operand.id]] {
                    // One element stands for all.
                    reads.append(.constant(constants.scalar(splat.splat, splat.type.element)))
                    call.operands[index].access = .scalar
                    call.operands[index].strides = call.extents.map { _ in 0 }
                } else {
                    reads.append(try self.source(operand))
                }
            }
        }
        RegionTiling.choose(&call)
        let writes = try node.results.map { try target($0) }
        steps.append(
            Step(
                kernel: .region(call), reads: reads, writes: writes, inPlace: call.inPlacePairs(), tiles: call.tiles,
                label: label(node)))
    }

    // MARK: Copies

    private mutating func lowerCopy(_ node: Graph.Node, strides: [Int]) throws {
        let type = graph.types[node.results.lowerBound]
        let read = try sourceOrScalar(node.operands[0])
        steps.append(
            try copy(
                from: read.storage,
                Axes(extents: type.shape, strides: read.isScalar ? type.shape.map { _ in 0 } : strides),
                to: try target(node.results.lowerBound), type.element, label(node)))
    }

    /// As `source`, but a splat stays one element.
    mutating func sourceOrScalar(_ value: Value) throws -> (storage: Storage, isScalar: Bool) {
        if let splat = splats[roots[value.id]] {
            return (.constant(constants.scalar(splat.splat, splat.type.element)), true)
        }
        return (try source(value), false)
    }

    func copy(from: Storage, _ axes: Axes, to: Storage, _ element: ElementType, _ label: String) throws -> Step {
        let call = CopyTiling.call(axes.collapsed(), size: element.byteCount)
        return Step(kernel: .copy(call), reads: [from], writes: [to], inPlace: [], tiles: call.tiles, label: label)
    }

    private func copyAll(from: Storage, to: Storage, _ type: TensorType, _ name: String) throws -> Step {
        try copy(
            from: from, Axes(extents: type.shape, strides: Axes.rowMajorStrides(type.shape)), to: to, type.element,
            "copy \(type) -> \(name)")
    }

    private mutating func fill(with constant: Constant, to: Storage, _ type: TensorType, _ name: String) throws -> Step
    {
        let from = Storage.constant(constants.scalar(constant.splat, constant.type.element))
        return try copy(
            from: from, Axes(extents: type.shape, strides: type.shape.map { _ in 0 }), to: to, type.element,
            "fill \(type) \(name)")
    }
}
