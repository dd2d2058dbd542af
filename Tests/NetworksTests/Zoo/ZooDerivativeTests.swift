import Graph
import SmallNetworks
import Testing

@testable import Networks

/// Central differences in f64: with a step of 1e-5 along a direction of length 1 the rounding of values near 1 gives about 1e-11,
/// the next derivative but one about 1e-10 of itself. Networks with normalisation of few numbers bend more: a factor of a
/// thousand is left.
private let step = 1e-5
private let tolerance = 1e-7

@Suite struct DerivativesOfTheZoo {
    @Test(arguments: Zoo.entries + Zoo.layers)
    func threeOrdersAreTheSlopesOfTheOnesBelow(_ entry: ZooEntry) throws {
        let f = try ModelDerivatives(entry.make(.f64), samples: entry.samples, tokens: entry.tokens)
        let (u, v) = (f.direction(1), f.direction(2))
        let (forward, backward) = (moved(f.theta, step, u), moved(f.theta, -step, u))
        let gradient = try f.gradient(f.theta)
        #expect(gradient.allSatisfy { $0.isFinite })
        let slope = try (f.loss(forward) - f.loss(backward)) / (2 * step)
        #expect(abs(dot(gradient, u) - slope) <= tolerance * max(1e-2, abs(slope)))

        #expect(dot(gradient, gradient) > 1e-6, "a network that is dead here shows nothing")
        let (along, across) = (try f.product(f.theta, u), try f.product(f.theta, v))
        let bend = try zip(f.gradient(forward), f.gradient(backward)).map { ($0 - $1) / (2 * step) }
        #expect(distance(along, bend) < tolerance)
        let (a, b) = (dot(along, v), dot(across, u))
        #expect(abs(a - b) <= 1e-10 * max(1e-2, abs(a)))

        #expect(dot(along, along) > 1e-12)
        let third = try f.third(f.theta, u, v)
        let turn = try zip(f.product(forward, v), f.product(backward, v)).map { ($0 - $1) / (2 * step) }
        #expect(distance(third, turn) < 10 * tolerance)
    }
}
