import Compute
import Datasets
import Experiments
import Foundation
import LuaBridge
import Networks
import Objectives
import Reports

extension ScriptHost {
    /// Writes parameters and running statistics as safetensors.
    func save(_ parameters: Vector, _ statistics: Vector, of model: Model, to path: String) throws {
        try save(model.arrays(of: parameters, statistics: statistics), to: path)
    }

    /// Writes arrays in the format of the file's name.
    func save(_ arrays: [String: NDArray], to path: String) throws {
        let format = try ArrayFormat(path: path)
        let file = try paths.writable(path)
        try OutputFile.check(file)
        try OutputFile.write(ArrayFile.bytes(of: arrays, as: format, name: path), to: file)
    }

    /// Reads parameters and running statistics into a model.
    func load(_ path: String, into model: inout Model) throws {
        let state = try model.state(from: ArrayFile.load(paths.readable(path)), source: path)
        model.initial = state.parameters
        model.initialBuffers = state.statistics
        model.fixedValues = state.fixed
    }

    /// Where a figure goes, and as what.
    func figureTarget(_ path: String) throws -> (file: String, format: FigureFormat) {
        let format = try FigureFormat(path: path)
        return (try paths.writable(path), format)
    }
}
