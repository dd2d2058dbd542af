import CKernels
import Graph

/// Compiles the body of a region.
///
/// Every value of the body is computed over the region's whole shape; a broadcast, slice, reversal or transposition inside the
/// body changes how its operand is read, not what is computed, so an operation before a broadcast is repeated along it.
/// Outputs may be sums and maxima of such values, all over the same axes, neighbours of each other.
struct RegionCompiler {
    /// What a body value is when seen through operations that move: its element at the region's index i has the index
    /// `start[a] + step[a] · i[axes[a]]` along axis a.
    private struct View: Hashable {
        var value: Value
        var axes: [Int]
        var start: [Int]
        var step: [Int]
    }
    /// Where in memory the elements of an operand lie for the region's index.
    private struct Walk: Hashable {
        var offset: Int
        var strides: [Int]
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
    private var walks: [Walk] = []
    private var elements: [ElementType] = []
    private var drafts: [Draft] = []
    private var origins: [Origin] = []
    private var known: [View: Int] = [:]
    private var operandNumbers: [Source: [Walk: Int]] = [:]
    /// The axes that outputs are reduced over; empty where none is.
    private let reducedAxes: [Int]
    /// The number of axes that are rows, which stay apart from those behind them; 0: all may merge.
    private let rowAxes: Int

    init(_ body: Graph, rowAxes: Int = 0) {
        self.body = body
        self.rowAxes = rowAxes
        var producers: [Int: Int] = [:]
        for (index, node) in body.nodes.enumerated() { producers[node.result.id] = index }
        self.producers = producers
        var (shape, axes): ([Int], [Int]) = ([], [])
        for output in body.outputs {
            if let (operand, dimensions, _) = Self.reduction(output.value, in: body, producers) {
                shape = body.type(of: operand).shape
                axes = dimensions.sorted()
            } else {
                shape = body.type(of: output.value).shape
            }
        }
        (self.shape, reducedAxes) = (shape, axes)
    }

    private static func reduction(
        _ value: Value, in body: Graph, _ producers: [Int: Int]
    ) -> (operand: Value, dimensions: [Int], isSum: Bool)? {
        guard let node = producers[value.id].map({ body.nodes[$0] }) else { return nil }
        switch node.operation {
        case let sum as ReduceSum: return (node.operands[0], sum.dimensions, true)
        case let max as ReduceMax: return (node.operands[0], max.dimensions, false)
        default: return nil
        }
    }

    /// The program; `nil` where it needs more places than the machine has.
    mutating func compile() throws(GraphError) -> RegionCall? {
        // Body order first, so that instructions follow the graph's order and not the recursion's.
        for node in body.nodes where body.type(of: node.result).shape == shape && isComputed(node) {
            _ = try number(of: whole(node.result))
        }
        var results: [Int] = []
        var reductions: [(number: Int, isSum: Bool)] = []
        var outputs: [RegionCall.Output] = []
        for output in body.outputs {
            if let (operand, dimensions, isSum) = Self.reduction(output.value, in: body, producers) {
                guard dimensions.sorted() == reducedAxes, body.type(of: operand).shape == shape else {
                    throw GraphError("the reductions of a region differ in their axes")
                }
                outputs.append(.reduction(reductions.count))
                reductions.append((try number(of: whole(operand)), isSum))
            } else {
                outputs.append(.result(results.count))
                results.append(try number(of: whole(output.value)))
            }
        }
        return assemble(results, reductions, outputs)
    }

    private func whole(_ value: Value) -> View {
        View(value: value, axes: Array(shape.indices), start: shape.map { _ in 0 }, step: shape.map { _ in 1 })
    }

    private func isComputed(_ node: Graph.Node) -> Bool { ElementwiseOpcode.of(node.operation) != nil }

