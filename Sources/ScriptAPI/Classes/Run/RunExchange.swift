import Compute
import Datasets
import Experiments
import Foundation
import LuaBridge
import Networks
import Objectives
import Reports

/// Files: parameters and figures.
func addExchange(to runs: ObjectClass<Run>, _ host: ScriptHost) {
    runs.procedure(
        "save",
        "Writes the parameters below the output folder, in PyTorch's names and shapes, as .safetensors or .npz.",
        parameters: [Parameter("path", .string, "The file, such as 'point.safetensors'; its ending is the format.")]
    ) { [unowned host] run, call in
        try host.save(run.parameters, run.statistics(), of: run.objective.model, to: call.get("path"))
    }
    runs.procedure(
        "plot",
        "Draws series over the steps, curvatures against the moving edge, into the output folder and the run file.",
        parameters: [
            Parameter("path", .string, "The file: .svg, .pdf, .png or .txt."),
            Parameter("names", .names, "The series."),
        ], options: SeriesFigure.options
    ) { [unowned host] run, call in
        let figure = try SeriesFigure(call).drawing([run], call.names("names"))
        try host.draw(figure, of: [run], to: call.get("path"))
    }
    runs.procedure(
        "plot_spectrum",
        "Draws the spectrum of a curvature matrix at this step, its largest eigenvalues against the stability edge, into the output folder and the run file.",
        parameters: [Parameter("path", .string, "The file: .svg, .pdf, .png or .txt.")],
        options: [
            Parameter(
                "matrix", .choice(CurvatureMatrix.allCases.map(\.rawValue)), default: "hessian", "Which matrix."),
            Parameter(
                "preconditioned", .boolean, default: false,
                "By what the optimizer divides its step by: the curvature that adam, say, sees."),
            Parameter("k", .integer(.nonNegative), default: 5, "How many of the largest eigenvalues are marked."),
        ] + densityOptions + SpectrumFigure.options + curvatureOptions
    ) { [unowned host] run, call in
        let path: String = try call.get("path")
        // A wrong name or option is told before anything is computed.
        try OutputFile.check(host.figureTarget(path).file)
        let figure = try SpectrumFigure(call).drawing(run, call)
        try host.draw(figure, of: [run], to: path)
    }
}

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
    }

    /// Where a figure goes, and as what.
    func figureTarget(_ path: String) throws -> (file: String, format: FigureFormat) {
        let format = try FigureFormat(path: path)
        return (try paths.writable(path), format)
    }

    /// Draws a figure, keeps it in the files of its runs and writes it to the output folder.
    func draw(_ figure: Figure, of runs: [Run], to path: String) throws {
        let (file, format) = try figureTarget(path)
        let bytes = try figure.drawn(as: format)
        try OutputFile.write(bytes, to: file)
        let name = (file as NSString).lastPathComponent
        for run in runs { try run.file?.addFigure(name: name, mime: format.mimeType, bytes: bytes) }
    }
}
