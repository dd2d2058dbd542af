import Compute

/// In which order training samples are taken.
public enum Sampling: Sendable, Hashable {
    /// Another permutation each epoch.
    case shuffled
    /// Each sample of a batch drawn from all of them, by itself.
    case replacement
    /// The data's own order, each epoch.
    case sequential
    /// One permutation, the same each epoch.
    case fixed
    /// These batches, sample numbers from 0, again and again: an epoch is the list.
    case batches([[Int]])
}

/// The batches of a run, one after the other: a walk along an order of the samples, by default one permutation an epoch.
///
/// The order is a function of (seed, epoch) alone and the position counts samples, so a changed batch size takes the
/// next samples of the same permutation, and a saved state needs two numbers.
public struct Sampler: Sendable {
    /// n, the number of samples in an epoch.
    public let count: Int
    public let seed: UInt64
    public let sampling: Sampling
    /// Whether what is left of an epoch, fewer samples than a batch, is a batch too; else it is dropped.
    public let keepsLast: Bool
    /// Epochs completed.
    public private(set) var epoch: Int
    /// Samples taken in the present epoch; batches where they are listed.
    public private(set) var position: Int
    private var order: [Int] = []
    private var orderKey: Key?
    private var batch = 0..<0

    /// What the order that is at hand is the order of.
    private struct Key: Equatable {
        var epoch: Int
        /// Of draws with replacement, whose batches are made one by one.
        var position = 0
        var size = 0
    }

    /// - Precondition: lists of batches are not empty, and their samples exist.
    public init(
        count: Int, seed: UInt64, sampling: Sampling = .shuffled, keepsLast: Bool = false, epoch: Int = 0,
        position: Int = 0
    ) {
        self.count = count
        self.seed = seed
        self.sampling = sampling
        self.keepsLast = keepsLast
        self.epoch = epoch
        self.position = position
    }

    /// The same walk at another place.
    public func at(epoch: Int, position: Int) -> Sampler {
        Sampler(count: count, seed: seed, sampling: sampling, keepsLast: keepsLast, epoch: epoch, position: position)
    }

    /// What an epoch has: samples, or listed batches.
    private var length: Int {
        if case .batches(let list) = sampling { return list.count }
        return count
    }

    /// Epochs taken, as a real number.
    public var epochs: Double { Double(epoch) + Double(position) / Double(length) }

    /// Epochs taken by one who goes on in batches of this size: an epoch is over once what is left of it will be dropped.
    public func epochs(inBatchesOf size: Int) -> Double {
        switch sampling {
        case .replacement: return epochs
        case .batches: return position == length ? Double(epoch + 1) : epochs
        default: return (keepsLast ? position == count : size > count - position) ? Double(epoch + 1) : epochs
        }
    }

    /// Calls `body` with the next batch.
    /// - Precondition: `1...count` contains `size`.
    public mutating func next<Result>(
        _ size: Int, _ body: (UnsafeBufferPointer<Int>) throws -> Result
    ) rethrows -> Result {
        prepare(size)
        defer { take(size) }
        return try withNext(size, body)
    }

    /// Where the next batch of this size begins, in which epoch, and how many samples it has.
    private func start(_ size: Int) -> (epoch: Int, position: Int, size: Int) {
        switch sampling {
        case .replacement: return (epoch, position, size)
        case .batches(let list):
            let place = position == list.count ? (epoch + 1, 0) : (epoch, position)
            return (place.0, place.1, list[place.1].count)
        case .shuffled, .sequential, .fixed:
            if keepsLast {
                return position == count ? (epoch + 1, 0, size) : (epoch, position, min(size, count - position))
            }
            return position + size > count ? (epoch + 1, 0, size) : (epoch, position, size)
        }
    }

    /// The epoch that the next batch of this size belongs to, from 0.
    public func nextEpoch(_ size: Int) -> Int { start(size).epoch }

    /// How many samples the next batch has.
    public func nextCount(_ size: Int) -> Int { start(size).size }

    /// Makes the next batch. What this is a sampler of does not change.
    /// - Precondition: `1...count` contains `size`.
    public mutating func prepare(_ size: Int) {
        precondition((1...count).contains(size), "a batch of \(size) out of \(count) samples")
        let start = start(size)
        switch sampling {
        case .replacement:
            let key = Key(epoch: start.epoch, position: start.position, size: size)
            if orderKey == key { return }
            // Beside the streams of permutations, whose index is an epoch.
            var stream = RandomStream(
                seed: seed, purpose: .sampler,
                index: 1 << 63 | UInt64(start.epoch) << 32 | UInt64(start.position & 0xFFFF_FFFF))
            order = (0..<size).map { _ in stream.below(count) }
            (orderKey, batch) = (key, 0..<size)
        case .batches(let list): (order, batch) = (list[start.position], 0..<list[start.position].count)
        case .shuffled, .sequential, .fixed:
            batch = start.position..<start.position + start.size
            let key = Key(epoch: sampling == .shuffled ? start.epoch : 0)
            if orderKey == key { return }
            if sampling == .sequential {
                order = Array(0..<count)
            } else {
                var stream = RandomStream(seed: seed, purpose: .sampler, index: UInt64(key.epoch))
                stream.permutation(count, into: &order)
            }
            orderKey = key
        }
    }

    /// Calls `body` with the next batch, which was prepared and is not taken yet.
    public func withNext<Result>(
        _ size: Int, _ body: (UnsafeBufferPointer<Int>) throws -> Result
    ) rethrows -> Result {
        precondition(batch.count == start(size).size, "a batch that was not prepared")
        return try order.withUnsafeBufferPointer {
            try body(UnsafeBufferPointer(rebasing: $0[batch]))
        }
    }

    /// Takes the next batch.
    public mutating func take(_ size: Int) {
        let start = start(size)
        if case .batches = sampling {
            (epoch, position) = (start.epoch, start.position + 1)
            return
        }
        (epoch, position) = (start.epoch, start.position + start.size)
        if sampling == .replacement, position >= count {
            epoch += position / count
            position %= count
        }
    }

    /// Counts a step over all samples as an epoch.
    public mutating func takeEpoch() {
        epoch += 1
        position = 0
    }
}
