import Compute
import Foundation
import Graph
import Networks

/// Samples with targets of their own in place of those of the source they come from.
private final class DrawnTargets: SampleSource {
    let count: Int
    let inputShape: [Int]
    let targetShape: [Int]
    let mask: SampleMask?
    private let inputs: Rows
    private let targets: Buffer

    /// An address, and who keeps what is there.
    struct Rows: @unchecked Sendable {
        let address: UnsafeRawPointer
        let owner: any Sendable
    }

    init(like source: any SampleSource, count: Int, mask: SampleMask?, inputs: Rows, targets: Buffer) {
        (inputShape, targetShape) = (source.inputShape, source.targetShape)
        (self.count, self.mask, self.inputs, self.targets) = (count, mask, inputs, targets)
    }

    func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
        (inputs.address, UnsafeRawPointer(targets.base))
    }
}

extension Oracle {
    /// This objective on the samples of a selection, in its order, with targets drawn from what the model itself says at θ: from
    /// the distribution with p(y|x) ∝ exp(−ℓ(f(x), y)). That is softmax(f) for `ce`, a coin of probability σ(f) for `bce`, and a
    /// normal number about f for the squared losses, of variance ½ for `mse`, 1 for `half_mse`, K/2 for `mse_mean` of K outputs.
    ///
    /// Its empirical Fisher matrix has the expectation (1/n) Σ Jᵢᵀ(∇²_f ℓᵢ)Jᵢ, the Gauss–Newton matrix (Martens 2020). A sample
    /// with labels at T places has one gradient, the mean over them, so there the deviation of what is drawn from its mean is taken
    /// √T times: then the expectation is that matrix too.
    /// - Throws: `GraphError` for a loss that was written by the user, which says nothing of how targets are distributed.
    public func drawingTargets(
        at theta: Vector, over selection: BatchSelection = .all, stream: inout RandomStream
    ) throws -> Oracle {
        guard let loss = objective.loss else {
            throw GraphError(
                "loss '\(objective.lossName)' was written by the user and says nothing of how targets are distributed: labels "
                    + "are drawn for \(LossName.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", "))")
        }
        let outputs = try evaluate(at: theta, over: selection).outputs
        let rows = try rows(of: selection)
        let places = objective.positionCount
        let width = objective.model.outputCount / places
        let targetWidth = objective.targetShape.reduce(1, *) / places
        let numbers = try MemoryAccount.shared.allocate(
            count: rows.count, stride: places * targetWidth * element.byteCount, for: "drawn targets")
        func number(of row: Int) -> Int {
            if case .indices(let indices) = selection { indices[row] } else { row }
        }
        var cell = 0
        func store(_ value: Double) {
            if element == .f64 {
                numbers.base.storeBytes(of: value, toByteOffset: 8 * cell, as: Double.self)
            } else {
                numbers.base.storeBytes(of: Float(value), toByteOffset: 4 * cell, as: Float.self)
            }
            cell += 1
        }
        for row in 0..<rows.count {
            let kept = (0..<places).count { keeps(sample: number(of: row), position: $0) }
            let spread = Double(max(1, kept)).squareRoot()
            for place in 0..<places {
                let first = (row * places + place) * width
                let f = (0..<width).map { outputs[first + $0] }
                let drawn = loss.target(for: f, width: targetWidth, spread: spread, &stream)
                drawn.forEach(store)
            }
        }
        let inputs: DrawnTargets.Rows
        if let memory = rows.owner {
            inputs = .init(address: rows.inputs, owner: memory.inputs)
        } else {
            inputs = .init(address: rows.inputs, owner: samples)
        }
        let mask = samples.mask.map { mask in
            SampleMask(
                positions: mask.positions,
                isKept: (0..<rows.count).flatMap { row in
                    let start = number(of: row) * mask.positions
                    return mask.isKept[start..<start + mask.positions]
                })
        }
        return try with(
            samples: DrawnTargets(like: samples, count: rows.count, mask: mask, inputs: inputs, targets: numbers))
    }
}

extension LossName {
    /// A target of one place drawn about what the outputs f of that place say.
    /// - Parameter spread: what the deviation from its mean is multiplied by.
    fileprivate func target(
        for f: [Double], width: Int, spread: Double, _ stream: inout RandomStream
    ) -> [Double] {
        switch self {
        case .mse: return f.map { $0 + spread * 0.5.squareRoot() * stream.normal() }
        case .halfMSE: return f.map { $0 + spread * stream.normal() }
        case .mseMean: return f.map { $0 + spread * (Double(f.count) / 2).squareRoot() * stream.normal() }
        case .crossEntropy:
            let largest = f.max() ?? 0
            let weights = f.map { exp($0 - largest) }
            let sum = weights.reduce(0, +)
            var rest = stream.uniform() * sum
            // The last class that has a weight, should rounding leave something.
            var chosen = weights.lastIndex { $0 > 0 } ?? 0
            for (index, weight) in weights.enumerated() where weight > 0 {
                if rest < weight {
                    chosen = index
                    break
                }
                rest -= weight
            }
            return weights.indices.map { index in
                let mean = weights[index] / sum
                let label = index == chosen ? 1.0 : 0
                return spread == 1 ? label : mean + spread * (label - mean)
            }
        case .binaryCrossEntropy:
            let mean = 1 / (1 + exp(-(f.first ?? 0)))
            let label = stream.uniform() < mean ? 1.0 : 0
            let one = spread == 1 ? label : mean + spread * (label - mean)
            return width == 2 ? [1 - one, one] : [one]
        }
    }
}
