import Compute
import Graph
import Networks

/// Gram matrices between samples: small where there are fewer samples than parameters, with the spectra of matrices that are as
/// large as the parameters. Row by row, symmetric to the last bit. No gradient of a sample is formed where products of the
/// samples' activations and deltas are cheaper; where it is (convolutions), as many samples at once as fit into the budget.
extension Oracle {
    /// The n × n matrix of the inner products ⟨gᵢ, gⱼ⟩ of the samples' gradients, gᵢ of the sample's own loss (the mean over its
    /// labels that count; 0 where none does).
    /// - Parameter weighted: √(ωᵢωⱼ)⟨gᵢ, gⱼ⟩ with the samples' weights ωᵢ, 1/n where all labels count: its eigenvalues that are
    ///   not zero are those of the Fisher matrix (`CurvatureMatrix.fisher`).
    /// - Throws: `GraphError` where samples share batch statistics; `MemoryError` where n² numbers do not fit.
    public func gradientGram(
        at theta: Vector, over selection: BatchSelection = .all, weighted: Bool = false
    ) throws -> [Double] {
        try gram(.gradients, at: theta, over: selection) { rows in
            let weights = sampleWeights(of: rows)
            // The graph's losses are weighted.
            return weights.map { $0 == 0 ? 0 : weighted ? 1 / $0.squareRoot() : 1 / $0 }
        }
    }

    /// The nK × nK matrix JJᵀ of the inner products of all outputs' derivatives by the parameters, sample by sample.
    /// - Parameter weighted: with the square root of each output's weight in the loss, 1/n where all labels count, on both
    ///   sides: its eigenvalues that are not zero are those of the tangent kernel (`CurvatureMatrix.ntk`).
    /// - Throws: as `gradientGram`.
    public func jacobianGram(
        at theta: Vector, over selection: BatchSelection = .all, weighted: Bool = false
    ) throws -> [Double] {
        try gram(.outputs, at: theta, over: selection) { rows in
            let width = model.outputCount
            guard weighted else { return [Double](repeating: 1, count: rows.count * width) }
            if !model.outputShape.starts(with: objective.positions) {
                return sampleWeights(of: rows).flatMap { [Double](repeating: $0.squareRoot(), count: width) }
            }
            let places = objective.positionCount
            return (0..<rows.count * width).map { output in
                let place = output / width * places + output % width / (width / places)
                return number(rows.weights, at: place).squareRoot()
            }
        }
    }

    /// - Parameter factors: what each row is scaled by.
    private func gram(
        _ kind: GramRows, at theta: Vector, over selection: BatchSelection, factors: (Rows) -> [Double]
    ) throws -> [Double] {
        try checkSamplesAreApart("the Gram matrix of samples' \(kind.words)")
        try check(theta)
        let rows = try rows(of: selection)
        let width = kind == .gradients ? 1 : model.outputCount
        let n = rows.count * width
        try checkGram(kind, samples: rows.count, rows: n)
        let factors = factors(rows)
        let whole = try fitsWhole(.gram(kind, pair: false), count: rows.count)
        let size = whole ? rows.count : try pieceSize(of: rows.count, for: .gram(kind, pair: true))
        // The last block reaches back where blocks do not fill the samples.
        var starts = Array(stride(from: 0, through: rows.count - size, by: size))
        if rows.count % size > 0 { starts.append(rows.count - size) }
        var result = [Double](repeating: 0, count: n * n)
        let (blockRows, stride) = (size * width, 8 * size * width)
        try withScratch(count: blockRows, stride: stride, for: "a block of a Gram matrix") { block in
            try withViews(of: theta) { parameters in
                for (index, start) in starts.enumerated() {
                    for other in starts[index...] {
                        let isDiagonal = other == start
                        var operands = operands(at: parameters)
                        operands.set(.otherSamples, views(of: rows, from: other))
                        operands.set(.value("products"), block)
                        let samples = views(of: rows, from: start)
                        try run(
                            .gram(kind, pair: !isDiagonal), count: size, operands, inputs: samples[0],
                            targets: samples[1], weights: samples[2])
                        for i in 0..<blockRows {
                            let row = start * width + i
                            for j in (isDiagonal ? i : 0)..<blockRows {
                                let column = other * width + j
                                let value = block.load(fromByteOffset: i * stride + j * 8, as: Double.self)
                                let scaled = value * factors[row] * factors[column]
                                result[row * n + column] = scaled
                                result[column * n + row] = scaled
                            }
                        }
                    }
                }
            }
        }
        withExtendedLifetime(rows.owner) {}
        return result
    }

    private func views(of rows: Rows, from start: Int) -> [UnsafeRawPointer] {
        [
            rows.inputs + start * inputRowBytes, rows.targets + start * targetRowBytes,
            rows.weights + start * weightRowBytes,
        ]
    }

    /// - Throws: `MemoryError` that names the number of samples and what else can be done.
    func checkGram(_ kind: GramRows, samples: Int, rows: Int) throws(MemoryError) {
        let (matrix, remedy) =
            kind == .gradients ? ("Fisher matrix", "samples = n") : ("tangent kernel", "samples = n or fewer outputs")
        let what =
            "the Gram matrix of \(samples) samples' \(kind.words), \(rows) × \(rows) numbers (take fewer: \(remedy); or the "
            + "\(matrix) by its products)"
        let (count, overflow) = rows.multipliedReportingOverflow(by: rows)
        let (bytes, tooMany) = count.multipliedReportingOverflow(by: 8)
        guard !overflow, !tooMany else { throw .impossibleSize(what: what) }
        try MemoryAccount.shared.check(bytes: bytes, for: what)
    }
}
