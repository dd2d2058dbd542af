import Compute
import Testing

@testable import Graph

@Suite struct SinkingTransposes {
    /// Elements of the smallest activation of the network below but those at the flattening.
    private static let network = ConvolutionalNetwork(channels: [3, 8, 8, 8], size: (12, 12), outputs: 4)

    /// The transpositions of a graph that move activations, the network's parameters having fewer elements than these.
    private func transposes(_ graph: Graph) -> [TensorType] {
        graph.nodes.filter { $0.operation is Transpose }.map { graph.type(of: $0.result) }
    }

    private func inputs(_ graph: Graph, seed: Int) -> [Tensor] {
        var random = SplitMix(seed)
        return graph.inputs.map { 0.3 * random.tensor($0.type) }
    }

    /// What a graph's transpositions move: batches of what is flattened, weight gradients, or other things.
    private struct Moves: Equatable {
        var flattened = 0
        var weights = 0
        var others: [TensorType] = []

        init(_ graph: Graph, batch: [Int]) {
            for node in graph.nodes where node.operation is Transpose {
                let (to, from) = (graph.type(of: node.result), graph.type(of: node.operands[0]))
                if to.shape == batch + [8, 4, 4] || from.shape == batch + [8, 4, 4] {
                    flattened += 1
                } else if to.shape == [8, 8, 3, 3] || to.shape == [8, 3, 3, 3] {
                    weights += 1
                } else {
                    others.append(to)
                }
            }
        }
    }

    @Test func inTheGradientOfAConvolutionalNetworkOnlyTheFlatteningAndTheWeightGradientsMove() throws {
        let graph = try Self.network.gradient(4)
        let optimized = graph.optimized()
        let moves = Moves(optimized, batch: [4])
        #expect(moves.others == [], "\(optimized)")
        #expect(moves.flattened <= 2 && moves.weights == 3)
        let inputs = inputs(graph, seed: 1)
        #expect(distance(try Interpreter.run(graph, inputs), try Interpreter.run(optimized, inputs)) < 1e-12)
    }

    @Test func soItIsInTheProductWithTheHessian() throws {
        let split = try Self.network.linearizedGradient(4)
        for graph in [split.point, split.linear] {
            let optimized = graph.optimized()
            let moves = Moves(optimized, batch: [4])
            #expect(moves.others == [], "\(optimized)")
            #expect(moves.flattened <= 2 && moves.weights <= 3)
            let inputs = inputs(graph, seed: 2)
            #expect(distance(try Interpreter.run(graph, inputs), try Interpreter.run(optimized, inputs)) < 1e-12)
        }
    }

    @Test func soItIsInTheCurvatureOfBatches() throws {
        let graph = try Self.network.curvature(4, stack: 2)
        let optimized = graph.optimized()
        let moves = Moves(optimized, batch: [2, 4])
        #expect(moves.others == [], "\(optimized)")
        // Activation, and tangent; no gradient leaves the graph.
        #expect(moves.flattened <= 3 && moves.weights == 0)
    }

