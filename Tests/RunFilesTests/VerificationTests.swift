import Experiments
import Foundation
import Testing

@testable import RunFiles

@Suite struct VerificationTests {
    /// A run of two metrics, one with error bars and one without.
    private func run(
        _ place: borrowing Workplace, kernels: String = "x86-64-v3", loss: Double = 1, sharpness: Double = 40,
        name: String = "edge", parent: RunParent? = nil, digest: String = "d", extra: Bool = false
    ) throws -> RunFileReader {
        let file = try RunFile.create(
            name: name, in: place.url, header: RunHeader(parent: parent, environment: ["kernels": kernels]))
        try file.addEvent(step: 0, kind: "data", message: "", data: ["name": "arrays", "digest": .string(digest)])
        for step in 0...9 { try file.record("loss", step: step, value: step == 7 ? loss : .nan) }
        try file.record("sharpness", step: 5, value: sharpness, standardError: 0.3, samples: 10)
        if extra { try file.record("loss", step: 10, value: 1) }
        try file.close()
        return try RunFile.open(file.url)
    }

    @Test func theSameMachineGivesTheSameBits() throws {
        let place = try Workplace()
        let original = try run(place)
        let same = try Verification().outcome(original, among: [run(place)])
        #expect(same.isWithin && same.tolerance == .none)
        #expect(same.metrics.map(\.points) == [10, 1] && same.metrics.allSatisfy { $0.largest == 0 })
        let nearly = try Verification().outcome(original, among: [run(place, loss: 1.0.nextUp)])
        #expect(!nearly.isWithin && nearly.metrics[0].largest == Double.ulpOfOne && nearly.metrics[0].step == 7)
        let none = try Verification().outcome(original, among: [run(place, loss: .nan)])
        #expect(!none.isWithin && none.metrics[0].largest == .infinity)
    }

    /// √(0.3² + 0.3²) is 0.424: four of that are 1.70.
    @Test(arguments: [
        (1.0, 41.6, true), (1.0, 41.8, false), (1.0, 38.4, true), (1.0009, 40, true), (1.0011, 40, false),
        (.infinity, 40, false),
    ])
    func onAnotherMachineErrorBarsDecideAndElseAShare(loss: Double, sharpness: Double, isWithin: Bool) throws {
        let place = try Workplace()
        let original = try run(place)
        let outcome = try Verification().outcome(
            original, among: [run(place, kernels: "x86-64-v4", loss: loss, sharpness: sharpness)])
        #expect(outcome.isWithin == isWithin)
        #expect(outcome.tolerance == .errorBars(else: 1e-3, because: "kernels: x86-64-v3 there, x86-64-v4 here"))
    }

    @Test func aForkIsComparedWithTheSameFork() throws {
        let place = try Workplace()
        let parents = [3, 4].map { RunParent(uuid: UUID(), name: "base", step: $0) }
        let original = try run(place, loss: 2, name: "branch", parent: parents[1])
        let other = RunParent(uuid: UUID(), name: "base", step: 4)
        let made = [
            try run(place, name: "branch", parent: parents[0]), try run(place, name: "branch"),
            try run(place, loss: 3, name: "branch", parent: other),
            try run(place, loss: 2, name: "branch", parent: other),
        ]
        #expect(try Verification().outcome(original, among: made).isWithin)
        let without = try Verification().outcome(original, among: Array(made[..<2]))
        #expect(!without.isWithin && without.failures[0].contains("made no run 'branch' as this fork"))
        #expect(without.failures[0].contains("its data were 'arrays', digest d"))
    }

    @Test func whatIsMissingAndOtherDataAreNamed() throws {
        let place = try Workplace()
        let original = try run(place, extra: true)
        let outcome = try Verification().outcome(original, among: [run(place, digest: "e")])
        #expect(outcome.metrics[0].missing == 1 && !outcome.isWithin)
        #expect(outcome.failures[0].contains("the data 'arrays' are not those of the file: digest d there, e here"))
        // What was measured beyond that is no fault.
        #expect(try Verification().outcome(run(place), among: [run(place, extra: true)]).isWithin)
    }
}
