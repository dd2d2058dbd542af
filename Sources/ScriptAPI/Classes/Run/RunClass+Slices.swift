import Compute
import Curvature
import Experiments
import LuaBridge
import Objectives

private let place = LuaType.vector.or(.object("run"))
private let directionNames = LuaType.choice("gradient", "top_eigenvector")

/// Which line or plane, how far and how fine.
private let sliceOptions: [Parameter] =
    [
        .optional(
            "along", .vector.or(directionNames).or(.list(of: .vector.or(directionNames), count: 2)),
            "A line from here along a vector (coordinates are multiples of it), 'gradient' (multiples of it: a step of gradient descent leads to -lr) or 'top_eigenvector' of the Hessian (distances); a list of two gives the plane of both."
        ),
        .optional(
            "to_point", place, "A line from here to other parameters, a vector or a run: 0 is here, 1 is there."),
        .optional(
            "through", .list(of: place, count: 2),
            "The plane through here and two other points, vectors or runs; coordinates are distances, the first towards the first point."
        ),
        .optional(
            "trajectory", .list(of: place).or(.choice("checkpoints")),
            "The plane through here along the two principal components of these points, vectors or runs, or of the run's checkpoints; coordinates are distances. Of points on a line the second direction is that of the gradient."
        ),
        Parameter("components", .integer(.between(1, 2)), default: 2, "Of a trajectory: 2 for a plane, 1 for a line."),
        .optional("from", .number(.finite), "The first coordinate; -1, with to_point 0. Of along and to_point."),
        .optional("to", .number(.finite), "The last coordinate; 1. Of along and to_point."),
        .optional(
            "margin", .number(.nonNegative),
            "How far a plane through points, or along components, goes beyond them on each side, as a share of their extent; 0.2."
        ),
        .optional(
            "points", .integer(.between(2, Double(LossSlice.mostPoints))),
            "How many points along each direction; 51 of a line, 21 of a plane, which takes their square."),
    ] + Parameter.here

extension ScriptHost {
    /// The loss along lines and in planes.
    func addSlices(to runs: ObjectClass<Run>) {
        runs.method(
            "slice",
            "The loss over the training samples along a line or in a plane of parameter space; nothing of the run changes.",
            options: sliceOptions, results: [Parameter("slice", .object("slice"), "Coordinates and losses.")]
        ) { run, call in try slice(of: run, call) }
        runs.method(
            "plot_slice",
            "Draws a slice of the loss: along a line a curve, in a plane colours and lines of equal loss with the trajectory on them, into the output folder and the run file, or without a file here.",
            parameters: [.figureFile],
            options: [
                .optional("of", .object("slice"), "One that there is already, in place of the options that make one."),
                .optional("title", .string, "Above the figure."),
                .optional(
                    "log", .boolean,
                    "The loss on a logarithmic scale; by default where the losses of a plane are positive and span a factor of 30."
                ),
            ] + sliceOptions, results: [.figurePath]
        ) { [unowned self] run, call in
            // A wrong name is told before anything is computed.
            let file = try figureFile(call)
            let object: SliceObject
            if let given: SliceObject = try call.get("of") {
                if let other = try sliceOptions.first(where: { try call.has($0.name) }) {
                    throw ArgumentError("run:plot_slice: 'of' is a slice already: leave out '\(other.name)'")
                }
                object = given
            } else {
                object = try slice(of: run, call)
            }
            let figure = SliceFigure(title: try call.get("title"), isLog: try call.get("log")).drawing(object)
            return try show(figure, of: [run], in: file)
        }
    }
}

