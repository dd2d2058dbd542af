import Datasets
import Experiments
import Foundation

/// Writes what was measured in a run, for other programs.
public struct Export {
    public let reader: RunFileReader
    /// Which series, in this order.
    public let series: [String]

    /// - Parameter series: the names of those wanted; nil: all.
    /// - Throws: for a series that the file does not have.
    public init(_ reader: RunFileReader, series: [String]? = nil) throws {
        self.reader = reader
        let known = try reader.seriesNames()
        if let missing = series?.first(where: { !known.contains($0) }) {
            throw ExperimentError.unknownSeries(missing, run: reader.name, known: known)
        }
        self.series = series ?? known
    }

    /// Writes a table or lines piece by piece: a file of any length takes a few megabytes of memory, Parquet some tens.
    /// - Parameter isLong: a row a measurement, with all that is known of it, instead of a row a step.
    public func write(_ format: ExportFormat, isLong: Bool = false, to sink: any ByteSink) throws {
        switch format {
        case .csv: try CSVWriter.write(table(isLong), to: sink)
        case .parquet: try ParquetWriter.write(table(isLong), to: sink)
        case .jsonl: try JSONLinesWriter.write(reader, series, to: sink)
        case .tensorboard: try TensorBoardWriter.write(reader, ExportedName.list(series), to: sink)
        case .npz, .safetensors:
            let arrays = try SeriesArrays.arrays(reader, ExportedName.list(series))
            try sink.write(
                Array(format == .npz ? ArrayFile.npz(arrays) : ArrayFile.safetensors(arrays)))
        }
    }

    /// The parameters of a checkpoint as a safetensors file; nil: the last one.
    public func writeCheckpoint(step: Int?, to sink: any ByteSink) throws {
        guard let chosen = try step ?? reader.lastCheckpointStep() else {
            throw RunFileError.missing(path: reader.url.path, what: "checkpoint")
        }
        let known = try reader.checkpointSteps()
        guard known.contains(chosen) else {
            throw ExportError(
                "'\(reader.url.path)' has no checkpoint of step \(chosen): it has "
                    + (known.isEmpty ? "none" : "those of \(known.sorted().map(String.init).joined(separator: ", "))"))
        }
        try sink.write(Array(try SeriesArrays.checkpoint(reader, step: chosen)))
    }

    /// The path of the file inside of what `-o` names, or of what is derived from the run file's name: TensorBoard wants a folder.
    public func target(_ format: ExportFormat, output: String?) throws -> String {
        let name = reader.url.deletingPathExtension().lastPathComponent
        guard format == .tensorboard else {
            if let output { try FileEnding.check(output, of: format.rawValue, format.endings) }
            return output ?? "\(name).\(format.rawValue)"
        }
        let folder = output ?? "\(name).tensorboard"
        if (folder as NSString).pathExtension.lowercased().hasPrefix("eoss") {
            throw ExportError(
                "cannot make the folder '\(folder)': names in .eoss are kept for run files and what stands beside them; choose another name"
            )
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            let reason = access(folder, F_OK) == 0 ? "there is a file of that name" : words(for: error)
            throw ExportError("cannot make the folder '\(folder)': \(reason)")
        }
        return "\(folder)/\(TensorBoardWriter.fileName(reader))"
    }

    private func table(_ isLong: Bool) throws -> any TableSource {
        isLong
            ? MeasurementTable(reader, ExportedName.list(series))
            : try StepTable(reader, ExportedName.list(series, taken: ["step"]))
    }
}
