import Compute
import Foundation
import Graph
import Synchronization
import Testing

@testable import Networks

@Suite(.serialized) struct InitializationCancellation {
    private static let initializers: [Initializer] = [
        .normal(std: 1), .uniform(from: -1, to: 1), .truncatedNormal(std: 1), .repeating([1, 2, 3]),
    ]

    private func model(_ initializer: Initializer, _ shape: [Int], _ element: ElementType = .f32) throws -> Model {
        try Model(
            name: "numbers", element: element,
            parameters: [.init(name: "w", shape: shape, initializer: initializer)], inputShape: [], seed: 4
        ) { x, p in try p[0].sum([0]).sum() * x }
    }

    /// All of it takes a second, an answer milliseconds; a machine that is busy elsewhere may take its time.
    @Test(arguments: initializers) func initialValuesThatAreCancelledEnd(initializer: Initializer) throws {
        let cancellation = Cancellation()
        let asked = Mutex<ContinuousClock.Instant?>(nil)
        // No task: those wait for threads that tests work on.
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.05)
            asked.withLock { $0 = .now }
            cancellation.request()
        }
        #expect(throws: Cancelled.self) {
            try Cancellation.$current.withValue(cancellation) { _ = try model(initializer, [10_000, 20_000]) }
        }
        let ended = ContinuousClock.now
        #expect(try #require(asked.withLock { $0 }).duration(to: ended) < .seconds(5))
    }

    /// Parameters are filled in stretches, between which it is asked: a seed names the same ones.
    @Test(arguments: [ElementType.f32, .f64]) func initialValuesDoNotDependOnStretches(element: ElementType) throws {
        let count = (1 << 16) + 3
        func expected(_ draw: (inout RandomStream) -> Double) -> [Double] {
            var stream = RandomStream(seed: 4, purpose: .initialisation)
            return (0..<count).map { _ in element == .f32 ? Double(Float(draw(&stream))) : draw(&stream) }
        }
        #expect(try model(.normal(std: 0.3), [count], element).initial.values == expected { 0.3 * $0.normal() })
        #expect(
            try model(.uniform(from: -1, to: 3), [count], element).initial.values == expected { -1 + 4 * $0.uniform() })
        let repeated = try model(.repeating([1, 2, 3]), [count], element).initial.values
        #expect(repeated.enumerated().allSatisfy { $1 == Double($0 % 3 + 1) })
        #expect(try model(.zeros, [count], element).initial.values.allSatisfy { $0 == 0 })
    }
}