    private mutating func operand(_ source: Source, _ element: ElementType, _ walk: Walk) -> Int {
        if let number = operandNumbers[source]?[walk] { return number }
        origins.append(.operand(sources.count))
        sources.append(source)
        walks.append(walk)
        elements.append(element)
        operandNumbers[source, default: [:]][walk] = origins.count - 1
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
            var walk = Walk(offset: 0, strides: [Int](repeating: 0, count: shape.count))
            for (axis, stride) in Axes.rowMajorStrides(type.shape).enumerated() {
                walk.offset += view.start[axis] * stride
                // The stride of an axis of extent 1 is free.
                if type.shape[axis] > 1 { walk.strides[view.axes[axis]] += view.step[axis] * stride }
            }
            return operand(.bodyInput(view.value.id), type.element, walk)
        }
        guard let index = producers[view.value.id] else {
            throw GraphError("an elementwise region uses a value it does not make")
        }
        let node = body.nodes[index]
        if let constant = node.operation as? Constant { return number(of: constant.splat, type.element) }
        if let operand = moved(node, view) { return try number(of: operand) }
        guard let opcode = ElementwiseOpcode.of(node.operation) else {
            throw GraphError("\(node.operation.mnemonic) is not elementwise and stands in an elementwise region")
        }
        var draftSources: [Int] = []
        for operand in node.operands {
            draftSources.append(
                try number(of: View(value: operand, axes: view.axes, start: view.start, step: view.step)))
        }
        if let power = node.operation as? Power { draftSources.append(number(of: power.exponent, type.element)) }
        let element = body.type(of: node.operands[node.operation is Select ? 1 : 0]).element
        drafts.append(Draft(opcode: opcode, element: element, resultElement: type.element, sources: draftSources))
        origins.append(.draft(drafts.count - 1))
        return origins.count - 1
    }

    /// A number, the same for every element.
    private mutating func number(of value: Double, _ element: ElementType) -> Int {
        operand(
            .constant(element, value.bitPattern), element,
            Walk(offset: 0, strides: [Int](repeating: 0, count: shape.count)))
    }

    /// The operand as it is seen through an operation that moves; `nil` for other operations.
    private func moved(_ node: Graph.Node, _ view: View) -> View? {
        var seen = View(value: node.operands.first ?? node.result, axes: view.axes, start: view.start, step: view.step)
        switch node.operation {
        case is Detach, is BatchMean: break
        case let broadcast as BroadcastInDim:
            seen.axes = broadcast.dimensions.map { view.axes[$0] }
            seen.start = broadcast.dimensions.map { view.start[$0] }
            seen.step = broadcast.dimensions.map { view.step[$0] }
        case let slice as Slice:
            for axis in slice.starts.indices {
                seen.start[axis] = slice.starts[axis] + view.start[axis] * slice.strides[axis]
                seen.step[axis] = view.step[axis] * slice.strides[axis]
            }
        case let reverse as Reverse:
            let extents = body.type(of: node.result).shape
            for axis in reverse.dimensions {
                seen.start[axis] = extents[axis] - 1 - view.start[axis]
                seen.step[axis] = -view.step[axis]
            }
        case let transpose as Transpose:
            for (axis, place) in transpose.permutation.enumerated() {
                seen.axes[place] = view.axes[axis]
                seen.start[place] = view.start[axis]
                seen.step[place] = view.step[axis]
            }
        default: return nil
        }
        return seen
    }

    /// The drafts with pairs, triples and one kind of four of them made one: a product that only one sum or difference reads, and is
    /// read as by nothing else, joins it; products and sums with one number read that alone; a number's share of a difference (from a
    /// square, too) joins the sum with what was subtracted, a root with a number added the quotient by it.
    /// - Parameter kept: what is read from outside.
    private func paired(keeping kept: Set<Int>) -> (drafts: [Draft], origins: [Origin]) {
        var all = drafts
        var uses = [Int](repeating: 0, count: origins.count)
        for draft in drafts { for source in draft.sources { uses[source] += 1 } }
        var isGone = drafts.map { _ in false }
        for index in all.indices where all[index].element.isFloating {
            guard let pairs = RegionPairs.joining(all[index].opcode) else { continue }
            for (side, pair) in pairs.enumerated() {
                let number = all[index].sources[side]
                guard case .draft(let producer) = origins[number], uses[number] == 1, !kept.contains(number),
                    all[producer].opcode == RegionPairs.product, all[producer].sources.count == 2
                else { continue }
                all[index].opcode = pair
                all[index].sources = all[producer].sources + [all[index].sources[1 - side]]
                isGone[producer] = true
                break
            }
        }
        for index in all.indices where all[index].element.isFloating {
            guard let opcode = RegionPairs.withOneNumber(all[index].opcode),
                let side = all[index].sources.prefix(2).firstIndex(where: isOneNumber)
            else { continue }
            all[index].opcode = opcode
            if side == 1 { all[index].sources.swapAt(0, 1) }
        }
        // The draft that makes a value for one reader alone, by this operation.
        func sole(_ number: Int, _ opcode: ck_opcode) -> Int? {
            guard case .draft(let producer) = self.origins[number], uses[number] == 1, !kept.contains(number),
                all[producer].opcode == Int(opcode.rawValue), !isGone[producer]
            else { return nil }
            return producer
        }
        for index in all.indices where all[index].element.isFloating && !isGone[index] {
            let sources = all[index].sources
            if all[index].opcode == Int(CK_SCALE_ADD.rawValue), let difference = sole(sources[1], CK_SUBTRACT),
                all[difference].sources[1] == sources[2]
            {
                all[index].opcode = Int(CK_APPROACH.rawValue)
                all[index].sources[1] = all[difference].sources[0]
                isGone[difference] = true
            } else if all[index].opcode == Int(CK_SCALE_ADD.rawValue),
                let difference = sole(sources[1], CK_MULTIPLY_SUBTRACT), all[difference].sources[2] == sources[2],
                all[difference].sources[0] == all[difference].sources[1]
            {
                all[index].opcode = Int(CK_APPROACH_SQUARE.rawValue)
                all[index].sources[1] = all[difference].sources[0]
                isGone[difference] = true
            } else if all[index].opcode == Int(CK_DIVIDE.rawValue), let sum = sole(sources[1], CK_OFFSET),
                let root = sole(all[sum].sources[1], CK_SQRT)
            {
                all[index].opcode = Int(CK_DIVIDE_BY_ROOT.rawValue)
                all[index].sources = [sources[0], all[root].sources[0], all[sum].sources[0]]
                (isGone[sum], isGone[root]) = (true, true)
            }
        }
        var place = -1
        let places = isGone.map { gone -> Int in
            place += gone ? 0 : 1
            return place
        }
        let origins = origins.map { origin -> Origin in
            if case .draft(let draft) = origin { .draft(max(0, places[draft])) } else { origin }
        }
        return (zip(all, isGone).filter { !$0.1 }.map(\.0), origins)
    }

