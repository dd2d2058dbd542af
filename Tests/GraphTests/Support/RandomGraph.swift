import Graph

/// Well-typed random graphs over all primitives but `BatchMean`, the same for the same seed on every machine.
///
/// Functions are kept tame, so that third derivatives stay of moderate size: exponentials of bounded values, logarithms and
/// roots of values above one, quotients with denominators above one half.
struct RandomGraph {
    private var random: SplitMix
    private let b = GraphBuilder()
    private var pool: [Value] = []
    private let elements: [ElementType]
    private let detaching: Bool

    /// - Parameters:
    ///   - elements: of the inputs; with more than one, conversions join them.
    ///   - detaching: with `Detach`, which finite differences do not see.
    static func make(seed: Int, size: Int, elements: [ElementType] = [.f64], detaching: Bool = true) -> Graph {
        var generator = RandomGraph(seed: seed, elements: elements, detaching: detaching)
        return generator.graph(size: size)
    }

    private init(seed: Int, elements: [ElementType], detaching: Bool) {
        random = SplitMix(seed)
        self.elements = elements
        self.detaching = detaching
    }

    private mutating func graph(size: Int) -> Graph {
        for index in 0..<Int.random(in: 2...4, using: &random) {
            let shape = (0..<Int.random(in: 0...3, using: &random)).map { _ in Int.random(in: 1...4, using: &random) }
            pool.append(b.input("x\(index)", TensorType(pick(elements), shape)))
        }
        for _ in 0..<size { pool.append(step()) }
        let count = min(pool.count, Int.random(in: 1...3, using: &random))
        var outputs = Array(pool.suffix(1))
        for _ in 1..<max(2, count) { outputs.append(pick(pool)) }
        return b.build(outputs: outputs.enumerated().map { ("y\($0)", $1) })
    }

