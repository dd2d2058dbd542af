import Compute
import Foundation
import Testing

@testable import Dynamics

/// With `PEERS_PYTHON=/path/to/python` (with torch): PyTorch's optimizers, from the same parameters over the same batches, are where
/// ours are after every step.
@Suite struct OptimizersOfPyTorch {
    static let python = ProcessInfo.processInfo.environment["PEERS_PYTHON"]

    private struct Question: Encodable {
        struct Rule: Encodable {
            let name: String
            let options: [String: Option]
        }
        let widths: [Int]
        let parameters: [Double]
        let inputs: [[Double]]
        let targets: [[Double]]
        let batches: [[Int]]
        let rules: [Rule]
    }

    private enum Option: Encodable, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral {
        case number(Double)
        case flag(Bool)
        case list([Double])

        init(floatLiteral value: Double) { self = .number(value) }
        init(booleanLiteral value: Bool) { self = .flag(value) }
        init(arrayLiteral elements: Double...) { self = .list(elements) }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .flag(let flag): try container.encode(flag)
            case .list(let list): try container.encode(list)
            }
        }
    }

    /// Both compute in f64 in slightly different orders; a difference grows along the path.
    @Test(.enabled(if: python != nil)) func everyRuleAgreesAfterEveryStep() throws {
        let cases: [(any UpdateRule, String, [String: Option])] = [
            (SGD(learningRate: 0.1), "SGD", ["lr": 0.1]),
            (try SGD(learningRate: 0.1, weightDecay: 0.3), "SGD", ["lr": 0.1, "weight_decay": 0.3]),
            (
                try HeavyBall(learningRate: 0.03, factor: 0.8, weightDecay: 0.1), "SGD",
                ["lr": 0.03, "momentum": 0.8, "weight_decay": 0.1]
            ),
            (
                try HeavyBall(learningRate: 0.03, factor: 0.8, weightDecay: 0.1, kind: .nesterov), "SGD",
                ["lr": 0.03, "momentum": 0.8, "weight_decay": 0.1, "nesterov": true]
            ),
            (
                try AdaptiveGradient(learningRate: 0.01, kind: .rmsprop, factor: 0.9), "RMSprop",
                ["lr": 0.01, "alpha": 0.9]
            ),
            (try AdaptiveGradient(learningRate: 0.05, kind: .adagrad), "Adagrad", ["lr": 0.05]),
            (
                try Adam(learningRate: 0.01, momentumFactor: 0.8, squareFactor: 0.95), "Adam",
                ["lr": 0.01, "betas": [0.8, 0.95]]
            ),
            (try Adam(learningRate: 0.01, weightDecay: 0.2), "AdamW", ["lr": 0.01, "weight_decay": 0.2]),
            (
                Muon(learningRate: 0.02, factor: 0.9, weightDecay: 0.1), "Muon",
                ["lr": 0.02, "momentum": 0.9, "weight_decay": 0.1, "nesterov": true]
            ),
            (
                Muon(learningRate: 0.02, factor: 0.8, isNesterov: false), "Muon",
                ["lr": 0.02, "momentum": 0.8, "weight_decay": 0.0, "nesterov": false]
            ),
        ]
        let problem = try SmallProblem()
        let question = Question(
            widths: SmallProblem.widths, parameters: problem.start.values, inputs: problem.inputs,
            targets: problem.targets, batches: problem.batches,
            rules: cases.map { Question.Rule(name: $0.1, options: $0.2) })
        let answer = try ask(JSONEncoder().encode(question))
        for (number, (rule, name, _)) in cases.enumerated() {
            for (t, found) in try problem.path(of: rule).enumerated() {
                let gap = distance(found.values, answer[number][t])
                // PyTorch's Muon bounds the norm that it divides by from below where ours adds 1e-7, and scales its velocity.
                #expect(gap < (name == "Muon" ? 1e-5 : 1e-12), "\(rule.summary) and \(name), step \(t + 1): \(gap)")
            }
        }
    }

    private func ask(_ question: Data) throws -> [[[Double]]] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Torch/torch_optimizers.py")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-\(UUID().uuidString).json")
        try question.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = [script.path]
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(String(decoding: text, as: UTF8.self))")
        return try JSONDecoder().decode([[[Double]]].self, from: text)
    }
}
