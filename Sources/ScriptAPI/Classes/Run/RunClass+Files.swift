import Compute
import Datasets
import Experiments
import Foundation
import LuaBridge
import Networks
import Objectives
import Reports

extension ScriptHost {
    /// Files: parameters and figures.
    func addFiles(to runs: ObjectClass<Run>) {
        runs.procedure(
            "save",
            "Writes the parameters below the output folder, in PyTorch's names and shapes, as .safetensors or .npz.",
            parameters: [Parameter("path", .path, "The file, such as 'point.safetensors'; its ending is the format.")]
        ) { [unowned self] run, call in
            // Written when the program came here the first time.
            if run.isBehind { return }
            try save(run.parameters, run.statistics(), of: run.objective.model, to: call.get("path"))
        }
        runs.procedure(
            "note",
            "Writes what the script has found into the run file: a text, among its notes, and the same for programs, in the data of an event of the kind 'note'.",
            parameters: [
                Parameter("text", .string, "One line or several, for people."),
                .optional(
                    "data", .map(of: .any),
                    "Numbers, strings, booleans and tables of them by their names, for programs: eoss.open(path).events."
                ),
            ]
        ) { run, call in
            var data: [String: JSONValue]?
            if case .object(let object) = try Self.json(call.value("data"), "data", for: ("run file", "run:note")) {
                data = object
            }
            try run.addNote(call.get("text"), data: data)
        }
        addPlot(to: runs)
        runs.method(
            "plot_spectrum",
            "Draws the spectrum of a curvature matrix at this step, its largest eigenvalues against the stability edge, into the output folder and the run file, or without a file here.",
            parameters: [.figureFile],
            options: [
                Parameter(
                    "matrix", .choice(CurvatureMatrix.allCases.map(\.rawValue)), default: "hessian", "Which matrix."),
                Parameter(
                    "preconditioned", .boolean, default: false,
                    "By what the optimizer divides its step by: the curvature that adam, say, sees."),
                Parameter("k", .integer(.nonNegative), default: 5, "How many of the largest eigenvalues are marked."),
            ] + densityOptions + SpectrumFigure.options + curvatureOptions, results: [.figurePath]
        ) { [unowned self] run, call in
            // A wrong name or option is told before anything is computed.
            let file = try figureFile(call)
            let figure = try SpectrumFigure(call).drawing(run, call)
            return try show(figure, of: [run], in: file)
        }
    }
}
