import Compute
import Curvature
import Datasets
import Dynamics
import Experiments
import Networks
import Objectives

/// λ_max along a run: products of a warm-started solve at each measurement, against cold ones and converged ones.
struct TrackedEigenvalueBench {
    let name: String
    let samples: Int
    var labelNoise = 0.0
    let hidden: [Int]
    let activation: Activation
    let initScale: Double
    let loss: LossName
    let batch: Run.BatchSize
    /// Steps between measurements.
    let every: Int
    /// Every so many measurements there is a cold and a converged solve beside the warm one.
    let compared: Int
    var steps = 6000
    var seed: UInt64 = 1

    /// The quickstart's network (784-200-200-10), with gradients of small batches.
    static func quickstart(seed: UInt64 = 1) -> Self {
        Self(
            name: "quickstart, seed \(seed)", samples: 2048, labelNoise: 0.3, hidden: [200, 200], activation: .relu,
            initScale: 0.3, loss: .mse, batch: .samples(16), every: 100, compared: 1, seed: seed)
    }

    /// The run of scripts/gd_edge.lua: full-batch gradient descent, whose eigenvector turns little between measurements.
    static let fullBatch = Self(
        name: "gd_edge", samples: 500, hidden: [100, 100], activation: .tanh, initScale: 0.2, loss: .halfMSE,
        batch: .full, every: 20, compared: 5)

    func run() throws {
        var options = ImageOptions()
        options.selection = .random(samples)
        options.labelNoise = labelNoise
        options.seed = seed
        options.testCount = 1
        let data: Dataset
        do { data = try Dataset.fashionMNIST(options) } catch {
            print("lambda_max tracked: skipped; \(error)")
            return
        }
        let model = try Model.multilayerPerceptron(
            inputShape: data.inputShape, hidden: hidden, outputs: 10, activation: activation, initScale: initScale,
            seed: seed)
        let run = try Run(
            name: "tracked", objective: Objective(model: model, loss: loss), data: data, rule: SGD(learningRate: 0.05),
            batchSize: batch, seed: seed)
        var warm: [Vector] = []
        var (warmProducts, coldProducts, seconds) = ([Double](), [Double](), [Double]())
        var (near, compared) = (0, 0)
        for (number, step) in stride(from: 0, through: steps, by: every).enumerated() {
            try run.train(TrainingGoal(step: step))
            var stream = RandomStream(seed: 8 + seed, purpose: .probe, index: UInt64(step))
            let hessian = { CurvatureOperator(of: run.oracle, at: run.parameters) }
            let tracked = try topEigenpairs(of: hessian(), warmStart: warm, stream: &stream)
            warm = tracked.warmStart
            warmProducts.append(Double(tracked.products))
            seconds.append(tracked.seconds)
            guard number % self.compared == 0 else { continue }
            let cold = try topEigenpairs(of: hessian(), stream: &stream)
            let converged = try topEigenpairs(of: hessian(), tolerance: 1e-4, warmStart: warm, stream: &stream)
            coldProducts.append(Double(cold.products))
            let truth = max(converged.values[0], cold.values[0])
            compared += 1
            if abs(tracked.values[0] - truth) <= 0.01 * abs(truth) { near += 1 }
        }
        let share = 100 * Double(near) / Double(compared)
        print(
            """
            lambda_max tracked, \(name), every \(every) of \(steps) steps: \(warmProducts.median) products warm \
            (mean \(warmProducts.mean.rounded(toPlaces: 2))), \(coldProducts.median) cold \
            (\(coldProducts.mean.rounded(toPlaces: 2))), \(spelled(seconds.median)) a value; \
            \(Int(share.rounded())) % of \(compared) within 1 % of the converged value
            """)
    }
}

extension [Double] {
    fileprivate var mean: Double { reduce(0, +) / Double(Swift.max(1, count)) }
}
