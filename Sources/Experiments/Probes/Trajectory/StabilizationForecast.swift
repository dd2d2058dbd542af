import Compute
import Curvature
import Dynamics
import Networks
import Objectives

/// Gradient descent at the edge of stability beside what self-stabilisation predicts of it: along steps of both, x = u·v and y = ∇S⊥·v of the
/// deviation v from the constrained trajectory, ‖v‖, the loss and the sharpness (``ConstrainedTrajectory``; Damian, Nichani & Lee 2022).
public struct StabilizationForecast: Sendable {
    public enum Quantity: String, Sendable, CaseIterable {
        /// u·v.
        case x
        /// ∇S⊥·v.
        case y
        /// ‖v‖.
        case deviation
        case loss
        /// λ_max of the Hessian.
        case sharpness
    }

    /// Why it ended.
    public enum End: String, Sendable {
        /// All steps asked for were taken.
        case steps
        /// The second eigenvalue of the Hessian came to 1.9/η: two directions oscillate, and this is the theory of one.
        case secondEigenvalue = "second_eigenvalue"
        /// What was predicted is not finite any more.
        case diverged
    }

    /// The step at which it begins: the first whose midpoint (θₜ₋₁ + 2θₜ + θₜ₊₁)/4 has a sharpness of 2/η or more.
    public let start: Int
    public private(set) var end = End.steps
    /// What was predicted, and what gradient descent did, step by step.
    public private(set) var predicted: [Quantity: Series]
    public private(set) var real: [Quantity: Series]
    /// Σ‖v − (θ − θ†)‖² and Σ‖θ − θ†‖².
    private var squares = (error: 0.0, size: 0.0)

    private init(start: Int) {
        self.start = start
        let empty = Quantity.allCases.map { ($0, Series(name: $0.rawValue)) }
        predicted = Dictionary(uniqueKeysWithValues: empty)
        real = predicted
    }

    /// How far the prediction is off over all steps, relative to the size of the real values: √(Σ(predicted − real)²/Σ real²); of
    /// `deviation` of the vectors v.
    public func error(of quantity: Quantity) -> Double {
        if quantity == .deviation { return (squares.error / squares.size).squareRoot() }
        let pairs = zip(predicted[quantity]?.values ?? [], real[quantity]?.values ?? [])
        var (error, size) = (0.0, 0.0)
        for (a, b) in pairs { (error, size) = (error + (a - b) * (a - b), size + b * b) }
        return (error / size).squareRoot()
    }

    private mutating func append(_ step: Int, _ trajectory: ConstrainedTrajectory, _ theta: Vector, _ now: Descent)
        throws
    {
        let v = try theta - trajectory.point
        let (x, y) = try trajectory.coordinates(of: trajectory.deviation)
        let (ownX, ownY) = try trajectory.coordinates(of: v)
        let values: [(Quantity, Double, Double)] = [
            (.x, x, ownX), (.y, y, ownY), (.deviation, trajectory.deviation.norm(), v.norm()),
            (.loss, try trajectory.predictedLoss(), now.loss),
            (.sharpness, try trajectory.predictedSharpness(), now.sharpness),
        ]
        for (quantity, guess, found) in values {
            predicted[quantity]?.append(Measurement(step: step, value: guess))
            real[quantity]?.append(Measurement(step: step, value: found))
        }
        squares.error += try (trajectory.deviation - v).squaredNorm
        squares.size += v.squaredNorm
    }
}

/// Gradient descent at one point.
private struct Descent {
    var loss: Double
    var gradient: Vector
    var sharpness: Double
}

extension StabilizationForecast {
    /// Follows gradient descent from `theta` to the edge of stability, and from there both for so many steps.
    /// - Parameters:
    ///   - step: the number of the step at `theta`.
    ///   - limit: how many steps it may take to come to the edge.
    ///   - each: called at each step: stops by throwing.
    /// - Throws: `ExperimentError.invalid` where `theta` is at the edge already, and where descent does not come there.
    static func make(
        of oracle: Oracle, from theta: Vector, at step: Int, rate: Double, steps: Int, limit: Int, seed: UInt64,
        each: () throws -> Void
    ) throws -> StabilizationForecast {
        var stream = RandomStream(seed: seed, purpose: .probe, index: 1 << 62 | UInt64(step))
        var search = EdgeSearch(oracle: oracle, rate: rate, theta: theta)
        let found = try search.run(limit: limit, stream: &stream, each: each)
        var forecast = StabilizationForecast(start: step + found)
        var theta = search.window[1]
        var trajectory = try ConstrainedTrajectory(
            of: oracle, from: search.midpoint(), theta: theta, rate: rate, stream: stream)
        for count in 0...steps {
            try each()
            let (loss, gradient) = try oracle.gradient(at: theta)
            let sharpness = try search.sharpness(at: theta, &stream)
            try forecast.append(
                forecast.start + count, trajectory, theta, Descent(loss: loss, gradient: gradient, sharpness: sharpness)
            )
            if count == steps { break }
            if trajectory.secondEigenvalue > 1.9 / rate {
                forecast.end = .secondEigenvalue
                break
            }
            try theta.add(-rate, gradient)
            try trajectory.advance()
            guard trajectory.deviation.isFinite, trajectory.point.isFinite, theta.isFinite else {
                forecast.end = .diverged
                break
            }
        }
        return forecast
    }
}

