import Compute
import Graph
import Testing

@testable import Networks
@testable import Objectives

/// Derivatives to third order of networks with normalisations written out by hand, against central differences: with a step h
/// their error is h²/6 times the next derivative but one, which normalisations make large, and 1e-16/h from rounding.
@Suite struct DerivativesThroughNormalisations {
    private static let step = 1e-5
    private static let tolerance = 1e-7

    enum Normalisation: String, CaseIterable, Sendable { case layer, batch, batchOverPlaces, both }

    /// Two linear layers with the normalisation and tanh between them; all parts are those of one sample.
    static func model(_ kind: Normalisation) throws -> Model {
        let usesBatch = kind != .layer
        return try Model(
            name: kind.rawValue, element: .f64,
            parameters: [
                .init(name: "first", shape: [6, 5], initializer: .normal(std: 0.6)),
                .init(name: "scale", shape: [6], initializer: .normal(std: 0.3, mean: 1)),
                .init(name: "shift", shape: [6], initializer: .normal(std: 0.3)),
                .init(name: "second", shape: [3, 6], initializer: .normal(std: 0.6)),
            ], statistics: usesBatch ? [.init(name: "norm", shape: [kind == .batchOverPlaces ? 2 : 6])] : [],
            inputShape: [5], seed: 12
        ) { x, p, statistics in
            var z = try p[0].dot(x)
            if kind == .layer || kind == .both {
                let difference = try z - z.mean()
                z = try difference / ((difference * difference).mean() + 1e-5).sqrt()
            }
            if kind == .batchOverPlaces {
                // Two channels of three places.
                let places = try z.reshaped(to: [2, 3])
                let (mean, variance) = try statistics.moments("norm", of: places, over: [1])
                let normal = try (places - mean.reshaped(to: [2, 1])) / (variance.reshaped(to: [2, 1]) + 1e-5).sqrt()
                z = try normal.reshaped(to: [6])
            } else if usesBatch {
                let (mean, variance) = try statistics.moments("norm", of: z, over: [])
                z = try (z - mean) / (variance + 1e-5).sqrt()
            }
            return try p[3].dot((p[1] * z + p[2]).tanh())
        }
    }

    private func problem(_ kind: Normalisation, _ loss: LossName) throws -> (Oracle, Vector, Vector, Vector) {
        let oracle = try Oracle(
            objective: Objective(model: Self.model(kind), loss: loss),
            samples: RandomSamples(count: 9, inputs: 5, outputs: 3, oneHot: loss == .crossEntropy), ghostBatch: 5)
        var stream = RandomStream(seed: 6, purpose: .test)
        func draw() throws -> Vector {
            let v = try Vector.randomNormal(count: oracle.layout.count, element: .f64, stream: &stream)
            return try v / v.norm()
        }
        return (oracle, oracle.model.initial, try draw(), try draw())
    }

    @Test(arguments: Normalisation.allCases, [LossName.mse, .crossEntropy])
    func theyAreSlopesOfEachOther(_ kind: Normalisation, _ loss: LossName) throws {
        let (oracle, theta, u, v) = try problem(kind, loss)
        let (plus, minus) = (try theta + Self.step * u, try theta - Self.step * u)
        func slope(_ f: (Vector) throws -> Vector) throws -> Vector {
            try (f(plus) - f(minus)) / (2 * Self.step)
        }
        let gradient = try oracle.gradient(at: theta).gradient
        let rise = (try oracle.evaluate(at: plus).loss - oracle.evaluate(at: minus).loss) / (2 * Self.step)
        #expect(abs(try gradient.dot(u) - rise) < Self.tolerance * max(1, abs(rise)))
        let product = try oracle.linearize(at: theta).apply(u)
        #expect(try relativeDifference(product, slope { try oracle.gradient(at: $0).gradient }) < Self.tolerance)
        let third = try oracle.directional(at: theta, along: [u, v])
        let other = try slope { try oracle.directional(at: $0, along: [v]) }
        #expect(try relativeDifference(third, other) < Self.tolerance)
    }

    @Test(arguments: Normalisation.allCases)
    func theHessianIsSymmetricAndItsFormAgrees(_ kind: Normalisation) throws {
        let (oracle, theta, u, v) = try problem(kind, .crossEntropy)
        let hessian = try oracle.linearize(at: theta)
        let (a, b) = (try u.dot(hessian.apply(v)), try v.dot(hessian.apply(u)))
        #expect(abs(a - b) < 1e-10 * max(abs(a), 1))
        let form = try oracle.quadratic(at: theta, along: v)
        #expect(abs(form - (try v.dot(hessian.apply(v)))) < 1e-11 * max(1, abs(form)))
        #expect(try relativeDifference(oracle.directional(at: theta, along: [v]), hessian.apply(v)) < 1e-11)
    }
}