    private mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &random)] }

    /// A value of the pool, mostly a recent one.
    private mutating func operand() -> Value {
        Bool.random(using: &random) ? pick(Array(pool.suffix(4))) : pick(pool)
    }

    /// A value of this type: one of the pool, or one made from another's sum.
    private mutating func operand(_ type: TensorType) -> Value {
        let fitting = pool.filter { b.type(of: $0) == type }
        if !fitting.isEmpty && Int.random(in: 0..<4, using: &random) > 0 { return pick(fitting) }
        let source = b.convert(operand(), to: type.element)
        // A broadcast along a random subset of fitting axes, of what a sum leaves.
        let shape = b.shape(of: source)
        if let axis = type.shape.indices.first(where: { axis in shape.contains(type.shape[axis]) }),
            let own = shape.firstIndex(of: type.shape[axis])
        {
            let rest = b.scale(b.sum(source, dimensions: shape.indices.filter { $0 != own }), by: 0.5)
            return b.broadcast(rest, to: type.shape, dimensions: [axis])
        }
        return b.broadcast(b.tanh(b.sum(source)), to: type.shape, dimensions: [])
    }

    private func small(_ x: Value) -> Value { b.tanh(x) }
    /// 1 + x².
    private func aboveOne(_ x: Value) -> Value { b.add(b.ones(like: x), b.square(x)) }

    private mutating func step() -> Value {
        let x = operand()
        let type = b.type(of: x)
        switch Int.random(in: 0..<41, using: &random) {
        case 0: return b.negate(x)
        case 1: return pick([b.exponential, b.exponentialMinusOne])(small(x))
        case 2: return b.log(aboveOne(x))
        case 3: return b.logPlusOne(b.square(small(x)))
        case 4: return b.power(aboveOne(x), pick([0.5, 1.5, -0.5, 0.3, 3]))
        case 5: return b.tanh(x)
        case 6: return b.logistic(x)
        case 7: return b.abs(x)
        case 8: return b.multiply(b.sign(x), b.sign(operand(type)))
        case 9, 10: return b.add(x, operand(type))
        case 11: return b.subtract(x, operand(type))
        case 12, 13: return b.multiply(small(x), operand(type))
        case 14: return b.divide(x, aboveOne(operand(type)))
        case 15: return b.maximum(x, operand(type))
        case 16: return b.minimum(x, operand(type))
        case 17: return b.relu(x)
        case 18:
            let direction = pick(Compare.Direction.allCases)
            return b.select(b.compare(x, direction, operand(type)), operand(type), b.scale(x, by: 0.5))
        case 19:
            let element = pick(elements)
            return b.convert(b.convert(x, to: element), to: pick(elements))
        case 20: return b.scale(x, by: pick([2, -1, 0.5, 1, 0]))
        case 21: return broadcast(x)
        case 22: return b.reshape(x, to: pick([[type.shape.reduce(1, *)], [1] + type.shape, type.shape + [1]]))
        case 23: return b.transpose(x, Array(type.shape.indices).shuffled(using: &random))
        case 24: return b.sum(b.scale(x, by: 0.5), dimensions: subset(type.rank))
        case 25: return type.rank == 0 ? x : b.max(x, dimensions: [Int.random(in: 0..<type.rank, using: &random)])
        case 26: return b.add(x, b.emit(Iota(type: TensorType(type.element, [3]), dimension: 0), into: type.shape))
        case 27: return b.multiply(detaching ? b.detach(b.tanh(x)) : b.tanh(x), operand(type))
        case 28: return b.erf(x)
        case 29: return type.rank == 0 ? x : slice(x)
        case 30: return type.shape.reduce(1, *) > 60 ? x : pad(x)
        case 31, 32: return type.rank == 0 ? x : concatenation(x)
        case 33: return b.reverse(x, dimensions: subset(type.rank))
        case 34: return type.rank == 0 ? x : rowsByNumber(x)
        case 35, 36, 37: return type.rank == 0 ? x : convolution(x)
        default: return contraction(x)
        }
    }

    private mutating func subset(_ rank: Int) -> [Int] {
        var chosen: [Int] = []
        for axis in 0..<rank where Bool.random(using: &random) { chosen.append(axis) }
        return chosen
    }

    // MARK: Parts

    /// A non-empty part along every axis, with strides.
    private mutating func slice(_ x: Value) -> Value {
        var (starts, limits, strides): ([Int], [Int], [Int]) = ([], [], [])
        for extent in b.shape(of: x) {
            let start = Int.random(in: 0..<extent, using: &random)
            starts.append(start)
            limits.append(Int.random(in: start + 1...extent, using: &random))
            strides.append(Int.random(in: 1...2, using: &random))
        }
        return b.slice(x, starts: starts, limits: limits, strides: strides)
    }

    /// Up to two elements more or one fewer at each end, sometimes one between neighbours; never nothing.
    private mutating func pad(_ x: Value) -> Value {
        var (low, high, interior): ([Int], [Int], [Int]) = ([], [], [])
        for extent in b.shape(of: x) {
            low.append(Int.random(in: -1...1, using: &random))
            high.append(max(Int.random(in: -1...1, using: &random), 1 - extent - low[low.count - 1]))
            interior.append(Int.random(in: 0...3, using: &random) / 3)
        }
        return b.pad(x, low: low, high: high, interior: interior, value: pick([0, 0, 0.5]))
    }

    /// With a value of the pool, a constant, or a part of itself.
    private mutating func concatenation(_ x: Value) -> Value {
        let type = b.type(of: x)
        if type.shape.reduce(1, *) > 30 { return x }
        let axis = Int.random(in: 0..<type.rank, using: &random)
        var parts = [x]
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            switch Int.random(in: 0...2, using: &random) {
            case 0: parts.append(operand(type))
            case 1: parts.append(b.constant(pick([0, 0.5]), type))
            default:
                let split = Int.random(in: 0...type.shape[axis], using: &random)
                parts.append(b.slice(x, axis: axis, from: 0, to: split))
                parts.append(b.slice(x, axis: axis, from: split, to: type.shape[axis]))
            }
        }
        return b.concatenate(parts.shuffled(using: &random), axis: axis)
    }

    /// Rows read, or added up, by numbers that are constants or made of a value, some of them outside.
    private mutating func rowsByNumber(_ x: Value) -> Value {
        let type = b.type(of: x)
        let batch = Int.random(in: 0..<type.rank, using: &random)
        let shape = Array(type.shape[...batch])
        let source = Bool.random(using: &random) ? operand(TensorType(type.element, shape)) : nil
        let indices = source.map { b.convert(b.scale(b.tanh($0), by: 4), to: .i32) }
        let numbers = indices ?? b.constant(random.tensor(TensorType(.i32, shape)))
        if Bool.random(using: &random) { return b.gather(x, numbers, batch: batch) }
        return b.scatterAdd(numbers, b.scale(x, by: 0.5), rows: Int.random(in: 1...3, using: &random), batch: batch)
    }

    // MARK: Broadcasts and contractions

    private mutating func broadcast(_ x: Value) -> Value {
        let shape = b.shape(of: x)
        guard shape.count < 3 else { return x }
        let place = Int.random(in: 0...shape.count, using: &random)
        var wider = shape
        wider.insert(Int.random(in: 1...3, using: &random), at: place)
        return b.broadcast(x, to: wider, dimensions: wider.indices.filter { $0 != place })
    }

    /// A convolution with a second operand: the first axis of each is spatial, axes of equal extent are contracted or batch
    /// axes, the others free.
    private mutating func convolution(_ x: Value) -> Value {
        let y = small(b.convert(operand(), to: b.type(of: x).element))
        let (left, right) = (b.shape(of: x), b.shape(of: y))
        if right.isEmpty || left.count + right.count > 6 { return x }
        var lhs = Convolution.Roles(spatial: [0])
        var rhs = Convolution.Roles(spatial: [0])
        var free = Array(right.indices.dropFirst())
        for axis in left.indices.dropFirst() {
            guard let place = free.firstIndex(where: { right[$0] == left[axis] }), Bool.random(using: &random) else {
                lhs.free.append(axis)
                continue
            }
            let other = free.remove(at: place)
            if Bool.random(using: &random) {
                lhs.batch.append(axis)
                rhs.batch.append(other)
            } else {
                lhs.contracted.append(axis)
                rhs.contracted.append(other)
            }
        }
        rhs.free = free
        if 1 + lhs.free.count + rhs.free.count + lhs.batch.count > 3 { return x }
        // Wide enough that no place is without elements.
        let reach = right[0] - 1
        let window = Convolution.Window(
            stride: Int.random(in: 1...2, using: &random), low: Int.random(in: 0...reach, using: &random), high: reach,
            lhsDilation: Int.random(in: 1...2, using: &random), reversed: Bool.random(using: &random))
        return b.scale(b.convolution(x, y, lhs: lhs, rhs: rhs, windows: [window]), by: 0.5)
    }

    /// A contraction with a second operand over a random matching of axes of equal extent; some pairs become batch axes.
    private mutating func contraction(_ x: Value) -> Value {
        let element = b.type(of: x).element
        let y = small(b.convert(operand(), to: element))
        let (left, right) = (b.shape(of: x), b.shape(of: y))
        var batch: (lhs: [Int], rhs: [Int]) = ([], [])
        var contracting: (lhs: [Int], rhs: [Int]) = ([], [])
        var free = Set(right.indices)
        for axis in left.indices.shuffled(using: &random) {
            guard let other = free.sorted().first(where: { right[$0] == left[axis] }) else { continue }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: continue
            case 1:
                batch.lhs.append(axis)
                batch.rhs.append(other)
            default:
                contracting.lhs.append(axis)
                contracting.rhs.append(other)
            }
            free.remove(other)
        }
        let rank = left.count + right.count - batch.lhs.count - 2 * contracting.lhs.count
        if rank > 3 { return b.scale(x, by: 0.25) }
        return b.scale(b.dot(x, y, contracting: contracting, batch: batch), by: 0.5)
    }
}

extension GraphBuilder {
    /// A vector's sum, placed throughout a shape: keeps operands of any shape possible.
    fileprivate func emit(_ vector: Iota, into shape: [Int]) -> Value {
        broadcast(scale(sum(emit(vector)), by: 0.1), to: shape, dimensions: [])
    }
}
