import Compute
import Graph
import SmallNetworks
import Testing

@testable import Networks
@testable import Objectives

/// Tokens below a bound, with targets drawn from N(0, 1).
private final class TokenSamples: SampleSource, @unchecked Sendable {
    let count: Int
    let inputShape: [Int]
    let targetShape: [Int]
    private let tokens: Buffer
    private let targets: Vector

    init(count: Int, length: Int, tokens most: Int, targets shape: [Int], element: ElementType) throws {
        var stream = RandomStream(seed: 7, purpose: .test)
        (self.count, inputShape, targetShape) = (count, [length], shape)
        tokens = try MemoryAccount.shared.allocate(bytes: 4 * count * length, for: "tokens")
        for i in 0..<count * length {
            tokens.base.storeBytes(of: Int32(stream.below(most)), toByteOffset: 4 * i, as: Int32.self)
        }
        targets = try Vector.randomNormal(count: count * shape.reduce(1, *), element: element, stream: &stream)
    }

    func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        (UnsafeRawPointer(tokens.base), targets.withUnsafeBytes { $0.baseAddress! })
    }

    func gather(
        _ indices: UnsafeBufferPointer<Int>, as elements: SampleElements, inputs: UnsafeMutableRawPointer,
        targets: UnsafeMutableRawPointer
    ) throws { preconditionFailure("all samples are taken") }
}

extension Oracle {
    /// Directions from N(0, 1).
    fileprivate func directions(_ count: Int) throws -> [Vector] {
        var stream = RandomStream(seed: 11, purpose: .test)
        return try (0..<count).map { _ in
            try Vector.randomNormal(count: layout.count, element: element, stream: &stream)
        }
    }
}

@Suite struct BlocksOfProducts {
    private func oracle(_ entry: ZooEntry, _ element: ElementType, _ engine: Engine = .shared) throws -> Oracle {
        let model = try entry.make(element)
        let objective = try Objective(model: model, loss: .mse)
        let samples: any SampleSource =
            entry.tokens > 0
            ? try TokenSamples(
                count: 6, length: model.inputShape[0], tokens: entry.tokens, targets: model.outputShape,
                element: element)
            : try RandomSamples(
                count: 6, inputs: model.inputShape.reduce(1, *), outputs: model.outputShape.reduce(1, *),
                element: element)
        return try Oracle(objective: objective, samples: samples, engine: engine)
    }

    /// The same plans run, so that also the bits are the same.
    @Test(
        arguments: Zoo.entries.filter {
            ["mlp", "fc, batch norm", "cnn", "convnet, elu, batch norm", "transformer", "lstm"].contains($0.name)
        }, [ElementType.f32, .f64])
    func areTheSingleProductsWhateverTheThreads(_ entry: ZooEntry, _ element: ElementType) throws {
        let single = try oracle(entry, element, Engine(threads: 1))
        let directions = try single.directions(5)
        let product = try single.linearize(at: single.model.initial)
        let expected = try directions.map { try product.apply($0) }
        let forms = try directions.map { try product.quadratic(block: [$0])[0] }
        #expect(expected.allSatisfy { $0.isFinite && $0.norm() > 0 })
        for threads in 1...3 {
            let oracle = try oracle(entry, element, Engine(threads: threads))
            let block = try oracle.linearize(at: oracle.model.initial)
            for (mine, theirs) in zip(try block.apply(block: directions), expected) {
                #expect(mine.hasSameBits(as: theirs), "\(threads) threads")
            }
            #expect(try block.quadratic(block: directions) == forms, "\(threads) threads")
        }
    }

