import Foundation
import Testing

@testable import LivePage

/// Curves in few points.
@Suite struct CurveEnvelopeTests {
    private func envelope(of values: [Double], capacity: Int = 600) -> CurveEnvelope {
        var curve = CurveEnvelope(capacity: capacity)
        for (step, value) in values.enumerated() { curve.add(step, value) }
        return curve
    }

    @Test func aShortCurveIsAllThere() {
        let points = envelope(of: [3, 1, 2]).points
        #expect(points.map(\.step) == [0, 1, 2] && points.map(\.value) == [3, 1, 2])
        #expect(envelope(of: []).points.isEmpty)
    }

    @Test func ofAMillionValuesOneSpikeTheFirstAndTheLastAreThere() {
        var values = (0..<1_000_000).map { Double($0 % 7) }
        (values[0], values[777_777], values[999_999]) = (3.5, 1e6, 2.5)
        let curve = envelope(of: values)
        let points = curve.points
        #expect(points.count <= 1203 && curve.count == 1_000_000)
        #expect(points.contains(.init(step: 777_777, value: 1e6)))
        #expect(points.first == .init(step: 0, value: 3.5) && points.last == .init(step: 999_999, value: 2.5))
        #expect(zip(points, points.dropFirst()).allSatisfy { $0.step < $1.step })
    }

    /// Every stretch of steps shows its least and its greatest value: the picture has the outline of the whole curve.
    @Test(arguments: [2, 3, 7, 64])
    func theOutlineIsThatOfAllValues(capacity: Int) throws {
        let values = (0..<1000).map { sin(Double($0 * $0)) }
        let curve = envelope(of: values, capacity: capacity)
        #expect(curve.points.count <= 2 * capacity + 2)
        #expect(curve.points.map(\.value).min() == values.min() && curve.points.map(\.value).max() == values.max())
        #expect(curve.points.allSatisfy { values[$0.step] == $0.value })
    }

    @Test func whatIsNoFiniteNumberIsShownBesideTheOthers() {
        var values = (0..<10_000).map { _ in 1.0 }
        (values[5000], values[7000]) = (.nan, -.infinity)
        let odd = envelope(of: values, capacity: 20).points.filter { !$0.value.isFinite }
        #expect(odd.map(\.step) == [5000, 7000])
        #expect(envelope(of: [.nan, .nan]).points.count == 2)
    }
}
