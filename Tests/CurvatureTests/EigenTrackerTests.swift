import Compute
import Foundation
import Graph
import Testing

@testable import Curvature

@Suite struct EigenTrackerTests {
    /// Eigenvalues 1 + t and 2 − t cross at t = ½, while their eigenvectors turn slowly in space.
    @Test func trajectoriesThatCrossKeepTheirIdentities() throws {
        var tracker = EigenTracker()
        var trajectories: [Int: [Double]] = [:]
        var crossings: [Int] = []
        var warmStart: [Vector] = []
        var stream = RandomStream(seed: 2, purpose: .probe)
        for step in 0...20 {
            let t = Double(step) / 20 + 0.01
            let (c, s) = (cos(0.03 * Double(step)), sin(0.03 * Double(step)))
            // In the plane of the first two axes, and a third eigenvalue far below; the rest is 0.
            let values = [1 + t, 2 - t]
            let matrix = FunctionOperator(dimension: 30, element: .f64) { v in
                var w = try Vector(zeros: 30, element: .f64)
                let (a, b) = (c * v[0] + s * v[1], -s * v[0] + c * v[1])
                w[0] = c * values[0] * a - s * values[1] * b
                w[1] = s * values[0] * a + c * values[1] * b
                w[2] = 0.3 * v[2]
                return w
            }
            let pairs = try topEigenpairs(of: matrix, k: 2, tolerance: 1e-8, warmStart: warmStart, stream: &stream)
            warmStart = pairs.warmStart
            let matches = try tracker.follow(pairs)
            for (identity, value) in zip(matches.identities, pairs.values) {
                trajectories[identity, default: []].append(value)
            }
            if step > 0 { for cosine in matches.cosines { #expect(abs(abs(cosine) - cos(0.03)) < 1e-6) } }
            if matches.crossed { crossings.append(step) }
        }
        #expect(crossings == [10])
        #expect(trajectories.count == 2)
        // The first direction starts as the larger one, 2 − t, and goes straight on down.
        for (i, value) in (trajectories[0] ?? []).enumerated() {
            #expect(abs(value - (2 - Double(i) / 20 - 0.01)) < 1e-8)
        }
    }

    @Test func signsContinueAndNewDirectionsGetNewNumbers() throws {
        var tracker = EigenTracker(memory: 1)
        func unit(_ i: Int, _ sign: Double = 1) throws -> Vector {
            var v = try Vector(zeros: 5, element: .f32)
            v[i] = sign
            return v
        }
        #expect(try tracker.follow([unit(0), unit(1)]).identities == [0, 1])
        let second = try tracker.follow([unit(1, -1), unit(2)])
        #expect(second.identities == [1, 2])
        #expect(second.cosines == [-1, 0])
        #expect(second.vectors[0][1] == 1)
        #expect(!second.crossed)
        // Direction 0 was away for one solve and is known again; 2 and 1 have changed their order.
        let third = try tracker.follow([unit(2), unit(1), unit(0)])
        #expect(third.identities == [2, 1, 0])
        #expect(third.crossed)
    }

    @Test func vectorsOfAnotherSpaceAreAnError() throws {
        var tracker = EigenTracker()
        _ = try tracker.follow([Vector([1, 0], element: .f64)])
        #expect(throws: VectorError.differentCounts(2, 3)) { try tracker.follow([Vector([1, 0, 0], element: .f64)]) }
    }

    /// Against all permutations.
    @Test func theAssignmentHasTheLargestSum() {
        var stream = RandomStream(seed: 3, purpose: .probe)
        for (rows, columns) in [(1, 1), (4, 4), (5, 3), (3, 5), (0, 2), (2, 0)] {
            for _ in 0..<20 {
                let gain = DenseMatrix(
                    rows: rows, columns: columns, values: (0..<rows * columns).map { _ in stream.uniform() })
                let choice = Assignment.largestSum(gain)
                let chosen = choice.compactMap { $0 }
                #expect(choice.count == columns && Set(chosen).count == min(rows, columns))
                let sum = choice.indices.reduce(0.0) { total, j in total + (choice[j].map { gain[$0, j] } ?? 0) }
                #expect(abs(sum - best(gain, column: 0, used: [])) < 1e-12)
            }
        }
    }

    private func best(_ gain: DenseMatrix, column: Int, used: Set<Int>) -> Double {
        guard column < gain.columns else { return 0 }
        var result = gain.columns - column > gain.rows - used.count ? best(gain, column: column + 1, used: used) : 0
        for i in 0..<gain.rows where !used.contains(i) {
            result = max(result, gain[i, column] + best(gain, column: column + 1, used: used.union([i])))
        }
        return result
    }
}
