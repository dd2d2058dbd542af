import Compute
import Graph
import Networks

/// What batch curvature is made of, for one batch B: L_B, g_BᵀA_Bg_B and ‖g_B‖², with A_B the Hessian or the Gauss–Newton matrix
/// of the batch's loss.
public struct BatchCurvature: Sendable, Hashable {
    public let loss: Double
    public let quadratic: Double
    public let squaredGradientNorm: Double

    /// g_BᵀA_Bg_B / ‖g_B‖²; not a number where the gradient vanishes.
    public var ratio: Double { quadratic / squaredGradientNorm }

    public init(loss: Double, quadratic: Double, squaredGradientNorm: Double) {
        self.loss = loss
        self.quadratic = quadratic
        self.squaredGradientNorm = squaredGradientNorm
    }
}

/// Curvature of one batch B along the step that momentum makes of it, s = βv + g_B: L_B, sᵀH_Bs, s·g_B, ‖s‖² and ‖g_B‖².
public struct MomentumCurvature: Sendable, Hashable {
    public let loss: Double
    public let quadratic: Double
    /// s·g_B. It can vanish and be negative.
    public let slope: Double
    public let squaredStepNorm: Double
    public let squaredGradientNorm: Double

    /// sᵀH_Bs / s·g_B; not a number or infinite where the slope vanishes.
    public var ratio: Double { quadratic / slope }

    public init(
        loss: Double, quadratic: Double, slope: Double, squaredStepNorm: Double, squaredGradientNorm: Double
    ) {
        self.loss = loss
        self.quadratic = quadratic
        self.slope = slope
        self.squaredStepNorm = squaredStepNorm
        self.squaredGradientNorm = squaredGradientNorm
    }
}

/// Quantities of batches of equal size. Batches are stacked, so that every product with a weight matrix is one tall product; the
/// size of a stack follows from the batches' size, their number and the budget. Of the p-sized gradients of batches none is
/// formed where products of samples with each other are cheaper.
///
/// Parameters of each function: `batches`, sample numbers from 0, batch after batch, and `size`, the samples in a batch.
/// Throws `GraphError` where no label of a batch counts, where `batches` holds no whole number of batches, or for samples that
/// do not exist; `MemoryError` where one batch does not fit into memory.
extension Oracle {
    /// The curvature of batches along their own gradients.
    /// - Parameter matrix: `hessian` or `ggn`, of each batch's loss; the others are allowed.
    public func batchCurvature(
        _ matrix: CurvatureMatrix = .hessian, at theta: Vector, batches: [Int], size: Int
    ) throws -> [BatchCurvature] {
        let values = try stacked(.curvature(matrix), at: theta, batches: batches, size: size) { batch in
            // Batches this large have gradients that are cheaper to form than Gram matrices, and are walked in pieces.
            let (loss, gradient) = try gradient(at: theta, over: batch)
            let form = try quadratic(matrix, at: theta, along: gradient, over: batch)
            return [loss, form, gradient.squaredNorm]
        }
        return values.map { BatchCurvature(loss: $0[0], quadratic: $0[1], squaredGradientNorm: $0[2]) }
    }

    /// The curvature of batches along the steps s = βv + g_B.
    /// - Parameters:
    ///   - velocity: v, the same for all batches.
    ///   - factor: β.
    public func momentumCurvature(
        at theta: Vector, velocity: Vector, factor: Double, batches: [Int], size: Int
    ) throws -> [MomentumCurvature] {
        try check(velocity)
        let u = try factor * velocity
        let values = try stacked(.momentumCurvature, at: theta, along: [u], batches: batches, size: size) { batch in
            let (loss, gradient) = try gradient(at: theta, over: batch)
            let form = try quadratic(at: theta, along: u + gradient, over: batch)
            return [loss, form, try u.dot(gradient), gradient.squaredNorm]
        }
        let squaredVelocity = u.squaredNorm
        return values.map {
            MomentumCurvature(
                loss: $0[0], quadratic: $0[1], slope: $0[2] + $0[3],
                squaredStepNorm: max(0, squaredVelocity + 2 * $0[2] + $0[3]), squaredGradientNorm: $0[3])
        }
    }

    /// ‖g_B‖² of batches.
    public func batchGradientNorms(at theta: Vector, batches: [Int], size: Int) throws -> [Double] {
        try stacked(.gradientNorms, at: theta, batches: batches, size: size) { batch in
            [try gradient(at: theta, over: batch).gradient.squaredNorm]
        }.map { $0[0] }
    }

    /// u·g_B of batches: one row a batch, one number for each direction u.
    public func batchSlopes(
        at theta: Vector, along directions: [Vector], batches: [Int], size: Int
    ) throws -> [[Double]] {
        try inGroups(directions) { group in
            try stacked(.slopes(group.count), at: theta, along: group, batches: batches, size: size) { batch in
                let gradient = try gradient(at: theta, over: batch).gradient
                return try group.map { try $0.dot(gradient) }
            }
        }
    }

    /// u·gᵢ of samples, gᵢ the gradient of one sample's loss (the mean over its labels that count; 0 where none does): one row a
    /// sample, one number for each direction u.
    /// - Throws: `GraphError` where samples share batch statistics, so that none has a loss of its own.
    public func sampleSlopes(
        at theta: Vector, along directions: [Vector], over selection: BatchSelection = .all
    ) throws -> [[Double]] {
        try checkSamplesAreApart("slopes of samples' losses")
        try check(theta)
        let rows = try rows(of: selection)
        let weights = sampleWeights(of: rows)
        let values = try inGroups(directions) { group in
            try stacked(.slopes(group.count), at: theta, along: group, rows: rows, size: 1)
        }
        return zip(values, weights).map { row, weight in row.map { weight == 0 ? 0 : $0 / weight } }
    }