/// The slice that a call's options describe.
private func slice(of run: Run, _ call: borrowing LuaCall) throws -> SliceObject {
    let kinds = try ["along", "to_point", "through", "trajectory"].filter { try call.has($0) }
    guard let kind = kinds.first, kinds.count == 1 else {
        throw ArgumentError(
            kinds.isEmpty
                ? "a slice of run '\(run.name)' needs to know where: along = v, to_point = v, through = {v, w} or trajectory = {…}"
                : "\(kinds.map { "'\($0)'" }.joined(separator: " and ")): give one of along, to_point, through and trajectory"
        )
    }
    let isLinear = kind == "along" || kind == "to_point"
    for option in isLinear ? ["margin"] : ["from", "to"] where try call.has(option) {
        throw ArgumentError(
            isLinear
                ? "'margin' belongs to 'through' and 'trajectory': of '\(kind)' say where it begins and ends, 'from' and 'to'"
                : "'\(option)' belongs to 'along' and 'to_point': '\(kind)' covers its points, and 'margin' more")
    }
    if kind != "trajectory", try call.has("components") {
        throw ArgumentError("'components' belongs to 'trajectory'")
    }
    let maker = SliceMaker(
        run: run, oracle: try call.oracle(of: run), origin: try call.point(of: run),
        selection: try call.selection(of: run))
    var axes: [LossSlice.Axis]
    var plane: SlicePlane?
    if isLinear {
        let ends: (Double, Double) = (
            try call.get("from") ?? (kind == "along" ? -1 : 0), try call.get("to") ?? 1
        )
        let lines: [(direction: Vector, unit: String)]
        if kind == "along" {
            let value = try call.value("along")
            let list = VectorObject.read(value) == nil && String.read(value) == nil ? value.listed : [value]
            lines = try list.map(maker.direction)
        } else {
            let other = try maker.point(call.value("to_point"), "to_point")
            let way = try other - maker.origin
            lines = [(way, "0 here, 1 at the other point: a unit is a distance of \(short(way.norm()))")]
        }
        let points: Int = try call.get("points") ?? (lines.count == 1 ? 51 : 21)
        axes = try lines.map { try LossSlice.Axis($0.direction, ends: ends, points: points, unit: $0.unit) }
    } else {
        let made: SlicePlane
        if kind == "through" {
            let points = try call.value("through").listed.map { try maker.point($0, "through") }
            made = try SlicePlane(through: maker.origin, points[0], points[1])
        } else {
            let trajectory = try maker.trajectory(call.value("trajectory"))
            made =
                try call.get("components", as: Int.self) == 1
                ? SlicePlane(from: maker.origin, principalLine: trajectory)
                : SlicePlane(from: maker.origin, principal: trajectory, fallback: maker.gradient())
        }
        let points: Int = try call.get("points") ?? (made.directions.count == 1 ? 51 : 21)
        axes = try made.axes(points: points, margin: call.get("margin") ?? 0.2)
        plane = made
    }
    var result = try LossSlice(from: maker.origin, along: axes, of: maker.oracle, over: maker.selection)
    if let plane { (result.marks, result.marksArePath) = (plane.marks, plane.marksArePath) }
    return SliceObject(result, of: run)
}

/// What directions and points of a slice are made of.
private struct SliceMaker {
    let run: Run
    let oracle: Oracle
    let origin: Vector
    let selection: BatchSelection

    func gradient() throws -> Vector { try oracle.gradient(at: origin, over: selection).gradient }

    /// A vector, or the name of one.
    func direction(_ value: LuaValue) throws -> (direction: Vector, unit: String) {
        if let object = VectorObject.read(value) {
            let vector = try run.fitting(object, "along")
            guard vector.norm() > 0 else { throw ArgumentError("'along': the vector is 0, which is no direction") }
            return (vector, "multiples of a vector of norm \(short(vector.norm()))")
        }
        let gradient = try gradient()
        if String.read(value) == "gradient" {
            guard gradient.norm() > 0 else {
                throw ArgumentError("'along': the gradient is 0 here, which is no direction")
            }
            return (gradient, "multiples of the gradient, of norm \(short(gradient.norm()))")
        }
        // By hand, and so from a cold start; a stream of its own, so that no probe finds anything else for it.
        var stream = RandomStream(seed: run.seed, purpose: .vector, index: OperatorStream.slices)
        let pairs = try topEigenpairs(
            of: CurvatureOperator(of: oracle, at: origin, over: selection), k: 1, tolerance: 0.001, stream: &stream)
        if !pairs.isFinished { throw Cancelled() }
        let u = pairs.vectors[0]
        // Its sign is arbitrary: uphill.
        return (
            try u.dot(gradient) < 0 ? -1 * u : u,
            "distance along the eigenvector of lambda_max = \(short(pairs.values[0]))"
        )
    }

    /// The parameters that a vector is, or where a run stands.
    func point(_ value: LuaValue, _ option: String) throws -> Vector {
        if let other = Run.read(value) {
            try other.requirePresent("what run '\(other.name)' has")
            return try run.fitting(other.object(other.parameters), option)
        }
        guard let vector = VectorObject.read(value) else {
            throw ArgumentError("'\(option)': expected a vector or a run, got \(value.typeName)")
        }
        return try run.fitting(vector, option)
    }

    /// The points of `trajectory`.
    func trajectory(_ value: LuaValue) throws -> [Vector] {
        if String.read(value) != nil { return try run.checkpointedParameters().map(\.parameters) }
        return try value.listed.map { try point($0, "trajectory") }
    }
}

extension LuaValue {
    /// The elements of a list.
    fileprivate var listed: [LuaValue] {
        if case .table(let table) = self { table.array } else { [self] }
    }
}
