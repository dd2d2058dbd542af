import Compute
import Curvature
import Dynamics
import Objectives

/// ‖θ − θ_ref‖₂. [EoSS code]
public final class ParameterDistance: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "param_distance", "‖θ − θ_ref‖, how far the parameters went. [EoSS code]", options: [.reference]
        ) { arguments, run in try ParameterDistance(from: arguments.reference(for: run)) }
    ]

    public let seriesNames = ["param_distance"]
    public let reference: Vector

    /// - Parameter reference: θ_ref, in the model's element.
    public init(from reference: Vector) { self.reference = reference }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let displacement = try run.parameters - reference
        // Three vectors are read, one is written.
        run.count(operations: 32 * Double(reference.count))
        return [Measurement(step: run.step, value: displacement.norm())]
    }
}

/// A random projection of the parameters, by which trajectories are compared afterwards: the value is its norm, and the numbers
/// themselves are the measurement's list `sketch`, with how they were made as the list `recipe`: which projection (0 sparse,
/// 1 Gaussian), how many rows, its seed, and how many parameters. [EoSS code]
public final class Sketch: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "sketch",
            "A random projection of θ that keeps distances, stored with the measurement; its value is its norm. [EoSS code]",
            options: [
                ProbeOption(
                    "projection", .choice(RandomProjection.Kind.allCases.map(\.rawValue)), default: "\"sparse\"",
                    "Four entries ±1/2 in each column, or independent normal numbers of variance 1/dim, which are dear."
                ),
                ProbeOption(
                    "dim", .integer(atLeast: 4), default: "5000",
                    "How many numbers a sketch has; it keeps distances up to 1/sqrt(2 dim), relatively."),
                ProbeOption(
                    "seed", .integer(atLeast: 0), default: "1337",
                    "Of the projection: sketches compare where projection, dim and seed agree."),
            ]
        ) { arguments, _ in
            Sketch(
                try RandomProjection(
                    arguments.choice("projection") ?? .sparse, rows: arguments.integer("dim") ?? 5000,
                    seed: UInt64(arguments.integer("seed") ?? 1337)))
        }
    ]

    public let seriesNames = ["sketch"]
    public let projection: RandomProjection

    public init(_ projection: RandomProjection) { self.projection = projection }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let sketch = projection(run.parameters)
        run.count(operations: projection.operations(for: run.parameters.count))
        let norm = sketch.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let recipe = [
            projection.kind == .sparse ? 0 : 1, Double(projection.rows), Double(projection.seed),
            Double(run.parameters.count),
        ]
        return [Measurement(step: run.step, value: norm, arrays: ["sketch": sketch, Series.recipe: recipe])]
    }
}

/// ∇L(θₜ)·∇L(θₜ₋₁)/(‖∇L(θₜ)‖‖∇L(θₜ₋₁)‖) over the training data; not a number before the first step.
public final class GradientCosine: Probe {
    static let declarations = [
        ProbeDeclaration(
            "gradient_cosine",
            "The cosine between the full-data gradients before and after the last step; not a number before the first."
        ) { _, _ in GradientCosine() }
    ]

    public let seriesNames = ["gradient_cosine"]
    public let usesPreviousParameters = true
    /// The gradient of the last measurement, and of which state of the parameters it is.
    private var last: (version: Int, gradient: Vector)?

    public init() {}

    private init(copying other: GradientCosine) {
        last = other.last
    }

    public func copy() -> any Probe { GradientCosine(copying: self) }

    public func code(_ coder: StateCoder) throws {
        var (version, gradient) = (last?.version ?? 0, last?.gradient)
        try coder.code("version", &version)
        try coder.code("gradient", &gradient)
        last = gradient.map { (version, $0) }
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let gradient = try run.gradient()
        guard let before = run.previousParameters else {
            last = (run.version, gradient)
            return [Measurement(step: run.step, value: .nan)]
        }
        let previous: Vector
        // A step is one change of the parameters: measured at each, every gradient is computed once.
        if let last, last.version == run.version - 1 {
            previous = last.gradient
        } else {
            previous = try run.oracle.gradient(at: before).gradient
        }
        last = (run.version, gradient)
        return [
            Measurement(step: run.step, value: try gradient.dot(previous) / (gradient.norm() * previous.norm()))
        ]
    }
}

