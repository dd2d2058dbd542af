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
        "save", "Writes the parameters as a safetensors file below the output folder, in PyTorch's names and shapes.",
        parameters: [Parameter("path", .string, "The file, such as 'point.safetensors'.")]
    ) { [unowned host] run, call in
        try host.save(run.parameters, run.statistics(), of: run.objective.model, to: call.get("path"))
    }
    runs.procedure(
        "plot",
        "Draws series over the steps, curvatures against the moving edge, into the output folder and the run file.",
        parameters: [
            Parameter("path", .string, "The file: .svg, .pdf, .png or .txt."),
            Parameter("names", .names, "The series."),
        ], options: RunFigure.options
    ) { [unowned host] run, call in
        let figure = try RunFigure(call).drawing([run], call.names("names"))
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
        _ = try FigureFormat(path: path)
        let figure = try SpectrumFigure(call).drawing(run, call)
        try host.draw(figure, of: [run], to: path)
    }
}

extension ScriptHost {
    /// Writes parameters and running statistics as safetensors.
    func save(_ parameters: Vector, _ statistics: Vector, of model: Model, to path: String) throws {
        let file = try paths.writable(path)
        let arrays = try model.arrays(of: parameters, statistics: statistics)
        try OutputFile.write(try ArrayFile.safetensors(arrays), to: file)
    }

    /// Reads parameters and running statistics into a model.
    func load(_ path: String, into model: inout Model) throws {
        let state = try model.state(from: ArrayFile.load(paths.readable(path)), source: path)
        model.initial = state.parameters
        model.initialBuffers = state.statistics
    }

    /// Draws a figure, keeps it in the files of its runs and writes it to the output folder.
    func draw(_ figure: Figure, of runs: [Run], to path: String) throws {
        let file = try paths.writable(path)
        let format = try FigureFormat(path: file)
        let bytes = try figure.drawn(as: format)
        try OutputFile.write(bytes, to: file)
        let name = (file as NSString).lastPathComponent
        for run in runs { try run.file?.addFigure(name: name, mime: format.mimeType, bytes: bytes) }
    }
}