    private func isOneNumber(_ number: Int) -> Bool {
        if case .operand(let operand) = origins[number] { walks[operand].strides.allSatisfy { $0 == 0 } } else { false }
    }

    /// Gives each draft a place: a result, or a register that is free by then.
    private func assemble(
        _ resultNumbers: [Int], _ reductionNumbers: [(number: Int, isSum: Bool)], _ outputs: [RegionCall.Output]
    ) -> RegionCall? {
        var (drafts, origins) = paired(keeping: Set(resultNumbers + reductionNumbers.map(\.number)))
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
        // What is reduced is read after all instructions.
        for reduction in reductionNumbers {
            if case .draft(let producer) = origins[reduction.number] { lastUse[producer] = drafts.count }
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
        // Axes stay apart where a reduction begins or ends.
        var kept = Axes.rowMajorStrides(shape.indices.map { reducedAxes.contains($0) ? 1 : shape[$0] })
        for axis in reducedAxes { kept[axis] = 0 }
        var rows = Axes.rowMajorStrides(shape)
        for axis in 0..<rowAxes { rows[axis] = 0 }
        let collapsed = Axes.collapsed(
            shape,
            walks.map(\.strides) + [Axes.rowMajorStrides(shape), rows] + (reductionNumbers.isEmpty ? [] : [kept]))
        let operands = elements.indices.map { index in
            RegionCall.Operand(
                element: elements[index],
                strides: collapsed.extents.isEmpty ? [0] : collapsed.strides[index], offset: walks[index].offset)
        }
        var call = RegionCall(
            count: shape.reduce(1, *), extents: collapsed.extents.isEmpty ? [1] : collapsed.extents,
            operands: operands, resultElements: resultNumbers.map(elementOf), registerSizes: registerSizes,
            instructions: instructions, outputs: outputs)
        if !reductionNumbers.isEmpty {
            let isReduced = shape.indices.filter { shape[$0] != 1 }.map { reducedAxes.contains($0) }
            let extents = shape.filter { $0 != 1 }
            guard let first = isReduced.firstIndex(of: true), let last = isReduced.lastIndex(of: true),
                isReduced[first...last].allSatisfy({ $0 })
            else { return nil }
            call.reduced = extents[first...last].reduce(1, *)
            call.inner = extents[(last + 1)...].reduce(1, *)
            call.reductions = reductionNumbers.map { number, isSum in
                let place: RegionCall.Place =
                    switch origins[number] {
                    case .operand(let operand): .operand(operand)
                    case .draft(let producer): places[producer] ?? .register(0)
                    }
                return RegionCall.Reduction(isSum: isSum, element: elementOf(number), place: place)
            }
            guard call.inner * call.reductions.count <= RegionCall.mostAccumulators, call.count > 0 else { return nil }
        }
        guard call.places <= Int(CK_REGION_PLACES), call.extents.count <= Int(CK_REGION_RANK) else { return nil }
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
