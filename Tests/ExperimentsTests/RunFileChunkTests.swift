import Compute
import Foundation
import GRDB
import Testing

@testable import Experiments

/// Values in columns: what is in them is what was recorded, wherever a series was cut, replaced or left.
@Suite struct RunFileChunkTests {
    private func size(_ url: URL) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int)
    }

    private func count(_ sql: String, in url: URL) throws -> Int {
        let queue = try DatabaseQueue(path: url.path)
        return try queue.read { db in try Int.fetchOne(db, sql: sql) ?? 0 }
    }

    /// Ten values at each step: the file has 12 bytes for each at most (a million steps are 120 MB), and what a run holds of them does
    /// not grow with the run.
    @Test func aValueTakesTwelveBytesAtMost() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        let names = (0..<10).map { "metric \($0)" }
        var held = names.map { RecordedSeries(name: $0) }
        for index in held.indices { held[index].kept = 2048 }
        let steps = 30_000
        for step in 0..<steps {
            for (index, name) in names.enumerated() {
                let measured = Experiments.Measurement(
                    step: step, value: sin(Double(10 * step + index)), seconds: 1e-6, operations: 0)
                let isLong = held[index].append(measured)
                try file.record(name, measured)
                if isLong {
                    // As a second's steps are, by the time that the next thousand is there.
                    try file.commit()
                    held[index].release(before: file.isCompleteBefore, in: file.url)
                }
            }
        }
        try file.commit()
        let bytes = held.reduce(0) { $0 + $1.byteCount }
        #expect(bytes <= 10 * 8 * 5200, "\(bytes) bytes in memory")
        #expect(try held[3].series().values == (0..<steps).map { sin(Double(10 * $0 + 3)) })
        #expect(try held[3].series(from: 100, to: 20_000).steps == Array(100...20_000))
        #expect(try held[3].series(from: steps - 3).steps == [steps - 3, steps - 2, steps - 1])
        #expect(held[3].last == sin(Double(10 * (steps - 1) + 3)))
        try file.close()
        let stored = try size(file.url)
        #expect(stored <= 12 * 10 * steps, "\(Double(stored) / Double(10 * steps)) bytes a value")
        let read = try RunFile.open(file.url)
        #expect(try read.series("metric 7").map(\.value) == (0..<steps).map { sin(Double(10 * $0 + 7)) })
        let cost = try #require(try read.costs().first)
        #expect(cost.count == steps && cost.operations == 0 && abs(cost.seconds / (1e-6 * Double(steps)) - 1) < 1e-9)
    }

    /// Measurements with and without something beside them, in one series, at steps without a rule.
    @Test func whatIsPackedIsReadBackBitForBit() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        var expected: [Experiments.Measurement] = []
        var step = -5
        for index in 0..<5000 {
            step += 1 + (index * index) % 7
            var measured = Experiments.Measurement(step: step, value: Double(index) / 3)
            switch index % 50 {
            case 0: measured.value = -0.0
            case 1: measured.value = .nan
            case 2: measured.value = -.infinity
            case 3: measured.operations = Double(index)
            case 4: (measured.samples, measured.standardError) = (3, 0.5)
            case 5: (measured.value, measured.residual) = (-0.0, 1e-3)
            default: break
            }
            expected.append(measured)
            try file.record("s", measured)
            if index % 700 == 0 { try file.commit() }
        }
        try file.close()
        let read = try RunFile.open(file.url)
        func isSame(_ a: [Experiments.Measurement], _ b: [Experiments.Measurement]) -> Bool {
            a.count == b.count
                && zip(a, b).allSatisfy { a, b in
                    a.step == b.step && a.value.bitPattern == b.value.bitPattern && a.operations == b.operations
                        && a.samples == b.samples && a.standardError == b.standardError && a.residual == b.residual
                }
        }
        #expect(isSame(try read.series("s"), expected))
        let middle = expected.filter { (1000...7000).contains($0.step) }
        #expect(isSame(try read.series("s", from: 1000, to: 7000), middle))
        let values = try read.values(of: "s", from: 1000, to: 7000)
        #expect(values.values.map(\.bitPattern) == middle.map(\.value.bitPattern) && values.steps == middle.map(\.step))
        #expect(try read.series("s", from: step + 1).isEmpty && read.values(of: "s", to: -5).count == 0)
        #expect(try count("SELECT count(*) FROM chunk", in: file.url) <= 5)
        #expect(try read.costs()[0].count == 5000)
    }

    /// A step that comes again, with or without a standard error, or out of order, has one value: the last.
    @Test func aStepHasOneValue() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        for step in 0..<3000 { try file.record("s", step: step, value: 0) }
        try file.commit()
        for step in [2999, 1500, 3] { try file.record("s", step: step, value: 1) }
        try file.record("s", step: 2998, value: 2, standardError: 0.5)
        try file.record("s", step: -4, value: 3)
        try file.record("s", step: 3000, value: 4)
        try file.commit()
        try file.record("s", step: 3000, value: 5)
        try file.record("s", step: 3001, value: 6, standardError: 1)
        try file.record("s", step: 3001, value: 7)
        try file.record("s", step: 3002, value: 8)
        try file.close()
        let read = try RunFile.open(file.url).series("s")
        #expect(read.map(\.step) == [-4] + Array(0...3002))
        var expected = [3.0] + [Double](repeating: 0, count: 3003)
        for (step, value) in [(3, 1.0), (1500, 1), (2998, 2), (2999, 1), (3000, 5), (3001, 7), (3002, 8)] {
            expected[step + 1] = value
        }
        #expect(read.map(\.value) == expected)
        #expect(read[2999].standardError == 0.5 && read[3002].standardError == nil)
    }

    /// Half of the values have an error bar, and a row; each such step is later than all before, also those in columns.
    @Test func valuesWithAndWithoutErrorBarsTakeTurnsInOneSeries() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        let count = 25_000
        for step in 0..<count {
            try file.record("s", step: step, value: Double(step), standardError: step % 2 == 0 ? 0.5 : nil)
        }
        try file.record("s", step: 2, value: -2)
        try file.record("s", step: 3, value: -3, standardError: 1)
        try file.close()
        let read = try RunFile.open(file.url).series("s")
        #expect(read.map(\.step) == Array(0..<count))
        #expect(read.map(\.value) == [0, 1, -2, -3] + (4..<count).map(Double.init))
        #expect(read.enumerated().allSatisfy { ($1.standardError != nil) == ($0 == 3 || $0 != 2 && $0 % 2 == 0) })
    }

    /// A file that is cut has what came before, and goes on in its open chunk.
    @Test(arguments: [-1, 0, 700, 1023, 1024, 2000, 4999, 6000]) func aCutLeavesWhatCameBefore(step: Int) throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        for step in 0..<5000 {
            try file.record("s", step: step, value: Double(step))
            if step % 900 == 0 { try file.record("t", step: step, value: 1, standardError: 1) }
            if step % 1000 == 0 { try file.commit() }
        }
        try file.close()
        let again = try RunFile.reopen(file.url)
        try again.cut(after: step)
        let end = min(step, 4999)
        #expect(try RunFile.open(file.url).series("s").map(\.step) == Array(0..<end + 1))
        #expect(try RunFile.open(file.url).series("t").map(\.step) == (0..<end + 1).filter { $0 % 900 == 0 })
        for next in end + 1..<end + 300 {
            try again.record("s", step: next, value: -1)
            if next % 100 == 0 { try again.commit() }
        }
        try again.close()
        let read = try RunFile.open(file.url).series("s")
        #expect(read.map(\.step) == Array(0..<end + 300))
        #expect(read.allSatisfy { $0.value == ($0.step <= end ? Double($0.step) : -1) })
        // What was open goes on: no chunk but the last one is short.
        let short = try count("SELECT count(*) FROM chunk WHERE count < \(MeasurementChunk.capacity)", in: file.url)
        #expect(short <= 1)
    }

    /// While another program has a lock, nothing can be removed: that is said, and nothing is changed.
    @Test func aLockedFileIsNotCut() throws {
        let folder = try TemporaryFolder()
        var limits = RunFileWriter.Limits()
        (limits.patience, limits.retry) = (0.05, 0.05)
        let file = try RunFile(name: "a", directory: folder.url, header: RunHeader(), limits: limits)
        for step in 0..<100 { try file.record("s", step: step, value: 0) }
        try file.commit()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: file.url.path, configuration: configuration)
        try other.inDatabase { db in try db.execute(sql: "BEGIN; SELECT count(*) FROM chunk") }
        #expect(throws: RunFileError.self) { try file.cut(after: 50) }
        for step in 100..<200 { try file.record("s", step: step, value: 1) }
        try file.commit()
        try other.close()
        file.writer.waitForLock()
        #expect(try RunFile.open(file.url).series("s").map(\.step) == Array(0..<200))
        try file.cut(after: 50)
        try file.record("s", step: 51, value: 2)
        try file.close()
        #expect(try RunFile.open(file.url).series("s").map(\.step) == Array(0...51))
        #expect(try count("SELECT count(*) FROM chunk", in: file.url) == 1)
    }

    /// A run that goes back, and a fork that does not: each has its own values, those before the fork as they were then.
    @Test func aForkKeepsWhatItsRunForgets() throws {
        let folder = try TemporaryFolder()
        let url = folder.url
        let run = try SmallRun.make()
        run.makeFile = { try RunFile.create(name: $0.name, in: url) }
        try run.track(ValueProbe("rate"), every: 1)
        run.recorded["rate"]?.kept = 2048
        try run.train(TrainingGoal(step: 3))
        try run.checkpoint()
        for step in stride(from: 1000, through: 8000, by: 1000) {
            try run.train(TrainingGoal(step: step))
            try run.file?.commit()
        }
        let held = try #require(run.recorded["rate"]).byteCount
        #expect(held < 8 * 5200 && held > 0)
        let fork = try run.fork(name: "fork")
        try fork.train(TrainingGoal(step: 8010))
        try run.rewind(to: 3)
        #expect(try run.series("rate").steps == Array(0...3))
        try run.setLearningRate(0.01)
        try run.train(TrainingGoal(step: 20))
        #expect(try run.series("rate").values == (0...20).map { $0 <= 3 ? 0.02 : 0.01 })
        #expect(try fork.series("rate").steps == Array(0...8010))
        #expect(try fork.series("rate").values.allSatisfy { $0 == 0.02 })
        #expect(fork.lastValue(of: "rate") == 0.02)
        try run.file?.close()
        try fork.file?.close()
        #expect(try RunFile.open(url.appendingPathComponent("small.eoss")).series("rate").count == 21)
        #expect(
            try RunFile.open(url.appendingPathComponent("fork.eoss")).series("rate").map(\.step) == Array(8001...8010))
    }
}

/// The learning rate, which costs nothing.
private final class ValueProbe: MemorylessProbe {
    let seriesNames: [String]
    init(_ name: String) { seriesNames = [name] }
    func measure(
        _ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream
    ) throws -> [Experiments.Measurement] {
        [Experiments.Measurement(step: run.step, value: run.learningRate)]
    }
}
