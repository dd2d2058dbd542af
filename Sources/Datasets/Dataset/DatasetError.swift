/// What is wrong with a data file or with the request for a data set, in words for the person who asked for it.
public struct DatasetError: Error, Hashable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
