import Compute
import Datasets
import Dynamics
import Experiments
import LuaBridge
import Networks
import Objectives

/// What a rule of the script's own sees of its step.
final class StepContextObject: LuaObject {
    let theta: Vector
    let layout: ParameterLayout
    let rate: Double
    let oracle: StepOracle
    /// L_B at θ, once a gradient was taken there.
    var loss: Double?
    /// Whether running statistics have moved in this step.
    var hasMoved = false
    private var draws = 8
    /// Over at the end of the step, whatever the script keeps.
    var isOver = false

    init(_ theta: Vector, _ layout: ParameterLayout, _ rate: Double, _ oracle: StepOracle) {
        (self.theta, self.layout, self.rate, self.oracle) = (theta, layout, rate, oracle)
    }

    func object(_ vector: Vector) -> VectorObject { VectorObject(vector, layout) }

    /// The step's samples, from 0.
    var batch: [Int] { oracle.batch.map(Array.init) ?? Array(0..<oracle.oracle.samples.count) }

    func fitting(_ vector: VectorObject, _ what: String) throws -> Vector {
        guard vector.vector.count == theta.count else {
            throw ArgumentError(
                "'\(what)': a vector of \(vector.vector.count) numbers, the model has \(theta.count) parameters")
        }
        return try vector.vector.converted(to: theta.element)
    }

    func check() throws {
        if isOver { throw ArgumentError("the context of a step belongs to that step, which is over") }
    }

    /// A stream for each call; up to eight a step.
    func stream() throws -> RandomStream {
        guard draws < 16 else { throw ArgumentError("context:randn: at most eight vectors a step") }
        defer { draws += 1 }
        return oracle.stream(.noise, index: draws)
    }
}

extension ScriptHost {
    /// `step`: the context of a step of a rule written in Lua.
    func stepContextClass() -> ObjectClass<StepContextObject> {
        let contexts = ObjectClass<StepContextObject>(
            "step", "What a rule of eoss.optim.custom sees of its step: the point, the batch, gradients and products.")
        let place: [Parameter] = [
            .optional("at", .vector, "The point; the step's by default."),
            Parameter(
                "data", .choice("batch", "full"), default: "batch", "Over the step's batch, or over all samples."),
            .optional("samples", .samples, "Over these samples instead: a part of the batch, or others."),
        ]
        let edits: [Parameter] = [
            .optional(
                "weights", .list(of: .number(.finite)),
                "By how much each of the samples counts: the loss is (1/n)·Σ weight·loss over the n samples."),
            .optional("targets", .object("array"), "Other targets, a row for each of the samples."),
        ]
        contexts.property("params", .vector, "The parameters before the step.") { $0.object($0.theta) }
        contexts.property("lr", .number, "The learning rate.") { $0.rate }
        contexts.property("batch", .samples, "The numbers of the step's samples; all of them where there is no batch.")
        {
            $0.batch.map { $0 + 1 }
        }
        contexts.property("step", .integer, unit: "steps", "The number of the step, from 1.") { $0.oracle.step }
        contexts.method(
            "gradient",
            "The gradient of the loss. Running statistics move where it is taken at the step's point on its batch.",
            options: place + edits,
            results: [
                Parameter("gradient", .vector, "The gradient."), Parameter("loss", .number, "The loss there."),
            ]
        ) { context, call in
            try context.check()
            let (point, part) = try Self.arguments(context, call)
            let isHere = try !call.has("at") && part == nil
            let isEdited = try call.has("weights") || call.has("targets")
            let moves = isHere && !context.hasMoved
            let result =
                isEdited
                ? try Self.editedGradient(context, call, at: point, over: part, moving: moves)
                : try context.oracle.gradient(at: point, over: part, moving: moves)
            if isHere { context.hasMoved = true }
            if isHere, !isEdited { context.loss = result.loss }
            return LuaResults(context.object(result.gradient), result.loss)
        }
        contexts.method(
            "outputs", "What the network gives for the samples.", options: place,
            results: [Parameter("outputs", .object("array"), "A row for each sample.")]
        ) { context, call in
            try context.check()
            let (point, part) = try Self.arguments(context, call)
            let oracle = context.oracle.oracle
            let values = try oracle.evaluate(at: point, over: part ?? context.oracle.selection).outputs.values
            let shape = oracle.model.outputShape
            return ArrayObject(try NDArray(values, shape: [values.count / shape.reduce(1, *)] + shape))
        }
        contexts.method(
            "hvp", "The Hessian times a vector.", parameters: [Parameter("v", .vector, "The vector.")], options: place,
            results: [Parameter("product", .vector, "Hv.")]
        ) { context, call in
            try context.check()
            let (point, part) = try Self.arguments(context, call)
            return context.object(
                try context.oracle.product(at: point, with: context.fitting(call.get("v"), "v"), over: part))
        }
        contexts.method(
            "randn", "Standard normal numbers of this step: the same in every fork and after every resume.",
            results: [Parameter("noise", .vector, "One for each parameter.")]
        ) { context, _ in
            try context.check()
            var stream = try context.stream()
            return context.object(
                try Vector.randomNormal(count: context.theta.count, element: context.theta.element, stream: &stream))
        }
        contexts.description { "step \($0.oracle.step), lr \($0.rate)" }
        return contexts
    }

