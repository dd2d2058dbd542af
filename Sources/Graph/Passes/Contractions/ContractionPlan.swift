/// Steps that compute networks: an expression is held once however many networks contain it, and is paid for once.
struct ContractionPlan {
    /// What a step does, with the numbers of the steps it reads.
    enum Step: Hashable {
        case value(Value)
        case sum(Int, axes: [Int])
        /// Element by element; the second operand's axis i is the first's axis `axes[i]`.
        case product(Int, Int, axes: [Int])
        case dot(Int, Int, DotGeneral)
        case transpose(Int, permutation: [Int])
        case broadcast(Int, shape: [Int], dimensions: [Int])
        case scale(Int, by: Double)
        case convert(Int, to: ElementType)
    }

    private(set) var steps: [Step] = []
    private(set) var types: [TensorType] = []
    private var numbers: [Step: Int] = [:]

    /// The number of a step, which is made if it is new.
    private mutating func make(_ step: Step, _ type: TensorType) -> Int {
        if let number = numbers[step] { return number }
        numbers[step] = steps.count
        steps.append(step)
        types.append(type)
        return steps.count - 1
    }

    mutating func value(_ value: Value, _ type: TensorType) -> Int { make(.value(value), type) }

    mutating func sum(_ x: Int, axes: [Int]) -> Int {
        if axes.isEmpty { return x }
        let kept = types[x].shape.indices.filter { !axes.contains($0) }
        return make(.sum(x, axes: axes), TensorType(types[x].element, kept.map { types[x].shape[$0] }))
    }

    mutating func product(_ x: Int, _ y: Int, axes: [Int]) -> Int { make(.product(x, y, axes: axes), types[x]) }

    mutating func dot(_ x: Int, _ y: Int, _ dot: DotGeneral) -> Int {
        if let number = numbers[.dot(x, y, dot)] { return number }
        guard let type = try? dot.resultTypes(of: [types[x], types[y]]).first else {
            preconditionFailure("\(dot.attributes) of \(types[x]) and \(types[y])")
        }
        return make(.dot(x, y, dot), type)
    }

    mutating func transpose(_ x: Int, _ permutation: [Int]) -> Int {
        if permutation == Array(permutation.indices) { return x }
        return make(
            .transpose(x, permutation: permutation),
            TensorType(types[x].element, permutation.map { types[x].shape[$0] }))
    }

    mutating func broadcast(_ x: Int, to shape: [Int], dimensions: [Int]) -> Int {
        if dimensions.count == shape.count { return x }
        return make(.broadcast(x, shape: shape, dimensions: dimensions), TensorType(types[x].element, shape))
    }

    mutating func scale(_ x: Int, by factor: Double) -> Int {
        factor == 1 ? x : make(.scale(x, by: factor), types[x])
    }

    mutating func convert(_ x: Int, to element: ElementType) -> Int {
        types[x].element == element ? x : make(.convert(x, to: element), TensorType(element, types[x].shape))
    }

    /// The steps that a step reads.
    func operands(of step: Int) -> [Int] {
        switch steps[step] {
        case .value: []
        case .sum(let x, _), .transpose(let x, _), .broadcast(let x, _, _), .scale(let x, _), .convert(let x, _): [x]
        case .product(let x, let y, _), .dot(let x, let y, _): [x, y]
        }
    }

    /// What a step costs by itself.
    func cost(of step: Int) -> Cost {
        let operands = operands(of: step).map { types[$0] }
        return switch steps[step] {
        case .value: Cost()
        case .dot(_, _, let dot): dot.cost(operands: operands, results: [types[step]])
        default: Cost(elements: (operands + [types[step]]).reduce(0) { $0.addingSaturated($1.count) })
        }
    }

    /// Appends a step and what it needs to a builder.
    /// - Parameter values: of leaves, and of steps that have been appended.
    func emit(_ step: Int, in b: GraphBuilder, emitted: inout [Int: Value], value: (Value) -> Value) -> Value {
        if let known = emitted[step] { return known }
        let x = operands(of: step).map { emit($0, in: b, emitted: &emitted, value: value) }
        let result =
            switch steps[step] {
            case .value(let leaf): value(leaf)
            case .sum(_, let axes): b.sum(x[0], dimensions: axes)
            case .product(_, _, let axes): b.multiply(x[0], b.broadcast(x[1], to: types[step].shape, dimensions: axes))
            case .dot(_, _, let dot): b.emit(dot, x[0], x[1])
            case .transpose(_, let permutation): b.transpose(x[0], permutation)
            case .broadcast(_, let shape, let dimensions): b.broadcast(x[0], to: shape, dimensions: dimensions)
            case .scale(_, let factor): b.scale(x[0], by: factor)
            case .convert(_, let element): b.convert(x[0], to: element)
            }
        emitted[step] = result
        return result
    }
}
