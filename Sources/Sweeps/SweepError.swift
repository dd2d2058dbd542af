/// What is wrong with a sweep: one sentence for the user, with the place and the remedy.
public struct SweepError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
