import Compute
import Foundation
import Graph
import SmallNetworks
import Testing

@testable import Networks
@testable import Objectives

/// A problem whose curvature matrices are written out by hand: Jacobians by central differences of what `evaluate` gives, the
/// second derivatives of the loss in closed form.
///
/// Differences in f64 with step 1e-5 have errors of about 1e-10 of the functions' size.
struct DenseCurvature: Sendable, CustomTestStringConvertible {
    enum Kind: String, CaseIterable {
        case crossEntropy, mse, halfMSE, mseMean, binary, function, convolutional, ghostBatches, runningStatistics
        case recurrent, maskedSamples, maskedPlaces, maskedPlacesOfMSE
    }

    let kind: Kind
    var testDescription: String { kind.rawValue }

    static let all = Kind.allCases.map(DenseCurvature.init)

    func make(chunk: Int = 1024) throws -> (oracle: Oracle, theta: Vector) {
        switch kind {
        case .crossEntropy: try perceptron(.crossEntropy, .tanh, chunk)
        case .mse: try perceptron(.mse, .silu, chunk)
        case .halfMSE: try perceptron(.halfMSE, .softplus, chunk)
        case .mseMean: try perceptron(.mseMean, .elu, chunk)
        case .binary:
            try made(
                .multilayerPerceptron(
                    inputShape: [4], hidden: [3, 3], outputs: 1, activation: .tanh, initScale: 1, seed: 3, element: .f64
                ),
                inputs: 4, chunk: chunk
            ) { try Objective(model: $0, loss: .binaryCrossEntropy) }
        case .function:
            try made(
                .multilayerPerceptron(
                    inputShape: [4], hidden: [3], outputs: 3, activation: .tanh, initScale: 1, seed: 3, element: .f64),
                inputs: 4, chunk: chunk
            ) { model in
                // As a script writes one: Σ (f − y)⁴ + (Σ f)².
                try Objective(model: model, lossName: "function") { output, target in
                    let sum = try output.sum()
                    return try (output - target).power(4).sum() + sum * sum
                }
            }
        case .convolutional:
            try made(
                .convnet(
                    inputShape: [1, 4, 4], channels: [2], outputs: 3, activation: .gelu, pooling: .average, seed: 4,
                    element: .f64), inputs: 16, chunk: chunk
            ) { try Objective(model: $0, loss: .crossEntropy) }
        case .ghostBatches, .runningStatistics:
            try made(normalisedModel(), inputs: 5, chunk: chunk, use: kind == .ghostBatches ? .batch : .running) {
                try Objective(model: $0, loss: .mse)
            }
        case .recurrent:
            // A scan, with a target at each of three places.
            try made(
                Model(
                    name: "recurrent",
                    layer: Layer { x, scope in
                        let hidden = try Layer.lstmCell(2)(x, in: scope["cell"])
                        return try Layer.linear(nil, 2)(hidden, in: scope["head"])
                    }, inputShape: [3, 2], seed: 4, element: .f64), inputs: 6, chunk: chunk
            ) { try Objective(model: $0, loss: .mse, positions: [3]) }
        case .maskedSamples:
            try made(
                .multilayerPerceptron(
                    inputShape: [4], hidden: [3], outputs: 3, activation: .tanh, initScale: 1, seed: 3, element: .f64),
                inputs: 4, chunk: chunk, kept: [1, 2, 4, 7, 10]
            ) { try Objective(model: $0, loss: .crossEntropy) }
        case .maskedPlaces: try sequence(.crossEntropy, chunk)
        case .maskedPlacesOfMSE: try sequence(.mse, chunk)
        }
    }

    private func perceptron(_ loss: LossName, _ activation: Activation, _ chunk: Int) throws -> (Oracle, Vector) {
        let problem = try Problem(activation, loss: loss, hidden: [4, 3], chunk: chunk)
        return (problem.oracle, problem.theta)
    }

    private func sequence(_ loss: LossName, _ chunk: Int) throws -> (Oracle, Vector) {
        let oracle = try MaskedPositions.oracle(loss, chunk: chunk)
        return (oracle, oracle.model.initial)
    }

