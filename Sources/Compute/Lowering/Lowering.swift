import Graph

/// From the nodes of a graph to the steps of a plan: chooses kernels, shares memory between a value and its reshapes, lets
/// outputs be written where they are wanted.
struct Lowering {
    let graph: Graph
    /// For each value, whose memory it lies in and where there.
    let memory: ValueMemory
    /// For each value, the value whose memory is read where it is.
    private let readRoots: [Int]
    /// For each value the number of its node; −1 for inputs.
    let producers: [Int]
    var steps: [Step] = []
    /// Bytes of each arena buffer.
    private(set) var bufferSizes: [Int] = []
    var constants = ConstantPool()
    /// Where each root lives, once it is made.
    var storage: [Storage?]
    /// How values lie that are made where they belong in a concatenation and do not lie together there.
    private(set) var rows: [Int: RowsOfPart] = [:]
    /// The constant operation of each value that is a splat; made in memory only where a kernel needs all of it.
    private(set) var splats: [Int: Constant] = [:]
    /// Copies that bring results computed elsewhere to outputs, after all else.
    private var finalCopies: [Step] = []
    /// Kernels of convolutions that are packed already.
    var packs: [PackKey: Storage] = [:]

    init(_ graph: Graph, donations: [Int: Int]) throws {
        self.graph = graph
        memory = ValueMemory(graph)
        storage = [Storage?](repeating: nil, count: graph.types.count)
        for index in graph.inputs.indices { storage[index] = .input(index) }
        var producers = [Int](repeating: -1, count: graph.types.count)
        for (index, node) in graph.nodes.enumerated() {
            for result in node.results { producers[result] = index }
            if let constant = node.operation as? Constant {
                splats[node.result.id] = constant
            } else if ValueMemory.moves(node.operation),
                let constant = splats[memory.roots[node.operands[0].id]]
            {
                splats[node.result.id] = Constant(type: graph.types[node.result.id], splat: constant.splat)
            }
        }
        self.producers = producers

        try Cancellation.check()
        let readRoots = memory.readRoots
        self.readRoots = readRoots
        let schedule = try Schedule(graph, roots: readRoots, donations: donations, asking: Cancellation.check)
        try placeOutputs(donations: donations, inPlace: schedule.inPlaceOutputs)
        try Cancellation.check()
        try placeParts(donations: donations)
        for index in schedule.order {
            try Cancellation.check()
            try lower(graph.nodes[index])
        }
        steps += finalCopies
    }

    // MARK: Memory

    mutating func newBuffer(_ type: TensorType) throws -> Storage {
        bufferSizes.append(try type.bytes(for: "the intermediate values of a plan"))
        return .buffer(bufferSizes.count - 1)
    }

    func root(_ value: Value) -> Int { memory.roots[value.id] }

    /// The operation that makes a root; `nil` for an input.
    private func maker(_ root: Int) -> Graph.Node? { producers[root] < 0 ? nil : graph.nodes[producers[root]] }

    /// Decides which values are computed straight in an output's memory; the other outputs are copied.
    private mutating func placeOutputs(donations: [Int: Int], inPlace: Set<Int>) throws {
        // Values that are all of their memory first, so that a part is copied from there.
        let (whole, parts) = (
            graph.outputs.indices.filter { memory.isWhole[graph.outputs[$0].value.id] },
            graph.outputs.indices.filter { !memory.isWhole[graph.outputs[$0].value.id] }
        )
        for index in whole + parts {
            let output = graph.outputs[index]
            let root = root(output.value)
            let type = graph.type(of: output.value)
            if isMade(root) {
                let isFree = storage[root] == nil
                let mayWrite =
                    memory.isWhole[output.value.id]
                    && (donations[index] == nil
                        || (inPlace.contains(index) && writesInPlace(root, over: donations[index])))
                if isFree && mayWrite {
                    storage[root] = .output(index)
                    continue
                }
                if isFree { storage[root] = try newBuffer(graph.types[root]) }
                finalCopies.append(try copyAll(from: place(output.value), to: .output(index), type, output.name))
            } else if donations[index] == nil {
                // An input or a constant passed through: written before anything can overwrite it.
                try passThrough(output.value, type, to: .output(index), output.name)
            } else if memory.isWhole[output.value.id], donations[index] == root {
                // An input given back: nobody else writes it, and it stays where it lies unless the caller wants it elsewhere, too.
                finalCopies.append(try copyAll(from: place(output.value), to: .output(index), type, output.name))
            } else {
                // Written over an input that others may still read: kept aside until the end.
                let kept = try newBuffer(type)
                try passThrough(output.value, type, to: kept, output.name)
                finalCopies.append(try copyAll(from: kept, to: .output(index), type, output.name))
            }
        }
    }

    private mutating func passThrough(_ value: Value, _ type: TensorType, to target: Storage, _ name: String) throws {
        let root = root(value)
        if let constant = splats[root] {
            steps.append(try fill(with: constant, to: target, type, StepLabel(name)))
        } else {
            if storage[root] == nil, let node = maker(root) { try lower(node) }
            steps.append(try copyAll(from: place(value), to: target, type, name))
        }
    }

