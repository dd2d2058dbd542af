import Foundation
import Synchronization
import Testing

@testable import ScriptAPI
@testable import eoss

@Suite struct CommandLineProgressTests {
    private let quickstart = TrainingSnapshot(
        run: "lr-switch", step: 3450, lastStep: 12_000, loss: 0.012_345,
        tracked: [
            TrainingSnapshot.Tracked(name: "batch_sharpness", value: 33.2, edge: 40),
            TrainingSnapshot.Tracked(name: "lambda_max", value: 18.44, edge: 40),
            TrainingSnapshot.Tracked(name: "weight_norm", value: 12_345_678),
        ], stepsPerSecond: 1234.4, secondsLeft: 6.93)

    @Test func aProgressLineSaysWhereTheTrainingIs() {
        #expect(
            quickstart.line(width: 200)
                == "lr-switch  3,450/12,000  loss 0.0123  batch_sharpness 33.2 (0.830 of edge)  "
                + "lambda_max 18.4 (0.461 of edge)  weight_norm 1.23e+07  1,234 steps/s  7 s left")
    }

    @Test func aNarrowTerminalGetsFewerItemsButNeverHalfOnes() {
        #expect(quickstart.line(width: 80) == "lr-switch  3,450/12,000  loss 0.0123  1,234 steps/s  7 s left")
        #expect(quickstart.line(width: 45) == "lr-switch  3,450/12,000")
        for width in 0...200 { #expect(quickstart.line(width: width).count <= width) }
    }

    @Test(arguments: [
        (0.0, "0 s"), (58.2, "59 s"), (59.2, "1:00 min"), (61, "1:01 min"), (3599, "59:59 min"), (3600, "1:00 h"),
        (100_000, "27:46 h"), (-5, "0 s"), (1e300, "2777777:46 h"),
    ])
    func timeLeftIsTold(seconds: Double, text: String) {
        let progress = TrainingSnapshot(run: "r", step: 1, tracked: [], secondsLeft: seconds)
        #expect(progress.line(width: 100) == "r  1  \(text) left")
    }

    /// A log of a day has some thousand lines, however often the training says how far it is.
    @Test func aLogGetsALineEachHalfMinuteWithHowFarTheTrainingIsThen() {
        let time = Mutex(1000.0)
        let lines = Mutex<[String]>([])
        let console = Console(
            quiet: false, style: .line, now: { time.withLock { $0 } },
            say: { line in lines.withLock { $0.append(line) } })
        // From the 1,000th second on ten times a second, for 95 s; a pause of 100 s; once more.
        for tenth in 1...950 {
            time.withLock { $0 = 1000 + Double(tenth) / 10 }
            console.progress(TrainingSnapshot(run: "r", step: tenth, tracked: []))
        }
        console.message("a message is no line of progress")
        time.withLock { $0 += 100 }
        for step in 951...952 { console.progress(TrainingSnapshot(run: "r", step: step, tracked: [])) }
        console.clear()
        #expect(
            lines.withLock { $0 }
                == ["r  300\n", "r  600\n", "r  900\n", "a message is no line of progress\n", "r  951\n"])
    }

    @Test(arguments: [(true, ProgressStyle.line), (false, .off), (true, .auto)])
    func whoWantsNoProgressGetsNone(quiet: Bool, style: ProgressStyle) {
        let lines = Mutex<[String]>([])
        let console = Console(
            quiet: quiet, style: style, now: { .infinity }, say: { line in lines.withLock { $0.append(line) } })
        console.progress(TrainingSnapshot(run: "r", step: 1, tracked: []))
        #expect(!console.showsProgress && lines.withLock { $0.isEmpty })
    }

    @Test func valuesThatAreNoNumbersAreShownAsTheyAre() {
        let progress = TrainingSnapshot(
            run: "r", step: -1, loss: .nan,
            tracked: [TrainingSnapshot.Tracked(name: "a", value: .infinity, edge: 0)], stepsPerSecond: .infinity,
            secondsLeft: .nan)
        #expect(progress.line(width: 100) == "r  -1  loss nan  a inf  inf steps/s")
    }
}

@Suite struct CommandLineInterruptTests {
    private func policy(interactive: Bool, running: Bool = true) -> InterruptPolicy {
        var policy = InterruptPolicy()
        policy.prompt = interactive ? .terminal : .none
        policy.running = running
        return policy
    }

    @Test func controlCPausesThenStopsThenWarnsThenLeavesWhereThereIsAPrompt() {
        var policy = policy(interactive: true)
        #expect(policy.received(SIGINT, at: 10) == .pause)
        #expect(policy.received(SIGINT, at: 11) == .stop)
        #expect(policy.received(SIGINT, at: 12.9) == .warn)
        #expect(policy.received(SIGINT, at: 100) == .leave, "however long after the warning")
    }

    @Test func aStopThatIsNotAnsweredWarnsOnceWhereThereIsAPromptAndLeavesWhereThereIsNone() {
        var policy = policy(interactive: true)
        _ = policy.received(SIGINT, at: 10)
        _ = policy.received(SIGINT, at: 11)
        #expect(policy.unanswered() == .warn && policy.unanswered() == .nothing)
        #expect(policy.received(SIGINT, at: 50) == .leave)
        var alone = self.policy(interactive: false)
        #expect(alone.received(SIGINT, at: 10) == .stop && alone.unanswered() == .leave)
        var terminated = self.policy(interactive: true)
        #expect(terminated.received(SIGTERM, at: 10) == .stop && terminated.unanswered() == .leave)
    }

    @Test func aSecondControlCMuchLaterIsAFirstOne() {
        var policy = policy(interactive: true)
        #expect(policy.received(SIGINT, at: 10) == .pause)
        #expect(policy.received(SIGINT, at: 12.1) == .pause)
        policy.answered()
        #expect(policy.received(SIGINT, at: 12.2) == .pause)
    }

    @Test func aControlCThatComesLateIsNotOneOfWhatRunsNow() {
        var policy = policy(interactive: true)
        #expect(policy.received(SIGINT, at: 10, isLate: true) == .nothing)
        #expect(policy.received(SIGINT, at: 10.1) == .pause, "and it does not count")
        #expect(policy.received(SIGTERM, at: 10.2, isLate: true) == .stop)
        var alone = self.policy(interactive: false)
        #expect(alone.received(SIGINT, at: 10, isLate: true) == .stop)
    }

    @Test func controlCStopsThenLeavesWhereThereIsNone() {
        var policy = policy(interactive: false)
        #expect(policy.received(SIGINT, at: 10) == .stop)
        #expect(policy.received(SIGINT, at: 11) == .leave)
    }

    @Test(arguments: [SIGTERM, SIGHUP], [true, false])
    func otherSignalsStop(signal: Int32, interactive: Bool) {
        var policy = policy(interactive: interactive)
        #expect(policy.received(signal, at: 10) == .stop)
        #expect(policy.ends, "and then the session ends")
    }

    @Test func atAPromptThatWaitsControlCEndsNothingAndOtherSignalsDo() {
        var policy = policy(interactive: true, running: false)
        for press in 0..<5 { #expect(policy.received(SIGINT, at: 10 + 0.1 * Double(press)) == .nothing) }
        #expect(policy.received(SIGTERM, at: 10) == .leave)
        #expect(policy.received(SIGQUIT, at: 10) == .leave)
        policy.prompt = .file
        #expect(policy.received(SIGINT, at: 10) == .leave, "nobody sits there who could type Ctrl-D")
    }
}
