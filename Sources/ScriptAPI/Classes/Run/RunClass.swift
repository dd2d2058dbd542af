import Dynamics
import Experiments
import LuaBridge
import Objectives

extension ScriptHost {
    /// `run`: a training run, its state and everything that can be done with it.
    func runClass() -> ObjectClass<Run> {
        let runs = ObjectClass<Run>("run", "A training run: a model, data, a loss, an optimizer, and where it stands.")
        addState(to: runs)
        addTracking(to: runs)
        addTraining(to: runs)
        addMeasuring(to: runs)
        addDerivatives(to: runs)
        addCurvature(to: runs)
        addFiles(to: runs)
        addAverages(to: runs)
        runs.guarding { try $0.custody?.check() }
        addLayers(to: runs)
        addSlices(to: runs)
        addForecast(to: runs)
        runs.description { $0.line }
        runs.view { Self.view(of: $0) }
        runs.external { run in
            // Parameters, gradient and the memory of a step.
            4 * run.objective.model.layout.count * run.objective.model.element.byteCount
        }
        return runs
    }

    /// What can be read and assigned.
    private func addState(to runs: ObjectClass<Run>) {
        runs.property("name", .string, "The run's name.") { $0.name }
        runs.property("step", .integer, unit: "steps", "Steps taken.") { $0.programStep }
        runs.property("epoch", .number, unit: "epochs", "Epochs taken.") { $0.programEpoch }
        runs.property("time", .number, "The sum of the learning rates of all steps.") { $0.programTime }
        runs.property(
            "lr", .scheduled(.number(.positive)),
            "The learning rate; can be assigned: a number, a schedule, a function of the steps from then on, or a table of steps.",
            get: { run in try run.reading("lr") { run.learningRate } },
            set: { (run: Run, value: LuaValue) in
                try SettingValue(value, "lr").assign(to: "lr", of: run) { try run.setLearningRate($0) }
            })
        runs.property(
            "batch_size", .scheduled(.batchSize),
            unit: "samples", "Samples in a batch, or 'full'; can be assigned: also a schedule, as lr.",
            get: { run -> LuaValue in
                let read = try run.reading("batch_size") { .string("\(run.batchSize)") }
                guard case .string(let size) = read else { return .nil }
                return Int(size).map { .integer($0) } ?? .string(size)
            },
            set: { (run: Run, value: LuaValue) in
                switch value {
                case .object, .function, .table:
                    try SettingValue(value, "batch_size").assign(to: "batch_size", of: run) { _ in }
                default: try run.setBatchSize(Run.BatchSize(value))
                }
            })
        runs.property(
            "params", .vector, "The parameters: a copy; can be assigned.", get: { $0.object(try $0.programParameters) },
            set: { (run: Run, vector: VectorObject) in try run.setParameters(run.fitting(vector, "params")) })
        runs.property(
            "optimizer", .object("optimizer"), "The update rule; it, and its settings, can be assigned.",
            get: { OptimizerObject(of: $0) },

            set: { [unowned self] (run: Run, optimizer: OptimizerObject) in
                try run.setRule(optimizer.rule)
                try state.keep(optimizer, in: run)
                try optimizer.schedule(in: run)
            })
        runs.property("loss", .number, "The loss over all training samples, at these parameters.") { run in
            try run.reading("loss") { try run.evaluation().loss }
        }
        runs.property(
            "accuracy", .number.orNil, "The share of training samples classified right; nil for a regression."
        ) {
            run in
            try run.reading("accuracy") { try run.accuracy(of: run.evaluation(), on: run.data.train) }
        }
        runs.property(
            "batch_loss", .number.orNil, "The loss of the last step's batch, before the step; nil before the first."
        ) { run in
            try run.reading("batch_loss") { run.batchLoss }
        }
        runs.property(
            "edge", .number.orNil,
            "Up to which curvature the optimizer is stable: 2/lr for sgd; nil where no edge is known."
        ) { run in try run.reading("edge") { run.edge() } }
        runs.property("model", .object("model"), "The network.") { $0.parts?.model }
        runs.property("data", .object("dataset"), "The data.") { $0.parts?.data }
        runs.property(
            "state", .table,
            "A table of your own that belongs to the run: numbers, strings, booleans and tables of them, kept in its checkpoints and copied into its forks.",
            get: { [unowned self] run in
                try run.catchUpIfOver()
                return try keptTable(of: run)
            })
        runs.property("tracked", .list(of: .string), "The names of its series.") { $0.seriesNames }
    }
}

extension Run.BatchSize {
    /// A number or "full", as its declaration has it.
    init(_ value: LuaValue) throws {
        if let count = Int.read(value) {
            self = .samples(count)
        } else {
            self = .full
        }
    }
}

extension Run: LuaObject {}

/// What the script gave to a run, beside what the run itself keeps.
final class RunParts {
    let model: ModelObject
    let data: DatasetObject
    /// `run.state`, once it was asked for.
    var table: LuaKeptTable?

    init(model: ModelObject, data: DatasetObject) { (self.model, self.data) = (model, data) }
}

extension Run {
    /// What print shows of it.
    var line: String {
        if let custody, !custody.isHere { return "\(custody.words)" }
        return "run '\(name)' at step \(step): \(objective.model.name), \(data.name) "
            + "(\(data.train.count) samples), \(objective.lossName), \(rule.name) "
            + "lr \(short(learningRate)), batch_size \(batchSize)"
    }

    var parts: RunParts? { attachment as? RunParts }

    /// What the run is made of, in a line.
    var configuration: String {
        "model: \(objective.model.name), \(objective.model.layout.count) parameters in \(objective.model.element.rawValue); "
            + "data: \(data.summary); loss: \(objective.lossName); optimizer: \(rule.summary); "
            + "batch_size: \(batchSize); seed: \(seed)"
    }
}
