import Compute
import Foundation
import Synchronization
import Testing

@testable import Datasets

/// Work that takes seconds and more, and what it is called.
private struct LongWork: Sendable, CustomStringConvertible {
    let description: String
    let body: @Sendable () throws -> Void

    init(_ description: String, _ body: @escaping @Sendable () throws -> Void) {
        (self.description, self.body) = (description, body)
    }

    private static let table: Data = {
        let line = (0..<50).map { "\($0).25" }.joined(separator: ",") + "\n"
        return Data(String(repeating: line, count: 50_000).utf8)
    }()

    static let all: [LongWork] = [
        LongWork("orthogonal") { _ = try Dataset.orthogonal(n: 3000, dimension: 3000) },
        LongWork("deep_linear") { _ = try Dataset.deepLinear(n: 3000, dimension: 3000) },
        // The product with the matrix alone.
        LongWork("deep_linear, targets") { _ = try Dataset.deepLinear(n: 40_000, dimension: 5, outputs: 20_000) },
        LongWork("gaussian_mixture") { _ = try Dataset.gaussianMixture(n: 200_000, dimension: 200) },
        // The corners of the simplex alone.
        LongWork("gaussian_mixture, means") {
            _ = try Dataset.gaussianMixture(n: 2000, classes: 2000, dimension: 2000)
        },
        LongWork("teacher_student") { _ = try Dataset.teacherStudent(TeacherOptions(n: 1_000_000, inputs: 50)) },
        // The answers of a wide teacher alone.
        LongWork("teacher_student, targets") {
            var options = TeacherOptions(n: 20_000, inputs: 2)
            options.hidden = [1000, 1000]
            _ = try Dataset.teacherStudent(options)
        },
        LongWork("sorting") { _ = try Dataset.sorting(n: 50_000, length: 200) },
        LongWork("chebyshev") { _ = try Dataset.chebyshev(degree: 3, n: 20_000_000) },
        LongWork("csv") {
            var options = CSVOptions()
            options.areClasses = false
            _ = try Dataset.csv(table, name: "numbers", options)
        },
    ]
}

@Suite(.serialized) struct DataCancellation {
    /// An answer takes milliseconds; a machine that is busy elsewhere may take its time.
    @Test(arguments: LongWork.all) private func longWorkThatIsCancelledEnds(work: LongWork) throws {
        let cancellation = Cancellation()
        let asked = Mutex<ContinuousClock.Instant?>(nil)
        // No task: those wait for threads that tests work on.
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.05)
            asked.withLock { $0 = .now }
            cancellation.request()
        }
        #expect(throws: Cancelled.self) {
            try Cancellation.$current.withValue(cancellation, operation: work.body)
        }
        let ended = ContinuousClock.now
        #expect(try #require(asked.withLock { $0 }).duration(to: ended) < .seconds(5))
    }

    @Test func aViewThatIsCancelledIsMadeWhenItIsAskedForAgain() throws {
        let numbers = try NDArray((0..<100_000).map(Double.init), shape: [50_000, 2])
        let labels = try NDArray((0..<50_000).map { Int32($0 % 3) })
        let data = try Dataset.arrays(inputs: numbers, answers: .labels(labels))
        let cancellation = Cancellation()
        cancellation.request()
        Cancellation.$current.withValue(cancellation) {
            #expect(throws: Cancelled.self) { try data.train.inputs(as: .f32) }
            #expect(throws: Cancelled.self) { try data.train.targets(as: .f32) }
            #expect(throws: Cancelled.self) { try data.subset(.first(40_000)) }
            #expect(throws: Cancelled.self) { try Dataset.arrays(inputs: numbers, answers: .labels(labels)) }
        }
        cancellation.clear()
        try Cancellation.$current.withValue(cancellation) {
            #expect(try values(data.train.inputs(as: .f32)).joined().elementsEqual((0..<100_000).map(Double.init)))
            let targets = try values(data.train.targets(as: .f32))
            #expect(targets[49_999] == [0, 1, 0] && targets.allSatisfy { $0.reduce(0, +) == 1 })
        }
    }

    /// Numbers are made in stretches, between which it is asked: a seed names the same ones.
    @Test func numbersDoNotDependOnTheirStretches() throws {
        let count = (3 << 16) + 5
        var (whole, parts) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        var (stream, other) = (RandomStream(seed: 3, purpose: .test), RandomStream(seed: 3, purpose: .test))
        #expect(stream.nextUInt32() == other.nextUInt32())
        whole.withUnsafeMutableBufferPointer { stream.fillNormal($0, std: 0.3) }
        try parts.withUnsafeMutableBufferPointer { try other.fillNormal(asking: $0, std: 0.3) }
        #expect(whole == parts && stream == other)
        #expect((0..<count).stretches.map(\.count) == [1 << 16, 1 << 16, 1 << 16, 5])
        #expect(Array((7..<7).stretches) == [] && Array((2..<9).stretches) == [2..<9])
    }
}