    @Test func aTranspositionThatOnlyMovesThroughIsAbsorbed() throws {
        // A broadcast, a comparison, a selection, a slice, a pad, a concatenation and a sum between a convolution and a product.
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [2, 3, 6]))
        let w = b.input("w", TensorType(.f64, [4, 3, 3]))
        let roles = Convolution.Roles(free: [0], contracted: [1], spatial: [2])
        let y = b.transpose(b.convolution(x, w, lhs: roles, rhs: roles, windows: [.init()]), [0, 2, 1])
        let bias = b.broadcast(b.input("b", TensorType(.f64, [4])), to: [2, 4, 4], dimensions: [1])
        let shifted = b.add(y, bias)
        let positive = b.select(b.compare(shifted, .gt, bias), b.exponential(shifted), b.negate(shifted))
        let part = b.slice(positive, axis: 2, from: 1, to: 4)
        let padded = b.pad(part, low: [0, 1, 0], high: [0, 0, 2], interior: [0, 0, 1])
        let joined = b.concatenate([padded, b.reverse(padded, dimensions: [1, 2])], axis: 2)
        let split = b.reshape(joined, to: [2, 5, 2, 7])
        let means = b.sum(split, dimensions: [2])
        let z = b.dot(means, b.input("v", TensorType(.f64, [5, 7])), contracting: ([1, 2], [0, 1]))
        let graph = b.build(outputs: [("z", z)])
        let simplified = graph.simplified()
        #expect(transposes(graph).count == 1 && transposes(simplified).isEmpty, "\(simplified)")
        let inputs = inputs(graph, seed: 3)
        #expect(distance(try Interpreter.run(graph, inputs), try Interpreter.run(simplified, inputs)) < 1e-12)
    }

    @Test func axesOfExtentOneLieAnywhere() {
        // Pooled to one pixel the channels are last whether the image comes first or not.
        let b = GraphBuilder()
        let x = b.transpose(b.input("x", TensorType(.f64, [3, 2, 2, 5])), [0, 3, 1, 2])
        let pooled = b.max(b.reshape(b.tanh(x), to: [3, 5, 1, 2, 1, 2]), dimensions: [3, 5])
        let y = b.matmul(b.reshape(pooled, to: [3, 5]), b.input("w", TensorType(.f64, [5, 4])))
        let simplified = b.build(outputs: [("y", y)]).simplified()
        #expect(transposes(simplified).isEmpty, "\(simplified)")
    }

    @Test func whatWouldMoveMoreElementsStays() {
        // Before the sum: one tensor moved. Behind it: the other and the result.
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [3, 5]))
        let y = b.input("y", TensorType(.f64, [5, 3]))
        let graph = b.build(outputs: [("z", b.tanh(b.add(b.transpose(x, [1, 0]), y)))])
        #expect(sinkTransposes(graph) == graph)
    }

    @Test func aTranspositionIsPutWhereItMovesLess() throws {
        // Behind the sum over the last axis, not before; and before the broadcast.
        let b = GraphBuilder()
        let x = b.transpose(b.input("x", TensorType(.f64, [3, 5, 7])), [1, 0, 2])
        let v = b.transpose(b.input("v", TensorType(.f64, [3, 5])), [1, 0])
        let sum = b.sum(b.exponential(b.add(x, b.broadcast(v, to: [5, 3, 7], dimensions: [0, 1]))), dimensions: [2])
        let graph = b.build(outputs: [("y", sum)])
        let simplified = graph.simplified()
        #expect(transposes(simplified).map(\.shape) == [[5, 3]], "\(simplified)")
        #expect(simplified.simplified() == simplified)
    }

    @Test func aSplitAxisMayMoveAsAWholeButNotInParts() {
        func graph(_ reshaped: [Int], _ permutation: [Int]) -> Graph {
            let b = GraphBuilder()
            let x = b.transpose(b.input("x", TensorType(.f64, [4, 6, 5])), permutation)
            let y = b.reshape(b.exponential(x), to: reshaped)
            let back = b.transpose(y, reshaped.indices.reversed())
            return b.build(outputs: [("y", back)])
        }
        // [5, 4, 6] split: the transposition goes through, and both together remain one of the result's.
        #expect(transposes(graph([5, 2, 2, 6], [2, 0, 1]).simplified()).count == 1)
        // [5, 4, 6] merged across what was apart: both remain.
        #expect(transposes(graph([20, 6], [2, 0, 1]).simplified()).count == 2)
    }

    @Test func randomProgramsWithTranspositionsMeanTheSameAndMoveNoMore() throws {
        var sunk = 0
        for seed in 0..<300 {
            var random = SplitMix(seed)
            let graph = RandomLayouts(seed: seed).graph
            let simplified = graph.simplified()
            let inputs = random.tensors(for: graph)
            #expect(
                distance(try Interpreter.run(graph, inputs), try Interpreter.run(simplified, inputs)) < 1e-12,
                "\(graph)")
            let pass = sinkTransposes(graph)
            #expect(distance(try Interpreter.run(graph, inputs), try Interpreter.run(pass, inputs)) < 1e-12, "\(graph)")
            #expect(pass.elementsTransposed() <= graph.elementsTransposed() || pass == graph)
            if pass != graph { sunk += 1 }
            #expect(sinkTransposes(graph) == pass)
        }
        #expect(sunk > 50, "\(sunk)")
    }
}

/// Random programs of the operations that layouts are carried through, rich in transpositions.
private struct RandomLayouts {
    private var random: SplitMix
    private let b = GraphBuilder()
    private var values: [Value] = []

    init(seed: Int) { random = SplitMix(seed) }

    var graph: Graph {
        var copy = self
        return copy.build()
    }

    private mutating func build() -> Graph {
        for index in 0..<3 {
            let shape = (0..<Int.random(in: 2...4, using: &random)).map { _ in Int.random(in: 1...3, using: &random) }
            values.append(b.input("x\(index)", TensorType(.f64, shape)))
        }
        for _ in 0..<14 { values.append(step()) }
        return b.build(outputs: [("y", values[values.count - 1]), ("z", values[values.count - 5])])
    }

    private mutating func pick() -> Value {
        values[Int.random(in: max(0, values.count - 6)..<values.count, using: &random)]
    }

    /// Another value of the shape, where need be by transposing one of that volume.
    private mutating func partner(_ shape: [Int]) -> Value? {
        let same = values.filter { b.shape(of: $0).sorted() == shape.sorted() }
        guard let other = same.randomElement(using: &random) else { return nil }
        var free = Array(shape.indices)
        let own = b.shape(of: other)
        let permutation = shape.map { extent -> Int in
            let place = free.indices.first { own[free[$0]] == extent } ?? 0
            return free.remove(at: place)
        }
        return b.transpose(other, permutation)
    }