    private static func arguments(
        _ context: StepContextObject, _ call: borrowing LuaCall
    ) throws -> (point: Vector, part: BatchSelection?) {
        let at: VectorObject? = try call.get("at")
        let isFull = try call.get("data", as: String.self) == "full"
        let point = try at.map { try context.fitting($0, "at") } ?? context.theta
        guard let samples: [Int] = try call.get("samples") else { return (point, isFull ? .all : nil) }
        if isFull { throw ArgumentError("'samples' says which: leave out data = \"full\"") }
        if samples.isEmpty { throw ArgumentError("'samples' is empty: name at least one sample") }
        let count = context.oracle.oracle.samples.count
        if let outside = samples.first(where: { $0 < 1 || $0 > count }) {
            throw ArgumentError("'samples': there is no sample \(outside): there are samples 1 to \(count)")
        }
        return (point, .indices(samples.map { $0 - 1 }))
    }

    /// The gradient with weights and targets of the script's own.
    private static func editedGradient(
        _ context: StepContextObject, _ call: borrowing LuaCall, at point: Vector, over part: BatchSelection?,
        moving: Bool
    ) throws -> (loss: Double, gradient: Vector) {
        let oracle = context.oracle.oracle
        let samples =
            switch part {
            case .indices(let indices)?: indices
            case .all?: Array(0..<oracle.samples.count)
            case nil: context.batch
            }
        let weights: [Double]? = try call.get("weights")
        if let weights, weights.count != samples.count {
            throw ArgumentError("'weights' has \(weights.count) numbers for \(samples.count) samples")
        }
        let width = oracle.objective.targetShape.reduce(1, *)
        let given: ArrayObject? = try call.get("targets")
        let targets = given?.array.values
        if let targets, targets.count != samples.count * width {
            throw ArgumentError(
                "'targets' has \(targets.count) numbers: \(samples.count) samples have \(width) each")
        }
        return try samples.withUnsafeBufferPointer { indices in
            try oracle.gradient(at: point, over: indices, training: moving) { batch in
                for sample in 0..<batch.count {
                    if let weights { batch.scale(sample, by: weights[sample]) }
                    if let targets { batch.editTarget(of: sample) { $1 = targets[sample * width + $0] } }
                }
            }
        }
    }

