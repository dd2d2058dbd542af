import Compute

/// The order in which training samples are taken: one permutation an epoch, walked sample by sample.
///
/// The permutation is a function of (seed, epoch) alone and the position counts samples, so a changed batch size takes the
/// next samples of the same permutation, and a saved state needs two numbers.
public struct Sampler: Sendable {
    /// n, the number of samples in an epoch.
    public let count: Int
    public let seed: UInt64
    /// Epochs completed.
    public private(set) var epoch: Int
    /// Samples taken in the present epoch.
    public private(set) var position: Int
    private var order: [Int] = []
    private var orderEpoch = -1

    public init(count: Int, seed: UInt64, epoch: Int = 0, position: Int = 0) {
        self.count = count
        self.seed = seed
        self.epoch = epoch
        self.position = position
    }

    /// Epochs taken, as a real number.
    public var epochs: Double { Double(epoch) + Double(position) / Double(count) }

    /// Epochs taken by one who goes on in batches of this size: an epoch is over once what is left of it will be dropped.
    public func epochs(inBatchesOf size: Int) -> Double { size > count - position ? Double(epoch + 1) : epochs }

    /// Calls `body` with the next batch. A remainder of the epoch smaller than the batch is dropped.
    /// - Precondition: `1...count` contains `size`.
    public mutating func next<Result>(
        _ size: Int, _ body: (UnsafeBufferPointer<Int>) throws -> Result
    ) rethrows -> Result {
        precondition((1...count).contains(size), "a batch of \(size) out of \(count) samples")
        if position + size > count {
            epoch += 1
            position = 0
        }
        if orderEpoch != epoch {
            var stream = RandomStream(seed: seed, purpose: .sampler, index: UInt64(epoch))
            order = stream.permutation(count)
            orderEpoch = epoch
        }
        let start = position
        position += size
        return try order.withUnsafeBufferPointer {
            try body(UnsafeBufferPointer(rebasing: $0[start..<start + size]))
        }
    }

    /// Counts a step over all samples as an epoch.
    public mutating func takeEpoch() {
        epoch += 1
        position = 0
    }
}
