import Experiments
import Foundation
import RunFiles
import Testing

/// Looking at a file that is being written.
@Suite struct RunFollowerTests {
    @Test func aLookSeesWhatWasCommittedSince() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        try file.record("loss", step: 0, value: 4)
        try file.commit()
        let follower = try RunFollower(file.url)
        let first = try #require(try follower.look())
        #expect(first.series.map(\.name) == ["loss"] && first.series[0].tail.last?.value == 4 && first.hasNewValues)
        #expect(first.state == "running" && !follower.isOver)
        #expect(try follower.look() == nil, "nothing was written")
        for step in 1...1500 { try file.record("loss", step: step, value: Double(step)) }
        try file.record("sharpness", step: 10, value: 5, standardError: 0.5)
        file.note(step: 1500, alert: "late")
        try file.commit()
        let second = try #require(try follower.look())
        #expect(
            second.series.map { $0.tail.last?.step } == [1500, 10] && second.step == 1500 && second.alert == "late")
        #expect(second.series[0].tail.map(\.step) == Array(1501 - RunFollower.tailLength...1500))
        try file.addNote("no values")
        try file.commit()
        let third = try follower.look()
        #expect(third?.hasNewValues == false)
        try file.close()
        #expect(try follower.look()?.state == "done" && follower.isOver)
        #expect(try follower.end().state == "done")
    }

    @Test func aFileThatAnotherProgramHasForItselfIsWaitedFor() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        try file.record("loss", step: 0, value: 4)
        try file.commit()
        let follower = try RunFollower(file.url)
        let lock = try ExclusiveLock(file.url)
        #expect(try follower.look() == nil)
        #expect(follower.obstacle?.contains("another program has locked it") == true && !follower.isOver)
        try lock.letGo()
        #expect(try follower.look()?.series.count == 1 && follower.obstacle == nil)
        try file.close()
    }

    /// No lock is held between two looks: the writer's exclusive one is to be had at once.
    @Test func theWriterNeverWaits() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        let follower = try RunFollower(file.url)
        for step in 0..<50 {
            try file.record("loss", step: step, value: 1)
            try file.commit()
            #expect(try follower.look()?.series.first?.tail.last?.step == step)
            #expect(RunFile.locked.allSatisfy { $0.path != file.url.path })
        }
        #expect(!FileManager.default.fileExists(atPath: file.url.path + "-spill"))
        try file.close()
    }
}
