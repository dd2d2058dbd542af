import Experiments

/// What a sweep goes through: every combination of the values of its axes, and each of these for several seeds.
public struct SweepPlan: Sendable, Equatable {
    /// A parameter and its values, as `--set` takes them.
    public struct Axis: Sendable, Equatable, Codable {
        public var name: String
        public var values: [String]

        public init(_ name: String, _ values: [String]) { (self.name, self.values) = (name, values) }
    }

    /// The parameter that repetitions change, over which tables take means.
    public static let seed = "seed"
    /// A folder with more runs than this is of no use to anybody.
    public static let mostPoints = 10_000

    /// The axes as they were given, with that of the seeds at the end where there are repetitions.
    public let axes: [Axis]
    public let points: [SweepPoint]
    /// Names that tell the points apart and are names of files: `lr=0.1-batch=8-seed=2`.
    public let names: [String]

    /// - Parameter repeats: how many seeds, 1, 2, …, there are of each combination; nil: the script's own.
    /// - Throws: ``SweepError`` for nothing to go through, for names or values that are given twice, and for too many points.
    public init(_ axes: [Axis], repeats: Int? = nil) throws(SweepError) {
        var all = axes
        if let repeats {
            if axes.contains(where: { $0.name == Self.seed }) {
                throw SweepError("seed is given twice, by --repeat and by --set seed=…: leave one of them out")
            }
            guard repeats > 0 else { throw SweepError("--repeat is \(repeats), and should be 1 or more") }
            try Self.checkCount([repeats])
            try Self.checkCount(axes.map(\.values.count) + [repeats])
            all.append(Axis(Self.seed, (1...repeats).map(String.init)))
        }
        if all.isEmpty {
            throw SweepError(
                "there is nothing to sweep: give --set name=value,value,…, or --repeat n for several seeds")
        }
        for (place, axis) in all.enumerated() {
            guard Self.isName(axis.name) else {
                throw SweepError("'\(axis.name.printable)' is no name of a parameter: letters, digits and _")
            }
            if axis.values.isEmpty {
                throw SweepError("\(axis.name) has no values")
            }
            if all[..<place].contains(where: { $0.name == axis.name }) {
                throw SweepError("\(axis.name) is given twice: give all its values at once, --set \(axis.name)=a,b,c")
            }
            var seen: Set<String> = []
            if let twice = axis.values.first(where: { !seen.insert($0).inserted }) {
                throw SweepError("\(axis.name) has the value \(twice.printable) twice")
            }
        }
        try Self.checkCount(all.map(\.values.count))
        self.axes = all
        points = SweepPoint.grid(all.map { ($0.name, $0.values) })
        let varied = Set(all.filter { $0.values.count > 1 }.map(\.name))
        names = points.enumerated().map { number, point in
            Self.name(point.settings.filter { varied.isEmpty || varied.contains($0.name) }, number: number)
        }
    }

    private static func checkCount(_ counts: [Int]) throws(SweepError) {
        // As a Double, which does not overflow.
        let count = counts.reduce(1.0) { $0 * Double($1) }
        guard count <= Double(mostPoints) else {
            throw SweepError(
                "the sweep would have \(counts.map(String.init).joined(separator: " × ")) points, and may have \(mostPoints): leave "
                    + "values out, or make several sweeps")
        }
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { $0 == UInt8(ascii: "_") || isLetterOrDigit($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }

    /// Bytes of a name beyond which its end gives way to the point's number.
    private static let longestName = 120

    /// Different settings of the same parameters have different names: a value has neither `=` nor `~` in it.
    private static func name(_ settings: [SweepPoint.Setting], number: Int) -> String {
        let name = settings.map { "\($0.name)=\(escaped($0.value))" }.joined(separator: "-")
        return name.utf8.count <= longestName ? name : "\(name.prefix(longestName - 6))~\(number)"
    }

    /// Bytes that mean something to shells, URLs or file systems are written as `%2F`.
    private static func escaped(_ value: String) -> String {
        value.utf8.map { byte in
            if isLetterOrDigit(byte) || "._+-,{}".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (byte < 16 ? "0" : "") + digits
        }.joined()
    }
}