    /// Lets the operands of a concatenation be made where they belong in it: along the outermost axis, or for nobody else by what writes
    /// its results in rows.
    private mutating func placeParts(donations: [Int: Int]) throws {
        var readers = [Int](repeating: 0, count: graph.types.count)
        for output in graph.outputs { readers[root(output.value)] += 1 }
        for node in graph.nodes where isLowered(node) {
            for operand in node.operands { readers[readRoots[operand.id]] += 1 }
        }
        // Consumers first, so that a concatenation of concatenations is one memory.
        for node in graph.nodes.reversed() {
            guard let concatenate = node.operation as? Concatenate else { continue }
            let type = graph.type(of: node.result)
            let isOutermost = type.shape[..<concatenate.axis].allSatisfy { $0 == 1 }
            // A donated output is written only after all reads of its input.
            if case .output(let index)? = storage[node.result.id], donations[index] != nil { continue }
            var place = try target(node.result.id)
            for operand in node.operands {
                let root = root(operand)
                let part = RowsOfPart(
                    length: graph.type(of: operand).shape[concatenate.axis...].reduce(1, *),
                    stride: type.shape[concatenate.axis...].reduce(1, *))
                if memory.isWhole[operand.id], storage[root] == nil, isMade(root) {
                    if isOutermost {
                        storage[root] = place
                    } else if readers[root] == 1, part.length > 0, isWritten(root, in: part) {
                        storage[root] = place
                        rows[root] = part
                    }
                }
                place = place.advanced(
                    by: isOutermost
                        ? try graph.type(of: operand).bytes(for: "a concatenation")
                        : part.length * type.element.byteCount)
            }
        }
    }

    /// Whether an elementwise region computes a value element by element, or a contraction that writes it in any order.
    private func isWritten(_ root: Int, in rows: RowsOfPart) -> Bool {
        guard let node = maker(root), !(node.operation is DotFusion) else { return false }
        if node.operation is ArrangedDot { return rows.strides(graph.types[root].shape) != nil }
        guard let body = regionBody(node) else { return false }
        let output = body.outputs[root - node.results.lowerBound].value
        return !body.nodes.contains {
            $0.results.contains(output.id) && ($0.operation is ReduceSum || $0.operation is ReduceMax)
        }
    }

    /// Whether a root is computed by a step, not an input or a constant.
    private func isMade(_ root: Int) -> Bool {
        guard splats[root] == nil, let node = maker(root) else { return false }
        return !(node.operation is ConstantTensor || node.operation is Iota)
    }

    /// Whether the node that makes this value can write it over an input that it reads itself.
    private func writesInPlace(_ root: Int, over input: Int?) -> Bool {
        guard let input, let node = maker(root) else { return false }
        let reads = node.operands.indices.filter { readRoots[node.operands[$0].id] == input }
        if reads.isEmpty { return true }
        guard reads.count == 1, memory.isWhole[node.operands[reads[0]].id],
            graph.types[root].elements == graph.inputs[input].type.elements
        else { return false }
        if node.operation is AccumulateDot { return reads == [2] }
        // What a contraction reads must stay until its last row is made.
        let shift = node.operation is DotFusion ? 1 : 0
        guard reads[0] >= 2 * shift, let body = regionBody(node) else { return false }
        var compiler = RegionCompiler(body)
        guard let region = try? compiler.compile() else { return false }
        let pairs = region.inPlacePairs()
        guard case .result(let result) = region.outputs[root - node.results.lowerBound] else { return false }
        let operands = compiler.sources.indices.filter { compiler.sources[$0] == .bodyInput(reads[0] - shift) }
        return operands.count == 1 && pairs.contains { $0.write == result && $0.read == operands[0] }
    }

    /// Where a value whose root has been placed lies.
    private func place(_ value: Value) -> Storage {
        guard let known = storage[root(value)] else {
            preconditionFailure("\(graph.name(of: value)) is read before it is made")
        }
        return known.advanced(by: memory.offsets[value.id] * graph.type(of: value).element.byteCount)
    }

    mutating func target(_ value: Int) throws -> Storage {
        if let known = storage[value] { return known }
        let made = try newBuffer(graph.types[value])
        storage[value] = made
        return made
    }

    /// The memory that holds all elements of an operand.
    mutating func source(_ value: Value) throws -> Storage {
        guard storage[root(value)] == nil, let constant = splats[root(value)] else { return place(value) }
        let type = graph.type(of: value)
        if type.elements == 1 { return .constant(constants.scalar(constant.splat, type.element)) }
        let buffer = try newBuffer(type)
        let graph = graph
        steps.append(try fill(with: constant, to: buffer, type, StepLabel(graph.name(of: value))))
        return buffer
    }

    // MARK: Nodes