/// u·(θ − θ_ref), the position along a direction: along a given one, or along the top eigenvector of the Hessian at the first
/// measurement.
public final class DirectionCoordinate: Probe {
    static let declarations = [
        ProbeDeclaration(
            "u_coordinate",
            "u·(θ − θ_ref) along a unit vector: one given, or the Hessian's top eigenvector at the first measurement.",
            options: [
                ProbeOption(
                    "u", .vector, default: "the top eigenvector",
                    "The direction; made a unit vector. By default that of the tracked lambda_max, or computed once."),
                .reference,
            ]
        ) { arguments, run in
            try DirectionCoordinate(along: arguments.fitting("u", run), from: arguments.reference(for: run))
        }
    ]

    public let seriesNames = ["u_coordinate"]
    public let reference: Vector
    /// u, once it is known.
    public private(set) var direction: Vector?

    /// - Throws: `ExperimentError.invalid` for the zero vector.
    public init(along direction: Vector?, from reference: Vector) throws {
        self.reference = reference
        self.direction = try direction.map(Self.unit)
    }

    private init(copying other: DirectionCoordinate) {
        (reference, direction) = (other.reference, other.direction)
    }

    public func copy() -> any Probe { DirectionCoordinate(copying: self) }

    public func code(_ coder: StateCoder) throws { try coder.code("direction", &direction) }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let u = try direction ?? topEigenvector(of: run, stream)
        direction = u
        run.count(operations: 48 * Double(u.count))
        return [Measurement(step: run.step, value: try u.dot(run.parameters - reference))]
    }

    private func topEigenvector(of run: Run, _ stream: RandomStream) throws -> Vector {
        for tracker in run.trackers where tracker.lastMeasured == run.step {
            let tracked = (tracker.probe as? NamedProbe)?.probe ?? tracker.probe
            if let probe = tracked as? LambdaMax, probe.options.scope.block == nil,
                let vector = probe.vectors.first
            {
                return try Self.unit(vector)
            }
        }
        var stream = stream
        let hessian = CurvatureOperator(of: run.oracle, at: run.parameters)
        let pairs = try topEigenpairs(of: hessian, k: 1, tolerance: 0.001, stream: &stream)
        if !pairs.isFinished { throw Cancelled() }
        return try Self.unit(pairs.vectors[0])
    }

    private static func unit(_ vector: Vector) throws -> Vector {
        let norm = vector.norm()
        guard norm > 0, norm.isFinite else {
            throw ExperimentError.invalid("option 'u' of u_coordinate has the norm \(norm): it is no direction")
        }
        return try vector / norm
    }
}

extension ProbeOption {
    /// θ_ref of probes that measure from a point.
    static let reference = ProbeOption(
        "from", .vector, default: "the initial parameters",
        "The parameters that it is measured from; run.params for those of this moment.")
}

extension ProbeArguments {
    /// θ_ref in the model's element.
    /// - Throws: `ExperimentError.invalid` for a vector of another length.
    fileprivate func reference(for run: Run) throws -> Vector {
        try fitting("from", run) ?? run.objective.model.initial
    }

    fileprivate func fitting(_ option: String, _ run: Run) throws -> Vector? {
        guard let vector = try vector(option) else { return nil }
        let count = run.objective.model.layout.count
        guard vector.count == count else {
            throw ExperimentError.invalid(
                "option '\(option)' is a vector of \(vector.count) numbers: the model has \(count) parameters")
        }
        return try vector.converted(to: run.objective.model.element)
    }
}
