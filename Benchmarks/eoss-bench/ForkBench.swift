import Dynamics
import Experiments
import Foundation
import Networks
import Objectives

/// What branches cost: a fork of the reference network under Adam, a checkpoint of it on the stepping thread, and two forks that train side
/// by side against one after the other (the 784-200-200-10 network).
struct ForkBench {
    func run() throws {
        let bench = try PerceptronBench()
        let run = try Run(
            name: "fork", objective: Objective(model: bench.model, loss: .mse), data: bench.data,
            rule: Adam(learningRate: 1e-5), batchSize: .samples(8), seed: 1)
        try run.train(TrainingGoal(step: 20))
        var fork: Run?
        let forking = try Clock.median(100) {
            fork = try run.fork(name: "fork")
            try fork?.setLearningRate(2e-5)
        }
        print("a fork of \(run.parameters.count) parameters under Adam: \(spelled(forking))")
        var first = [Double]()
        for _ in 0..<20 {
            let fork = try run.fork(name: "fork")
            let step = try Clock.seconds { try fork.train(TrainingGoal(step: run.step + 1)) }
            let next = try Clock.seconds { try fork.train(TrainingGoal(step: run.step + 2)) }
            first.append(step - next)
        }
        print("what its first step takes beyond the next: \(spelled(first.median))")
        try checkpoint(run)
        for size in [8, 64] { try sideBySide(bench, size) }
    }

    private func checkpoint(_ run: Run) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        run.makeFile = { try RunFile.create(name: $0.name, in: folder) }
        run.checkpoints = .none
        try run.train(TrainingGoal(step: run.step + 1))
        var times = [Double]()
        for _ in 0..<20 {
            try run.train(TrainingGoal(step: run.step + 1))
            times.append(try Clock.seconds { try run.checkpoint() })
            // The thread of the file has its time elsewhere.
            try run.file?.commit()
        }
        print("a checkpoint of it, on the stepping thread: \(spelled(times.median))")
        try run.file?.close()
    }

    /// In turns, so that a machine that others use slows both.
    private func sideBySide(_ bench: PerceptronBench, _ size: Int) throws {
        let model = try Model.multilayerPerceptron(
            inputShape: [784], hidden: [200, 200], outputs: 10, initScale: 0.3, seed: 1)
        let run = try Run(
            name: "run", objective: Objective(model: model, loss: .mse), data: bench.data,
            rule: SGD(learningRate: 1e-6), batchSize: .samples(size), seed: 1)
        try run.train(TrainingGoal(step: 10))
        let forks = try ["a", "b"].map { try run.fork(name: $0) }
        let steps = size == 8 ? 4000 : 1500
        func goal(_ fork: Run) -> TrainingGoal { TrainingGoal(step: fork.step + steps) }
        _ = try Parallel(forks.map { ($0, TrainingGoal(step: $0.step + 10)) }).train()
        var (ratios, seconds) = ([Double](), [Double]())
        for _ in 0..<7 {
            let apart = try Clock.seconds { for fork in forks { try fork.train(goal(fork)) } }
            let together = try Clock.seconds { _ = try Parallel(forks.map { ($0, goal($0)) }).train() }
            ratios.append(apart / together)
            seconds.append(together)
        }
        print(
            "two forks side by side, b = \(size): \(ratios.median.rounded(toPlaces: 2)) times as fast as one after the other "
                + "(\(spelled(seconds.median)) for \(steps) steps each)")
    }
}