    /// Whether a node becomes steps: others are one element for all, or are read where their operands lie.
    private func isLowered(_ node: Graph.Node) -> Bool {
        let result = node.results.lowerBound
        return splats[result] == nil && memory.roots[result] == result && memory.views[result] == nil
    }

    private mutating func lower(_ node: Graph.Node) throws {
        guard isLowered(node) else { return }
        let result = node.results.lowerBound
        switch node.operation {
        case let constant as ConstantTensor:
            if storage[result] == nil {
                storage[result] = .constant(try constants.tensor(constant.values, constant.type))
            }
        case let iota as Iota:
            let values = iota.evaluate([], as: [iota.type])[0].values
            if storage[result] == nil { storage[result] = .constant(try constants.tensor(values, iota.type)) }
        case let dot as DotGeneral: try lower(dot, node, accumulate: false)
        case let arranged as ArrangedDot: try lower(arranged, node)
        case let accumulate as AccumulateDot: try lower(accumulate.dot, node, accumulate: true)
        case let fusion as DotFusion: try lower(fusion, node)
        case let recurrence as Recurrence: try lower(region: recurrence.scan.body, node, recurrence: recurrence.scan)
        case let convolution as Convolution: try lower(convolution, node)
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
        case let slice as Slice:
            let strides = Axes.rowMajorStrides(graph.type(of: node.operands[0]).shape)
            try lowerCopy(
                node, offset: zip(slice.starts, strides).reduce(0) { $0 + $1.0 * $1.1 },
                strides: zip(slice.strides, strides).map { $0 * $1 })
        case let reverse as Reverse:
            let shape = graph.type(of: node.operands[0]).shape
            var strides = Axes.rowMajorStrides(shape)
            let offset = reverse.dimensions.reduce(0) { $0 + max(0, shape[$1] - 1) * strides[$1] }
            for axis in reverse.dimensions { strides[axis] *= -1 }
            try lowerCopy(node, offset: offset, strides: strides)
        case let concatenate as Concatenate: try lower(concatenate, node)
        case let pad as Pad: try lower(pad, node)
        case let gather as Gather: try lower(gather, node)
        case let scatter as ScatterAdd: try lower(scatter, node)
        default:
            guard let body = regionBody(node) else {
                throw PlanError.unsupported(node.operation.mnemonic)
            }
            try lower(region: body, node)
        }
    }

    func label(_ node: Graph.Node) -> StepLabel {
        let graph = graph
        return StepLabel(node.summary(in: graph))
    }

    /// The body of a region, or a body of one operation.
    func regionBody(_ node: Graph.Node) -> Graph? {
        if let body = (node.operation as? Fusion)?.body ?? (node.operation as? DotFusion)?.body { return body }
        guard ElementwiseOpcode.of(node.operation) != nil else { return nil }
        let b = GraphBuilder()
        let inputs = node.operands.enumerated().map { b.input("x\($0.offset)", graph.type(of: $0.element)) }
        return b.build(outputs: [("y", b.emitAll(node.operation, inputs)[0])])
    }

    // MARK: Copies

    /// - Parameter offset: of the first entry in the operand.
    private mutating func lowerCopy(_ node: Graph.Node, offset: Int = 0, strides: [Int]) throws {
        let type = graph.types[node.results.lowerBound]
        let read = try sourceOrScalar(node.operands[0])
        steps.append(
            try copy(
                from: read.storage.advanced(by: read.isScalar ? 0 : offset * type.element.byteCount),
                Axes(extents: type.shape, strides: read.isScalar ? type.shape.map { _ in 0 } : strides),
                to: try target(node.results.lowerBound), type.element, label(node)))
    }

    /// As `source`, but a splat stays one element.
    mutating func sourceOrScalar(_ value: Value) throws -> (storage: Storage, isScalar: Bool) {
        if let splat = splats[root(value)] {
            return (.constant(constants.scalar(splat.splat, splat.type.element)), true)
        }
        return (try source(value), false)
    }

    func copy(from: Storage, _ axes: Axes, to: Storage, _ element: ElementType, _ label: StepLabel) throws -> Step {
        let call = CopyTiling.call(axes.collapsed(), size: element.byteCount)
        return Step(kernel: .copy(call), reads: [from], writes: [to], inPlace: [], tiles: call.tiles, label: label)
    }

    private func copyAll(from: Storage, to: Storage, _ type: TensorType, _ name: String) throws -> Step {
        try copy(
            from: from, Axes(extents: type.shape, strides: Axes.rowMajorStrides(type.shape)), to: to, type.element,
            StepLabel("copy \(type) -> \(name)"))
    }

    mutating func fill(with constant: Constant, to: Storage, _ type: TensorType, _ name: StepLabel) throws -> Step {
        let from = Storage.constant(constants.scalar(constant.splat, constant.type.element))
        return try copy(
            from: from, Axes(extents: type.shape, strides: type.shape.map { _ in 0 }), to: to, type.element,
            StepLabel("fill \(type) \(name)"))
    }
}