    /// The weights ωᵢ of a selection's samples in its loss, which sum to 1: 1/n, or where labels are left out the share of the
    /// sample's labels.
    public func sampleWeights(over selection: BatchSelection = .all) throws -> [Double] {
        sampleWeights(of: try rows(of: selection))
    }

    func sampleWeights(of rows: Rows) -> [Double] {
        let positions = objective.positionCount
        let weights = (0..<rows.count).map { sample in
            (0..<positions).reduce(0) { $0 + number(rows.weights, at: sample * positions + $1) }
        }
        withExtendedLifetime(rows.owner) {}
        return weights
    }

    func checkSamplesAreApart(_ what: String) throws(GraphError) {
        guard !hasGhostBatches else {
            throw GraphError(
                "\(what) of \(model.name): its samples share batch statistics, so that none has a loss of its own; take "
                    + "running statistics (statistics = \"running\")")
        }
    }

    // MARK: - Stacks

    /// Directions taken by one plan: a backward sweep serves all of them, and a graph of thousands of nodes none.
    private static let directionsAtOnce = 16

    /// The rows that groups of directions give, put together.
    private func inGroups(
        _ directions: [Vector], _ body: ([Vector]) throws -> [[Double]]
    ) throws -> [[Double]] {
        guard !directions.isEmpty else { throw GraphError("slopes along no direction") }
        for direction in directions { try check(direction) }
        var result: [[Double]] = []
        for first in stride(from: 0, to: directions.count, by: Self.directionsAtOnce) {
            let rows = try body(Array(directions[first..<min(first + Self.directionsAtOnce, directions.count)]))
            result = first == 0 ? rows : zip(result, rows).map { $0 + $1 }
        }
        return result
    }

    /// One row of numbers for each batch.
    /// - Parameter alone: computes the row of a batch that is walked in pieces.
    private func stacked(
        _ quantity: BatchQuantity, at theta: Vector, along directions: [Vector] = [], batches: [Int], size: Int,
        alone: (BatchSelection) throws -> [Double]
    ) throws -> [[Double]] {
        try check(theta)
        guard size > 0, batches.count % size == 0 else {
            throw GraphError("\(batches.count) samples make no whole number of batches of \(size)")
        }
        if let outside = batches.first(where: { !(0..<samples.count).contains($0) }) {
            throw GraphError("sample \(outside + 1) of \(samples.count)")
        }
        let total = batches.count / size
        if total == 0 { return [] }
        let isWhole = size <= (hasGhostBatches ? ghostBatch : largestChunk)
        guard isWhole, let full = try stackSize(of: total, quantity, size: size) else {
            return try (0..<total).map { try alone(.indices(Array(batches[$0 * size..<($0 + 1) * size]))) }
        }
        var result: [[Double]] = []
        result.reserveCapacity(total)
        try batches.withUnsafeBufferPointer { indices in
            for first in stride(from: 0, to: total, by: full) {
                let last = min(first + full, total)
                let part = UnsafeBufferPointer(rebasing: indices[first * size..<last * size])
                result += try stacked(
                    quantity, at: theta, along: directions, rows: transientRows(part, batches: size), size: size)
            }
        }
        return result
    }

    /// As above, of rows in memory, as many batches at once as fit.
    private func stacked(
        _ quantity: BatchQuantity, at theta: Vector, along directions: [Vector], rows: Rows, size: Int
    ) throws -> [[Double]] {
        let total = rows.count / size
        let full = try stackSize(of: total, quantity, size: size) ?? 1
        var result: [[Double]] = []
        result.reserveCapacity(total)
        try withViews(of: theta) { parameters in
            try withViews(of: directions) { tangents in
                for first in stride(from: 0, to: total, by: full) {
                    let stack = min(full, total - first)
                    let start = first * size
                    let plan = try plan(.batches(quantity, size: size), count: stack)
                    let widths = plan.graph.outputs.map { plan.graph.type(of: $0.value).shape.dropFirst().reduce(1, *) }
                    let width = widths.reduce(0, +)
                    let values = try withScratch(count: stack * width, stride: 8, for: quantity.words) { scratch in
                        let work = OracleWork.batches(quantity, size: size)
                        var operands = operands(at: parameters)
                        if case .momentumCurvature = quantity {
                            operands.set(.tangents(), tangents)
                        } else {
                            set(tangents, numberedIn: &operands)
                        }
                        var (outputs, offset) = ([UnsafeMutableRawPointer](), 0)
                        for (slot, width) in zip(objective.signature(of: work, use).outputs, widths) {
                            operands.set(slot, scratch + offset * 8)
                            outputs.append(scratch + offset * 8)
                            offset += width * stack
                        }
                        try run(
                            work, count: stack, operands, inputs: rows.inputs + start * inputRowBytes,
                            targets: rows.targets + start * targetRowBytes,
                            weights: rows.weights + start * weightRowBytes)
                        return (0..<stack).map { batch in
                            zip(outputs, widths).flatMap { output, width in
                                (0..<width).map {
                                    output.load(fromByteOffset: (batch * width + $0) * 8, as: Double.self)
                                }
                            }
                        }
                    }
                    result += values
                }
            }
        }
        withExtendedLifetime(rows.owner) {}
        return result
    }
}
