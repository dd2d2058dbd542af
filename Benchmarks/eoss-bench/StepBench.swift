import Dynamics

/// What the steps of rules, and measuring on the way, cost in plain SGD steps: the sides take turns of a few steps each, and a ratio
/// is the median over the turns.
struct StepBench {
    static let turns = 60
    static let stepsOfATurn = 20

    func run() throws {
        let bench = try PerceptronBench()
        for size in [8, 64] {
            let sgd = SGD(learningRate: 1e-6)
            let plain = try bench.stepping(sgd, size)
            guard let sam = try RuleCatalogue.declaration(of: "sgd+sam")?.make(["lr": 1e-6, "rho": 0.05]) else {
                return
            }
            let sides: [(name: String, call: () throws -> Void)] = [
                ("momentum", try bench.stepping(HeavyBall(learningRate: 1e-6), size)),
                ("adam", try bench.stepping(Adam(learningRate: 1e-6), size)),
                ("rmsprop", try bench.stepping(AdaptiveGradient(learningRate: 1e-6, kind: .rmsprop), size)),
                ("sam", try bench.stepping(sam, size)),
                ("step_sharpness at every step", try bench.stepping(sgd, size, measuring: true)),
            ]
            var ratios = sides.map { _ in [Double]() }
            func turn(_ call: () throws -> Void) throws -> Double {
                try Clock.seconds { for _ in 0..<Self.stepsOfATurn { try call() } }
            }
            _ = try turn(plain)
            for side in sides { _ = try turn(side.call) }
            for _ in 0..<Self.turns {
                for (index, side) in sides.enumerated() {
                    let before = try turn(plain)
                    let own = try turn(side.call)
                    ratios[index].append(2 * own / (before + (try turn(plain))))
                }
            }
            for (side, ratio) in zip(sides, ratios) {
                print(
                    "\(side.name), b = \(size): \(ratio.median.rounded(toPlaces: 2)) SGD steps")
            }
        }
    }
}
