import Dynamics

/// Batches that cannot be.
extension Run {
    static func check(_ sampling: Sampling, count: Int) throws {
        guard case .batches(let list) = sampling else { return }
        guard !list.isEmpty, list.allSatisfy({ !$0.isEmpty }) else {
            throw ExperimentError.invalid("sampling: name at least one batch, each of one sample or more")
        }
        if let outside = list.joined().first(where: { $0 < 0 || $0 >= count }) {
            throw ExperimentError.invalid("sampling: there is no sample \(outside + 1): the data has \(count)")
        }
    }

    static func check(_ size: BatchSize, count: Int) throws {
        guard case .samples(let samples) = size else { return }
        guard samples >= 1 else {
            throw ExperimentError.invalid("batch_size must be at least 1 or \"full\", not \(samples)")
        }
        guard samples <= count else {
            throw ExperimentError.invalid("batch_size is \(samples), the data has \(count) samples")
        }
    }
}

extension Run.BatchSize: CustomStringConvertible {
    public var description: String {
        switch self {
        case .full: "full"
        case .samples(let count): "\(count)"
        }
    }
}
