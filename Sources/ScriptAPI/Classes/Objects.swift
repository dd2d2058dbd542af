import Compute
import Curvature
import Datasets
import Dynamics
import Experiments
import Graph
import LuaBridge
import Networks
import Objectives

// What scripts hold: classes of the laboratory as they are, values in a box.

extension Run: LuaObject {}

/// What the script gave to a run, beside what the run itself keeps.
final class RunParts {
    let model: ModelObject
    let data: DatasetObject

    init(model: ModelObject, data: DatasetObject) { (self.model, self.data) = (model, data) }
}

/// A network. Its initial parameters are what `load` replaces; the runs made of it have copies.
final class ModelObject: LuaObject {
    var model: Model
    init(_ model: Model) { self.model = model }
}

final class DatasetObject: LuaObject {
    let data: Dataset
    init(_ data: Dataset) { self.data = data }
}

final class VectorObject: LuaObject {
    let vector: Vector
    /// What its parts are called; nil for one that belongs to no model.
    let layout: ParameterLayout?

    init(_ vector: Vector, _ layout: ParameterLayout? = nil) {
        self.vector = vector
        self.layout = layout?.count == vector.count ? layout : nil
    }
}

final class ArrayObject: LuaObject {
    let array: NDArray
    init(_ array: NDArray) { self.array = array }

    convenience init(_ numbers: [Double]) throws { self.init(try NDArray(numbers)) }
}

final class OptimizerObject: LuaObject {
    let rule: any UpdateRule
    init(_ rule: any UpdateRule) { self.rule = rule }
}

final class InitializerObject: LuaObject {
    let rule: InitializationRule
    let text: String

    init(_ text: String, _ rule: InitializationRule) {
        self.rule = rule
        self.text = text
    }

    /// The rule that a value stands for: an initialiser's, or the same number everywhere; nil for nil.
    static func rule(_ value: LuaValue) throws -> InitializationRule? {
        if value.isNil { return nil }
        if let number = Double.read(value) { return .constant(number) }
        return read(value)?.rule
    }
}

/// A part of a network, for `eoss.nn.sequential` and its like.
final class LayerObject: LuaObject {
    let layer: Layer
    /// The shape of one sample's input, where the layer says it.
    let inputShape: [Int]?
    let text: String

    init(_ text: String, _ layer: Layer, inputShape: [Int]? = nil) {
        self.layer = layer
        self.inputShape = inputShape
        self.text = text
    }
}

/// A tensor of a function that is being traced.
final class TensorObject: LuaObject {
    let symbolic: Symbolic
    let trace: Trace

    init(_ symbolic: Symbolic, _ trace: Trace) { (self.symbolic, self.trace) = (symbolic, trace) }
}

final class SeriesObject: LuaObject {
    let series: Series
    private(set) lazy var steps = Result { ArrayObject(try NDArray(series.steps.map(Int64.init))) }
    private(set) lazy var values = Result { try ArrayObject(series.values) }
    private(set) lazy var standardErrors = Result { try ArrayObject(series.standardErrors) }

    init(_ series: Series) { self.series = series }
}

/// What `measure` and `H:trace` give: an estimate with its error bar and its cost.
final class MeasurementObject: LuaNumeric {
    let name: String
    let measurements: [Measurement]
    /// What each measurement is called.
    let names: [String]
    let vectors: [VectorObject]
    private(set) lazy var values = Result { try ArrayObject(measurements.map(\.value)) }
    private(set) lazy var residuals = Result { try ArrayObject(measurements.map { $0.residual ?? .nan }) }
    private(set) lazy var arrays = Result {
        try (measurements.first?.arrays ?? [:]).mapValues { LuaValue.object(try ArrayObject($0)) }
    }

    /// What it stands for where a number is taken: the value; of several the first.
    var number: Double? { measurements.first?.value }

    init(_ name: String, _ measurements: [Measurement], names: [String] = [], vectors: [VectorObject] = []) {
        self.name = name
        self.measurements = measurements
        self.names = names.count == measurements.count ? names : [name]
        self.vectors = vectors
    }

    /// The values by their names.
    var named: [String: LuaValue] {
        Dictionary(zip(names, measurements.map { .number($0.value) }), uniquingKeysWith: { first, _ in first })
    }
}

final class EigenpairsObject: LuaObject {
    let pairs: Eigenpairs
    let vectors: [VectorObject]
    private(set) lazy var values = Result { try ArrayObject(pairs.values) }
    private(set) lazy var residuals = Result { try ArrayObject(pairs.residuals) }

    init(_ pairs: Eigenpairs, _ layout: ParameterLayout?) {
        self.pairs = pairs
        vectors = pairs.vectors.map { VectorObject($0, layout) }
    }
}

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

extension Run {
    var parts: RunParts? { attachment as? RunParts }

    /// What the run is made of, in a line.
    var configuration: String {
        "model: \(objective.model.name), \(objective.model.layout.count) parameters in \(objective.model.element.rawValue); "
            + "data: \(data.summary); loss: \(objective.lossName); optimizer: \(rule.summary); "
            + "batch_size: \(batchSize); seed: \(seed)"
    }
}