    /// By pieces of the data, with and without room to keep what the point gives.
    @Test(arguments: [CurvatureMatrix.hessian, .ggn, .fisher, .ntk])
    func addUpOverPiecesAndNeedNoRoom(_ matrix: CurvatureMatrix) throws {
        let whole = try Problem(.tanh, loss: .crossEntropy, samples: 20, hidden: [16, 16])
        let pieces = try Problem(.tanh, loss: .crossEntropy, samples: 20, hidden: [16, 16], chunk: 8)
        let directions = try whole.oracle.directions(4)
        let one = try whole.oracle.linearize(matrix, at: whole.theta)
        let kept = try pieces.oracle.linearize(matrix, at: pieces.theta)
        let anew = try LinearizedProduct(
            matrix, oracle: pieces.oracle, theta: pieces.theta, rows: pieces.oracle.rows(of: .all), room: 0)
        let products = (
            try one.apply(block: directions), try kept.apply(block: directions), try anew.apply(block: directions)
        )
        #expect(kept.pieces == 3 && kept.recomputedPieces == 0 && anew.recomputedPieces == 3)
        let forms = (
            try one.quadratic(block: directions), try kept.quadratic(block: directions),
            try anew.quadratic(block: directions)
        )
        for i in directions.indices {
            #expect(products.1[i].hasSameBits(as: products.2[i]))
            #expect(try products.1[i].hasSameBits(as: kept.apply(directions[i])))
            #expect(forms.1[i] == forms.2[i])
            // Rounding in f64 of sums of a few thousand terms.
            #expect(try relativeDifference(products.1[i], products.0[i]) < 1e-13)
            let expected = try directions[i].dot(products.0[i])
            for form in [forms.0[i], forms.1[i]] { #expect(abs(form - expected) < 1e-11 * abs(expected)) }
        }
    }

    /// What is computed anew is computed once for a block; the meter of work shows it.
    @Test func computeThePointOnceForAll() throws {
        let problem = try Problem(samples: 20, hidden: [16, 16], chunk: 8)
        let directions = try problem.oracle.directions(4)
        let product = try LinearizedProduct(
            oracle: problem.oracle, theta: problem.theta, rows: problem.oracle.rows(of: .all), room: 0)
        func work(_ body: () throws -> Void) rethrows -> Double {
            let before = problem.oracle.work
            try body()
            return problem.oracle.work - before
        }
        _ = try product.apply(directions[0])
        let single = try work { _ = try product.apply(directions[0]) }
        let block = try work { _ = try product.apply(block: directions) }
        let kept = try problem.oracle.linearize(at: problem.theta)
        _ = try kept.apply(directions[0])
        let linear = try work { _ = try kept.apply(directions[0]) }
        #expect(try product.productWork == single)
        #expect(abs(block - (single + 3 * linear)) < 1e-9 * block)
    }

    @Test func anEmptyBlockHasNoProducts() throws {
        let problem = try Problem()
        let product = try problem.oracle.linearize(at: problem.theta)
        #expect(try product.apply(block: []).isEmpty)
        #expect(try product.quadratic(block: []).isEmpty)
    }
}

/// Contractions of what is walked for each vector, in units of samples times weights, as a plan executes them.
@Suite struct ContractionsAtAFixedPoint {
    private func multiplyAdds(_ graphs: Linearized) -> Double {
        Double(graphs.linear.optimized().cost().multiplyAdds)
    }

    /// Of the first layer, whose inputs have no tangents, 2 and 1; of the others 6 and 3. Of biases and outputs there is little.
    @Test func areSixALayerForAProductAndThreeForAQuadraticForm() throws {
        let (widths, n) = ([60, 50, 40, 30], 64)
        let model = try Model.multilayerPerceptron(
            inputShape: [widths[0]], hidden: Array(widths[1...2]), outputs: widths[3], activation: .tanh, seed: 1)
        let weights = zip(widths, widths.dropFirst()).map { Double($0 * $1) }
        for loss in [LossName.mse, .crossEntropy] {
            let objective = try Objective(model: model, loss: loss)
            let product = multiplyAdds(try objective.linearized(count: n, adding: false))
            let form = multiplyAdds(try objective.linearizedQuadratic(count: n))
            let later = weights.dropFirst().reduce(0, +)
            let most = Double(n) * 20 * Double(widths.dropFirst().reduce(0, +))
            #expect((0...most).contains(product - Double(n) * (2 * weights[0] + 6 * later)))
            #expect((0...most).contains(form - Double(n) * (weights[0] + 3 * later)))
        }
    }

    /// Everything of the point is in the point's graph: none of the backward sweep is left.
    @Test func ofAConvolutionalNetworkAQuadraticFormTakesHalfOfAProduct() throws {
        let model = try Model.cnn(
            inputShape: [3, 16, 16], channels: [8, 8, 8], hidden: 16, outputs: 4, activation: .tanh, seed: 1)
        let objective = try Objective(model: model, loss: .mse)
        let product = multiplyAdds(try objective.linearized(count: 8, adding: false))
        let form = multiplyAdds(try objective.linearizedQuadratic(count: 8))
        #expect(form < 0.52 * product)
    }
}
