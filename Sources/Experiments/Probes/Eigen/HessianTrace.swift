import Compute
import Curvature
import Objectives

/// tr H over the training data; the defaults are those of the EoSS code, Hutchinson's estimator with Rademacher vectors.
public final class HessianTrace: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "hessian_trace",
            "The trace of the Hessian over the training data, by random sign vectors. [Hutchinson 1990]",
            options: [
                ProbeOption(
                    "method", .choice(TraceMethod.allCases.map(\.rawValue)), default: "\"hutchinson\"",
                    "The estimator; the other two are the better, the fewer eigenvalues dominate.")
            ] + ProbeOption.stopping(relativeError: 0.01, minSamples: 20, maxSamples: 256) + ProbeScope.options + [
                .block
            ]
        ) { arguments, run in
            try HessianTrace(
                method: arguments.choice("method") ?? .hutchinson,
                relativeError: arguments.number("rel_error") ?? 0.01,
                minSamples: arguments.integer("min_samples") ?? 20,
                maxSamples: arguments.integer("max_samples") ?? 256, scope: ProbeScope(arguments, run))
        }
    ]

    public let seriesNames = ["hessian_trace"]
    public let method: TraceMethod
    public let samples: MonteCarlo
    public let scope: ProbeScope

    public init(
        method: TraceMethod = .hutchinson, relativeError: Double = 0.01, minSamples: Int = 20, maxSamples: Int = 256,
        scope: ProbeScope = ProbeScope()
    ) throws {
        self.method = method
        self.scope = scope
        samples = try MonteCarlo(
            relativeError: relativeError, minSamples: min(minSamples, maxSamples), maxSamples: maxSamples, chunk: 4)
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        var stream = stream
        let estimate = try trace(of: run.curvature(over: scope), method: method, samples: samples, stream: &stream)
        return [Measurement(step: run.step, estimate)]
    }
}
