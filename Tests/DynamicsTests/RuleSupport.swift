import Compute
import Datasets
import Dynamics
import Graph
import Networks
import Objectives

/// Samples in memory, for oracles of the tests.
struct TableSamples: SampleSource {
    let count: Int
    let inputShape: [Int]
    let targetShape: [Int]
    let inputs: Vector
    let targets: Vector

    init(inputs: [[Double]], targets: [[Double]], element: ElementType) throws {
        count = inputs.count
        inputShape = [inputs[0].count]
        targetShape = [targets[0].count]
        self.inputs = try Vector(inputs.flatMap { $0 }, element: element)
        self.targets = try Vector(targets.flatMap { $0 }, element: element)
    }

    func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        // The vectors' memory lives as long as this does and is never written.
        (inputs.withUnsafeBytes { $0.baseAddress! }, targets.withUnsafeBytes { $0.baseAddress! })
    }
}

/// A small network with 12 samples and the batches of 20 steps.
struct SmallProblem {
    static let widths = [3, 5, 4, 2]
    let inputs: [[Double]]
    let targets: [[Double]]
    let batches: [[Int]]
    let oracle: Oracle
    let start: Vector

    init(element: ElementType = .f64) throws {
        var stream = RandomStream(seed: 5, purpose: .test)
        func numbers(_ rows: Int, _ columns: Int) -> [[Double]] {
            (0..<rows).map { _ in (0..<columns).map { _ in stream.normal() } }
        }
        inputs = numbers(12, 3)
        targets = numbers(12, 2)
        batches = (0..<20).map { _ in stream.sample(4, from: 12) }
        let model = try Model.multilayerPerceptron(
            inputShape: [3], hidden: [5, 4], outputs: 2, activation: .tanh, initScale: 1, seed: 3, element: element)
        oracle = try Oracle(
            objective: Objective(model: model, loss: .mse),
            samples: TableSamples(inputs: inputs, targets: targets, element: element))
        start = model.initial
    }

    /// The parameters after each step.
    func path(of rule: some UpdateRule) throws -> [Vector] {
        var rule: any UpdateRule = rule
        var theta = start
        return try batches.map { batch in
            _ = try batch.withUnsafeBufferPointer { try rule.step(&theta, StepOracle(oracle, batch: $0)) }
            return theta
        }
    }

    func gradient(_ theta: [Double], _ batch: [Int]) throws -> [Double] {
        try oracle.gradient(at: Vector(theta, element: .f64), over: .indices(batch)).gradient.values
    }
}

/// The largest difference relative to the size of the second.
func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / b.reduce(1e-300) { max($0, abs($1)) }
}

/// One linear neuron without bias and `half_mse` to 0 over one sample x: L = ½(wx)², whose Hessian is x².
struct Quadratic {
    let oracle: Oracle
    let curvature: Double

    init(curvature: Double) throws {
        self.curvature = curvature
        let model = try Model.multilayerPerceptron(
            inputShape: [1], hidden: [], outputs: 1, activation: .identity, initScale: 1, bias: false, seed: 1,
            element: .f64)
        oracle = try Oracle(
            objective: Objective(model: model, loss: .halfMSE),
            samples: TableSamples(inputs: [[curvature.squareRoot()]], targets: [[0]], element: .f64))
    }

    /// |w| after so many steps from w = 1.
    func magnitude(under rule: any UpdateRule, steps: Int) throws -> Double {
        var rule = rule
        var w = try Vector([1], element: .f64)
        for _ in 0..<steps where w[0].magnitude < 1e6 {
            _ = try rule.step(&w, StepOracle(oracle, batch: nil))
        }
        return abs(w[0])
    }
}
