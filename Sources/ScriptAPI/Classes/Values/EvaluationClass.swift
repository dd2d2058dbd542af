import Compute
import Datasets
import LuaBridge
import Objectives

final class EvaluationObject: LuaObject {
    let evaluation: Oracle.Evaluation
    let accuracy: Double?
    private let outputShape: [Int]
    private(set) lazy var losses = Result { try ArrayObject(evaluation.losses.values) }
    private(set) lazy var outputs = Result {
        ArrayObject(try NDArray(evaluation.outputs.values, shape: [evaluation.losses.count] + outputShape))
    }

    init(_ evaluation: Oracle.Evaluation, accuracy: Double?, outputShape: [Int]) {
        self.evaluation = evaluation
        self.accuracy = accuracy
        self.outputShape = outputShape
    }
}

extension ScriptHost {
    /// `evaluation`: what `run:evaluate` gives.
    func evaluationClass() -> ObjectClass<EvaluationObject> {
        let results = ObjectClass<EvaluationObject>("evaluation", "Losses and outputs over samples.")
        results.property("loss", .number, "The mean of the losses.") { $0.evaluation.loss }
        results.property("accuracy", .number.orNil, "The share of samples classified right; nil for a regression.") {
            $0.accuracy
        }
        results.property("losses", .object("array"), "The loss of each sample.") { try $0.losses.get() }
        results.property("outputs", .object("array"), "The network's output for each sample.") { try $0.outputs.get() }
        results.description { result in
            "loss \(short(result.evaluation.loss)) over \(result.evaluation.losses.count) samples"
                + (result.accuracy.map { ", accuracy \(short($0))" } ?? "")
        }
        results.external { result in
            [result.evaluation.losses, result.evaluation.outputs].reduce(0) { $0 + $1.count * $1.element.byteCount }
        }
        return results
    }
}
