import Foundation
import Testing

@testable import Sweeps

/// A sweep's folder may come from a stranger: its links lead nowhere, and its numbers end nothing.
@Suite struct StrangerSweepTests {
    @Test func aLinkIsNoLog() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let target = folder.appendingPathComponent("mine.txt")
        try "mine".write(to: target, atomically: true, encoding: .utf8)
        let link = folder.appendingPathComponent("log.txt")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
        #expect(throws: SweepError.self) { _ = try PointLock(link) }
        #expect(!PointLock.isHeld(link))
        #expect(try String(contentsOf: target, encoding: .utf8) == "mine")
    }

    @Test(arguments: [Int.max, 1 << 62, 10_001, 0, -1])
    func seedsAreCountedBeforeTheyAreMade(_ repeats: Int) {
        #expect(throws: SweepError.self) { _ = try SweepPlan([SweepPlan.Axis("a", [])], repeats: repeats) }
    }
}