    private mutating func step() -> Value {
        let x = pick()
        let shape = b.shape(of: x)
        let axes = Array(shape.indices)
        switch Int.random(in: 0..<14, using: &random) {
        case 0, 1, 2: return b.transpose(x, axes.shuffled(using: &random))
        case 3, 4:
            guard let y = partner(shape) else { return b.tanh(x) }
            return b.tanh(b.add(x, y))
        case 5:
            guard let y = partner(shape) else { return b.tanh(x) }
            return b.select(b.compare(x, .lt, y), y, b.scale(x, by: 0.5))
        case 6:
            guard let axis = axes.randomElement(using: &random), shape.count > 1 else { return x }
            return Bool.random(using: &random)
                ? b.scale(b.sum(x, dimensions: [axis]), by: 0.5) : b.max(x, dimensions: [axis])
        case 7:
            guard shape.count < 4 else { return b.negate(x) }
            let place = Int.random(in: 0...shape.count, using: &random)
            var wider = shape
            wider.insert(2, at: place)
            return b.broadcast(x, to: wider, dimensions: wider.indices.filter { $0 != place })
        case 8:
            guard let axis = axes.randomElement(using: &random) else { return x }
            return b.slice(x, axis: axis, from: shape[axis] / 2, to: shape[axis])
        case 9:
            let amounts = axes.map { _ in Int.random(in: 0...1, using: &random) }
            guard b.type(of: x).count < 100 else { return b.negate(x) }
            return b.pad(x, low: amounts, high: amounts.reversed(), interior: axes.map { _ in 0 })
        case 10:
            guard let y = partner(shape), let axis = axes.randomElement(using: &random), b.type(of: x).count < 100
            else {
                return b.negate(x)
            }
            return b.concatenate([x, y], axis: axis)
        case 11: return b.reverse(x, dimensions: axes.filter { _ in Bool.random(using: &random) })
        case 12:
            // Merges two neighbouring axes, or splits one with a factor of two.
            if let axis = axes.first(where: { shape[$0] % 2 == 0 && shape[$0] > 0 }), shape.count < 4 {
                return b.reshape(x, to: Array(shape[..<axis]) + [2, shape[axis] / 2] + Array(shape[(axis + 1)...]))
            }
            guard shape.count > 2 else { return x }
            let axis = Int.random(in: 0..<shape.count - 1, using: &random)
            return b.reshape(
                x, to: Array(shape[..<axis]) + [shape[axis] * shape[axis + 1]] + Array(shape[(axis + 2)...]))
        default:
            let y = pick()
            let other = b.shape(of: y)
            guard let left = axes.randomElement(using: &random), let right = other.firstIndex(of: shape[left]) else {
                return x
            }
            if shape.count + other.count > 6 { return x }
            // Further pairs of one extent become batch axes.
            if let second = axes.first(where: { $0 != left && other.indices.contains($0) && shape[$0] == other[$0] }),
                second != right
            {
                return b.scale(
                    b.dot(x, y, contracting: ([left], [right]), batch: ([second], [second])), by: 0.3)
            }
            return b.scale(b.dot(x, y, contracting: ([left], [right])), by: 0.3)
        }
    }
}

@Suite struct MinimumCuts {
    /// The cheapest of all ways to put the nodes on two sides.
    @Test func theCutFoundIsTheCheapestOfAll() {
        var random = SplitMix(12)
        for _ in 0..<100 {
            var cut = MinimumCut()
            let nodes = (0..<6).map { _ in cut.addNode() }
            let all = [MinimumCut.first, MinimumCut.second] + nodes
            var edges: [(Int, Int, Int)] = []
            for _ in 0..<20 {
                let ends = all.shuffled(using: &random)
                edges.append((ends[0], ends[1], Int.random(in: 1...9, using: &random)))
            }
            for (tail, head, capacity) in edges { cut.addEdge(from: tail, to: head, capacity: capacity) }
            let isFirst = cut.solve()
            func cost(_ isFirst: (Int) -> Bool) -> Int {
                edges.reduce(0) { isFirst($1.0) && !isFirst($1.1) ? $0 + $1.2 : $0 }
            }
            let costs = (0..<64).map { sides -> (cost: Int, size: Int) in
                let isOnFirst = { (node: Int) in node == MinimumCut.first || (node >= 2 && sides >> (node - 2) & 1 == 1)
                }
                return (cost(isOnFirst), sides.nonzeroBitCount)
            }
            let least = costs.map(\.cost).min() ?? 0
            #expect(cost { isFirst[$0] } == least && cut.flow == least)
            // Of the cheapest the one with the most nodes on the first side.
            #expect(nodes.filter { isFirst[$0] }.count == costs.filter { $0.cost == least }.map(\.size).max())
        }
    }
}
