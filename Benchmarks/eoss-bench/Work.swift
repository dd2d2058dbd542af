/// A row of the table: work, how long one piece of it takes here, and how many operations it is.
struct Work {
    let name: String
    /// The task in `peers.py`, if the peers do it.
    let peer: PeerTask?
    /// Floating-point operations at the least known count (docs: Benchmarks/README.md).
    let operations: Double
    let repetitions: Int
    /// Pieces of work in one call.
    let pieces: Int
    let call: () throws -> Void
}
