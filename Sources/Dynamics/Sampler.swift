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
        prepare(size)
        defer { take(size) }
        return try withNext(size, body)
    }

    /// Where the next batch of this size begins, and in which epoch.
    private func start(_ size: Int) -> (epoch: Int, position: Int) {
        position + size > count ? (epoch + 1, 0) : (epoch, position)
    }

    /// Makes the order that the next batch is taken from. What this is a sampler of does not change.
    /// - Precondition: `1...count` contains `size`.
    public mutating func prepare(_ size: Int) {
        precondition((1...count).contains(size), "a batch of \(size) out of \(count) samples")
        let epoch = start(size).epoch
        if orderEpoch == epoch { return }
        var stream = RandomStream(seed: seed, purpose: .sampler, index: UInt64(epoch))
        stream.permutation(count, into: &order)
        orderEpoch = epoch
    }

    /// Calls `body` with the next batch, which was prepared and is not taken yet.
    public func withNext<Result>(
        _ size: Int, _ body: (UnsafeBufferPointer<Int>) throws -> Result
    ) rethrows -> Result {
        let (epoch, position) = start(size)
        precondition(epoch == orderEpoch, "a batch that was not prepared")
        return try order.withUnsafeBufferPointer {
            try body(UnsafeBufferPointer(rebasing: $0[position..<position + size]))
        }
    }

    /// Takes the next batch.
    public mutating func take(_ size: Int) {
        let start = start(size)
        (epoch, position) = (start.epoch, start.position + size)
    }

    /// Counts a step over all samples as an epoch.
    public mutating func takeEpoch() {
        epoch += 1
        position = 0
    }
}
