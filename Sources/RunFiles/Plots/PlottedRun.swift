import Experiments
import Foundation

/// A run as plots see it: a live one, or what its file has.
public struct PlottedRun {
    /// For the legend.
    public var name: String
    /// The names of its series, in the order in which they began.
    public let seriesNames: [String]
    /// Under which settings it was when.
    public let history: RunHistory
    private let read: (String, Int?, Int?) throws -> Series
    private let edge: (String) throws -> Series?

    public init(_ run: Run) {
        (name, seriesNames, history) = (run.name, run.seriesNames, run.history)
        read = { try run.series($0, from: $1, to: $2) }
        edge = { try run.knownEdge(for: $0) }
    }

    /// - Throws: `RunFileError` for a file that cannot be read.
    public init(_ reader: RunFileReader) throws {
        // The file may have been renamed, and so its name is the one that people know.
        name = reader.url.deletingPathExtension().lastPathComponent
        let (names, history) = (try reader.seriesNames(), try reader.history())
        (seriesNames, self.history) = (names, history)
        let read: (String, Int?, Int?) throws -> Series = { series, from, to in
            guard names.contains(series) else {
                throw ExperimentError.unknownSeries(
                    series.printable, run: reader.name.printable, known: names.map(\.printable))
            }
            return try reader.values(of: series, from: from ?? .min, to: to ?? .max)
        }
        self.read = read
        edge = { series in
            try history.knownEdge(for: series) { names.contains($0) ? try read($0, nil, nil) : nil }
        }
    }

    /// - Throws: `ExperimentError.unknownSeries`, with the nearest name.
    public func series(_ name: String, from: Int? = nil, to: Int? = nil) throws -> Series { try read(name, from, to) }

    /// What a series is: by its probe, whatever the program calls it.
    func kind(of series: String) -> SeriesKind { SeriesKind(history.catalogueName(of: series)) }

    /// The edge that belongs to a series; nil where none is known.
    func knownEdge(for series: String) throws -> Series? { try edge(series) }
}

/// Runs that are shown as one: the same experiment with several seeds, say; or one run.
public struct PlottedGroup {
    public var name: String
    public var runs: [PlottedRun]

    public init(_ run: PlottedRun) { (name, runs) = (run.name, [run]) }
    public init(name: String, runs: [PlottedRun]) { (self.name, self.runs) = (name, runs) }
}
