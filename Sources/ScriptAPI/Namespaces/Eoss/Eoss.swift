import Dynamics
import Experiments
import Graph
import LuaBridge
import Networks
import Objectives

/// The module `eoss`: what all scripts see.
extension ScriptHost {
    /// The classes of the objects that scripts hold.
    func classes() -> [AnyObjectClass] {
        [
            runClass(), seriesClass(), costsClass(), lockstepClass(), runFileClass(), runSummaryClass(),
            comparisonClass(), averageClass(), forecastClass(),
            modelClass(), layerClass(), initializerClass(), optimizerClass(), fieldClass(), scheduleClass(),
            stepContextClass(), datasetClass(),
            vectorClass(), arrayClass(), measurementClass(), evaluationClass(), tensorClass(),
            layersClass(), sliceClass(), sweepClass(), sweepTableClass(),
            operatorClass(), eigenpairsClass(), densityClass(), diagonalClass(), solutionClass(), preconditionerClass(),
        ]
    }

    func eossNamespace() -> Namespace {
        let eoss = Namespace("eoss", "A laboratory for the dynamics of training at the edge of stability.")
        addExperiments(to: eoss)
        addData(to: eoss)
        addArrays(to: eoss)
        addNetworks(to: eoss)
        addInitializers(to: eoss)
        addOptimizers(to: eoss)
        addSchedules(to: eoss)
        addTensorFunctions(to: eoss)
        return eoss
    }

    private func addExperiments(to eoss: Namespace) {
        eoss.function(
            "params", "Declares the parameters of an experiment; eoss run FILE --set name=value changes them.",
            parameters: [
                Parameter("defaults", .map(of: Self.parameterType), "Each parameter's name and default.")
            ],
            options: [
                .optional(
                    "scales", .map(of: .map(of: Self.parameterType)),
                    "Other defaults of some of them by the name of a scale: --set scale=paper takes those of { paper = { n = 5000 } }, and what else is set goes before them. The parameter 'scale' is 'small' without."
                )
            ], results: [Parameter("parameters", .map(of: Self.parameterType), "The same table with the values set.")]
        ) { [unowned self] call in
            let scales = try (call.get("scales", as: [String: LuaTable]?.self) ?? [:]).mapValues { table in
                try Dictionary(
                    table.fields.named(in: "'scales' of eoss.params").map { ($0.name, $0.value) }
                ) { $1 }
            }
            return LuaRecord(
                try declareParameters(call.get("defaults"), scales: scales), called: "the parameters")
        }
        eoss.function(
            "run", "A training run. Nothing is computed yet.",
            options: [
                Parameter("name", .string, default: "run", "Its name, and that of its file."),
                Parameter("model", .object("model"), "The network."),
                Parameter("data", .object("dataset"), "What it is trained on."),
                Parameter(
                    "loss",
                    .choice(LossName.allCases.map(\.rawValue)).or(
                        .function(
                            ("output", .object("tensor")), ("target", .object("tensor")), returns: .object("tensor"))),
                    "The loss of one sample: a name, or a function of its output and target."),
                Parameter("optimizer", .object("optimizer"), "The update rule."),
                Parameter("batch_size", .batchSize, default: "full", unit: "samples", "Samples in a batch, or 'full'."),
                Parameter(
                    "sampling", .choice(Self.samplings.map(\.name)).or(.list(of: .samples)), default: "shuffled",
                    "In which order samples are taken: another permutation each epoch; each drawn by itself, with replacement; the data's own order; one permutation for all epochs; or a list of batches of your own, of sample numbers from 1."
                ),
                Parameter(
                    "keep_last", .boolean, default: false,
                    "Whether what is left of an epoch, fewer samples than a batch, is a batch too; else it is dropped."),
                Parameter(
                    "ghost_batch", .integer(.positive), default: .integer(Oracle.defaultGhostBatch), unit: "samples",
                    "Samples that share batch statistics in full-data quantities, in a network with batch norm."),
                .seed,
                .optional(
                    "checkpoint", .boolean.or(.record(Self.checkpointParameters)),
                    "When the whole state is kept in the run file, to go on from. By default once a minute and at the end of a training, of which the last is kept; false: never by itself."
                ),
                Parameter(
                    "file", .boolean, default: true,
                    "Whether it has a run file; false: what it measures is kept in memory alone, and so that of its forks. For hundreds of short runs of which a script keeps what they come to."
                ),
            ], results: [Parameter("run", .object("run"), "The run.")]
        ) { [unowned self] call in try makeRun(call) }
        addLockstep(to: eoss)
        addParallel(to: eoss)
        addOpen(to: eoss)
        addSweeps(to: eoss)
        addPlot(to: eoss)
        eoss.function(
            "average", "The mean of operators, such as the Hessians of several batches.",
            parameters: [
                Parameter("operators", .list(of: .object("operator")), "The operators, on the same parameters.")
            ],
            results: [Parameter("operator", .object("operator"), "The mean.")]
        ) { call in try mean(of: call.get("operators"), "eoss.average") }
        eoss.function(
            "clock", "Seconds of a clock that never goes back.",
            results: [Parameter("seconds", .number, unit: "seconds", "Since some moment.")]
        ) { _ in Stopwatch.now }
        eoss.function(
            "message",
            "Writes a line to the standard error: a word to who waits, which is no result as what print writes is.",
            parameters: [Parameter("text", .string, "The line.")], results: []
        ) { [unowned self] call in
            options.message(try call.get("text", as: String.self).printable)
            return LuaValue.nil
        }
        eoss.constant("version", .string, RunEnvironment.eossVersion, "The version of this program.")
    }

