import Compute
import Foundation
import Graph
import Networks

/// An objective with, for each sample of a batch, outputs that its own are drawn to (`Objective.distilling`): the same data, running
/// statistics and account of work as the oracle that it was made of.
public final class DistillingOracle {
    /// τ.
    public let temperature: Double
    /// What it computes with; where the oracle that it was made of goes to another engine, another is needed.
    public var engine: Engine { oracle.engine }
    private let plain: Oracle
    private let oracle: Oracle

    public init(_ plain: Oracle, temperature: Double) throws {
        (self.plain, self.temperature) = (plain, temperature)
        oracle = try plain.sharing(
            plain.objective.distilling(temperature: temperature), ReferencedSamples(base: plain.samples, plain.model))
    }

    /// Loss and gradient over a batch, with running statistics moving, and the outputs that they are of.
    /// - Parameters:
    ///   - references: z, row by row as the batch has its samples; a row that begins with nan is none.
    ///   - weight: λ.
    /// - Returns: L_B without what is added, the gradient with it, and outputs row by row.
    public func gradient(
        at theta: Vector, over batch: [Int], references: [Double], weight: Double
    ) throws -> (loss: Double, gradient: Vector, outputs: [Double]) {
        let classes = plain.model.outputCount
        precondition(references.count == batch.count * classes, "a row for each sample")
        let own = plain.objective.targetShape.reduce(1, *)
        let before = oracle.work
        let result = try batch.withUnsafeBufferPointer { batch in
            try oracle.gradientAndOutputs(at: theta, over: batch) { editor in
                for sample in 0..<editor.count {
                    let row = sample * classes
                    let isThere = !references[row].isNaN
                    editor.editTarget(of: sample) { place, value in
                        if place >= own {
                            value = !isThere ? 0 : place < own + classes ? references[row + place - own] : weight
                        }
                    }
                }
            }
        }
        plain.work += oracle.work - before
        let outputs = result.outputs.values
        var added = 0.0
        let kept = batch.indices.filter { plain.keeps(sample: batch[$0], position: 0) }
        if weight != 0 {
            for row in kept.map({ $0 * classes }) where !references[row].isNaN {
                let (was, now) = (
                    logSoftmax(references[row..<row + classes]), logSoftmax(outputs[row..<row + classes])
                )
                added += zip(was, now).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            }
        }
        added *= weight * temperature * temperature / Double(kept.count)
        return (result.loss - added, result.gradient, outputs)
    }

    private func logSoftmax(_ row: ArraySlice<Double>) -> [Double] {
        let scaled = row.map { $0 / temperature }
        let most = scaled.max() ?? 0
        let total = most + log(scaled.reduce(0) { $0 + exp($1 - most) })
        return scaled.map { $0 - total }
    }
}

/// Samples whose targets have room behind them, for a row of outputs and a weight.
private struct ReferencedSamples: SampleSource {
    let base: any SampleSource
    private let width: Int

    init(base: any SampleSource, _ model: Model) {
        self.base = base
        width = base.targetShape.reduce(1, *) + model.outputCount + 1
    }

    var count: Int { base.count }
    var inputShape: [Int] { base.inputShape }
    var targetShape: [Int] { [width] }
    var mask: SampleMask? { base.mask }

    func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        throw GraphError("samples with references are taken in batches")
    }

    func gather(
        _ indices: UnsafeBufferPointer<Int>, as elements: SampleElements, inputs: UnsafeMutableRawPointer,
        targets: UnsafeMutableRawPointer
    ) throws {
        try base.gather(indices, as: elements, inputs: inputs, targets: targets)
        // The rows lie one after the other: from the last on each goes to its place.
        let size = elements.targets.byteCount
        let (narrow, wide) = (base.targetShape.reduce(size, *), width * size)
        for row in indices.indices.reversed() {
            (targets + row * wide).copyMemory(from: targets + row * narrow, byteCount: narrow)
            (targets + row * wide + narrow).initializeMemory(as: UInt8.self, repeating: 0, count: wide - narrow)
        }
    }
}
