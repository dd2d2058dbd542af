import Compute
import Curvature
import Datasets
import Dynamics
import Experiments
import Networks

/// λ_max along a run like the quickstart's (784-200-200-10, n = 2048, b = 16): products of a warm-started solve every 100
/// steps, against a cold one and a converged one.
struct TrackedEigenvalueBench {
    func run(steps: Int = 6000) throws {
        var options = ImageOptions()
        options.selection = .random(2048)
        options.labelNoise = 0.3
        options.seed = 1
        options.testCount = 1
        let data: Dataset
        do { data = try Dataset.fashionMNIST(options) } catch {
            print("lambda_max tracked: skipped; \(error)")
            return
        }
        let model = try Model.multilayerPerceptron(
            inputShape: data.inputShape, hidden: [200, 200], outputs: 10, initScale: 0.3, seed: 1)
        let run = try Run(
            name: "tracked", objective: Objective(model: model, loss: .mse), data: data, rule: SGD(learningRate: 0.05),
            batchSize: .samples(16), seed: 1)
        var warm: [Vector] = []
        var (warmProducts, coldProducts, seconds) = ([Double](), [Double](), [Double]())
        var near = 0
        for step in stride(from: 0, through: steps, by: 100) {
            try run.train(TrainingGoal(step: step))
            var stream = RandomStream(seed: 9, purpose: .probe, index: UInt64(step))
            let hessian = { CurvatureOperator(of: run.oracle, at: run.parameters) }
            let tracked = try topEigenpairs(of: hessian(), warmStart: warm, stream: &stream)
            warm = tracked.warmStart
            let cold = try topEigenpairs(of: hessian(), stream: &stream)
            let converged = try topEigenpairs(of: hessian(), tolerance: 1e-4, warmStart: warm, stream: &stream)
            warmProducts.append(Double(tracked.products))
            coldProducts.append(Double(cold.products))
            seconds.append(tracked.seconds)
            let truth = max(converged.values[0], cold.values[0])
            if abs(tracked.values[0] - truth) <= 0.01 * abs(truth) { near += 1 }
        }
        let share = 100 * Double(near) / Double(seconds.count)
        print(
            """
            lambda_max tracked, every 100 of \(steps) steps: \(warmProducts.median) products warm, \(coldProducts.median) cold, \
            \(spelled(seconds.median)) a value; \(share.rounded(toPlaces: 0).asInteger) % within 1 % of the converged value
            """)
    }
}