    func addCustomOptimizer(to optim: Namespace) {
        optim.function(
            "custom",
            "A rule of your own, in Lua over vectors: what it keeps in its state is in checkpoints and forks. step returns the new parameters.",
            options: [
                Parameter("lr", .scheduled(.number(.positive)), "The learning rate, as context.lr."),
                .optional(
                    "init", .function(("params", .vector), returns: .table),
                    "Makes the state of the first step: vectors and numbers by their names; empty by default."),
                Parameter(
                    "step", .function(("state", .table), ("context", .object("step")), returns: .vector),
                    "A step: changes the state, and returns the new parameters."),
                .optional(
                    "edge", .function(("quantity", .string), ("lr", .number), returns: .number.orNil),
                    "Up to where a curvature ('lambda_max', 'batch_sharpness', …) is stable; nil where that is not known."
                ),
                Parameter("name", .string, default: "custom", "What it is called in messages and files."),
            ], results: [Parameter("optimizer", .object("optimizer"), "The rule.")]
        ) { call in
            let name: String = try call.get("name")
            if RuleCatalogue.declaration(of: name) != nil {
                throw ArgumentError(
                    "eoss.optim.custom: '\(name)' is what eoss calls a rule of its own; choose another name")
            }
            let rate = try SettingValue(call.value("lr"), "option 'lr' of eoss.optim.custom")
            var first = 1.0
            if case .number(let number) = rate { first = number }
            if case .schedule(let schedule) = rate { first = schedule.value(at: 0) }
            let isNumber = if case .number = rate { true } else { false }
            // What the functions belong to is the object that scripts hold, which the run keeps.
            let object = OptimizerObject(schedules: isNumber ? [] : [("lr", rate)])
            let step = try call.capture("step", in: object)
            let begin = try call.has("init") ? call.capture("init", in: object) : nil
            let edge = try call.has("edge") ? call.capture("edge", in: object) : nil
            let body = CustomRule.Body { theta, state, rate, oracle in
                // One thing for a run that has a thread of its own.
                try step.onItsThread { try Self.step(&theta, &state, rate, oracle, name, step, begin) }
            } edge: { quantity, rate in
                guard let edge else { return nil }
                let result = try edge.call(quantity.rawValue, rate).first ?? .nil
                if result.isNil { return nil }
                guard let number = Double.read(result) else {
                    throw ArgumentError("'edge' of \(name) returned \(result.typeName), a number or nil is needed")
                }
                return number
            }
            object.make(CustomRule(name: name, learningRate: first, body))
            return object
        }
    }

    private static func step(
        _ theta: inout Vector, _ state: inout UpdateState, _ rate: Double, _ oracle: StepOracle, _ name: String,
        _ body: LuaCallback, _ begin: LuaCallback?
    ) throws -> Double {
        let layout = oracle.oracle.model.layout
        let context = StepContextObject(theta, layout, rate, oracle)
        defer { context.isOver = true }
        var table = LuaTable()
        if state.steps == 0, let begin {
            let made = try begin.call(context.object(theta)).first ?? .nil
            guard case .table(let first) = made else {
                throw ArgumentError("'init' of \(name) returned \(made.typeName), a table is needed")
            }
            table = first
        }
        for (key, vector) in zip(state.vectorNames, state.vectors) {
            table.fields[LuaBytes(key)] = .object(VectorObject(vector, layout))
        }
        for (key, number) in zip(state.numberNames, state.numbers) { table.fields[LuaBytes(key)] = .number(number) }
        // A table that Lua changes is seen by way of its object.
        let kept = try body.shared(table, of: context)
        let result = try body.call(arguments: [kept, context]).first ?? .nil
        guard let moved = VectorObject.read(result) else {
            throw ArgumentError("'step' of \(name) returned \(result.typeName): return the new parameters, a vector")
        }
        guard case .table(let after)? = try kept.value else { throw ArgumentError("the state of \(name) is gone") }
        try read(after, into: &state, name, context)
        theta = try context.fitting(moved, "what 'step' of \(name) returned")
        return try context.loss ?? oracle.gradient(at: context.theta, moving: false).loss
    }

    private static func read(
        _ table: LuaTable, into state: inout UpdateState, _ name: String, _ context: StepContextObject
    ) throws {
        guard table.array.isEmpty, table.others.isEmpty else {
            throw ArgumentError("the state of \(name) has names for what it keeps: vectors and numbers")
        }
        var (vectors, numbers): ([(String, Vector)], [(String, Double)]) = ([], [])
        for (key, value) in table.fields.sorted(by: { $0.key < $1.key }) {
            if let vector = VectorObject.read(value) {
                vectors.append((key.description, try context.fitting(vector, "state.\(key)")))
            } else if let number = Double.read(value) {
                numbers.append((key.description, number))
            } else {
                throw ArgumentError(
                    "state.\(key) of \(name) is a \(value.typeName): a rule keeps vectors and numbers, so that checkpoints can"
                )
            }
        }
        (state.vectorNames, state.vectors) = (vectors.map(\.0), vectors.map(\.1))
        (state.numberNames, state.numbers) = (numbers.map(\.0), numbers.map(\.1))
    }
}
