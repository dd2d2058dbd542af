import Compute
import Objectives

/// How random batches are drawn for the mean of something over batches.
///
/// Without replacement inside a batch, always. Batches that are cut from one random permutation of the samples are, each for
/// itself, as random as any, so a mean over them is unbiased. Together they hold every sample once, and what their values owe
/// to single samples cancels: half to 97 % of the variance of batch sharpness, measured in `docs/decisions/estimators.md`.
/// They depend on each other, so the error bar comes from the scatter of the means of whole permutations, with one degree of
/// freedom less than these; and so they are used where at least six permutations are within the samples allowed, and where
/// whole permutations make up the number of batches that is asked for: a multiple of a permutation's where no error is to be
/// reached, at least `min_samples` else. Otherwise batches are drawn independently.
public struct BatchDraws: Sendable, Hashable {
    /// Samples to draw from.
    public let population: Int
    /// Samples in a batch.
    public let size: Int
    /// Batches that depend on each other: all of one permutation, or 1.
    public let group: Int

    /// - Parameters:
    ///   - rule: how many batches are allowed.
    ///   - permuted: whether permutations are to be used; nil for where they can.
    /// - Throws: ``CurvatureError`` for a batch of no sample or more than there are, or permutations that do not fit.
    public init(size: Int, of population: Int, for rule: MonteCarlo, permuted: Bool? = nil) throws {
        guard size >= 1, size <= population else {
            throw CurvatureError.badSetting("a batch of \(size) samples of \(population)")
        }
        self.size = size
        self.population = population
        let batches = population / size
        let whole = rule.maxSamples - rule.maxSamples % batches
        let fits =
            batches > 1 && whole >= MonteCarlo.fewestGroups * batches
            && whole >= (rule.relativeError > 0 ? rule.minSamples : rule.maxSamples)
        guard permuted != true || fits else {
            throw CurvatureError.badSetting(
                "batches of whole permutations need a max_samples that is a multiple of \(batches), and "
                    + "\(MonteCarlo.fewestGroups * batches) at least for an error bar: \(batches) batches of \(size) samples "
                    + "a permutation")
        }
        group = fits && permuted != false ? batches : 1
    }

    /// The samples of so many groups, batch after batch; what a permutation leaves over is dropped.
    func draw(_ groups: Int, _ stream: inout RandomStream) -> [Int] {
        (0..<groups).flatMap { _ in
            group > 1
                ? Array(stream.permutation(population).prefix(group * size)) : stream.sample(size, from: population)
        }
    }
}

extension MonteCarlo {
    /// The mean of a value over random batches.
    ///
    /// - Parameters:
    ///   - sampling: how batches are drawn; the batch of all samples is taken once, without an error.
    ///   - value: the values of batches, given by sample numbers from 0, batch after batch.
    /// - Throws: what `value` throws; ``CurvatureError`` if it gives another number of values.
    public func mean(
        over sampling: BatchDraws, stream: inout RandomStream, _ value: ([Int]) throws -> [Double]
    ) throws -> Estimate {
        try estimate(over: sampling, &stream, value) { group in
            group.reduce(0, +) / Double(group.count)
        } _: {
            Summary(mean: $0)
        }
    }

    /// The ratio of the means of two values over random batches, see ``ratioOfMeans(_:)``.
    ///
    /// - Throws: as ``mean(over:stream:_:)``.
    public func ratioOfMeans(
        over sampling: BatchDraws, stream: inout RandomStream,
        _ value: ([Int]) throws -> [(numerator: Double, denominator: Double)]
    ) throws -> Estimate {
        try estimate(over: sampling, &stream, value) { group in
            let n = Double(group.count)
            return (
                numerator: group.reduce(0) { $0 + $1.numerator } / n,
                denominator: group.reduce(0) { $0 + $1.denominator } / n
            )
        } _: {
            Summary(ratio: $0)
        }
    }

    /// The mean of a value over random batches by way of control variates, see ``mean(controls:_:)``. Controls that are linear
    /// in the samples, such as the batch's loss less that of all, say nothing more where whole permutations are drawn.
    ///
    /// - Throws: as ``mean(over:stream:_:)`` and ``mean(controls:_:)``.
    public func mean(
        over sampling: BatchDraws, controls coefficients: ControlCoefficients, stream: inout RandomStream,
        _ value: ([Int]) throws -> [ControlledDraw]
    ) throws -> Estimate {
        var count: Int?
        if case .given(let given) = coefficients { count = given.count }
        return try estimate(over: sampling, &stream) { batches in
            try ControlledDraw.checked(value(batches), &count)
        } _: { group in
            var mean = ControlledDraw(value: 0, controls: (group.first?.controls ?? []).map { _ in 0 })
            for draw in group {
                mean.value += draw.value / Double(group.count)
                for j in mean.controls.indices { mean.controls[j] += draw.controls[j] / Double(group.count) }
            }
            return mean
        } _: {
            coefficients.summary($0)
        }
    }

    private func estimate<Draw>(
        over sampling: BatchDraws, _ stream: inout RandomStream, _ value: ([Int]) throws -> [Draw],
        _ meanOfGroup: (ArraySlice<Draw>) -> Draw, _ summary: ([Draw]) -> Summary
    ) throws -> Estimate {
        func values(_ batches: [Int]) throws -> [Draw] {
            let result = try value(batches)
            guard result.count * sampling.size == batches.count else {
                throw CurvatureError.badSetting(
                    "asked for the values of \(batches.count / sampling.size) batches and got \(result.count)")
            }
            return result
        }
        if sampling.size == sampling.population {
            let watch = Stopwatch()
            let value = summary(try values(Array(0..<sampling.population))).value
            return Estimate(
                value: value.isFinite ? value : .nan, standardError: value.isFinite ? 0 : .nan, samples: 1,
                seconds: watch.seconds)
        }
        return try estimate(size: sampling.group) { groups in
            let drawn = try values(sampling.draw(groups, &stream))
            return (0..<groups).map { meanOfGroup(drawn[$0 * sampling.group..<($0 + 1) * sampling.group]) }
        } _: {
            summary($0)
        }
    }
}
