import Compute
import Datasets
import Foundation
import Graph
import Objectives
import SmallNetworks
import Testing

@testable import Networks

/// With `PEERS_PYTHON=/path/to/python` (with torch and safetensors): the same models in PyTorch, given the same weights and data,
/// have the same parameters by name, shape and order, the same loss, gradient and Hessian-vector product.
@Suite struct AgreementWithPyTorch {
    static let python = ProcessInfo.processInfo.environment["PEERS_PYTHON"]

    /// The relative error of f32 is that of its sums through a network's depth, against PyTorch in f64 on the same numbers.
    @Test(.enabled(if: python != nil), arguments: [(ElementType.f64, 1e-9), (.f32, 1e-4)])
    func everyModelAndLayerAgrees(_ element: ElementType, _ bound: Double) throws {
        let folder = NSTemporaryDirectory() + "eoss-torch-\(getpid())-\(element.rawValue)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let entries = Zoo.entries + Zoo.layers
        var problems: [PeerProblem] = []
        for (index, entry) in entries.enumerated() {
            let problem = try PeerProblem(entry, element)
            try OutputFile.write(ArrayFile.safetensors(problem.question()), to: "\(folder)/\(index).in.safetensors")
            problems.append(problem)
        }
        try runPython(folder)
        for (index, problem) in problems.enumerated() {
            let answer = try ArrayFile.load("\(folder)/\(index).out.safetensors")
            let name = problem.entry.name
            func compare(_ what: String, _ ours: [Double]) throws {
                let theirs = try #require(answer[what]?.values)
                #expect(distance(ours, theirs) < bound, "\(what) of \(name): \(distance(ours, theirs))")
            }
            let gradient = try problem.oracle.gradient(at: problem.theta)
            try compare("loss", [gradient.loss])
            try compare("gradient", gradient.gradient.values)
            try compare("product", problem.oracle.linearize(at: problem.theta).apply(problem.direction).values)
            try compare("output", problem.oracle.evaluate(at: problem.theta).outputs.values)
        }
    }

    private func runPython(_ folder: String) throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("Torch/torch_reference.py")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = [script.path, folder]
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let message = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(message)")
    }
}

/// A model with samples, as this program and PyTorch compute with it.
struct PeerProblem {
    let entry: ZooEntry
    let model: Model
    let oracle: Oracle
    let theta: Vector
    let direction: Vector
    private let samples: PeerSamples

    init(_ entry: ZooEntry, _ element: ElementType) throws {
        self.entry = entry
        model = try entry.make(element)
        var stream = RandomStream(seed: 2, purpose: .test)
        let count = model.layout.count
        theta =
            try model.initial + 0.1 * Vector.randomNormal(count: count, element: element, stream: &stream)
        direction = try Vector.randomNormal(count: count, element: element, stream: &stream)
        let width = model.inputShape.reduce(1, *)
        let inputs = (0..<entry.samples * width).map { _ in
            entry.tokens > 0 ? Double(stream.below(entry.tokens)) : stream.normal()
        }
        let targets = (0..<entry.samples * model.outputCount).map { _ in stream.normal() }
        samples = try PeerSamples(
            count: entry.samples, inputShape: model.inputShape, targetShape: model.outputShape,
            elements: SampleElements(inputs: model.inputElement, targets: element), inputs: inputs, targets: targets)
        oracle = try Oracle(objective: Objective(model: model, loss: .mse), samples: samples)
    }

    /// What PyTorch is given, in f64.
    func question() throws -> ArrayFile.Contents {
        var arrays = [
            "input": try NDArray(samples.inputs, shape: [entry.samples] + model.inputShape),
            "target": try NDArray(samples.targets, shape: [entry.samples] + model.outputShape),
        ]
        for item in model.layout.entries {
            let range = item.offset..<item.offset + item.count
            arrays["parameter \(item.name)"] = try NDArray(Array(theta.values[range]), shape: item.shape)
            arrays["direction \(item.name)"] = try NDArray(Array(direction.values[range]), shape: item.shape)
        }
        let about: [String: Any] = [
            "model": entry.peer, "options": try JSONSerialization.jsonObject(with: Data(entry.options.utf8)),
            "tokens": entry.tokens > 0, "parameters": model.layout.entries.map { [$0.name, $0.shape] as [Any] },
            "buffers": model.buffers.entries.map { [$0.name, $0.shape] as [Any] },
        ]
        let text = String(decoding: try JSONSerialization.data(withJSONObject: about), as: UTF8.self)
        return ArrayFile.Contents(arrays: arrays, metadata: ["about": text])
    }
}

/// Samples in memory, of any shape, with inputs of numbers or tokens. The numbers are those of the element given.
struct PeerSamples: SampleSource {
    let count: Int
    let inputShape: [Int]
    let targetShape: [Int]
    let inputs: [Double]
    let targets: [Double]
    private let elements: SampleElements
    private let inputBytes: Buffer
    private let targetBytes: Buffer

    init(
        count: Int, inputShape: [Int], targetShape: [Int], elements: SampleElements, inputs: [Double], targets: [Double]
    ) throws {
        self.count = count
        self.inputShape = inputShape
        self.targetShape = targetShape
        self.elements = elements
        self.inputs = inputs.map(elements.inputs.rounded)
        self.targets = targets.map(elements.targets.rounded)
        inputBytes = try Self.stored(self.inputs, as: elements.inputs)
        targetBytes = try Self.stored(self.targets, as: elements.targets)
    }

    private static func stored(_ values: [Double], as element: ElementType) throws -> Buffer {
        let buffer = try MemoryAccount.shared.allocate(
            count: values.count, stride: element.byteCount, for: "samples of a test")
        for (i, value) in values.enumerated() {
            let place = buffer.base + i * element.byteCount
            switch element {
            case .f32: place.storeBytes(of: Float(value), as: Float.self)
            case .f64: place.storeBytes(of: value, as: Double.self)
            default: place.storeBytes(of: Int32(value), as: Int32.self)
            }
        }
        return buffer
    }

    func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        precondition(elements == self.elements)
        return (UnsafeRawPointer(inputBytes.base), UnsafeRawPointer(targetBytes.base))
    }
}