    private static let samplings: [(name: String, value: Sampling)] = [
        ("shuffled", .shuffled), ("replacement", .replacement), ("sequential", .sequential), ("fixed", .fixed),
    ]

    /// Of listed batches the size of the first, for edges.
    private func batchSize(_ call: borrowing LuaCall) throws -> Run.BatchSize {
        if let lists = [[Int]].read(try call.value("sampling")) { return .samples(max(1, lists.first?.count ?? 1)) }
        return try Run.BatchSize(call.value("batch_size"))
    }

    private func sampling(_ call: borrowing LuaCall) throws -> Sampling {
        if let lists = [[Int]].read(try call.value("sampling")) {
            if try call.has("batch_size"), try call.value("batch_size").literal != "\"full\"" {
                throw ArgumentError("eoss.run: 'sampling' lists the batches themselves: give no batch_size with it")
            }
            return .batches(lists.map { $0.map { $0 - 1 } })
        }
        let name: String = try call.get("sampling")
        return Self.samplings.first { $0.name == name }?.value ?? .shuffled
    }

    private static let checkpointParameters: [Parameter] = [
        .optional("every", .integer(.positive), unit: "steps", "After each multiple of so many steps."),
        .optional("at", .list(of: .integer(.nonNegative)), unit: "steps", "After these steps; they stay."),
        .optional(
            "keep", .integer(.positive),
            "How many are kept beside those of 'at', the last ones: 3 with 'every', else 1, by default."),
    ]

    private func checkpointPolicy(_ call: borrowing LuaCall) throws -> CheckpointPolicy {
        switch try call.value("checkpoint") {
        case .boolean(false): return .none
        case .table(let table):
            let every = Int.read(table["every"])
            return CheckpointPolicy(
                every: every, seconds: every == nil ? 60 : nil, steps: Set([Int].read(table["at"]) ?? []),
                keep: Int.read(table["keep"]) ?? (every == nil ? 1 : 3))
        default: return .standard
        }
    }

    private static var parameterType: LuaType {
        LuaType.number.or(.boolean).or(.string).or(.list(of: .number)).or(.list(of: .string)).or(.list(of: .boolean))
    }

    private func makeRun(_ call: borrowing LuaCall) throws -> Run {
        try parameters.checkSettingsWereUsed()
        try stopWhereParametersAreWanted()
        let name = place.name(of: try call.get("name"))
        try RunFile.check(name: name)
        let model: ModelObject = try call.get("model")
        let data: DatasetObject = try call.get("data")
        let optimizer: OptimizerObject = try call.get("optimizer")
        let objective: Objective
        switch try call.value("loss") {
        case .function(let function):
            objective = try Trace.run(function, named: "the loss") { trace in
                try Objective(model: model.model, lossName: "function", data: data.data) { output, target in
                    try trace.call(TensorObject(output, trace), TensorObject(target, trace))
                }
            }
        default:
            objective = try Objective(model: model.model, loss: call.choice("loss"), data: data.data)
        }
        let run = try Run(
            name: name, objective: objective, data: data.data, rule: optimizer.rule,
            batchSize: batchSize(call), seed: call.seed(), sampling: sampling(call),
            keepsLast: call.get("keep_last"), ghostBatch: call.get("ghost_batch"))
        run.attachment = RunParts(model: model, data: data)
        run.checkpoints = try checkpointPolicy(call)
        adopt(run)
        try state.keep(optimizer, in: run)
        if try call.get("file") { try resume(run) } else { run.makeFile = nil }
        try optimizer.schedule(in: run)
        return run
    }
}