/// Looks for the first step whose midpoint has a sharpness of 2/η: rarely while it is far, at each step where it is near.
private struct EdgeSearch {
    let oracle: Oracle
    let rate: Double
    /// θₜ₋₁, θₜ, θₜ₊₁.
    var window: [Vector]
    private var warmStart: [Vector] = []

    init(oracle: Oracle, rate: Double, theta: Vector) {
        (self.oracle, self.rate, window) = (oracle, rate, [theta])
    }

    func midpoint() throws -> Vector { try WeightAverage.midpoint(of: window) }

    mutating func sharpness(at point: Vector, _ stream: inout RandomStream) throws -> Double {
        let pairs = try topEigenpairs(
            of: CurvatureOperator(of: oracle, at: point), tolerance: 1e-4, warmStart: warmStart, stream: &stream)
        if !pairs.isFinished { throw Cancelled() }
        warmStart = pairs.warmStart
        return pairs.values[0]
    }

    private mutating func advance() throws {
        guard let last = window.last else { return }
        var next = last
        let (loss, gradient) = try oracle.gradient(at: last)
        guard loss.isFinite else {
            throw ExperimentError.invalid("self_stabilization: gradient descent diverges before it comes to the edge")
        }
        try next.add(-rate, gradient)
        window = (window + [next]).suffix(3)
    }

    /// - Returns: t, in steps from where it began.
    mutating func run(limit: Int, stream: inout RandomStream, each: () throws -> Void) throws -> Int {
        for _ in 0..<2 { try advance() }
        var t = 1
        var last: (t: Int, window: [Vector], sharpness: Double)?
        var isNear = false
        while true {
            let sharpness = try sharpness(at: midpoint(), &stream)
            if sharpness >= 2 / rate {
                guard let before = last else {
                    throw ExperimentError.invalid(
                        "self_stabilization: lr·lambda_max/2 is \(sharpness * rate / 2) already, at or above the edge: ask before the "
                            + "run comes there, or with a smaller lr")
                }
                if t == before.t + 1 { return t }
                // It came there between two looks.
                (t, window, isNear) = (before.t, before.window, true)
            } else {
                guard t < limit else {
                    throw ExperimentError.invalid(
                        "self_stabilization: lr·lambda_max/2 is \(sharpness * rate / 2) after \(t) steps, and has not come to 1: "
                            + "raise 'within', or the learning rate")
                }
                var stride = 1
                if !isNear {
                    // Half of the way that is left at the present pace, at most 20 steps.
                    let pace = last.map { (sharpness - $0.sharpness) / Double(t - $0.t) } ?? 0
                    stride = pace > 0 ? max(1, Int(min(20, (2 / rate - sharpness) / pace / 2))) : last == nil ? 1 : 20
                }
                last = (t, window, sharpness)
                for _ in 0..<stride {
                    try each()
                    try advance()
                }
                t += stride
                continue
            }
            try each()
            try advance()
            t += 1
        }
    }
}

extension Run {
    /// What self-stabilisation predicts of gradient descent from the present parameters on, beside what it does. The run itself stays where it
    /// is.
    /// - Parameters:
    ///   - steps: from where the sharpness comes to 2/η on.
    ///   - limit: how many steps that may take.
    /// - Throws: `ExperimentError.invalid` unless this is gradient descent over all samples in f64 that has not come to the edge.
    public func selfStabilizationForecast(steps: Int = 100, within limit: Int = 10_000) throws -> StabilizationForecast
    {
        func need(_ holds: Bool, _ what: String, _ remedy: String) throws {
            guard holds else { throw ExperimentError.invalid("self_stabilization \(what): \(remedy)") }
        }
        try need(
            (rule as? SGD)?.weightDecay == 0, "is the theory of gradient descent, not of \(rule.name)",
            "give the run eoss.optim.sgd without weight decay")
        try need(batchSize == .full, "is the theory of full-batch descent", "set batch_size = 'full'")
        try need(
            objective.model.element == .f64, "follows small differences of third order",
            "make the model with dtype = 'f64'")
        let oracle = try oracle.forked()
        return try engine.asCurrent {
            try StabilizationForecast.make(
                of: oracle, from: parameters, at: step, rate: learningRate, steps: steps, limit: limit, seed: seed
            ) { try atStepBoundary?(self) }
        }
    }
}
