import Graph

/// Random programs of all operations with shapes that fit; the same for the same seed.
struct RandomGraphs {
    private var random: TestRandom
    init(seed: UInt64) { random = TestRandom(seed) }

    mutating func graph(operations: Int) -> Graph {
        let b = GraphBuilder()
        let extents = [1, 2, 3, 5, 8, 17]
        var values: [Value] = []
        for index in 0..<3 {
            let shape = (0..<random.below(4)).map { _ in random.pick(extents) }
            values.append(b.input("x\(index)", TensorType(random.pick([.f32, .f64]), shape)))
        }
        for _ in 0..<operations {
            let x = random.pick(values)
            if let made = operation(on: x, of: values, b) { values.append(made) }
        }
        let outputs = (0..<4).map {
            (name: "y\($0)", value: $0 < 2 ? values[values.count - 1 - $0] : random.pick(values))
        }
        return b.build(outputs: outputs)
    }

    private mutating func operation(on x: Value, of values: [Value], _ b: GraphBuilder) -> Value? {
        let type = b.type(of: x)
        let peers = values.filter { b.type(of: $0) == type }
        let y = random.pick(peers)
        let axes = Array(type.shape.indices)
        switch random.below(18) {
        case 0: return type.element.isFloating ? b.tanh(x) : b.convert(x, to: .f32)
        case 1: return type.element.isFloating ? b.logistic(x) : nil
        case 2: return type.element == .bool ? b.compare(x, .ne, y) : b.add(x, y)
        case 3: return type.element == .bool ? nil : b.multiply(x, y)
        case 4: return type.element == .bool ? nil : b.select(b.compare(x, .gt, y), x, b.negate(y))
        case 5: return b.convert(x, to: random.pick([.f32, .f64]))
        case 6: return b.transpose(x, permutation(axes))
        case 7:
            guard type.element != .bool else { return nil }
            let dimensions = axes.filter { _ in random.below(2) == 0 }
            return random.below(2) == 0
                ? b.scale(b.sum(x, dimensions: dimensions), by: 0.25) : b.max(x, dimensions: dimensions)
        case 8:
            guard type.rank < 4 else { return nil }
            let place = random.below(type.rank + 1)
            var shape = type.shape
            shape.insert(random.pick([2, 3]), at: place)
            guard shape.reduce(1, *) < 20_000 else { return nil }
            return b.broadcast(x, to: shape, dimensions: shape.indices.filter { $0 != place })
        case 9: return b.reshape(x, to: type.shape.reversed())
        case 10: return b.detach(x)
        case 11: return slice(x, b)
        case 12: return b.reverse(x, dimensions: axes.filter { _ in random.below(2) == 0 })
        case 13: return pad(x, b)
        case 14: return concatenation(x, y, b)
        case 15: return type.element.isFloating ? b.erf(b.batchMean(x)) : nil
        case 16: return rows(x, b)
        default:
            guard type.element.isFloating, type.rank > 0, type.shape.reduce(1, *) < 400 else { return nil }
            let contracted = axes.filter { _ in random.below(2) == 0 }
            let batch = axes.filter { !contracted.contains($0) && random.below(2) == 0 }
            return b.scale(b.dot(x, y, contracting: (contracted, contracted), batch: (batch, batch)), by: 0.125)
        }
    }

    private mutating func slice(_ x: Value, _ b: GraphBuilder) -> Value {
        let shape = b.shape(of: x)
        // Often of the outermost axis alone: such a slice is read where it lies.
        let leading = random.below(2) == 0
        let starts = shape.indices.map { leading && $0 > 0 ? 0 : random.below(shape[$0] + 1) }
        let limits = shape.indices.map { axis in
            leading && axis > 0 ? shape[axis] : starts[axis] + random.below(shape[axis] - starts[axis] + 1)
        }
        return b.slice(x, starts: starts, limits: limits, strides: shape.map { _ in leading ? 1 : 1 + random.below(3) })
    }

    private mutating func pad(_ x: Value, _ b: GraphBuilder) -> Value? {
        let shape = b.shape(of: x)
        let interior = shape.map { _ in random.below(3) / 2 }
        let low = shape.map { _ in random.below(4) - 1 }
        let high = shape.map { _ in random.below(4) - 1 }
        let padded = shape.indices.map { shape[$0] + max(0, shape[$0] - 1) * interior[$0] + low[$0] + high[$0] }
        guard padded.allSatisfy({ $0 >= 0 }), padded.reduce(1, *) < 20_000 else { return nil }
        return b.pad(x, low: low, high: high, interior: interior, value: random.below(2) == 0 ? 0 : 1)
    }

    private mutating func concatenation(_ x: Value, _ y: Value, _ b: GraphBuilder) -> Value? {
        let shape = b.shape(of: x)
        guard !shape.isEmpty, shape.reduce(1, *) < 4000 else { return nil }
        return b.concatenate([x, y, x], axis: random.below(2) == 0 ? 0 : random.below(shape.count))
    }

    private mutating func rows(_ x: Value, _ b: GraphBuilder) -> Value? {
        let type = b.type(of: x)
        guard type.rank > 0, type.element != .bool, !type.shape.contains(0) else { return nil }
        let batch = random.below(type.rank)
        let count = 1 + random.below(6)
        let shape = type.shape[..<batch] + [count]
        // Some outside: they are taken as the nearest.
        let indices = b.constant(
            Tensor(
                TensorType(.i32, Array(shape)),
                (0..<shape.reduce(1, *)).map { _ in Double(random.below(type.shape[batch] + 4) - 2) }))
        let gathered = b.gather(x, indices, batch: batch)
        return random.below(2) == 0
            ? gathered : b.scatterAdd(indices, gathered, rows: 1 + random.below(5), batch: batch)
    }

    private mutating func permutation(_ axes: [Int]) -> [Int] {
        var axes = axes
        for index in axes.indices.dropFirst().reversed() { axes.swapAt(index, random.below(index + 1)) }
        return axes
    }
}