    private func made(
        _ model: Model, inputs: Int, chunk: Int, use: StatisticsUse = .batch, kept: [Int]? = nil,
        _ objective: (Model) throws -> Objective
    ) throws -> (Oracle, Vector) {
        var samples = try RandomSamples(
            count: 12, inputs: inputs, outputs: model.outputCount, oneHot: model.outputCount > 1)
        if let kept { samples.mask = SampleMask(positions: 1, isKept: (0..<12).map(kept.contains)) }
        let oracle = try Oracle(
            objective: objective(model), samples: samples, use: use, chunk: chunk, ghostBatch: 5)
        if !model.statistics.isEmpty {
            var stream = RandomStream(seed: 6, purpose: .test)
            let values = (0..<model.buffers.count).map { _ in 0.5 + stream.uniform() }
            try oracle.running.assign(try Vector(values, element: .f64))
        }
        var stream = RandomStream(seed: 5, purpose: .test)
        let noise = try Vector.randomNormal(count: model.layout.count, element: .f64, stream: &stream)
        return (oracle, try model.initial + 0.1 * noise)
    }

    /// The matrix, column by column.
    func dense(_ matrix: CurvatureMatrix, _ oracle: Oracle, _ theta: Vector) throws -> [[Double]] {
        func columns(_ values: (Vector) throws -> [Double]) throws -> [[Double]] {
            try (0..<theta.count).map { index in
                var unit = [Double](repeating: 0, count: theta.count)
                unit[index] = 1e-5
                let step = try Vector(unit, element: .f64)
                return try zip(values(theta + step), values(theta - step)).map { ($0 - $1) / 2e-5 }
            }
        }
        switch matrix {
        case .hessian: return try columns { try oracle.gradient(at: $0).gradient.values }
        case .fisher:
            let jacobian = try columns { try oracle.evaluate(at: $0).losses.values }
            let weights = placeWeights(oracle)
            let places = weights.count / oracle.samples.count
            let shares = (0..<oracle.samples.count).map { i in
                weights[i * places..<(i + 1) * places].reduce(0, +)
            }
            return product(jacobian, jacobian) { $0 * shares[$1] }
        case .ntk, .ggn:
            let jacobian = try columns { try oracle.evaluate(at: $0).outputs.values }
            let weights = placeWeights(oracle)
            let width = jacobian[0].count / weights.count
            if matrix == .ntk { return product(jacobian, jacobian) { $0 * weights[$1 / width] } }
            let outputs = try oracle.evaluate(at: theta).outputs
            let targets = targets(oracle)
            // Row by row of the blocks: C J.
            let blocks = (0..<weights.count).map { place in
                curvature(
                    Array(outputs[place * width..<(place + 1) * width]),
                    Array(targets[place * width..<(place + 1) * width]))
            }
            let curved = jacobian.map { column in
                column.indices.map { row in
                    let (place, k) = row.quotientAndRemainder(dividingBy: width)
                    return weights[place]
                        * (0..<width).reduce(0) { $0 + blocks[place][k][$1] * column[place * width + $1] }
                }
            }
            return product(jacobian, curved) { value, _ in value }
        }
    }

    private func product(
        _ a: [[Double]], _ b: [[Double]], _ weighted: (Double, Int) -> Double
    ) -> [[Double]] {
        b.map { x in a.map { y in x.indices.reduce(0) { $0 + weighted(x[$1] * y[$1], $1) } } }
    }

    /// The weight of each sample's or place's loss.
    private func placeWeights(_ oracle: Oracle) -> [Double] {
        let kept =
            oracle.samples.mask?.isKept
            ?? [Bool](repeating: true, count: oracle.samples.count * oracle.objective.positionCount)
        let count = Double(kept.count { $0 })
        return kept.map { $0 ? 1 / count : 0 }
    }

    private func targets(_ oracle: Oracle) -> [Double] {
        guard let samples = oracle.samples as? RandomSamples else { return [] }
        return samples.targetValues
    }

    /// ∇²_f ℓ.
    private func curvature(_ f: [Double], _ y: [Double]) -> [[Double]] {
        func diagonal(_ value: (Int) -> Double) -> [[Double]] {
            f.indices.map { i in f.indices.map { $0 == i ? value(i) : 0 } }
        }
        switch kind {
        case .mse, .recurrent, .ghostBatches, .runningStatistics, .maskedPlacesOfMSE: return diagonal { _ in 2 }
        case .halfMSE: return diagonal { _ in 1 }
        case .mseMean: return diagonal { _ in 2 / Double(f.count) }
        case .binary: return diagonal { 1 / (1 + exp(-f[$0])) / (1 + exp(f[$0])) }
        case .function:
            return f.indices.map { i in
                f.indices.map { 2 + ($0 == i ? 12 * (f[i] - y[i]) * (f[i] - y[i]) : 0) }
            }
        case .crossEntropy, .convolutional, .maskedSamples, .maskedPlaces:
            let sum = f.reduce(0) { $0 + exp($1) }
            let p = f.map { exp($0) / sum }
            return p.indices.map { i in p.indices.map { ($0 == i ? p[i] : 0) - p[i] * p[$0] } }
        }
    }
}
