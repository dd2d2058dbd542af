/// One combination of the values of a sweep's parameters.
public struct SweepPoint: Sendable, Equatable {
    /// In the order in which the parameters were given, as `--set` takes them.
    public let settings: [Setting]

    public struct Setting: Sendable, Equatable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    public init(_ settings: [Setting]) { self.settings = settings }

    /// Every combination of the values of each parameter; the last parameter changes fastest.
    public static func grid(_ axes: [(name: String, values: [String])]) -> [SweepPoint] {
        axes.reduce([SweepPoint([])]) { points, axis in
            points.flatMap { point in axis.values.map { SweepPoint(point.settings + [Setting(axis.name, $0)]) } }
        }
    }
}
