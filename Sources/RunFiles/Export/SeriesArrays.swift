import Datasets
import Experiments
import Foundation

/// Series and checkpoints as files of named arrays.
enum SeriesArrays {
    /// `name/steps`, `name/values` and, where any value has one, `name/stderrs` of each series.
    static func arrays(_ reader: RunFileReader, _ names: [ExportedName]) throws -> [String: NDArray] {
        var arrays: [String: NDArray] = [:]
        for name in names {
            var (steps, values, errors): ([Int64], [Double], [Double]) = ([], [], [])
            let cursor = try SeriesCursor(reader, name.series)
            while let measurement = cursor.current {
                steps.append(Int64(measurement.step))
                values.append(measurement.value)
                if let error = measurement.standardError {
                    errors += [Double](repeating: .nan, count: values.count - 1 - errors.count)
                    errors.append(error)
                }
                try cursor.advance()
            }
            arrays[name.written + "/steps"] = try NDArray(steps)
            arrays[name.written + "/values"] = try NDArray(values)
            if errors.isEmpty { continue }
            errors += [Double](repeating: .nan, count: values.count - errors.count)
            arrays[name.written + "/stderrs"] = try NDArray(errors)
        }
        return arrays
    }

    /// The parameters and running statistics of a checkpoint, in PyTorch's names, as a safetensors file.
    static func checkpoint(_ reader: RunFileReader, step: Int) throws -> Data {
        let contents = try ArrayFile.contents(
            of: reader.checkpoint(step: step), name: "\(reader.name.printable), step \(step)")
        return try ArrayFile.safetensors(
            ArrayFile.Contents(
                arrays: contents.arrays.filter { !$0.key.hasPrefix("@") },
                metadata: ["run": reader.name, "step": "\(step)"]))
    }
}
