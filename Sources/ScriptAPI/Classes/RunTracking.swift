import Experiments
import LuaBridge

/// Measuring along the run: track, series, first.
func addTracking(to runs: ObjectClass<Run>) {
    runs.procedure(
        "track", "Measures one or several quantities every so many steps from now on.",
        parameters: [Parameter("names", .names, "Which: a name or a list of names.")],
        options: [
            Parameter("every", .integer(.positive), default: 1, unit: "steps", "At which steps: its multiples."),
            .optional("fn", .function("(run) -> number"), "Computes a quantity of your own, of this name."),
        ] + ProbeOptions.declared
    ) { run, call in
        let names = try call.names("names")
        let every: Int = try call.get("every")
        guard try call.has("fn") else {
            for probe in try ProbeOptions(call, of: run).probes(names) { try run.track(probe, every: every) }
            return
        }
        guard let name = names.first, names.count == 1, !name.isEmpty else {
            throw ArgumentError("run:track with 'fn' takes one name: that of the quantity it computes")
        }
        if ProbeCatalogue.names.contains(name) {
            throw ArgumentError("run:track: '\(name)' is what eoss calls a quantity of its own; choose another name")
        }
        let callback = try call.capture("fn", in: run)
        let probe = CustomProbe(name) { run in
            let result = try callback.call(run).first ?? .nil
            guard let number = Double.read(result) else {
                throw ArgumentError("'fn' of the series '\(name)' returned \(result.typeName), a number is needed")
            }
            return number
        }
        try run.track(probe, every: every)
    }
    runs.method(
        "series", "The values measured of a quantity.", parameters: [Parameter("name", .string, "Which.")],
        options: [
            .optional("from", .integer, unit: "steps", "From this step on."),
            .optional("to", .integer, unit: "steps", "Up to this step."),
        ], results: [Parameter("series", .object("series"), "The values.")]
    ) { run, call in
        SeriesObject(try run.series(call.get("name")).between(call.get("from"), call.get("to")))
    }
    runs.method(
        "first", "The first step at which one quantity stood in a relation to another, or to a number.",
        parameters: [
            Parameter("name", .string, "The series looked at."),
            Parameter("relation", .choice(Series.Relation.allCases.map(\.rawValue)), "The relation."),
            Parameter("other", .string.or(.number), "The name of a series, or a number."),
        ], results: [Parameter("step", .integer, "The step; nil where there is none.")]
    ) { run, call in
        let series = try run.series(call.get("name"))
        let relation: Series.Relation = try call.choice("relation")
        let other = try call.value("other")
        if let number = Double.read(other) { return series.firstStep(relation, number) }
        return series.firstStep(relation, try run.series(call.get("other")))
    }
}

/// Measuring now.
func addMeasuring(to runs: ObjectClass<Run>) {
    runs.method(
        "measure", "Measures a quantity now, without recording it.",
        parameters: [Parameter("name", .string, "Which.")], options: ProbeOptions.declared,
        results: [Parameter("measurement", .object("measurement"), "The value, its error bar and its cost.")]
    ) { run, call in
        let name: String = try call.get("name")
        guard let probe = try ProbeOptions(call, of: run).probes([name]).first else {
            throw ExperimentError.unknownProbe(name, known: ProbeCatalogue.names)
        }
        let measured = try run.measure(probe)
        let vectors = (probe as? LambdaMax)?.vectors ?? []
        return MeasurementObject(name, measured, vectors: vectors.map(VectorObject.init))
    }
}

/// The options of probes, as a script gives them to `track` and `measure`.
struct ProbeOptions {
    static let declared: [Parameter] = [
        .optional("k", .integer(.positive), "lambda_max: how many eigenvalues (1)."),
        .optional("tolerance", .number(.positive), "lambda_max: the relative accuracy of the eigenvalues (0.01)."),
        .optional("samples", .integer(.positive), "lambda_max: over so many training samples, drawn once (all)."),
        .optional("batch_size", .integer(.positive), "batch_sharpness: samples in a batch (the run's)."),
        .optional("rel_error", .number(.nonNegative), "Estimates: stop at this relative standard error; 0: never."),
        .optional("min_samples", .integer(.positive), "Estimates: batches or vectors to take at least."),
        .optional("max_samples", .integer(.positive), "Estimates: batches or vectors to take at most."),
        .optional("batches", .list(of: .samples), "batch_sharpness: over these batches exactly; samples from 1."),
    ]

    private static let taken: [String: [String]] = [
        "lambda_max": ["k", "tolerance", "samples"],
        "batch_sharpness": ["batch_size", "rel_error", "min_samples", "max_samples", "batches"],
        "hessian_trace": ["rel_error", "min_samples", "max_samples"],
    ]

    private let given: [String]
    private let k: Int?
    private let tolerance: Double?
    private let samples: Int?
    private let batchSize: Int?
    private let relativeError: Double?
    private let minSamples: Int?
    private let maxSamples: Int?
    private let batches: [[Int]]?

    init(_ call: borrowing LuaCall, of run: Run) throws {
        var given: [String] = []
        for option in Self.declared where try call.has(option.name) { given.append(option.name) }
        self.given = given
        k = try call.get("k")
        let count = run.objective.model.layout.count
        if let k, k > count {
            throw ArgumentError("option 'k' is \(k): the model has \(count) parameters, and so many eigenvalues")
        }
        tolerance = try call.get("tolerance")
        samples = try call.get("samples")
        batchSize = try call.get("batch_size")
        relativeError = try call.get("rel_error")
        minSamples = try call.get("min_samples")
        maxSamples = try call.get("max_samples")
        batches = try call.get("batches", as: [[Int]]?.self)?.map { try run.sampleNumbers($0, "batches") }
    }

    /// A probe for each name, with the options that it takes.
    /// - Throws: for a name that no probe has, and an option that none of them takes.
    func probes(_ names: [String]) throws -> [any Probe] {
        for option in given where !names.contains(where: { Self.taken[$0]?.contains(option) ?? false }) {
            // An unknown name says more than an option that does not fit it.
            for name in names { _ = try ProbeCatalogue.probe(name) }
            let takers = Self.taken.filter { $0.value.contains(option) }.keys.sorted().joined(separator: ", ")
            throw ArgumentError(
                "option '\(option)' belongs to \(takers), not to \(names.joined(separator: ", "))")
        }
        return try names.map { try probe($0) }
    }

    private func probe(_ name: String) throws -> any Probe {
        switch name {
        case "lambda_max":
            var options = LambdaMax.Options()
            if let k { options.k = k }
            if let tolerance { options.tolerance = tolerance }
            options.samples = samples
            return try LambdaMax(options)
        case "batch_sharpness":
            var options = BatchSharpness.Options()
            options.batchSize = batchSize
            if let relativeError { options.relativeError = relativeError }
            if let minSamples { options.minSamples = minSamples }
            if let maxSamples { options.maxSamples = maxSamples }
            options.batches = batches
            return BatchSharpness(options)
        case "hessian_trace" where relativeError != nil || minSamples != nil || maxSamples != nil:
            return try HessianTrace(
                relativeError: relativeError ?? 0.01, minSamples: minSamples ?? 20, maxSamples: maxSamples ?? 256)
        default: return try ProbeCatalogue.probe(name)
        }
    }
}
