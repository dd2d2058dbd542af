/// What probes are called, and the ones that take no options.
public enum ProbeCatalogue {
    /// Every name that `track` and `measure` know.
    public static var names: [String] {
        Metric.all.keys + ["update_norm", "lambda_max", "batch_sharpness", "step_sharpness", "hessian_trace"]
    }

    /// A probe with its default options.
    /// - Throws: `ExperimentError.unknownProbe`, with the nearest name.
    public static func probe(_ name: String) throws -> any Probe {
        switch name {
        case "update_norm": return UpdateNorm()
        case "lambda_max": return try LambdaMax()
        case "batch_sharpness": return BatchSharpness()
        case "step_sharpness": return StepSharpness()
        case "hessian_trace": return try HessianTrace()
        default:
            guard let metric = Metric.all[name] else { throw ExperimentError.unknownProbe(name, known: names) }
            return Metric(name, metric)
        }
    }
}

extension Run {
    /// Measures now, without recording. The random stream is that of the present step and of measuring, so measuring twice at
    /// one step gives the same number.
    public func measure(_ probe: any Probe) throws -> [Measurement] {
        guard probe.timing == .point else {
            throw ExperimentError.invalid("'\(probe.seriesNames[0])' belongs to a step: track it")
        }
        let tracker = Tracker(probe: probe, every: 1, index: 0)
        return try measuring {
            try probe.measure(self, batch: nil, stream: tracker.stream(seed: seed, step: step))
        }
    }
}
